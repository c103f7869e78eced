import test from "ava";
import type { NodeModel, ViewerDocument } from "../../viewer/model.js";
import { statementFrom } from "../../viewer/statements.js";
import { documentOfText, network, viewOf } from "./support.js";

const text = `graph g {
  placeholder x: f32[8]
  y = x * 2.5 + 1.0
  k = 2.5
  message = "of the text"
  table = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
  near = x + table <= 3.0
  last = maximum(
    x,
    y,
  )
  signature s(x) -> (y, k, message, near, last)
}
`;

/** What of the text a node's places mark, with their lines. */
function marked({ places }: Pick<NodeModel, "places">, { lines }: ViewerDocument): readonly string[] {
  const rows = text.split("\n");
  return places.map(([at, column, length]) => {
    const line = lines[at]?.line ?? 0;
    const from = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, column - 1);
    return `${line}: ${text.slice(from, from + length)}`;
  });
}

const document = documentOfText(text);
const source = viewOf(document, "s", "source");

test("an op marks its whole expression, not the operand that it begins with", (t) => {
  const of = (op: string): readonly string[] =>
    source.nodes.filter((node) => node.op === op).flatMap((node) => marked(node, document));
  t.deepEqual(of("mul"), ["3: x * 2.5"]);
  t.deepEqual(of("le"), ["7: x + table <= 3.0"]);
  t.deepEqual(of("maximum"), ["8: maximum(\n    x,\n    y,\n  )"]);
});

test("a constant stands where its name is bound, a string too, though equal ones are one node", (t) => {
  const constant = (name: string): readonly string[] =>
    source.nodes
      .filter((node) => node.kind === "constant" && node.name === name)
      .flatMap((node) => marked(node, document));
  t.deepEqual(constant("k"), ["4: 2.5"]);
  t.deepEqual(constant("message"), ['5: "of the text"']);
});

test("a constant has its name among the kernels", (t) => {
  const names = viewOf(document, "s", "kernels").nodes.flatMap(({ kind, name }) => (kind === "constant" ? [name] : []));
  t.true(names.includes("table"), names.join(", "));
});

test("a statement is quoted to its end: its brackets, or what is marked, but not the block that it opens", (t) => {
  const from = (lines: readonly string[], column: number, length: number) =>
    statementFrom((after) => lines[after], column, length);
  t.deepEqual(from(["a = f(", "  x, # (", '  "(",', ")", "b = 1"], 1, 1), {
    lines: ["a = f(", "  x, # (", '  "(",', ")"],
    isCut: false,
  });
  t.deepEqual(from(["a = scan x in xs {", "  yield x", "}"], 5, 100), { lines: ["a = scan x in xs {"], isCut: false });
  t.deepEqual(from(["y = a +", "  b", "c = 1"], 5, 7), { lines: ["y = a +", "  b"], isCut: false });
  const long = from(["a = f(", ...Array.from({ length: 50 }, (_, i) => `  x${i},`), ")"], 1, 1);
  t.true(long.isCut);
  t.true(long.lines.length < 20);
  // All that the page needs for it is in the document.
  const quoted = new Set(document.lines.map(({ line }) => line));
  for (const line of [8, 9, 10, 11]) t.true(quoted.has(line), String(line));
});

test("the steps of an optimizer are called by their variables", (t) => {
  const groups = viewOf(documentOfText(network), "fit", "source").groups;
  t.deepEqual(groups.flatMap(({ name, text: what }) => (what === "sgd()" ? [name] : [])).sort(), [
    "hidden/dense/b",
    "hidden/dense/w",
    "y/dense/b",
    "y/dense/w",
  ]);
});

test("a call has the types of its own program: in training, what it is given may be of another size", (t) => {
  const drawn = documentOfText(
    `import { dense } from "std/layers"
graph g {
  dim N <= 16
  placeholder fed: f32[N, 3]
  given = if training {
    yield random_normal([5, 3])
  } else {
    yield fed
  }
  y = dense(given, units=2)
  variable w: f32 = 0.0
  update count { w := w + sum(y) }
  signature predict(fed) -> (y)
  signature fit() does count -> (y)
}
`,
    { sizes: new Map([["N", 4]]) },
  );
  const typeOfX = (program: string): string | undefined =>
    viewOf(drawn, program, "source").groups.find(({ text: what }) => what === "dense()")?.call?.given[0]?.value;
  t.is(typeOfX("fit"), "f32[5, 3]");
  t.is(typeOfX("predict"), "f32[N, 3]");
});

test("a call of a built-in that is several ops is a group with its documentation, and so is its gradient", (t) => {
  const text = `graph g {
  placeholder image: f32[2, 8, 8, 3]
  pooled = average_pool(image, window=2, padding="same")
  noise = random_uniform([3])
  loss = mean(pooled ** 2)
  slope = gradients(loss, image)
  signature s(image) -> (loss, slope, noise)
}
`;
  const document = documentOfText(text);
  const source = viewOf(document, "s", "source");
  const at = source.groups.findIndex(({ text: called }) => called === "average_pool()");
  const { name, kind, call, places } = source.groups[at] ?? {};
  t.deepEqual([name, kind, places?.map(([line]) => document.lines[line]?.line)], ["pooled", "call", [3]]);
  const inside = source.nodes.filter(({ group }) => group === at).map(({ op }) => op);
  // Windows at the border have fewer elements: how many is counted.
  t.deepEqual(inside.toSorted(), ["broadcast_in_dim", "div", "reduce_window", "reduce_window"]);
  const called = document.functions[call?.of ?? -1];
  t.regex(called?.doc ?? "", /^The mean of each window/);
  t.regex(called?.signature ?? "", /^average_pool\(x, window, .*\) -> y$/);
  const { groups, nodes } = viewOf(document, "s", "gradients");
  const pools = groups.filter(({ text: one }) => one === "average_pool()");
  t.deepEqual(pools.map(({ role }) => role).sort(), ["backward", "forward"]);
  t.true(nodes.some(({ role, group }) => role === "backward" && groups[group]?.text === "average_pool()"));
  // What all draws share is nobody's, and an op that is the call is no group.
  t.is(source.nodes.find(({ op }) => op === "run_state")?.group, -1);
  t.is(source.nodes.find(({ op }) => op === "random_uniform")?.group, -1);
});
