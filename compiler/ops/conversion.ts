import { isFloat, type NumericDType } from "../ir/dtype.js";
import { tensorType } from "../ir/type.js";
import { defineOp, type UnaryOp } from "./define.js";
import { drawOne, drawShape } from "./draw.js";
import { OpError } from "./op_error.js";
import { anyDType, operand } from "./operands.js";
import { numericDType, type ReferenceData } from "./precision.js";
import { type Samples, shapes, specials, uniform } from "./samples.js";

const limits: Readonly<Record<"i64" | "i32" | "i8" | "u8", { readonly least: bigint; readonly greatest: bigint }>> = {
  i64: { least: -(2n ** 63n), greatest: 2n ** 63n - 1n },
  i32: { least: -(2n ** 31n), greatest: 2n ** 31n - 1n },
  i8: { least: -128n, greatest: 127n },
  u8: { least: 0n, greatest: 255n },
};

export const cast: UnaryOp<{ readonly to: "dtype" }> = defineOp({
  name: "cast",
  doc:
    "The elements as another dtype. To a smaller float: rounded to nearest, halves to even. Float to integer: truncated, kept " +
    "within the dtype's range, NaN gives 0. Integer to integer wraps. To bool: whether it is not 0. The gradient passes between floats only.",
  stablehlo: "convert",
  inputs: [operand("x", anyDType)],
  attributes: { to: "dtype" },
  infer: ([x], { to }) => {
    if (to === "string") throw new OpError("G024", "cast makes no strings: they are constants only");
    return tensorType(to, x?.shape ?? []);
  },
  vjp: ({ inputs: [x], attributes: { to }, dy }) => [
    isFloat(x.type.dtype) && isFloat(to) ? cast(dy, { to: x.type.dtype }) : undefined,
  ],
  kernel: { kind: "elementwise", scalar: "cast" },
  reference: ({ inputs: [x], attributes: { to } }) => {
    if (x === undefined) throw new TypeError("cast takes an operand");
    return [convert(x.data, x.dtype, numericDType(to))];
  },
  samples: samplesToEach(),
});

function convert(data: ReferenceData, from: NumericDType, to: NumericDType): ReferenceData {
  if (data instanceof BigInt64Array) {
    if (to === "i64") return data.slice();
    return Float64Array.from(data, (x) => (to === "bool" ? (x === 0n ? 0 : 1) : narrowI64(x, to)));
  }
  if (to === "i64") return BigInt64Array.from(data, (x) => BigInt(isFloat(from) ? saturate(x, to) : x));
  if (isFloat(from) && (to === "i32" || to === "i8" || to === "u8")) return data.map((x) => Number(saturate(x, to)));
  return data.slice();
}

function saturate(x: number, to: keyof typeof limits): bigint {
  const { least, greatest } = limits[to];
  if (Number.isNaN(x)) return 0n;
  if (x <= Number(least)) return least;
  if (x >= Number(greatest)) return greatest;
  return BigInt(Math.trunc(x));
}

function narrowI64(x: bigint, to: NumericDType): number {
  if (!isFloat(to)) return Number(BigInt.asIntN(32, x));
  const magnitude = x < 0n ? -x : x;
  // float64 holds it, or it is rounded once to float64.
  if (to === "f64" || magnitude <= 2n ** 53n) return Number(x);
  // Rounding to odd in float64 makes the second rounding, to the smaller float, right (Boldo and Melquiond 2008).
  const shift = BigInt(magnitude.toString(2).length - 53);
  const kept = magnitude >> shift;
  const odd = kept << shift === magnitude ? kept : kept | 1n;
  return Number((x < 0n ? -odd : odd) << shift);
}

function samplesToEach(): Samples<{ readonly to: "dtype" }> {
  const targets = anyDType.map((to) => ({ to }));
  const fixed = [
    ...shapes.map((shape) => ({ inputs: [{ shape, fill: uniform(-100, 100) }], attributes: { to: "f64" as const } })),
    // Rounding to a smaller dtype is no smooth function, so central differences say nothing of it.
    ...targets.map((attributes) => ({
      inputs: [{ shape: [33], fill: uniform(-300, 300) }],
      attributes,
      differentiable: false,
    })),
    ...targets.map((attributes) => ({ inputs: [{ shape: [40], fill: specials }], attributes, differentiable: false })),
  ];
  return {
    fixed,
    random: (draw) => {
      const to = drawOne(draw, ["f64", ...anyDType] as const);
      const inputs = [{ shape: drawShape(draw), fill: uniform(-300, 300) }];
      return { inputs, attributes: { to }, differentiable: to === "f64" };
    },
  };
}
