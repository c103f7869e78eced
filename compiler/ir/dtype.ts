/** Element types of tensors. `string` exists for constants only. */
export const dtypes = ["f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8", "bool", "string"] as const;
export type DType = (typeof dtypes)[number];

/** The dtypes that have storage: all but `string`. */
export type NumericDType = Exclude<DType, "string">;

export const floatDTypes = ["f64", "f32", "f16", "bf16"] as const;
export const integerDTypes = ["i64", "i32", "i8", "u8"] as const;
export type FloatDType = (typeof floatDTypes)[number];
export type IntegerDType = (typeof integerDTypes)[number];

export function isFloat(dtype: DType): dtype is FloatDType {
  return (floatDTypes as readonly DType[]).includes(dtype);
}

export function isInteger(dtype: DType): dtype is IntegerDType {
  return (integerDTypes as readonly DType[]).includes(dtype);
}

export function isDType(name: string): name is DType {
  return (dtypes as readonly string[]).includes(name);
}

/** Bytes of one element in memory; a bool is one byte of 0 or 1. Strings have no storage in tensors. */
export function byteSize(dtype: NumericDType): number {
  switch (dtype) {
    case "f64":
    case "i64":
      return 8;
    case "f32":
    case "i32":
      return 4;
    case "f16":
    case "bf16":
      return 2;
    case "i8":
    case "u8":
    case "bool":
      return 1;
  }
}
