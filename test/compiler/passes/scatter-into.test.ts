import test, { type ExecutionContext } from "ava";
import type { Value } from "../../../compiler/ir/node.js";
import { add, mul, neg, sub } from "../../../compiler/ops/arithmetic.js";
import { broadcastScalar, fill, literal, zerosLike } from "../../../compiler/ops/build.js";
import { scatter } from "../../../compiler/ops/indexing.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { computationOf, input } from "../ir/support.js";
import { closely, contextFor, sameResults } from "./support.js";

const w = input("w", "f32", [5, 3]);
const rows = input("rows", "f32", [4, 3]);
const rate = input("rate", "f32", []);
const ids = literal("i64", [4], [3, 0, 3, 2]);
const other = literal("i64", [4], [1, 1, 1, 4]);
const at = { axes: [0], combiner: "add" };

const intoZeros = (updates: Value, index = ids): Value => scatter(zerosLike(w), updates, [index], at);
const times = (factor: Value, x: Value): Value => mul(broadcastScalar(factor, x.type.shape), x);

function after(t: ExecutionContext, outputs: Readonly<Record<string, Value>>): readonly Value[] {
  const before = computationOf(outputs);
  const done = runPipeline(pipeline, before, { verify: true });
  for (const seed of [1, 2, 3]) sameResults(t, before, done, contextFor(before, seed), closely);
  return done.outputs.map(({ value }) => value);
}

/** The value is a scatter into `base`. */
function isInto(t: ExecutionContext, value: Value | undefined, base: Value): void {
  t.is(value?.node.op, "scatter");
  t.is(value?.node.inputs[0], base);
}

test("a step along a gradient that was scattered into zeros scatters into the weight", (t) => {
  const [step] = after(t, { y: sub(w, times(rate, intoZeros(rows))) });
  isInto(t, step, w);
  const [constant] = after(t, { y: add(w, times(literal("f32", [], [-0.5]), intoZeros(rows))) });
  isInto(t, constant, w);
  const [clipped] = after(t, { y: sub(w, times(rate, times(sum(rows, { axes: [0, 1] }), neg(intoZeros(rows))))) });
  isInto(t, clipped, w);
});

test("a sum of two of them is one scatter into the other", (t) => {
  const [both] = after(t, { y: add(w, add(intoZeros(rows), intoZeros(neg(rows), other))) });
  isInto(t, both?.node.inputs[0], w);
});

test("it stays where something else reads the gradient, where it is no sum with zeros, and for halves", (t) => {
  const gradient = intoZeros(rows);
  const [shared] = after(t, { y: sub(w, gradient), norm: sum(gradient, { axes: [0, 1] }) });
  t.is(shared?.node.op, "sub");
  const [ones] = after(t, { y: add(w, scatter(fill(w.type, 1), rows, [ids], at)) });
  t.is(ones?.node.op, "add");
  const [set] = after(t, { y: add(w, scatter(zerosLike(w), rows, [ids], { ...at, combiner: "set" })) });
  t.is(set?.node.op, "add");
  const factors = input("factors", "f32", [5, 3]);
  const [scaled] = after(t, { y: add(w, mul(factors, intoZeros(rows))) });
  t.is(scaled?.node.op, "add");
  const half = input("half", "bf16", [5, 3]);
  const updates = input("updates", "bf16", [4, 3]);
  const [narrow] = after(t, { y: add(half, scatter(zerosLike(half), updates, [ids], at)) });
  t.is(narrow?.node.op, "add");
});
