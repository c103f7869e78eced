import test from "ava";
import { captionOf } from "../../viewer/boxes.js";
import { paintOf } from "../../viewer/colours.js";
import type { GroupModel, ViewModel } from "../../viewer/model.js";
import { type Box, firstOpen, visibleOf } from "../../viewer/visible.js";
import { chain, documentOfText, onDevice, programOf, twoSides, viewOf } from "./support.js";

/** How kernels are grouped by what they are. */

const recurrent = `import { dense } from "std/layers"
import { adam } from "std/optimizers"
import { lstm } from "std/recurrent"
graph recurrent {
  placeholder x: f32[64, 5, 32]
  placeholder wanted: i32[64]
  states = lstm(x, 64)
  hidden = relu(dense(mean(states, axis=1), 128))
  y = dense(hidden, 32)
  scope metrics {
    loss = mean(sparse_softmax_cross_entropy(y, wanted))
  }
  update learn = minimize(metrics.loss, adam(learning_rate=0.1), clip=global_norm(1.0))
  signature predict(x) -> (y)
  signature fit(x, wanted) does learn -> (metrics.loss)
}
`;

const document = documentOfText(recurrent);
const view = viewOf(document, "fit", "kernels");

function below(parent: number): readonly GroupModel[] {
  return view.groups.filter((group) => group.parent === parent);
}

function indexOf(name: string): number {
  return view.groups.findIndex((group) => group.kind === "phase" && group.name === name);
}

/** The phase that a kernel stands in. */
function phaseOf({ groups }: ViewModel, kernel: GroupModel): string | undefined {
  for (let at = kernel.parent; at >= 0; at = groups[at]?.parent ?? -1)
    if (groups[at]?.kind === "phase") return groups[at]?.name;
  return undefined;
}

test("a training step opens as its parts, and in each the calls of the text", (t) => {
  const visible = visibleOf(view, firstOpen(view));
  const names = (phase: string): readonly string[] =>
    visible.boxes.filter(({ parent }) => parent === `g${indexOf(phase)}`).map((box) => captionOf(box).name);
  for (const layer of ["states", "hidden", "y"]) {
    t.true(names("forward").includes(layer), `forward ${layer}`);
    t.true(names("update").includes(layer), `update ${layer}`);
  }
  t.deepEqual(names("loss"), ["metrics"]);
  // A loop is a box of its own, by the call that it computes.
  t.true(names("forward").includes("states scan"));
  t.true(names("backward").some((name) => name.startsWith("states scan")));
  // Data flow from part to part, and never back.
  const order = ["forward", "loss", "backward", "update"].map((phase) => `g${indexOf(phase)}`);
  const parents = new Map(visible.boxes.map(({ id, parent }) => [id, order.indexOf(parent ?? "")]));
  for (const { from, to } of visible.edges) {
    const [before = -1, after = -1] = [parents.get(from), parents.get(to)];
    t.true(before < 0 || after < 0 || before <= after, `${from} ${to}`);
  }
});

test("kernels have the numbers of a run; what says how many and how much adds up", (t) => {
  const kernels = view.groups.filter(({ kernel }) => kernel !== undefined && !kernel.order.includes("."));
  const numbers = kernels.map(({ kernel }) => Number(kernel?.order)).sort((a, b) => a - b);
  t.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
  const inner = view.groups.filter(({ kernel }) => kernel?.order.includes("."));
  for (const { kernel, parent } of inner)
    t.is(kernel?.order.slice(0, kernel.order.lastIndexOf(".")), view.groups[parent]?.kernel?.order);
  const phases = below(-1).filter(({ kind }) => kind === "phase");
  t.deepEqual(
    phases.map(({ name }) => name),
    ["forward", "loss", "backward", "update"],
  );
  const shares = phases.map(({ text }) =>
    text.includes("under 1 %") ? 0.5 : Number(/(\d+) % of the bytes/.exec(text)?.[1]),
  );
  const sum = shares.reduce((all, one) => all + one, 0);
  t.true(Math.abs(sum - 100) <= 3, `${shares.join(" ")}`);
  // Kernels of a part run after those of the part before, whatever optimizers do meanwhile.
  const last = (phase: string): number =>
    Math.max(...kernels.flatMap((one) => (phaseOf(view, one) === phase ? [Number(one.kernel?.order)] : [])));
  t.true(last("forward") < last("loss") && last("loss") < last("backward") && last("backward") < last("update"));
  const [box] = visibleOf(view, new Set(view.groups.keys())).boxes.filter(
    ({ group }) => group?.name === "y_dense_w_matmul",
  );
  if (box === undefined) throw new Error("there is no such kernel");
  t.is(captionOf({ ...box, isOpen: true }).name, "w_matmul");
  t.regex(captionOf({ ...box, isOpen: true }).text, /^#\d+ contract$/);
});

test("variables stand by the first kernel that reads them, new values by the one that writes them", (t) => {
  const around = (kind: string): readonly string[] => {
    const node = view.nodes.find((one) => one.kind === kind && one.name === "y/dense/w");
    const names: string[] = [];
    for (let at = node?.group ?? -1; at >= 0; at = view.groups[at]?.parent ?? -1)
      names.push(view.groups[at]?.name ?? "");
    return names;
  };
  t.deepEqual(around("variable"), ["y", "forward"]);
  t.deepEqual(around("assign"), ["y", "update"]);
});

test("few kernels stand side by side, those of a long flat graph in parts, those of a side in its own groups", (t) => {
  const few = viewOf(document, "predict", "kernels").groups;
  t.false(few.some(({ kind }) => kind === "phase"));
  const flat = viewOf(documentOfText(chain(300)), "run", "kernels");
  t.true(visibleOf(flat, firstOpen(flat)).boxes.length <= 200);
  const sided = viewOf(onDevice(twoSides, "cpu"), "fit", "kernels");
  for (const { kind, parent } of sided.groups) if (kind === "phase") t.is(sided.groups[parent]?.kind, "side");
});

function paints(box: (one: Box) => boolean, mode: "dtype" | "scope" | "device" | "memory"): readonly string[] {
  const program = programOf(document, "fit");
  const { boxes } = visibleOf(view, firstOpen(view));
  return [...new Set(boxes.filter(box).map((one) => paintOf(one, mode, view, program).label))];
}

test("closed groups have the colour of most of their bytes, in each mode", (t) => {
  const isStage = ({ group, isOpen }: Box): boolean => group?.kind === "stage" && !isOpen;
  t.deepEqual(
    paints((one) => isStage(one) && one.name === "y", "dtype"),
    ["f32"],
  );
  t.deepEqual(
    paints((one) => isStage(one) && one.name === "y", "scope"),
    ["y"],
  );
  t.deepEqual(
    paints(({ name }) => name === "states scan", "scope"),
    ["states"],
  );
  t.deepEqual(paints(isStage, "device"), ["cpu"]);
  // Each has a colour that the source view has, too.
  const source = viewOf(document, "fit", "source");
  const names = new Set(source.groups.map(({ name }) => name));
  t.deepEqual(
    paints(isStage, "scope").filter((name) => !names.has(name)),
    [],
  );
  t.true(paints(isStage, "memory").every((label) => label !== "" && label !== "none"));
  // 40 bytes of integers beside 40 of floats: neither is more than half.
  const even = documentOfText(`graph g {
  placeholder x: f32[10]
  placeholder n: i32[10]
  scope both {
    a = x * 2
    b = n * 2
  }
  signature s(x, n) -> (both.a, both.b)
}
`);
  const small = viewOf(even, "s", "source");
  const [both] = visibleOf(small, new Set()).boxes.filter(({ group }) => group !== undefined);
  if (both === undefined) throw new Error("there is no scope");
  t.deepEqual(paintOf(both, "dtype", small, programOf(even, "s")), { name: "mixed", label: "mixed" });
});
