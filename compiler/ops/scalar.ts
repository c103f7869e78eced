/**
 * The closed set of scalar functions that element-wise ops are made of. Each back end implements each of them once, for a
 * register of lanes; the meaning is that of the op of the same name in this folder.
 */
export const unaryScalars = [
  "neg",
  "abs",
  "sign",
  "not",
  "floor",
  "ceil",
  "round",
  "sqrt",
  "rsqrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "erf",
  "erfc",
  "cbrt",
  "popcnt",
  "count_leading_zeros",
  "is_finite",
  "cast",
  "identity",
] as const;
export const binaryScalars = [
  "add",
  "sub",
  "mul",
  "div",
  "floor_div",
  "mod",
  "pow",
  "atan2",
  "shift_left",
  "shift_right_arithmetic",
  "shift_right_logical",
  "max",
  "min",
  "and",
  "or",
  "xor",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
] as const;
export const ternaryScalars = ["select"] as const;

export type UnaryScalar = (typeof unaryScalars)[number];
export type BinaryScalar = (typeof binaryScalars)[number];
export type TernaryScalar = (typeof ternaryScalars)[number];
export type ScalarOp = UnaryScalar | BinaryScalar | TernaryScalar;

/** How a reduction combines two elements; each is associative and has an identity. */
export type Combiner = "sum" | "product" | "max" | "min" | "and" | "or";
