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

/** What compilers ask of a scalar function without computing it. */
export interface ScalarFacts {
  /** How it counts where floats are computed: an arithmetic operation, a function such as `exp`, or nothing, as comparisons do. */
  readonly work: "operation" | "function" | "nothing";
  /** What one element takes, in additions. */
  readonly additions: number;
  /** Cycles of a register of lanes; undefined where it is an instruction or two. */
  readonly cycles: number | undefined;
}

const operation: ScalarFacts = { work: "operation", additions: 1, cycles: undefined };
const nothing: ScalarFacts = { work: "nothing", additions: 1, cycles: undefined };
const slow = (additions: number, cycles: number): ScalarFacts => ({ work: "operation", additions, cycles });
const polynomial = (additions: number, cycles = additions): ScalarFacts => ({ work: "function", additions, cycles });

export const scalarFacts: Readonly<Record<ScalarOp, ScalarFacts>> = {
  neg: operation,
  abs: operation,
  sign: operation,
  not: nothing,
  floor: operation,
  ceil: operation,
  round: operation,
  sqrt: slow(3, 6),
  rsqrt: slow(3, 8),
  exp: polynomial(10),
  expm1: polynomial(12),
  log: polynomial(12),
  log1p: polynomial(12),
  sin: polynomial(14),
  cos: polynomial(14),
  tanh: polynomial(12),
  sigmoid: polynomial(12),
  erf: polynomial(14),
  erfc: polynomial(40),
  cbrt: polynomial(14),
  popcnt: nothing,
  count_leading_zeros: nothing,
  is_finite: nothing,
  cast: nothing,
  identity: nothing,
  add: operation,
  sub: operation,
  mul: operation,
  div: slow(3, 5),
  floor_div: slow(6, 12),
  mod: slow(6, 12),
  pow: polynomial(24, 30),
  atan2: polynomial(20),
  shift_left: nothing,
  shift_right_arithmetic: nothing,
  shift_right_logical: nothing,
  max: operation,
  min: operation,
  and: nothing,
  or: nothing,
  xor: nothing,
  eq: nothing,
  ne: nothing,
  lt: nothing,
  le: nothing,
  gt: nothing,
  ge: nothing,
  select: nothing,
};

/** How a reduction combines two elements; each is associative and has an identity. */
export type Combiner = "sum" | "product" | "max" | "min" | "and" | "or";
