import test from "ava";
import fc from "fast-check";
import { differentiate } from "../../../compiler/autodiff/differentiate.js";
import { buildOn, type DeviceKind, deviceNow } from "../../../compiler/ir/device.js";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { type Computation, rootsOf } from "../../../compiler/ir/graph.js";
import { nodesBelow, type Value } from "../../../compiler/ir/node.js";
import { parseComputation } from "../../../compiler/ir/parser.js";
import { printComputation } from "../../../compiler/ir/printer.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { add, mul } from "../../../compiler/ops/arithmetic.js";
import { onesLike } from "../../../compiler/ops/build.js";
import { exp, log } from "../../../compiler/ops/exponential.js";
import { gradients } from "../../../compiler/ops/pseudo.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { ops } from "../../../compiler/ops/table.js";
import { transpose } from "../../../compiler/ops/views.js";
import { beforeGradients, pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { computationOf, input } from "./support.js";

const x = input("x", "f32", [2]);
const on = (device: DeviceKind, build: () => Value): Value => buildOn(device, build);

/** What has inputs below the roots, and where it lies. */
function places(computation: Computation): readonly (readonly [op: string, device: DeviceKind | undefined])[] {
  return nodesBelow(rootsOf(computation)).flatMap(({ op, inputs, device }) =>
    inputs.length > 0 ? [[op, device] as const] : [],
  );
}

function optimised(computation: Computation): Computation {
  const expanded = differentiate(runPipeline(beforeGradients, computation, { verify: true })).computation;
  return runPipeline(pipeline, expanded, { verify: true });
}

test("a placement is a part of a node's identity, and what has no inputs has none", (t) => {
  const placed = on("gpu", () => exp(x));
  t.is(placed.node.device, "gpu");
  t.is(
    placed,
    on("gpu", () => exp(x)),
  );
  t.not(placed, exp(x));
  t.not(
    placed,
    on("cpu", () => exp(x)),
  );
  t.is(exp(x).node.device, undefined);
  t.is(
    on("gpu", () => input("x", "f32", [2])),
    x,
  );
});

test("the innermost placement counts, and a problem inside leaves none behind", (t) => {
  const [inner, outer] = buildOn("gpu", () => [on("cpu", () => exp(x)), exp(x)] as const);
  t.is(inner.node.device, "cpu");
  t.is(outer.node.device, "gpu");
  t.throws(() => on("gpu", () => transpose(x, { permutation: [3] })));
  t.is(deviceNow(), undefined);
});

test("the printed form has placements, and comes back", (t) => {
  const before = computationOf({ y: on("gpu", () => add(exp(x), x)), z: on("cpu", () => exp(x)) });
  const text = printComputation(before);
  t.true(text.includes('= exp(%0) on "gpu" : f32[2]'), text);
  t.true(text.includes('= exp(%0) on "cpu" : f32[2]'), text);
  const after = parseComputation(text, { ops });
  t.deepEqual(
    after.outputs.map(({ value }) => value),
    before.outputs.map(({ value }) => value),
  );
  const error = t.throws(() => parseComputation(text.replace('on "gpu"', 'on "tpu"')), { instanceOf: GraphError });
  t.is(error?.diagnostics[0]?.code, "G125");
  t.throws(() => parseComputation(text.replace('on "gpu"', "on gpu")), { instanceOf: GraphError });
});

test("a gradient lies where the op lies that it is of", (t) => {
  const h = on("gpu", () => exp(x));
  const y = on("cpu", () => sum(mul(h, h), { axes: [0] }));
  const { computation } = differentiate(computationOf({ d: gradients(y, [x]) }));
  // 2 h on the processor; exp(x) times that on the device.
  const found = new Map<string, Set<DeviceKind | undefined>>();
  for (const [op, device] of places(computation)) found.set(op, (found.get(op) ?? new Set()).add(device));
  t.deepEqual([...(found.get("exp") ?? [])], ["gpu"]);
  t.deepEqual([...(found.get("add") ?? [])], ["gpu"]);
  t.deepEqual(new Set(found.get("mul")), new Set<DeviceKind | undefined>(["cpu", "gpu"]));
  t.false([...found.values()].some((devices) => devices.has(undefined)));
});

test("no rule looks through what lies elsewhere", (t) => {
  const together = buildOn("gpu", () => log(exp(x)));
  const apart = on("cpu", () => log(on("gpu", () => exp(x))));
  const negated = (value: Value): Value => mul(value, onesLike(value));
  t.deepEqual(places(optimised(computationOf({ y: apart }))), [
    ["exp", "gpu"],
    ["log", "cpu"],
  ]);
  // A number is everywhere: x * 1 is x wherever the 1 was made.
  t.deepEqual(places(optimised(computationOf({ y: on("gpu", () => mul(x, onesLike(x))) }))), []);
  t.true(places(optimised(computationOf({ y: together }))).every(([, device]) => device === "gpu"));
  t.deepEqual(places(optimised(computationOf({ y: on("cpu", () => negated(x)) }))), []);
});

test("passes and gradients of a graph that lies on the device as a whole leave nothing anywhere else", (t) => {
  const unary: readonly ((v: Value) => Value)[] = [
    exp,
    (v) => mul(v, v),
    (v) => add(v, onesLike(v)),
    (v) => mul(v, onesLike(v)),
    (v) => log(add(exp(v), onesLike(v))),
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(unary.length - 1), { minLength: 1, maxLength: 6 }), (chosen) => {
      const computation = buildOn("gpu", () => {
        const y = chosen.reduce((value, i) => unary[i]?.(value) ?? value, x);
        const loss = sum(mul(y, x), { axes: [0] });
        return computationOf({ y, d: gradients(loss, [x]) });
      });
      const after = optimised(computation);
      t.deepEqual(verify(after, ops), []);
      t.deepEqual(
        places(after).filter(([, device]) => device !== "gpu"),
        [],
      );
    }),
    { numRuns: 60 },
  );
});
