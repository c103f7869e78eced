import { InternalError } from "../ir/diagnostic.js";
import type { NumericDType } from "../ir/dtype.js";
import { isFloat } from "../ir/dtype.js";
import type { Node } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { inputOf, numbersAttribute, shapeOf } from "./views.js";

/** The axes of a `dot_general`, sorted by what they do: the result's shape is [batch..., m..., n...]. */
export interface Contraction {
  readonly batch: readonly SharedAxis[];
  readonly k: readonly SharedAxis[];
  /** Free axes of the left and of the right operand. */
  readonly m: readonly FreeAxis[];
  readonly n: readonly FreeAxis[];
  readonly accumulate: NumericDType;
  /** A plain loop nest serves as well or better, and fuses: vectors, outer products, integers, and what is tiny. */
  readonly asNest: boolean;
}

export interface SharedAxis {
  readonly lhs: number;
  readonly rhs: number;
  readonly size: number;
}

export interface FreeAxis {
  readonly axis: number;
  readonly size: number;
}

/** Fewer multiplications than this are not worth a register tile's set-up. */
const tinyWork = 1024;

export function contractionOf(node: Node): Contraction {
  const left = shapeOf(inputOf(node, 0));
  const right = shapeOf(inputOf(node, 1));
  const axes = (name: string): readonly number[] => numbersAttribute(node.attributes, name);
  const pair = (lhsAxes: readonly number[], rhsAxes: readonly number[]): readonly SharedAxis[] =>
    lhsAxes.map((lhs, i) => ({ lhs, rhs: rhsAxes[i] ?? 0, size: left[lhs] ?? 1 }));
  const batch = pair(axes("lhs_batch"), axes("rhs_batch"));
  const k = pair(axes("lhs_contract"), axes("rhs_contract"));
  const free = (shape: readonly number[], taken: ReadonlySet<number>): readonly FreeAxis[] =>
    shape.flatMap((size, axis) => (taken.has(axis) ? [] : [{ axis, size }]));
  const m = free(left, new Set([...batch, ...k].map((axis) => axis.lhs)));
  const n = free(right, new Set([...batch, ...k].map((axis) => axis.rhs)));
  const count = (list: readonly { readonly size: number }[]): number => elementCount(list.map(({ size }) => size));
  const dtype = node.outputs[0]?.type.dtype;
  if (dtype === undefined || dtype === "string") throw new InternalError("a contraction of strings");
  const asNest =
    !isFloat(dtype) ||
    [m, n, k].some((list) => count(list) <= 1) ||
    count(m) * count(n) * count(k) <= tinyWork ||
    count(batch) === 0;
  return { batch, k, m, n, accumulate: accumulatorDType(dtype), asNest };
}

/** Halves are summed in single precision: a sum in eleven bits would stop growing at 2048. */
export function accumulatorDType(dtype: NumericDType): NumericDType {
  return dtype === "f16" || dtype === "bf16" ? "f32" : dtype;
}
