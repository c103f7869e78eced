import test from "ava";
import fc from "fast-check";
import { longFiles } from "../../bench/long_files.js";
import { type Lexed, lex } from "../../dsl/lex.js";
import { parse } from "../../dsl/parse.js";
import { KeptText } from "../../editor/server/kept_text.js";
import { Trees } from "../../editor/server/trees.js";
import { edit, edited, model } from "./edits.js";

const file = "/nowhere/a.graph";

/** Layouts that a file with all its brackets may have, and one without may not; signs that hide what follows; what is looked ahead for. */
const odd = `fn f(a: f32, b: f32 = 1.0) -> (c: f32) { c = a + b }
graph g {
  seed 3
  x = f(
a = 1.0,
    b = 2.0)
  y =
  x
  list = [
    1.0, 2.0,
  3.0 ]
  z = x # why
    |> exp() |> f(b=2.0)
  ## Of u.
  u, _ = split(list,
    sizes=[1, 2])
  scope s { v = x }
  scope s {
    w = -9223372036854775808
    on "cpu" { w2 = w }
  }
  k = if training { yield 1.0 } else {
    yield 2.0
  }
  update again = minimize(x, f(b = 1)) on "cpu"
}
`;

const signs: readonly string[] = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "/*",
  "*/",
  "//",
  "#",
  "##",
  '"',
  "'",
  ";",
  "?",
  "&&",
  ",",
  "=",
  "==",
  ":=",
  "|>",
  "->",
  ".",
  "..",
  " ",
  "\n",
  "\n\n",
  "\r\n",
  "\r",
  "\t",
  "if",
  "else",
  "yield",
  "on",
  'on "gpu"',
  "scope t {",
  "fn h() -> (q) {",
  "graph",
  "import",
  "x",
  "1",
  "9223372036854775808",
  "\n## Doc.\n",
  "\n# Note.\n",
  "  ",
  "seed 4\n",
  "é",
  "\u2212",
];

/** What the parser gives, as data; bigints are written out. */
function shown(one: unknown): string {
  return JSON.stringify(one, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

function sameAsAnew(texts: readonly string[]): void {
  const trees = new Trees();
  for (const text of texts) {
    const kept = trees.next(text, file);
    const anew = parse(text, file);
    for (const part of ["ast", "diagnostics", "ok"] as const) {
      if (shown(kept[part]) !== shown(anew[part])) {
        throw new Error(`${part} of ${JSON.stringify(text)}\n${shown(kept[part])}\n${shown(anew[part])}`);
      }
    }
    if (shown(kept.source.comments) !== shown(anew.source.comments)) throw new Error("the comments are others");
  }
}

/** All that the lexer tells of a text. */
function lexedAs({ tokens, comments, diagnostics }: Lexed): unknown {
  const told = tokens.map(({ tokenType, ...rest }) => ({ ...rest, type: tokenType.name }));
  return { tokens: told, comments, diagnostics: shown(diagnostics) };
}

const place = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
  text: fc.constantFrom("", ...signs),
});

test("after any edits, the tree and the problems are those of a text that was never seen", (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<string>(odd, model),
      fc.array(fc.oneof(place, edit), { minLength: 1, maxLength: 6 }),
      (start, edits) => {
        const texts = [start];
        for (const one of edits) {
          const before = texts.at(-1) ?? "";
          const at = Math.floor(one.at * before.length);
          texts.push(before.slice(0, at) + one.text + before.slice(at + one.length));
        }
        sameAsAnew([...texts, ...[...texts].reverse().slice(1)]);
      },
    ),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 30) },
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const texts = [model];
      for (const one of edits) texts.push(edited(texts.at(-1) ?? "", one));
      sameAsAnew(texts);
    }),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 8) },
  );
  t.pass();
});

test("of a long file, a change has its own part read and the one before, which is looked on from", (t) => {
  for (const { name, text } of longFiles(240)) {
    const trees = new Trees();
    trees.next(text, file);
    const all = trees.counts.read;
    t.true(all >= 20, name);
    const lines = text.split("\n");
    const line = lines.findIndex((one, i) => i > lines.length / 2 && /= .*\)$/.test(one));
    for (const behind of [" ", " + 1.0", " + (", "", "  # Why."]) {
      const next = lines.map((one, i) => (i === line ? one + behind : one)).join("\n");
      trees.next(next, file);
      const { read, unread } = trees.counts;
      t.true(read <= 3 && unread >= all - 3, `${name} ${JSON.stringify(behind)}: ${read} read, ${unread} not`);
    }
  }
});

test("so are its tokens, where what stands before and behind the lines that have changed is moved", (t) => {
  let again = 0;
  const calm = fc.record({
    at: place.map(({ at }) => at),
    length: fc.nat(3),
    text: fc.constantFrom("\n", "\r", "\r\n", "a", " 1.0", "# é\n", ""),
  });
  fc.assert(
    fc.property(
      fc.constantFrom<string>(odd, model, model.replaceAll("\n", "\r\n")),
      fc.array(fc.oneof(calm, calm, place), { minLength: 1, maxLength: 12 }),
      (start, edits) => {
        let text = start;
        let kept = new KeptText("", { tokens: [], comments: [], diagnostics: [] }, []);
        for (const one of [{ at: 0, length: 0, text: "" }, ...edits]) {
          const at = Math.floor(one.at * text.length);
          text = text.slice(0, at) + one.text + text.slice(at + one.length);
          const lexed = kept.before(text).lex(text, file);
          if (lexed.diagnostics.length === 0) again++;
          t.deepEqual(lexedAs(lexed), lexedAs(lex(text, file)), JSON.stringify(text));
          kept = new KeptText(text, lexed, []);
        }
      },
    ),
    { numRuns: Number(process.env["GRAPHC_RUNS"] ?? 40) },
  );
  t.true(again > 0);
});
