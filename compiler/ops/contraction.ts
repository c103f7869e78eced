import { type Dim, dimEquals, dimText } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { contractionSamples } from "./contraction_samples.js";
import { type BinaryOp, defineOp, type ReferenceTensor } from "./define.js";
import { emptyLike, isFloatName, readTransposed, wrap } from "./evaluate.js";
import { OpError } from "./op_error.js";
import { numbers, operand } from "./operands.js";
import type { ReferenceData } from "./precision.js";
import { checkAxes } from "./rules.js";
import { inversePermutation, transposeTo } from "./views.js";

export type Contraction = {
  readonly lhs_batch: "ints";
  readonly rhs_batch: "ints";
  readonly lhs_contract: "ints";
  readonly rhs_contract: "ints";
};

export const dotGeneral: BinaryOp<Contraction> = defineOp({
  name: "dot_general",
  doc:
    "Multiplies and sums over the contracted axes, for each index of the batch axes. The axes of the result: batch, then the " +
    "others of lhs, then the others of rhs. Integers wrap; f16 and bf16 are summed in f32.",
  stablehlo: "dot_general",
  inputs: [operand("lhs", numbers), operand("rhs", numbers)],
  attributes: { lhs_batch: "ints", rhs_batch: "ints", lhs_contract: "ints", rhs_contract: "ints" },
  infer: ([lhs, rhs], attributes) => {
    const left = lhs as TensorType;
    const right = rhs as TensorType;
    checkPairs(left, right, attributes.lhs_batch, attributes.rhs_batch, "batch");
    checkPairs(left, right, attributes.lhs_contract, attributes.rhs_contract, "contract");
    checkAxes("dot_general", "lhs axes", [...attributes.lhs_batch, ...attributes.lhs_contract], left.shape.length, 0);
    checkAxes("dot_general", "rhs axes", [...attributes.rhs_batch, ...attributes.rhs_contract], right.shape.length, 1);
    const { lhsFree, rhsFree } = freeAxes(left, right, attributes);
    return tensorType(left.dtype, [
      ...attributes.lhs_batch.map((axis) => left.shape[axis] as Dim),
      ...lhsFree.map((axis) => left.shape[axis] as Dim),
      ...rhsFree.map((axis) => right.shape[axis] as Dim),
    ]);
  },
  vjp: ({ inputs: [lhs, rhs], attributes, dy }) => {
    const { lhs_batch, rhs_batch, lhs_contract, rhs_contract } = attributes;
    const { lhsFree, rhsFree } = freeAxes(lhs.type, rhs.type, attributes);
    const swapped = {
      lhs_batch: rhs_batch,
      rhs_batch: lhs_batch,
      lhs_contract: rhs_contract,
      rhs_contract: lhs_contract,
    };
    const batch = lhs_batch.map((_, i) => i);
    const ofLhs = lhsFree.map((_, i) => batch.length + i);
    const ofRhs = rhsFree.map((_, i) => batch.length + lhsFree.length + i);
    return [
      pullBackOperand(dy, rhs, { batch, free: ofLhs, contract: ofRhs }, rhsFree, swapped, lhsFree),
      pullBackOperand(dy, lhs, { batch, free: ofRhs, contract: ofLhs }, lhsFree, attributes, rhsFree),
    ];
  },
  kernel: { kind: "contract" },
  reference: ({ inputs: [lhs, rhs], attributes }) => {
    const left = lhs as ReferenceTensor;
    const right = rhs as ReferenceTensor;
    const { lhsFree, rhsFree } = freeAxes(left, right, attributes);
    const size = (tensor: ReferenceTensor, axes: readonly number[]) =>
      elementCount(axes.map((axis) => tensor.shape[axis] as number));
    // Packed as [batch, m, k] and [batch, n, k].
    const a = readTransposed(left.data, left.shape, [...attributes.lhs_batch, ...lhsFree, ...attributes.lhs_contract]);
    const b = readTransposed(right.data, right.shape, [
      ...attributes.rhs_batch,
      ...rhsFree,
      ...attributes.rhs_contract,
    ]);
    const sizes = {
      batch: size(left, attributes.lhs_batch),
      m: size(left, lhsFree),
      n: size(right, rhsFree),
      k: size(left, attributes.lhs_contract),
    };
    return [multiply(a, b, sizes, isFloatName(left.dtype))];
  },
  samples: contractionSamples,
});

interface Axes {
  readonly lhs_batch: readonly number[];
  readonly rhs_batch: readonly number[];
  readonly lhs_contract: readonly number[];
  readonly rhs_contract: readonly number[];
}

function freeAxes(
  lhs: { readonly shape: readonly Dim[] },
  rhs: { readonly shape: readonly Dim[] },
  axes: Axes,
): { readonly lhsFree: readonly number[]; readonly rhsFree: readonly number[] } {
  const others = (shape: readonly Dim[], used: readonly number[]) =>
    shape.flatMap((_, axis) => (used.includes(axis) ? [] : [axis]));
  return {
    lhsFree: others(lhs.shape, [...axes.lhs_batch, ...axes.lhs_contract]),
    rhsFree: others(rhs.shape, [...axes.rhs_batch, ...axes.rhs_contract]),
  };
}

function checkPairs(
  lhs: TensorType,
  rhs: TensorType,
  left: readonly number[],
  right: readonly number[],
  label: string,
): void {
  if (left.length !== right.length) {
    throw new OpError(
      "G025",
      `dot_general pairs ${left.length} axes of lhs with ${right.length} of rhs in \`${label}\``,
    );
  }
  checkAxes("dot_general", `lhs_${label}`, left, lhs.shape.length, 0);
  checkAxes("dot_general", `rhs_${label}`, right, rhs.shape.length, 1);
  left.forEach((axis, i) => {
    const a = lhs.shape[axis] as Dim;
    const b = rhs.shape[right[i] as number] as Dim;
    if (dimEquals(a, b)) return;
    const sizes = `${dimText(a)} and ${dimText(b)}`;
    throw label === "contract"
      ? new OpError("G021", `inner dimensions ${sizes} differ: ${typeText(lhs)} with ${typeText(rhs)}`, {
          operand: 0,
          against: 1,
        })
      : new OpError("G020", `batch dimensions ${sizes} differ: ${typeText(lhs)} with ${typeText(rhs)}`, {
          operand: 0,
          against: 1,
        });
  });
}

/**
 * The cotangent of one operand: dy contracted with the other operand over the latter's free axes. That gives [batch, free of this
 * operand, contracted axes in the other's order], which is transposed to this operand's own order.
 */
function pullBackOperand(
  dy: Value,
  other: Value,
  dyAxes: { readonly batch: readonly number[]; readonly free: readonly number[]; readonly contract: readonly number[] },
  otherFree: readonly number[],
  // `lhs_*` are the axes of the other operand here, `rhs_*` those of the operand whose cotangent is made.
  axes: Axes,
  ownFree: readonly number[],
): Value {
  const product = dotGeneral(dy, other, {
    lhs_batch: dyAxes.batch,
    rhs_batch: axes.lhs_batch,
    lhs_contract: dyAxes.contract,
    rhs_contract: otherFree,
  });
  const contracted = [...axes.lhs_contract]
    .sort((a, b) => a - b)
    .map((axis) => axes.rhs_contract[axes.lhs_contract.indexOf(axis)] as number);
  return transposeTo(product, inversePermutation([...axes.rhs_batch, ...ownFree, ...contracted]));
}

function multiply(
  a: ReferenceData,
  b: ReferenceData,
  { batch, m, n, k }: { readonly batch: number; readonly m: number; readonly n: number; readonly k: number },
  float: boolean,
): ReferenceData {
  const result = emptyLike(a, batch * m * n);
  for (let i = 0; i < batch; i++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        const left = (i * m + row) * k;
        const right = (i * n + column) * k;
        result[(i * m + row) * n + column] = dotOfRows(a, left, b, right, k, float) as never;
      }
    }
  }
  return result;
}

function dotOfRows(
  a: ReferenceData,
  left: number,
  b: ReferenceData,
  right: number,
  k: number,
  float: boolean,
): number | bigint {
  if (a instanceof Float64Array && b instanceof Float64Array) {
    return float ? floatDot(a, left, b, right, k) : integerDot(a, left, b, right, k);
  }
  let total = 0n;
  for (let i = 0; i < k; i++) total = wrap(total + (a[left + i] as bigint) * (b[right + i] as bigint));
  return total;
}

function floatDot(a: Float64Array, left: number, b: Float64Array, right: number, k: number): number {
  let total = 0;
  for (let i = 0; i < k; i++) total += (a[left + i] as number) * (b[right + i] as number);
  return total;
}

function integerDot(a: Float64Array, left: number, b: Float64Array, right: number, k: number): number {
  let total = 0;
  for (let i = 0; i < k; i++) total = (total + Math.imul(a[left + i] as number, b[right + i] as number)) | 0;
  return total;
}
