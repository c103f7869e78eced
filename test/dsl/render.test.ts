import test from "ava";
import { problem } from "../../compiler/ir/codes.js";
import type { Span } from "../../compiler/ir/span.js";
import { parse } from "../../dsl/parse.js";
import { renderJson, renderText, summarize } from "../../dsl/render.js";

const source = `graph mnist {
  dim N <= 1024



  placeholder image: u8[N, 28, 28]


  pixels = reshape(image, [N, 28 * 28])




  logits = pixels @ w
}
`;

function spanOf(text: string, part: string, file = "mnist.graph"): Span {
  const start = text.indexOf(part);
  return { file, start, end: start + part.length };
}

const difference = problem(
  "G021",
  { file: "mnist.graph", start: source.indexOf("@ w") + 2, end: source.indexOf("@ w") + 3 },
  "inner dimensions 784 and 512 differ",
  {
    label: "f32[N, 784] @ f32[512, 10]",
    notes: [{ span: spanOf(source, "reshape(image, [N, 28 * 28])"), message: "f32[N, 784] comes from here" }],
    hint: "transpose(w) would be f32[10, 512]; did you mean a weight of f32[784, 10]?",
  },
);

test("two places of one file in one snippet", (t) => {
  t.is(
    renderText([difference], { source: () => source }),
    `error G021: inner dimensions 784 and 512 differ
  --> mnist.graph:14:21
   |
 9 |   pixels = reshape(image, [N, 28 * 28])
   |            ---------------------------- f32[N, 784] comes from here
14 |   logits = pixels @ w
   |                     ^ f32[N, 784] @ f32[512, 10]
   = hint: transpose(w) would be f32[10, 512]; did you mean a weight of f32[784, 10]?`,
  );
});

test("a place in another file has a block of its own; a note without a place a line", (t) => {
  const other = "fn f(x: f32) -> (y: f32) {\n}\n";
  const d = problem("G030", spanOf(source, "pixels @ w"), "too many arguments", {
    notes: [
      { span: spanOf(other, "x: f32", "lib.graph"), message: "the only parameter" },
      { span: undefined, message: "a note" },
    ],
  });
  t.is(
    renderText([d], { source: (file) => (file === "lib.graph" ? other : source) }),
    `error G030: too many arguments
  --> mnist.graph:14:12
   |
14 |   logits = pixels @ w
   |            ^^^^^^^^^^
  --> lib.graph:1:6
   |
 1 | fn f(x: f32) -> (y: f32) {
   |      ------ the only parameter
   = note: a note`,
  );
});

test("without a place, and without the file's text", (t) => {
  t.is(
    renderText([problem("G092", undefined, "the disk is full")], { source: () => undefined }),
    "error G092: the disk is full",
  );
  t.is(
    renderText([problem("G080", spanOf(source, "image"), "image is not fed")], { source: () => undefined }),
    "error G080: image is not fed\n --> mnist.graph",
  );
});

test("tabs, wide characters and control characters keep the caret in its place", (t) => {
  const text = 'graph g {\n\tx = f("日本", "e\u0301", 2 3)\n}\n';
  const { diagnostics } = parse(text, "x.graph");
  t.is(
    renderText(diagnostics, { source: () => text }),
    `error G002: expected \`,\` or \`)\`, found \`3\`
 --> x.graph:2:22
  |
2 |     x = f("日本", "e\u0301", 2 3)
  |                          ^
  = hint: a comma may be missing`,
  );
  t.false(
    renderText([problem("G002", spanOf("a\u001B[31mb", "b", "x"), "\u001B[2J")], {
      source: () => "a\u001B[31mb",
    }).includes("\u001B"),
  );
});

test("a long line is clipped around the caret", (t) => {
  const text = `graph g {\n  x = [${"12, ".repeat(60)}3 4, ${"56, ".repeat(60)}]\n}\n`;
  const shown = renderText(parse(text, "x.graph").diagnostics, { source: () => text, width: 60 });
  const [, , , line = "", carets = ""] = shown.split("\n");
  t.true(line.length < 75);
  t.is(line.slice(carets.indexOf("^"), carets.indexOf("^") + 2), "4,");
  t.regex(line, /^2 \| \.\.\..*\.\.\.$/);
});

test("colours are escapes around the same text", (t) => {
  const plain = renderText([difference], { source: () => source });
  const colored = renderText([difference], { source: () => source, color: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour escapes are what is removed
  t.is(colored.replace(/\u001B\[\d+m/g, ""), plain);
  t.not(colored, plain);
});

test("JSON has the keys that the CLI promises", (t) => {
  t.deepEqual(
    renderJson([difference, problem("G092", undefined, "full")], () => source),
    [
      {
        code: "G021",
        severity: "error",
        file: "mnist.graph",
        line: 14,
        column: 21,
        message: "inner dimensions 784 and 512 differ",
        label: "f32[N, 784] @ f32[512, 10]",
        hint: "transpose(w) would be f32[10, 512]; did you mean a weight of f32[784, 10]?",
        notes: [{ file: "mnist.graph", line: 9, column: 12, message: "f32[N, 784] comes from here" }],
        fixes: [],
      },
      {
        code: "G092",
        severity: "error",
        file: null,
        line: null,
        column: null,
        message: "full",
        label: null,
        hint: null,
        notes: [],
        fixes: [],
      },
    ],
  );
});

test("the summary counts", (t) => {
  t.is(
    summarize([difference, difference, problem("G009", undefined, "x", { severity: "warning" })]),
    "2 errors, 1 warning",
  );
  t.is(summarize([]), "");
});
