import { type Dim, dimText, staticSize } from "../ir/dim.js";
import { type TensorType, typeText } from "../ir/type.js";
import {
  defineOp,
  integers,
  OpError,
  operand,
  ReferenceFailure,
  type ReferenceTensor,
  type UnaryOp,
} from "./define.js";
import { wholeNumbers } from "./samples.js";

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
    for (const element of data) {
      if (element < 0 || element >= limit) {
        throw new ReferenceFailure(
          "G086",
          `the index ${element} is out of range: there are ${limit} places, counted from 0`,
        );
      }
    }
    return [data.slice()];
  },
  samples: [[], [0], [9], [3, 4]].map((shape) => ({
    inputs: [{ shape, fill: wholeNumbers(0, 6) }],
    attributes: { size: [7] },
  })),
});
