import { compareDims } from "../../../compiler/ir/condition.js";
import { symbol } from "../../../compiler/ir/dim.js";
import type { Graph, Mode } from "../../../compiler/ir/graph.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { add, mul, sub } from "../../../compiler/ops/arithmetic.js";
import { broadcastScalar, fill } from "../../../compiler/ops/build.js";
import { dotGeneral } from "../../../compiler/ops/contraction.js";
import { randomUniform } from "../../../compiler/ops/random.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { runState } from "../../../compiler/ops/sources.js";
import { reshape } from "../../../compiler/ops/views.js";
import { input, state } from "./support.js";

const N = symbol("N");
const M = symbol("M");

/** Where the parts of the example stand in its imaginary file. */
export const places = {
  x: { file: "example.graph", start: 10, end: 11 },
  y: { file: "example.graph", start: 20, end: 21 },
  learn: { file: "example.graph", start: 30, end: 35 },
  rival: { file: "example.graph", start: 40, end: 45 },
  other: { file: "example.graph", start: 50, end: 55 },
} as const;

export const x = input("x", "f32", [N, 3]);
export const y = input("y", "f32", [M]);
export const rate = input("rate", "f32");
export const unused = input("unused", "f32", [7]);
export const w = state("dense/w", "f32", [3]);
export const count = state("norm/count", "f32");
export const total = state("norm/total", "f32");

/** A linear model with two rival updates, and a function that counts its calls and sums what it counted. */
export function exampleGraph(): Graph {
  const dot = dotGeneral(x, w, { lhs_batch: [], rhs_batch: [], lhs_contract: [1], rhs_contract: [0] });
  const normed = add(dot, broadcastScalar(count, [N]));
  // M is N only once both are known: the constraint below says so.
  const error = sub(normed, reshape(y, { shape: [N] }));
  const loss = sum(mul(error, error), { axes: [0] });
  const step = broadcastScalar(mul(rate, loss), [3]);
  const learnt = sub(w, step);
  const counted = add(count, fill(count.type, 1));
  const summed = add(total, counted);
  const mode: Mode = {
    names: new Map([
      ["score", normed],
      ["metrics.loss", loss],
      ["metrics.count", counted],
    ]),
    updates: new Map([
      [
        "learn",
        { name: "learn", assignments: [{ path: "dense/w", value: learnt, span: places.learn }], span: places.learn },
      ],
      [
        "rival",
        {
          name: "rival",
          assignments: [{ path: "dense/w", value: add(w, step), span: places.rival }],
          span: places.rival,
        },
      ],
      [
        "same",
        { name: "same", assignments: [{ path: "dense/w", value: learnt, span: places.other }], span: places.other },
      ],
    ]),
    callUpdates: [
      { anchors: [normed], assignments: [{ path: "norm/count", value: counted, span: places.other }] },
      // Reached only through what the first one computes.
      { anchors: [counted], assignments: [{ path: "norm/total", value: summed, span: places.other }] },
    ],
  };
  const signature = (name: string, updates: readonly string[], outputs: readonly string[]) => ({
    name,
    inputs: ["x", "y"],
    updates,
    training: updates.length > 0,
    outputs,
    schedules: [],
    span: places.other,
    doc: undefined,
  });
  return {
    name: "example",
    file: "example.graph",
    seed: -42n,
    devices: new Map([["gpu", places.other]]),
    dims: [
      { name: "N", bound: 64, span: places.x },
      { name: "M", bound: undefined, span: places.y },
    ],
    placeholders: [
      { name: "x", value: x, defaultValue: undefined, span: places.x, doc: undefined },
      { name: "y", value: y, defaultValue: undefined, span: places.y, doc: undefined },
      { name: "rate", value: rate, defaultValue: fill(rate.type, 0.5), span: places.other, doc: undefined },
      { name: "unused", value: unused, defaultValue: undefined, span: places.other, doc: undefined },
    ],
    variables: [
      {
        path: "dense/w",
        value: w,
        initial: randomUniform(runState(), [], { path: "dense/w", index: 0, dtype: "f32", shape: [3] }),
        trainable: true,
        device: "gpu",
        span: places.other,
        doc: undefined,
      },
      {
        path: "norm/count",
        value: count,
        initial: fill(count.type, 0),
        trainable: false,
        device: undefined,
        span: places.other,
        doc: undefined,
      },
      {
        path: "norm/total",
        value: total,
        initial: fill(total.type, 0),
        trainable: false,
        device: undefined,
        span: places.other,
        doc: undefined,
      },
    ],
    strings: new Map([["greeting", 'Hello, "graph"!']]),
    inference: mode,
    training: mode,
    signatures: [
      signature("fit", ["learn"], ["metrics.loss", "greeting"]),
      signature("predict", [], ["score"]),
      signature("clash", ["learn", "rival"], []),
    ],
    train: undefined,
    constraints: [
      {
        condition: compareDims(N, "equal", M),
        diagnostic: {
          code: "G020",
          severity: "error",
          message: "the batches differ: {left} and {right}",
          span: places.x,
          notes: [],
        },
        sizes: "placed",
        premises: [],
        anchors: new Set(),
      },
      {
        condition: compareDims(M, "unequal", 0),
        diagnostic: {
          code: "G025",
          severity: "error",
          message: "a batch of {left} has no maximum",
          span: places.x,
          notes: [],
        },
        sizes: "placed",
        premises: [],
        anchors: new Set(),
      },
    ],
    sources: new SourceTable(),
  };
}
