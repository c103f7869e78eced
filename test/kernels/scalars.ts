import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Accumulator } from "../../compiler/kernels/form.js";
import type { ReferenceTensor } from "../../compiler/ops/define.js";
import { type ReferenceData, roundTo } from "../../compiler/ops/precision.js";
import { completed } from "../../compiler/ops/stepwise.js";
import { opNamed } from "../../compiler/ops/table.js";

/** An element as the interpreter of kernels holds it: i64 exactly. */
export type Element = number | bigint;

const opNames = new Map<string, string>([
  ["max", "maximum"],
  ["min", "minimum"],
]);

/** A scalar function by the reference evaluator of the op of that name. */
export function scalar(
  name: string,
  dtype: NumericDType,
  args: readonly Element[],
  argTypes: readonly NumericDType[],
): Element {
  if (name === "identity") return args[0] as Element;
  const op = opNamed(opNames.get(name) ?? name);
  const inputs = args.map(
    (value, i): ReferenceTensor => ({
      dtype: argTypes[i] as NumericDType,
      shape: [],
      data: typeof value === "bigint" ? BigInt64Array.of(value) : Float64Array.of(value),
    }),
  );
  const work = op.evaluate({
    inputs,
    attributes: (name === "cast" ? { to: dtype } : {}) as never,
    outputs: [{ dtype, shape: [] }],
    regions: [],
    context: { seed: 0n, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() },
  });
  const [data] = completed(work);
  return roundTo(dtype, data as ReferenceData)[0] as Element;
}

/** What an accumulator starts from. */
export function identityOf({ combiner, dtype }: Accumulator): Element {
  const big = dtype === "i64";
  switch (combiner) {
    case "sum":
    case "or":
    case "arg_max":
    case "arg_min":
      return big ? 0n : 0;
    case "product":
    case "and":
      return big ? 1n : 1;
    case "max":
    case "min": {
      const sign = combiner === "max" ? -1 : 1;
      if (big) return sign < 0 ? -(2n ** 63n) : 2n ** 63n - 1n;
      if (dtype === "i32") return sign < 0 ? -(2 ** 31) : 2 ** 31 - 1;
      if (dtype === "i8") return sign < 0 ? -128 : 127;
      if (dtype === "u8" || dtype === "bool") return sign < 0 ? 0 : 255;
      return sign * Number.POSITIVE_INFINITY;
    }
  }
}
