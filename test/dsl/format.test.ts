import assert from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { format, lineWidth, printSource } from "../../dsl/format.js";
import { lex } from "../../dsl/lex.js";
import { parse } from "../../dsl/parse.js";
import { sourceFile, withoutPlaces } from "./arbitrary-ast.js";

function formatted(text: string): string {
  const result = format(text, "x.graph");
  if (!result.ok) throw new Error(result.diagnostics.map((d) => `${d.code} ${d.message}`).join("\n"));
  return result.text;
}

test("a printed tree parses to the same tree, and formatting it changes nothing", (t) => {
  fc.assert(
    fc.property(sourceFile, (ast) => {
      const text = printSource(ast);
      const again = parse(text, "x.graph");
      // A block that places nothing is a warning, and any tree may have one.
      const errors = again.diagnostics.filter((d) => d.severity === "error");
      assert.deepEqual(errors, [], text);
      assert.equal(withoutPlaces(again.ast), withoutPlaces(ast), text);
      const once = formatted(text);
      assert.equal(formatted(once), once);
      assert.equal(withoutPlaces(parse(once, "x.graph").ast), withoutPlaces(ast), once);
    }),
    { numRuns: 150, includeErrorInReport: true },
  );
  t.pass();
});

test("comments anywhere are kept, in a form that formatting no longer changes", (t) => {
  const place = fc.tuple(fc.nat(), fc.constantFrom("# ", "## "), fc.boolean());
  fc.assert(
    fc.property(sourceFile, fc.array(place, { minLength: 1, maxLength: 6 }), (ast, places) => {
      const plain = printSource(ast);
      const starts = [...lex(plain, "x.graph").tokens.map((k) => k.startOffset), plain.length];
      const inserts = places.map(([n, mark, own], i) => ({
        at: starts[n % starts.length] ?? 0,
        text: `${own ? "\n" : " "}${mark}c${i};\n`,
      }));
      let text = plain;
      for (const insert of [...inserts].sort((a, b) => b.at - a.at)) {
        text = text.slice(0, insert.at) + insert.text + text.slice(insert.at);
      }
      // A line break may not stand before a call's bracket, and so on.
      const before = parse(text, "x.graph");
      fc.pre(before.ok);
      const once = formatted(text);
      for (const i of places.keys())
        assert.equal(once.split(`c${i};`).length, 2, `comment ${i} of\n${text}\nin\n${once}`);
      assert.equal(formatted(once), once, text);
      assert.equal(withoutPlaces(parse(once, "x.graph").ast), withoutPlaces(before.ast), `${text}\n=>\n${once}`);
    }),
    { numRuns: 150, includeErrorInReport: true },
  );
  t.pass();
});

test("layout: two spaces, one empty line at most, comments at their statements", (t) => {
  const text = `


## A layer.
fn f( x:f32 )->( y:f32 ){


    # own
    y=x   # behind


    # last
}
graph g{   # the graph
  a=f( x = 1 )
    +  2



  b = {}
}`;
  t.is(
    formatted(text),
    `## A layer.
fn f(x: f32) -> (y: f32) {
  # own
  y = x  # behind

  # last
}

graph g {  # the graph
  a = f(x=1) + 2

  b = {}
}
`,
  );
});

test("long values wrap within the width, and brackets that the author wrote stay", (t) => {
  const long = `graph g {\n  loss = mean(sparse_softmax_cross_entropy(logits_of_the_first_model, label)) + (0.5 * regularization(weights, rate=1e-4)) - penalty\n  y = ((a * b)) + c\n  k = [${Array.from({ length: 60 }, (_, i) => i - 7).join(", ")}]\n}\n`;
  const out = formatted(long);
  t.true(out.split("\n").every((line) => line.length <= lineWidth));
  t.true(out.includes("(0.5 * regularization(weights, rate=1e-4))"));
  t.true(out.includes("  y = (a * b) + c\n"));
  t.is(
    formatted(
      'graph g {\n  q = image_of_the_whole_batch |> convolution(filters=32, size=[3, 3]) |> relu |> dense(units=10, name="out") |> softmax(axis=-1)\n}\n',
    ),
    `graph g {
  q = image_of_the_whole_batch
    |> convolution(filters=32, size=[3, 3])
    |> relu()
    |> dense(units=10, name="out")
    |> softmax(axis=-1)
}
`,
  );
});

test("comments inside lists stay with their items", (t) => {
  t.is(
    formatted("graph g {\n  y = f(a, # first\n   # about b\n   b, c\n   # end\n  )\n}\n"),
    "graph g {\n  y = f(\n    a,  # first\n    # about b\n    b,\n    c,\n    # end\n  )\n}\n",
  );
});

test("an author's spelling of numbers and strings is kept", (t) => {
  const text = 'graph g {\n  a = 1_000 + 1e-3 + 0.10\n  b = "\\u{1F600} \\"x\\""\n  c = -9223372036854775808\n}\n';
  t.is(formatted(text), text);
});

test("a file with a syntax error is not formatted", (t) => {
  const result = format("graph g {\n  x = \n}\n", "x.graph");
  t.false(result.ok);
  t.is(result.diagnostics[0]?.code, "G002");
});

test("empty and comment-only files", (t) => {
  t.is(formatted(""), "\n".trim());
  t.is(formatted("\n\n# only\n\n\n# this\n"), "# only\n\n# this\n");
});
