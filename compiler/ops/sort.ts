import { tensorType } from "../ir/type.js";
import { alongAxis, forEachRow, rowSamples } from "./along.js";
import { defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { numbers, operand } from "./operands.js";
import { specials, wholeNumbers, withFixed } from "./samples.js";

type Sorting = { readonly axis: "int"; readonly descending: "bool" };

export const argsort: UnaryOp<Sorting> = defineOp({
  name: "argsort",
  doc:
    "The positions (i64) that put the elements along an axis in order, ascending or descending. Equal elements keep their order, and " +
    "zeros of both signs are equal; NaN is last either way. n log n comparisons whatever the elements. No gradient: that of a sort " +
    "goes through the elements at these positions.",
  stablehlo: "sort",
  inputs: [operand("x", numbers)],
  attributes: { axis: "int", descending: "bool" },
  infer: (types, { axis }) => tensorType("i64", alongAxis("argsort", types, axis).shape),
  vjp: "positions are integers",
  kernel: { kind: "routine", routine: "argsort", along: true },
  reference: ({ inputs: [x], attributes: { axis, descending } }) => {
    const tensor = x as ReferenceTensor;
    const { data } = tensor;
    const result = new BigInt64Array(data.length);
    forEachRow(tensor, axis, (places) => {
      const at = (k: number): number | bigint => data[places[k] as number] as number | bigint;
      const order = (a: number, b: number): number => {
        const [u, v] = [at(a), at(b)];
        const [first, second] = [Number.isNaN(u), Number.isNaN(v)];
        if (first || second) return Number(first) - Number(second);
        return u === v ? 0 : u < v === descending ? 1 : -1;
      };
      // Array.sort is stable.
      const sorted = places.map((_, k) => k).sort(order);
      for (const [k, place] of places.entries()) result[place] = BigInt(sorted[k] as number);
    });
    return [result];
  },
  samples: withFixed(
    rowSamples<Sorting>((axis, descending) => ({ axis, descending })),
    { inputs: [{ shape: [50], fill: wholeNumbers(-3, 3) }], attributes: { axis: 0, descending: false } },
    { inputs: [{ shape: [50], fill: wholeNumbers(-3, 3) }], attributes: { axis: 0, descending: true } },
    { inputs: [{ shape: [40], fill: specials }], attributes: { axis: 0, descending: true } },
  ),
});
