import type { ExecutionContext } from "ava";
import { evaluate } from "../../../compiler/backends/reference/evaluate.js";
import type { Computation, Parameter } from "../../../compiler/ir/graph.js";
import { elementCount } from "../../../compiler/ir/tensor.js";
import { staticShape } from "../../../compiler/ir/type.js";
import type { ReferenceContext, ReferenceTensor } from "../../../compiler/ops/define.js";
import { allocateReference, numericDType, roundTo } from "../../../compiler/ops/precision.js";

/** A deterministic stream of numbers in [0, 1): a linear congruential generator, good enough for test data. */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Values that tell unsound rules from sound ones. */
export const specialNumbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2,
  3,
  7.25,
  1e-3,
  1e30,
  -1e30,
  65504,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** What a placeholder is fed with: one number for each element. */
export type Filler = (random: () => number, index: number) => number;

export const tame: Filler = (random) => random() * 6 - 3;
export const wild: Filler = (random) => specialNumbers[Math.floor(random() * specialNumbers.length)] ?? 0;
export const positive: Filler = (random) => random() * 3 + 0.1;

/** A run's inputs for a computation, the same for the same seed. */
export function contextFor(computation: Computation, seed: number, filler: Filler = tame): ReferenceContext {
  const random = randomStream(seed);
  const tensor = ({ type }: Parameter): ReferenceTensor => {
    const dtype = numericDType(type.dtype);
    const shape = staticShape(type);
    const data = allocateReference(dtype, elementCount(shape));
    for (let i = 0; i < data.length; i++) {
      const number = filler(random, i);
      if (data instanceof BigInt64Array) data[i] = Number.isFinite(number) ? BigInt(Math.trunc(number * 10)) : 3n;
      else if (dtype === "bool") data[i] = number > 0 ? 1 : 0;
      else data[i] = dtype.startsWith("i") || dtype.startsWith("u") ? Math.trunc(number * 10) || 0 : number;
    }
    return { dtype, shape, data: roundTo(dtype, data) };
  };
  const table = (parameters: readonly Parameter[]) => new Map(parameters.map((p) => [p.name, tensor(p)]));
  return {
    seed: 7n,
    step: 3n,
    runsSinceStep: 1n,
    feeds: table(computation.placeholders),
    variables: table(computation.variables),
  };
}

export interface Tolerance {
  /** Allowed relative difference; 0 asks for the same number, with NaN equal to NaN. */
  readonly relative: number;
  /** Whether 0 and -0 are told apart. */
  readonly signedZeros: boolean;
}

export const exactly: Tolerance = { relative: 0, signedZeros: true };
/** The same numbers, but a zero may have either sign. */
export const exactlyButZeros: Tolerance = { relative: 0, signedZeros: false };
export const closely: Tolerance = { relative: 2e-6, signedZeros: false };

/** Asserts that two computations give the same outputs and assignments for the same inputs. */
export function sameResults(
  t: ExecutionContext,
  before: Computation,
  after: Computation,
  context: ReferenceContext,
  tolerance: Tolerance,
  label = "",
): void {
  const [a, b] = [evaluate(before, context), evaluate(after, context)];
  const left = [...a.outputs, ...a.assignments.values()];
  const right = [...b.outputs, ...b.assignments.values()];
  t.is(left.length, right.length);
  left.forEach((tensor, i) => {
    const other = right[i];
    t.is(tensor.dtype, other?.dtype);
    t.deepEqual(tensor.shape, other?.shape);
    const difference = firstDifference(tensor, other ?? tensor, tolerance);
    t.is(difference, undefined, `${label}: ${difference}`);
  });
}

function firstDifference(a: ReferenceTensor, b: ReferenceTensor, tolerance: Tolerance): string | undefined {
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (x === undefined || y === undefined) return `one result has no element ${i}`;
    if (!same(x, y, tolerance)) return `element ${i} is ${text(y)} instead of ${text(x)}`;
  }
  return undefined;
}

function same(x: number | bigint, y: number | bigint, { relative, signedZeros }: Tolerance): boolean {
  if (typeof x === "bigint" || typeof y === "bigint") return x === y;
  if (Object.is(x, y) || (!signedZeros && x === y)) return true;
  return relative > 0 && Math.abs(x - y) <= relative * Math.max(1, Math.abs(x), Math.abs(y));
}

function text(x: number | bigint): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
