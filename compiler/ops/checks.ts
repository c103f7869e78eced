import { type Dim, dimText, staticSize } from "../ir/dim.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { defineOp, ReferenceFailure, type ReferenceTensor, type UnaryOp } from "./define.js";
import { drawShape } from "./draw.js";
import { outOfRange } from "./messages.js";
import { OpError } from "./op_error.js";
import { integers, operand } from "./operands.js";
import { type Fill, type Samples, wholeNumbers } from "./samples.js";

/** The failure of an index that names no place. */
export function failIndex(index: number | bigint, limit: number, least = 0): never {
  throw new ReferenceFailure("G086", outOfRange(String(index), limit, least));
}

export const checkIndex: UnaryOp<{ readonly size: "dims" }> = defineOp({
  name: "check_index",
  doc: "The operand itself; the run fails (G086), and no variable is written, where an element is below 0 or not below `size[0]`.",
  inputs: [operand("x", integers)],
  attributes: { size: "dims" },
  infer: ([x], { size }) => {
    if (size.length !== 1) throw new OpError("G031", `check_index takes one size, not ${size.length}`);
    const [limit] = size as readonly [Dim];
    if (typeof limit === "number" && limit < 0) {
      throw new OpError("G026", `check_index of ${typeText(x as TensorType)} against the size ${dimText(limit)}`);
    }
    return x as TensorType;
  },
  vjp: "indices are integers",
  kernel: { kind: "check" },
  reference: ({ inputs: [x], attributes: { size } }) => {
    const { data } = x as ReferenceTensor;
    const limit = staticSize(size[0] as Dim);
    for (const element of data) if (element < 0 || element >= limit) failIndex(element, limit);
    return [data.slice()];
  },
  samples: indexSamples((size) => wholeNumbers(0, size - 1)),
});

export const wrapIndex: UnaryOp<{ readonly size: "dims" }> = defineOp({
  name: "wrap_index",
  doc:
    "The operand as i64, with `size[0]` added where it is negative: an index that may count from the end. The run fails (G086), and " +
    "no variable is written, where an element is below -size or not below size.",
  inputs: [operand("x", integers)],
  attributes: { size: "dims" },
  infer: ([x], { size }) => {
    if (size.length !== 1) throw new OpError("G031", `wrap_index takes one size, not ${size.length}`);
    return tensorType("i64", (x as TensorType).shape);
  },
  vjp: "indices are integers",
  kernel: { kind: "check" },
  reference: ({ inputs: [x], attributes: { size } }) => {
    const { data } = x as ReferenceTensor;
    const limit = staticSize(size[0] as Dim);
    return [
      BigInt64Array.from(data as ArrayLike<number | bigint>, (element) => {
        if (element < -limit || element >= limit) failIndex(element, limit, -limit);
        return BigInt(element) + (element < 0 ? BigInt(limit) : 0n);
      }),
    ];
  },
  samples: indexSamples((size) => wholeNumbers(1 - size, size - 1)),
});

/** Positions that are allowed. Of no places there are none. */
function indexSamples(allowed: (size: number) => Fill): Samples<{ readonly size: "dims" }> {
  return {
    fixed: [[], [0], [9], [3, 4]].map((shape) => ({
      inputs: [{ shape, fill: allowed(7) }],
      attributes: { size: [7] },
    })),
    random: (draw) => {
      const shape = drawShape(draw);
      const size = draw.integer(shape.includes(0) ? 0 : 1, 9);
      return { inputs: [{ shape, fill: allowed(size) }], attributes: { size: [size] } };
    },
  };
}
