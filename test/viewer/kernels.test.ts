import test from "ava";
import { timeShare } from "../../viewer/heat.js";
import type { ViewModel } from "../../viewer/model.js";
import { visibleOf } from "../../viewer/visible.js";
import { documentOfText, groupsAround, network, onDevice, programOf, twoSides, viewOf } from "./support.js";

/** What a program is as kernels: what became one, what that does, and on which side. */

const document = documentOfText(network);

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
  const told = (program.memory?.buffers ?? []).map(({ label, type }) => `${label} ${type}`);
  for (const wanted of ["x f32[64, 96]", "hidden/dense/w f32[96, 128]", "hidden f32[64, 128]"])
    t.true(told.includes(wanted), told.join("; "));
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
  t.true(products.every(({ why }) => why[0] === "a contraction: a kernel is built around it"));
  t.true(view.nodes.some(({ why }) => why.some((text) => text.startsWith("fused into the epilogue of"))));
});

test("the source of a kernel is what it computes, not where an equal number stands", (t) => {
  const text = `graph g {
  placeholder x: f32[8]
  variable first: f32[8] = 1
  a = x + 1
  ones = full([8], 1.0)
  signature f(x) -> (a)
  signature g() -> (first)
  signature h() -> (ones)
}
`;
  const shown = documentOfText(text);
  const { groups } = viewOf(shown, "f", "kernels");
  const places = groups.flatMap((group) => (group.kind === "kernel" ? group.places : []));
  t.deepEqual(
    places.map(([line]) => shown.lines[line]?.line),
    [4],
  );
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
