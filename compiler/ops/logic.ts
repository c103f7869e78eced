import type { Value } from "../ir/node.js";
import { zerosLike } from "./build.js";
import { type BinaryOp, defineOp, type ReferenceTensor, type TernaryOp, type UnaryOp } from "./define.js";
import { drawShape } from "./draw.js";
import { binaryEvaluator, emptyLike } from "./evaluate.js";
import { bools, integers, numbers, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import {
  binarySamples,
  type Fill,
  type Sample,
  shapes,
  specials,
  unarySamples,
  uniform,
  wholeNumbers,
} from "./samples.js";

const bitwise = [...bools, ...integers];
const noBits = "bools and integers have no gradient";

export const not: UnaryOp = defineOp({
  name: "not",
  doc: "The opposite of each bool; all bits flipped on integers.",
  stablehlo: "not",
  inputs: [operand("x", bitwise)],
  attributes: {},
  infer: (types) => sameShape("not", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "not" },
  reference: ({ inputs: [x] }) => {
    const { dtype, data } = x as ReferenceTensor;
    if (data instanceof BigInt64Array) return [data.map((element) => ~element)];
    return [data.map(dtype === "bool" ? (element) => 1 - element : (element) => ~element)];
  },
  samples: unarySamples(wholeNumbers(0, 100)),
});

export const and: BinaryOp = defineOp({
  name: "and",
  doc: "Whether x and y both hold; on integers, the bits that both have.",
  stablehlo: "and",
  inputs: [operand("x", bitwise), operand("y", bitwise)],
  attributes: {},
  infer: (types) => sameShape("and", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "and" },
  reference: binaryEvaluator({ float: (x, y) => x & y, i64: (x, y) => x & y }),
  samples: binarySamples(wholeNumbers(0, 100)),
});

export const or: BinaryOp = defineOp({
  name: "or",
  doc: "Whether x or y or both hold; on integers, the bits that one of them has.",
  stablehlo: "or",
  inputs: [operand("x", bitwise), operand("y", bitwise)],
  attributes: {},
  infer: (types) => sameShape("or", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "or" },
  reference: binaryEvaluator({ float: (x, y) => x | y, i64: (x, y) => x | y }),
  samples: binarySamples(wholeNumbers(0, 100)),
});

export const xor: BinaryOp = defineOp({
  name: "xor",
  doc: "Whether exactly one of x and y holds; on integers, the bits that differ.",
  stablehlo: "xor",
  inputs: [operand("x", bitwise), operand("y", bitwise)],
  attributes: {},
  infer: (types) => sameShape("xor", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "xor" },
  reference: binaryEvaluator({ float: (x, y) => x ^ y, i64: (x, y) => x ^ y }),
  samples: binarySamples(wholeNumbers(0, 100)),
});

export const select: TernaryOp = defineOp({
  name: "select",
  doc: "x where the condition holds, else y, element by element. The element that is not taken has no effect, even if it is NaN.",
  stablehlo: "select",
  inputs: [
    operand("condition", bools, null),
    operand("x", [...numbers, ...bools]),
    operand("y", [...numbers, ...bools]),
  ],
  attributes: {},
  infer: (types) => {
    const type = sameShape("select", types, 1);
    sameShape("select", types);
    return type;
  },
  vjp: ({ inputs: [condition], dy }): readonly [undefined, Value, Value] => {
    const zero = zerosLike(dy);
    return [undefined, select(condition, dy, zero), select(condition, zero, dy)];
  },
  kernel: { kind: "elementwise", scalar: "select" },
  reference: ({ inputs: [condition, x, y] }) => {
    if (condition === undefined || x === undefined || y === undefined)
      throw new TypeError("select takes three operands");
    const result = emptyLike(x.data, x.data.length);
    for (let i = 0; i < result.length; i++) {
      result[i] = (condition.data[i] === 0 ? y.data[i] : x.data[i]) as number | bigint as never;
    }
    return [result];
  },
  samples: {
    fixed: [...shapes.map((shape) => chosen(shape)), { ...chosen([40], specials), differentiable: false }],
    random: (draw) => chosen(drawShape(draw)),
  },
});

function chosen(shape: readonly number[], fill: Fill = uniform(-4, 4)): Sample<Record<never, never>> {
  return {
    inputs: [
      { shape, fill: wholeNumbers(0, 1), dtype: "bool" },
      { shape, fill },
      { shape, fill: uniform(-4, 4) },
    ],
  };
}
