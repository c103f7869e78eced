import test, { type ExecutionContext } from "ava";
import { compareDims } from "../../../compiler/ir/condition.js";
import { type Diagnostic, GraphError } from "../../../compiler/ir/diagnostic.js";
import { addDims, floorDivideDims, multiplyDims, symbol } from "../../../compiler/ir/dim.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import type { Value } from "../../../compiler/ir/node.js";
import { selectSignature } from "../../../compiler/ir/select.js";
import { bindDims, constraintProblems, dimsOf } from "../../../compiler/ir/specialise.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { fill } from "../../../compiler/ops/build.js";
import { iota } from "../../../compiler/ops/structure.js";
import { ops } from "../../../compiler/ops/table.js";
import { reshape } from "../../../compiler/ops/views.js";
import { specialise } from "../../../compiler/passes/specialise.js";
import { exampleGraph, places } from "./example.js";
import { computationOf, input } from "./support.js";

const graph = exampleGraph();
const fit = selectSignature(graph, "fit");
const shapes = (entries: Readonly<Record<string, readonly number[]>>) =>
  new Map(Object.entries(entries).map(([name, shape]) => [name, { shape }]));

function refused(t: ExecutionContext, action: () => unknown): readonly Diagnostic[] {
  return t.throws(action, { instanceOf: GraphError })?.diagnostics ?? [];
}

/** The example with one placeholder of another shape. */
function withPlaceholder(name: string, shape: Parameters<typeof input>[2]): Graph {
  const placeholder = {
    name,
    value: input(name, "f32", shape),
    defaultValue: undefined,
    span: places.x,
    doc: undefined,
  };
  return { ...graph, placeholders: [placeholder] };
}

test("feeds bind the dims", (t) => {
  const bindings = bindDims(graph, dimsOf(fit), shapes({ x: [5, 3], y: [5] }));
  t.deepEqual(
    [...bindings],
    [
      ["N", 5],
      ["M", 5],
    ],
  );
  t.deepEqual(
    [...bindDims(graph, dimsOf(fit), shapes({ x: [0, 3], y: [0] }))],
    [
      ["N", 0],
      ["M", 0],
    ],
  );
});

test("expressions bind a dim too, when they are linear in it", (t) => {
  const N = symbol("N");
  const M = symbol("M");
  const empty = computationOf({});
  const bind = (shape: Parameters<typeof input>[2], fed: readonly number[]) =>
    Object.fromEntries(bindDims(withPlaceholder("p", shape), dimsOf(empty), shapes({ p: fed })));
  t.deepEqual(bind([multiplyDims(28, N)], [56]), { N: 2 });
  t.deepEqual(bind([addDims(multiplyDims(2, N), 1)], [7]), { N: 3 });
  t.deepEqual(bind([multiplyDims(N, M), M], [12, 3]), { N: 4, M: 3 });
  t.deepEqual(bind([floorDivideDims(N, 2), N], [3, 7]), { N: 7 });
  const wrong = (shape: Parameters<typeof input>[2], fed: readonly number[]) =>
    refused(t, () => bindDims(withPlaceholder("p", shape), dimsOf(empty), shapes({ p: fed }))).map(({ code }) => code);
  t.deepEqual(wrong([floorDivideDims(N, 2), N], [4, 7]), ["G081"]);
  t.deepEqual(wrong([N, N], [4, 7]), ["G081"]);
});

test("a feed of another shape is refused with both shapes", (t) => {
  const [rank, ...others] = refused(t, () => bindDims(graph, dimsOf(fit), shapes({ x: [5], y: [5] })));
  t.deepEqual(others, [], "the dims that it should have decided are not told as missing");
  t.is(rank?.code, "G081");
  t.is(rank?.message, "`x` is f32[N, 3], but is fed with [5]: it has 1 axis, not 2");
  t.is(rank?.span, places.x);
  const [size] = refused(t, () => bindDims(graph, dimsOf(fit), shapes({ x: [5, 4], y: [5] })));
  t.is(size?.message, "`x` is f32[N, 3], but is fed with [5, 4]: axis 1 is 4, but it must be 3");
});

test("two feeds that bind one dim differently are both named", (t) => {
  const same: Graph = {
    ...graph,
    placeholders: graph.placeholders.map((p) =>
      p.name === "y" ? { ...p, value: input("y", "f32", [symbol("N")]) } : p,
    ),
  };
  const [diagnostic] = refused(t, () => bindDims(same, dimsOf(computationOf({})), shapes({ x: [5, 3], y: [6] })));
  t.is(diagnostic?.code, "G085");
  t.is(diagnostic?.message, "`x` makes the dim N 5, and `y` makes it 6");
  t.deepEqual(
    diagnostic?.notes.map(({ span }) => span),
    [places.x, places.y],
  );
});

test("a dim beyond its bound and one that nothing decides are refused", (t) => {
  const [beyond] = refused(t, () => bindDims(graph, dimsOf(fit), shapes({ x: [65, 3], y: [65] })));
  t.is(beyond?.code, "G084");
  t.is(beyond?.message, "the dim N is 65, beyond its bound 64");
  const [missing] = refused(t, () => bindDims(graph, dimsOf(fit), shapes({ x: [5, 3] })));
  t.is(missing?.code, "G080");
  t.is(missing?.hint, "feed `y`, which is f32[M]");
});

test("specialising binds every type and attribute", (t) => {
  const predict = selectSignature(graph, "predict");
  const static5 = specialise(graph, predict, new Map([["N", 5]]));
  t.deepEqual(verify(static5, ops, { specialised: true }), []);
  t.deepEqual(static5.outputs[0]?.value.type, { dtype: "f32", shape: [5] });
  t.deepEqual(static5.placeholders[0]?.type.shape, [5, 3]);
  t.deepEqual(specialise(graph, predict, new Map([["N", 0]])).outputs[0]?.value.type.shape, [0]);
});

test("constraints that the sizes break are reported with the sizes", (t) => {
  const [diagnostic] = refused(t, () =>
    specialise(
      graph,
      fit,
      new Map([
        ["N", 5],
        ["M", 6],
      ]),
    ),
  );
  t.is(diagnostic?.message, "the batches differ: 5 and 6");
});

test("sizes that must differ are reported where they are equal", (t) => {
  const sizes = new Map([
    ["N", 0],
    ["M", 0],
  ]);
  const [diagnostic] = refused(t, () => specialise(graph, fit, sizes));
  t.is(diagnostic?.message, "a batch of 0 has no maximum");
});

test("a requirement is told with the sizes of its dims, and what follows from a broken one is not", (t) => {
  const condition = compareDims(symbol("N"), "at_most", 3);
  const diagnostic: Diagnostic = {
    code: "G038",
    severity: "error",
    message: "{left} is too large",
    span: undefined,
    notes: [],
  };
  const first = { condition, diagnostic, sizes: "appended" as const, premises: [], anchors: new Set<Value>() };
  const second = { ...first, condition: compareDims(symbol("N"), "less", 3), premises: [condition] };
  const messages = (size: number) =>
    constraintProblems([first, second], new Map([["N", size]])).map(({ message }) => message);
  t.deepEqual(messages(2), []);
  t.deepEqual(messages(3), ["{left} is too large (with N = 3)"]);
  t.deepEqual(messages(4), ["{left} is too large (with N = 4)"]);
  t.deepEqual(constraintProblems([first], new Map()), []);
});

test("a size that is divided by zero is refused, whatever it is of", (t) => {
  const y = reshape(input("x", "f32", [symbol("N")]), { shape: [floorDivideDims(8, symbol("N"))] });
  const [diagnostic] = refused(t, () => specialise(graph, computationOf({ y }), new Map([["N", 0]])));
  t.is(diagnostic?.code, "G089");
  t.is(diagnostic?.message, "a size is divided by zero (with N = 0)");
});

test("a shape rule that the dims left open is decided, at the op's place", (t) => {
  const N = symbol("N");
  const y = reshape(input("x", "f32", [N, 3]), { shape: [6] });
  const computation = computationOf({ y });
  const span = { file: "a.graph", start: 1, end: 2 };
  computation.sources.add(y.node, span);
  t.is(
    specialise(graph, computation, new Map([["N", 2]])).outputs[0]?.value,
    reshape(input("x", "f32", [2, 3]), { shape: [6] }),
  );
  const [diagnostic] = refused(t, () => specialise(graph, computation, new Map([["N", 4]])));
  t.is(diagnostic?.code, "G027");
  t.regex(diagnostic?.message ?? "", /reshape of f32\[4, 3\] to \[6\].*\(with N = 4\)/);
  t.is(diagnostic?.span, span);
});

test("sizes below zero and beyond counting are refused", (t) => {
  const N = symbol("N");
  const less = computationOf({ y: iota({ dtype: "i64", shape: [addDims(N, -3)], axis: 0 }) });
  t.is(refused(t, () => specialise(graph, less, new Map([["N", 2]])))[0]?.code, "G027");
  const more = computationOf({ y: fill({ dtype: "f32", shape: [multiplyDims(N, multiplyDims(N, N)), 2 ** 40] }, 1) });
  t.is(refused(t, () => specialise(graph, more, new Map([["N", 64]])))[0]?.code, "G102");
  t.is(refused(t, () => specialise(graph, less, new Map()))[0]?.code, "G080");
});
