import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { maximumDiagnostics, maximumFileLength } from "../../dsl/diagnostics.js";
import { format } from "../../dsl/format.js";
import { parse } from "../../dsl/parse.js";
import { renderText } from "../../dsl/render.js";

/** Parses and renders; whatever the text, the result is diagnostics with places inside it. */
function survives(text: string): readonly string[] {
  const { diagnostics, ok } = parse(text, "x.graph");
  assert.equal(
    ok,
    diagnostics.every((d) => d.severity === "warning"),
  );
  assert.ok(diagnostics.length <= maximumDiagnostics + 1);
  for (const d of diagnostics) {
    for (const span of [d.span, ...d.notes.map((n) => n.span)]) {
      assert.ok(span === undefined || (span.start >= 0 && span.start <= span.end && span.end <= text.length), text);
    }
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
  assert.ok(!/[\u0000-\u0009\u000B-\u001F\u007F]/.test(renderText(diagnostics, { source: () => text })));
  if (ok) {
    const once = format(text, "x.graph");
    assert.ok(once.ok);
  }
  return diagnostics.map((d) => d.code);
}

function check(text: string): void {
  survives(text);
}

test("any text", (t) => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 300 });
  t.pass();
});

const fragments = [
  "graph",
  "g",
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "=",
  ":=",
  ":",
  ",",
  ".",
  "...",
  "->",
  "|>",
  "==",
  "<",
  "<=",
  "+",
  "-",
  "*",
  "**",
  "//",
  "/",
  "@",
  "not",
  "and",
  "if",
  "else",
  "while",
  "scan",
  "in",
  "with",
  "x",
  "y",
  "seed",
  "dim",
  "variable",
  "scope",
  "on",
  "update",
  "signature",
  "does",
  "train",
  "import",
  "from",
  "fn",
  "optimizer",
  "yield",
  "require",
  "next",
  "frozen",
  "f32",
  "1",
  "2.5",
  '"s"',
  "\n",
  "\n  ",
  "# c\n",
  "## d\n",
  "'",
  '"',
  ";",
  "&&",
  "$",
  "\t",
  "\r\n",
];

test("any sequence of the language's words", (t) => {
  const words = fc.array(fc.constantFrom(...fragments), { maxLength: 80 }).map((list) => list.join(" "));
  const inside = words.map((text) => `graph g {\n${text}\n}\n`);
  fc.assert(fc.property(words, check), { numRuns: 400 });
  fc.assert(fc.property(inside, check), { numRuns: 400 });
  t.pass();
});

test("a good file with some characters cut out", (t) => {
  const text = `import { a } from "b"
fn f[T: float](x: T[..., 2] = 3) -> (y: T) {
  y = x
}
graph g {
  s, t = scan(reverse=true) x in xs with h = 1 {
    next h = (x + [1, 2][0]) |> f(a=2)
    yield h
  }
  train {
    data = { x = idx("f")[0:2] }
  }
}
`;
  const cut = fc
    .tuple(fc.nat(text.length), fc.nat(12))
    .map(([at, length]) => text.slice(0, at) + text.slice(at + length));
  fc.assert(fc.property(cut, check), { numRuns: 400 });
  t.pass();
});

test("deep nesting and long chains end in a diagnostic, not in a stack overflow", (t) => {
  const n = 20_000;
  for (const [open, close] of [
    ["(", ")"],
    ["[", "]"],
    ["f(", ")"],
    ["x[", "]"],
    ["{ a = ", " }"],
  ] as const) {
    t.true(survives(`graph g {\n  x = ${open.repeat(n)}1${close.repeat(n)}\n}\n`).includes("G101"), open);
    survives(`graph g {\n  x = ${open.repeat(n)}`);
    survives(`graph g {\n  x = ${`${open}\n`.repeat(n)}`);
  }
  t.true(survives(`graph g {\n${"scope s {\n".repeat(n)}${"}".repeat(n)}\n}\n`).includes("G101"));
  t.true(survives(`fn f(x: ${"list[".repeat(n)}f32${"]".repeat(n)}) -> () {\n}\n`).includes("G101"));
  t.true(survives(`graph g {\n  x = ${"a = if b { ".repeat(n)}`).length > 0);
  t.deepEqual(survives(`graph g {\n  x = ${"a + ".repeat(n)}1\n}\n`), ["G101"]);
  t.deepEqual(survives(`graph g {\n  x = ${"a ** ".repeat(n)}1\n}\n`), ["G101"]);
  t.deepEqual(survives(`graph g {\n  x = ${"- ".repeat(n)}1\n}\n`), ["G101"]);
  t.deepEqual(survives(`graph g {\n  x = 1${" |> f()".repeat(n)}\n}\n`), ["G101"]);
  t.deepEqual(survives(`graph g {\n  x = y${"[0]".repeat(n)}\n}\n`), ["G101"]);
  t.deepEqual(survives(`graph g {\n  x = y${".z".repeat(n)}\n}\n`), []);
  t.deepEqual(survives(`graph g {\n  x = ${"(".repeat(90)}1${")".repeat(90)}\n}\n`), []);
});

test("long tokens and many lines take no more than linear time", (t) => {
  const n = 100_000;
  t.deepEqual(survives(`graph g {\n  x = ${"9".repeat(n)}\n}\n`), ["G007"]);
  survives(`graph g {\n  x = ${"a, ".repeat(n / 4)}\n}\n`);
  survives("(\n".repeat(n / 8));
  survives("a, ".repeat(n / 4));
  survives("a,\n".repeat(n / 8));
  survives(`graph g {\n${"x = f(\n".repeat(n / 40)}`);
  survives("\u0000".repeat(n));
  survives(`"${"\\".repeat(n)}`);
  survives("{".repeat(n / 4));
  survives("}".repeat(n / 4));
  t.is(survives(" ".repeat(maximumFileLength + 1)).join(), "G100");
});
