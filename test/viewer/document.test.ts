import test from "ava";
import { captionOf } from "../../viewer/boxes.js";
import { timeShare } from "../../viewer/heat.js";
import type { ViewModel } from "../../viewer/model.js";
import { visibleOf } from "../../viewer/visible.js";
import { documentOfText, groupsAround, network, onDevice, programOf, twoSides, viewOf } from "./support.js";

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

test("each kernel is a group of the ops that became one loop, and quotes the loop", (t) => {
  const program = programOf(document, "fit");
  const view = viewOf(document, "fit", "kernels");
  const kernels = view.groups.filter(({ kind }) => kind === "kernel");
  t.true(kernels.length >= 4);
  for (const { name, kernel } of kernels) {
    t.true(kernel?.code.includes(name) === true, name);
    for (const id of [...(kernel?.reads ?? []), ...(kernel?.writes ?? [])])
      t.true((program.memory?.buffers.length ?? 0) > id);
  }
  const written = kernels
    .filter(({ kernel }) => kernel?.phase === "commit")
    .flatMap(({ kernel }) => kernel?.writes ?? []);
  const variables = written.map((id) => program.memory?.buffers[id]).filter((buffer) => buffer?.storage === "variable");
  t.is(new Set(variables).size, 4);
});

test("a kernel says what it does, and its ops why they are there", (t) => {
  const view = viewOf(document, "fit", "kernels");
  const of = (name: string) => view.groups.find((group) => group.name === name)?.kernel?.work;
  // A product of [64, 96] and [96, 128] multiplies and adds once for each; bias and relu come on top.
  const product = 2 * 64 * 96 * 128;
  const work = of("hidden_dense_w_matmul");
  t.true((work?.operations ?? 0) >= product && (work?.operations ?? 0) <= 1.05 * product, `${work?.operations}`);
  t.true((work?.readBytes ?? 0) >= 4 * (64 * 96 + 96 * 128));
  const products = view.nodes.filter(({ op }) => op === "dot_general");
  t.true(products.every(({ why }) => why[0] === "a contraction: a blocked kernel of its own"));
  t.true(view.nodes.some(({ why }) => why.some((text) => text.startsWith("fused into the epilogue of"))));
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

test("the last that the forward pass makes of a loop is the loop, and what its gradient's loop carries is the gradient's", (t) => {
  const text = `graph g {
  placeholder xs: f32[5, 3]
  variable w: f32[3] = ones()
  h = scan x in xs with h = zeros([3]) {
    next h = tanh(x * w + h)
  }
  loss = sum(h ** 2)
  update learn { w := w - 0.1 * gradients(loss, [w]) }
  signature fit(xs) does learn -> (loss)
}
`;
  const program = programOf(documentOfText(text), "fit");
  const at = new Map(program.names).get("h") ?? -1;
  const { nodes, groups } = viewOf(documentOfText(text), "fit", "kernels");
  const made = nodes.filter(({ stems, role }) => stems.includes(at) && role === "forward").at(-1);
  t.regex(made?.text ?? "", /^scan/);
  const loops = groups.flatMap(({ text: kind }, group) => (kind === "loop" ? [group] : []));
  t.is(loops.length, 2);
  const carries = loops.map((loop) => nodes.filter(({ group, text: what }) => group === loop && what === "carry"));
  t.deepEqual(
    carries.map((found) => [...new Set(found.map(({ role }) => role))]),
    [["forward"], ["backward"]],
  );
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

function sinksOf(view: ViewModel): readonly string[] {
  return view.nodes
    .filter(({ kind }) => kind === "output" || kind === "assign")
    .map(({ kind, name }) => `${kind} ${name}`)
    .sort();
}

test("on a device, each kernel has the source of its launches, and the parts are joined", (t) => {
  const program = programOf(onDevice(network), "fit");
  const view = viewOf(onDevice(network), "fit", "kernels");
  const kernels = view.groups.flatMap(({ kernel }) => (kernel === undefined ? [] : [kernel]));
  t.true(kernels.length > 3);
  for (const { device, listings, reads, writes } of kernels) {
    t.is(device, "gpu");
    t.true(listings.length > 0);
    for (const { form, text } of listings) {
      t.is(form, "gpu.js");
      t.regex(text, /^function\(.*this\.thread\.x/s);
    }
    for (const id of [...reads, ...writes]) t.true(id < (program.memory?.buffers.length ?? 0));
  }
  t.deepEqual(sinksOf(view), sinksOf(viewOf(document, "fit", "source")));
  t.true(view.nodes.some(({ role }) => role === "backward"));
});

test("what the text places is drawn where it lies, and what one part hands to another is an edge", (t) => {
  const text = `graph g {
  placeholder x: f32[4, 4]
  variable w: f32[4, 4] = zeros([4, 4])
  a = tanh(x @ w) on "gpu"
  b = a @ w
  c = exp(b) on "gpu"
  signature s(x) -> (a, c)
}
`;
  const view = viewOf(onDevice(text, "cpu"), "s", "kernels");
  const deviceOf = (op: string): readonly string[] => [
    ...new Set(
      view.nodes.filter((node) => node.op === op).map(({ group }) => view.groups[group]?.kernel?.device ?? ""),
    ),
  ];
  t.deepEqual(deviceOf("tanh"), ["gpu"]);
  t.deepEqual(deviceOf("exp"), ["gpu"]);
  t.deepEqual(deviceOf("dot_general").toSorted(), ["gpu", "processor"]);
  t.deepEqual(sinksOf(view), ["output a", "output c"]);
  // Feeds and variables are all that comes from outside.
  t.deepEqual([...new Set(view.nodes.filter(({ kind }) => kind === "placeholder").map(({ name }) => name))], ["x"]);
  const isBehind = (at: number, op: string): boolean => {
    const inputs = (view.nodes[at]?.inputs ?? []).filter((_, i) => i % 2 === 0);
    return inputs.some((input) => view.nodes[input]?.op === op || isBehind(input, op));
  };
  const exp = view.nodes.findIndex(({ op }) => op === "exp");
  t.true(isBehind(exp, "tanh") && isBehind(exp, "dot_general"));
  t.true(view.nodes.every(({ op, stems }) => op === "output" || stems.length > 0));
});

test("the parts of both sides are groups, with what is sent between them and what each side keeps", (t) => {
  const view = viewOf(onDevice(twoSides, "cpu"), "fit", "kernels");
  const sides = view.groups.filter(({ kind }) => kind === "side").map(({ name, text }) => `${name} ${text}`);
  t.deepEqual(
    sides,
    [1, 2, 3, 4].map((part) => `${part % 2 === 1 ? "processor" : "gpu"} part ${part} of 4`),
  );
  const sent = view.nodes.filter(({ kind, group }) => kind === "transfer" && group < 0);
  // 4 bytes a number on a device: x, what the first layer gives, and the gradient that comes back to it.
  t.deepEqual(
    sent.map(({ text }) => text),
    ["up, 24 bytes", "down, 32 bytes", "up, 32 bytes"],
  );
  // Adam's rates for `w` and `b`, which the processor computes.
  const together = view.groups.filter(({ kind }) => kind === "transfers");
  t.deepEqual(
    together.map(({ name, text }) => `${name} ${text}`),
    ["4 numbers up, 16 bytes in launches"],
  );
  const sideOfNode = (kind: string, name: string): readonly string[] => {
    const node = view.nodes.find((one) => one.kind === kind && one.name === name);
    return node === undefined ? ["nowhere"] : groupsAround(view, node);
  };
  for (const kind of ["variable", "assign"]) {
    t.is(sideOfNode(kind, "h/dense/w").at(-1), "gpu");
    t.is(sideOfNode(kind, "learn/adam/h/dense/w/m").at(-1), "gpu");
    t.deepEqual(sideOfNode(kind, "y/dense/w"), ["processor"]);
    // One kernel counts all steps, and is alone in reading and writing them.
    t.deepEqual(sideOfNode(kind, "learn/adam/h/dense/w/t"), ["learn/adam", "processor"]);
  }
  t.deepEqual(sideOfNode("output", "loss"), []);
  // All lead to the source view, new values of variables and what is sent, too.
  t.true(view.nodes.every(({ op, stems }) => op === "copy" || stems.length > 0));
});

test("an op has the time of the slowest kernel that it went into, a closed call that of its slowest op", (t) => {
  const program = programOf(document, "fit");
  const timed = {
    ...program,
    views: program.views.map((view) => ({
      ...view,
      groups: view.groups.map((group) => {
        const seconds = group.name === "hidden_dense_w_matmul" ? 4 : group.name === "hidden_dense_w_update" ? 8 : 1;
        return group.kernel === undefined ? group : { ...group, kernel: { ...group.kernel, seconds } };
      }),
    })),
  };
  const shares = (kind: string): ReadonlyMap<string, number | undefined> => {
    const view = timed.views.find((one) => one.kind === kind);
    if (view === undefined) throw new Error(`there is no view ${kind}`);
    const stages = view.groups.flatMap(({ kind }, at) => (kind === "phase" || kind === "stage" ? [at] : []));
    const { boxes } = visibleOf(view, new Set(stages));
    return new Map(boxes.map((box) => [`${box.role} ${box.group?.name ?? ""}`, timeShare(box, view, timed)]));
  };
  const source = shares("source");
  t.is(source.get("forward hidden"), 0.5);
  t.is(source.get("forward y"), 0.125);
  t.is(shares("gradients").get("backward hidden"), 1);
  t.is(shares("gradients").get("forward hidden"), 0.5);
  t.is(shares("kernels").get("update hidden_dense_w_update"), 1);
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
