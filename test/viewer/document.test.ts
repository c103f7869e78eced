import test from "ava";
import { captionOf } from "../../viewer/boxes.js";
import type { ViewModel } from "../../viewer/model.js";
import { visibleOf } from "../../viewer/visible.js";
import { chain, documentOfText, groupsAround, network, viewOf } from "./support.js";

/** What a program is as it is written, and with gradients. */

const document = documentOfText(network);

function named(view: ViewModel, name: string) {
  const node = view.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}

test("the source view has the calls of the text, bound to the names that it gives them", (t) => {
  const view = viewOf(document, "fit", "source");
  const calls = view.groups.filter(({ kind }) => kind === "call").map(({ name, text }) => `${name} ${text}`);
  for (const call of ["hidden relu()", "hidden dense()", "y dense()", "loss mean()"])
    t.true(calls.includes(call), call);
  t.deepEqual(groupsAround(view, named(view, "y/dense/w")), ["y"]);
  t.true(groupsAround(view, named(view, "loss")).includes("metrics"));
});

test("placeholders, variables, results and assignments are boxes of their own", (t) => {
  const view = viewOf(document, "fit", "source");
  const of = (kind: string): readonly string[] =>
    view.nodes
      .filter((node) => node.kind === kind)
      .map(({ name }) => name)
      .sort();
  t.deepEqual(of("placeholder"), ["label", "x"]);
  const variables = ["hidden/dense/b", "hidden/dense/w", "y/dense/b", "y/dense/w"];
  t.deepEqual(of("variable"), variables);
  t.deepEqual(of("assign"), variables);
  t.deepEqual(of("output"), ["metrics.loss"]);
});

test("in a flat graph, too, what goes in and comes out stands beside the parts", (t) => {
  const chain = Array.from({ length: 300 }, (_, i) => `  a${i + 1} = a${i} + x\n`).join("");
  const text = `graph g {\n  placeholder x: f32[3]\n  a0 = x * 2\n${chain}  signature s(x) -> (a300)\n}\n`;
  const view = viewOf(documentOfText(text), "s", "source");
  for (const kind of ["placeholder", "output"])
    t.deepEqual(
      view.nodes.filter((node) => node.kind === kind).map(({ group }) => group),
      [-1],
    );
  const parts = view.groups.filter(({ kind }) => kind === "part");
  t.true(parts.length > 1 && parts.length <= 24, `${parts.length} parts`);
  t.false(view.nodes.some(({ kind, group }) => kind === "op" && group === -1));
});

test("parts of a flat graph are called by their first and last op, in the words of the text, with their lines", (t) => {
  const document = documentOfText(chain(300));
  const parts = viewOf(document, "run", "source").groups.filter(({ kind }) => kind === "part");
  t.true(parts.length > 1);
  for (const { name, text } of parts) {
    const [, from, to] = /^v(\d+) … v(\d+)$/.exec(name) ?? [];
    // The first is declared in the second line.
    t.is(text, `lines ${Number(from) + 2}–${Number(to) + 2}`, name);
  }
  // Ops in kernels have no names of their own.
  const expression = Array.from({ length: 80 }, (_, i) => i).reduce((made, i) => `(${made} * x + ${i + 2})`, "x");
  const unnamed = `graph g {\n  placeholder x: f32[4]\n  y = relu(${expression})\n  signature run(x) -> (y)\n}\n`;
  for (const kind of ["source", "kernels"] as const) {
    const { groups } = viewOf(documentOfText(unnamed), "run", kind);
    const found = groups.filter((group) => group.kind === "part");
    t.true(found.length > 1, kind);
    for (const { name, text } of found) {
      t.regex(name, /^([+*] ?\d*|y|max.*) … ([+*] ?\d*|y|max.*|relu.*)$|^y$/, kind);
      t.is(text, "line 3");
    }
  }
  const kernels = viewOf(documentOfText(chain(300)), "run", "kernels").groups.filter(({ kind }) => kind === "part");
  for (const { name, text } of kernels) {
    t.regex(name, /^v\d+ … v\d+$/);
    t.regex(text, /^lines \d+–\d+$/);
  }
});

test("a small constant is part of the op that uses it, and no box", (t) => {
  const view = viewOf(document, "fit", "source");
  t.deepEqual(
    view.nodes.filter(({ kind }) => kind === "constant"),
    [],
  );
  t.true(view.nodes.some(({ text }) => text === "max(·, 0)" || text === "relu" || text.includes("0")));
});

test("an edge has the type that the text gives it, and its bytes", (t) => {
  const view = viewOf(document, "predict", "source");
  const type = view.types[named(view, "x").outputs[0] ?? -1];
  t.deepEqual(type, { text: "f32[64, 96]", bytes: 64 * 96 * 4 });
  const symbolic = "graph g {\n  dim N\n  placeholder x: f32[N, 3]\n  y = x + 1\n  signature s(x) -> (y)\n}\n";
  const sized = viewOf(documentOfText(symbolic, { sizes: new Map([["N", 7]]) }), "s", "source");
  t.deepEqual(sized.types[0], { text: "f32[N, 3]", bytes: 7 * 3 * 4 });
  const open = documentOfText(symbolic, { open: ["N"] });
  t.deepEqual(viewOf(open, "s", "source").types[0], { text: "f32[N, 3]", bytes: undefined });
  t.regex(viewOf(open, "s", "kernels").missing ?? "", /N is not known.*--dim N=32/);
});

test("a node points at the line of the text, the user's first", (t) => {
  const view = viewOf(document, "fit", "source");
  const product = view.nodes.find(({ op, group }) => op === "dot_general" && view.groups[group]?.name === "y");
  const [place] = product?.places ?? [];
  t.deepEqual(document.lines[place?.[0] ?? -1], { file: "test.graph", line: 7, text: "  y = dense(hidden, 32)" });
});

test("gradients are told from the forward pass and from what is done with them", (t) => {
  const view = viewOf(document, "fit", "gradients");
  const products = view.nodes.filter(({ op }) => op === "dot_general");
  // Two layers: two products forward; backward two for the weights and one for the input of the second layer.
  t.is(products.filter(({ role }) => role === "forward").length, 2);
  t.is(products.filter(({ role }) => role === "backward").length, 3);
  t.true(view.nodes.filter(({ kind }) => kind === "assign").every(({ role }) => role === "update"));
  t.false(view.nodes.some(({ op }) => op === "gradients"));
  const request = viewOf(document, "fit", "source").nodes.findIndex(({ op }) => op === "gradients");
  for (const { role, requests } of view.nodes) t.deepEqual(requests, role === "backward" ? [request] : undefined);
  const forward = viewOf(document, "predict", "gradients");
  t.true(forward.nodes.every(({ role }) => role === "forward"));
});

test("a gradient and a kernel lead back to the op of the text that they stem from", (t) => {
  const source = viewOf(document, "fit", "source");
  const at = source.nodes.findIndex(({ op, group }) => op === "dot_general" && source.groups[group]?.name === "y");
  const gradients = viewOf(document, "fit", "gradients").nodes.filter(({ stems }) => stems.includes(at));
  t.deepEqual([...new Set(gradients.filter(({ op }) => op === "dot_general").map(({ role }) => role))].sort(), [
    "backward",
    "forward",
  ]);
  const kernels = viewOf(document, "fit", "kernels");
  const inside = kernels.nodes.filter(({ stems }) => stems.includes(at)).flatMap((node) => groupsAround(kernels, node));
  t.true(inside.includes("y_dense_w_matmul") && inside.includes("y_dense_w_update"), inside.join(", "));
});

test("all references of a document lead somewhere", (t) => {
  for (const { views } of document.programs) {
    for (const { nodes, groups, types, kind } of views) {
      const source = views[0]?.nodes.length ?? 0;
      nodes.forEach((node, at) => {
        for (let i = 0; i < node.inputs.length; i += 2) {
          t.true((node.inputs[i] as number) < at, `${kind}: an input comes before its user`);
          t.true((node.inputs[i + 1] as number) < (nodes[node.inputs[i] as number]?.outputs.length ?? 0));
        }
        t.true(node.group < groups.length && node.outputs.every((type) => type < types.length));
        t.true(node.stems.every((stem) => stem < source));
      });
      for (const { parent } of groups) t.true(parent < groups.length);
    }
  }
});

test("equal graphs give equal documents", (t) => {
  t.is(JSON.stringify(documentOfText(network)), JSON.stringify(document));
});

test("loops and branches are groups with their bodies in them", (t) => {
  const text = `graph g {
  placeholder xs: f32[5, 2]
  total = scan x in xs with h = [0.0, 0.0] {
    next h = tanh(h + x)
  }
  y = total * 2
  signature run(xs) -> (y)
}
`;
  const scanned = documentOfText(text);
  const view = viewOf(scanned, "run", "source");
  const region = view.groups.findIndex(({ kind }) => kind === "region");
  t.is(view.groups[region]?.text, "scan");
  const inside = view.nodes.filter(({ group }) => group === region).map(({ op }) => op);
  t.deepEqual([...inside].sort(), ["add", "parameter", "parameter", "scan", "tanh"]);
  const loop = viewOf(scanned, "run", "kernels").groups.find(({ text: kind }) => kind === "loop");
  t.truthy(loop);
});

test("a string that a signature gives is a constant and an output in each view", (t) => {
  const text = `graph g {
  placeholder x: f32[2]
  s = "a <b>\\"word\\"</b>"
  y = x + 1
  signature go(x) -> (y, s)
}
`;
  const { programs } = documentOfText(text);
  for (const { kind, nodes, types } of programs[0]?.views ?? []) {
    const at = nodes.findIndex((node) => node.kind === "constant" && node.name === "s");
    const type = types[nodes[at]?.outputs[0] ?? -1];
    t.deepEqual(
      [nodes[at]?.text, type],
      [JSON.stringify('a <b>"word"</b>'), { text: "string", bytes: undefined }],
      kind,
    );
    const output = nodes.find((node) => node.kind === "output" && node.name === "s");
    t.deepEqual(output?.inputs, [at, 0], kind);
    if (kind !== "source") t.is(output?.stems.length, 1);
  }
});

const cells = `import { dense } from "std/layers"
graph g {
  placeholder xs: f32[5, 3]
  placeholder limit: i64
  variable scale: f32 = 1.0
  last, states = scan x in xs with h = zeros([4]) {
    next h = tanh(dense(concatenate([h, x * scale], axis=0), units=4))
    yield h
  }
  root, turns = while n < limit with r = 4.0, n = 0 {
    step = if r > 3 { yield r / scale } else { yield (r + 3.0 / r) / 2 }
    next r = step
    next n = n + 1
  }
  signature run(xs) -> (states)
  signature count(limit) -> (turns)
}
`;

test("a call in a loop is a group in it, and what the loop is given has the names of the text", (t) => {
  const view = viewOf(documentOfText(cells), "run", "source");
  const standing = (kind: string): readonly string[] =>
    view.nodes
      .filter((node) => node.kind === kind)
      .map((node) => `${node.name}, ${node.text} in ${groupsAround(view, node).join(" in ")}`)
      .sort();
  t.deepEqual(standing("parameter"), [
    "h, carry in states",
    "last/dense/b, from outside in h in states",
    "last/dense/w, from outside in h in states",
    "scale, from outside in states",
    "x, element in states",
  ]);
  const product = view.nodes.find(({ op }) => op === "dot_general");
  t.deepEqual(product === undefined ? [] : groupsAround(view, product), ["h", "states"]);
  const closed = visibleOf(view, new Set()).boxes.filter(({ group }) => group?.kind === "call");
  t.deepEqual(
    closed.map((box) => captionOf(box).text),
    ["dense() · 2 variables"],
  );
});

test("a name from outside goes through loops in loops, and a loop is called as its kernel", (t) => {
  const counted = documentOfText(cells);
  const view = viewOf(counted, "count", "source");
  t.deepEqual(
    view.groups.filter(({ parent }) => parent < 0).map(({ name, text }) => `${name} ${text}`),
    ["turns while"],
  );
  t.true(viewOf(counted, "count", "kernels").groups.some(({ name, text }) => `${name} ${text}` === "turns while"));
  const branch = view.nodes.filter(({ kind, group }) => kind === "parameter" && view.groups[group]?.text === "if");
  t.deepEqual(branch.map(({ name, text }) => `${name} ${text}`).sort(), [
    "r from outside",
    "r from outside",
    "scale from outside",
  ]);
});

test("graphs of nothing, and of one node", (t) => {
  const empty = documentOfText("graph g {\n}\n");
  for (const view of empty.programs[0]?.views ?? []) t.deepEqual([view.nodes, view.groups], [[], []]);
  const one = documentOfText("graph g {\n  placeholder x: f32\n  signature s(x) -> (x)\n}\n");
  t.deepEqual(
    viewOf(one, "s", "source").nodes.map(({ kind }) => kind),
    ["placeholder", "output"],
  );
});

test("variables say what they begin with, and where that is made", (t) => {
  const { variables, lines } = documentOfText(network);
  const found = variables.map(({ name, isTrained, initial }) => [name, isTrained, initial]);
  t.deepEqual(found.slice(0, 2), [
    ["hidden/dense/w", true, "mul"],
    ["hidden/dense/b", true, "0"],
  ]);
  const files = variables[0]?.places.map(([line]) => lines[line]?.file) ?? [];
  t.true(files.some((file) => file?.endsWith("initialisers.graph") === true));
  t.deepEqual(variables[1]?.places, []);
});
