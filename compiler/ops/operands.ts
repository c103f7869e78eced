import type { Dim } from "../ir/dim.js";
import { type DType, dtypes, floatDTypes, integerDTypes } from "../ir/dtype.js";
import type { Tensor } from "../ir/tensor.js";

/** What an attribute may hold, by the kind that an op declares. */
interface AttributeKinds {
  readonly bool: boolean;
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly dtype: DType;
  readonly ints: readonly number[];
  readonly dims: readonly Dim[];
  readonly literal: Tensor;
}
export type AttributeKind = keyof AttributeKinds;
export type AttributeSchema = Readonly<Record<string, AttributeKind>>;
export type AttributesOf<A extends AttributeSchema> = { readonly [K in keyof A]: AttributeKinds[A[K]] };

/** One operand: its name in messages, the dtypes it takes, and the letter that makes it share a dtype with the others of that letter. */
export interface Operand {
  readonly name: string;
  readonly dtypes: readonly DType[];
  /** Operands of one group have one dtype; undefined for one that stands alone. */
  readonly group: string | undefined;
  /** Takes all the remaining inputs (only as the last operand). */
  readonly variadic: boolean;
}

export const anyDType: readonly DType[] = dtypes.filter((dtype) => dtype !== "string");
export const floats: readonly DType[] = floatDTypes;
export const numbers: readonly DType[] = [...floatDTypes, ...integerDTypes];
export const integers: readonly DType[] = integerDTypes;
export const bools: readonly DType[] = ["bool"];

/** `group` null: an operand whose dtype is its own. */
export function operand<const N extends string>(name: N, allowed: readonly DType[], group: string | null = "T") {
  return { name, dtypes: allowed, group: group ?? undefined, variadic: false } as const;
}

export function variadicOperand<const N extends string>(
  name: N,
  allowed: readonly DType[],
  group: string | null = "T",
) {
  return { name, dtypes: allowed, group: group ?? undefined, variadic: true } as const;
}
