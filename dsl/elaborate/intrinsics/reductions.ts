import { multiplyDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { fill } from "../../../compiler/ops/build.js";
import { opNamed } from "../../../compiler/ops/table.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const axes: IntrinsicParameter = { name: "axis", kind: "axes", default: "all axes", doc: "An int or a list of ints." };
const keepdims: IntrinsicParameter = {
  name: "keepdims",
  kind: "bool",
  default: "false",
  doc: "Whether the reduced axes stay, with size 1.",
};

function reduction(name: string): Intrinsic {
  return {
    name,
    doc: opNamed(name).doc,
    parameters: [x, axes, keepdims],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      const over = call.axes("axis", value);
      const reduced = over.length === 0 ? value : call.apply(name, [value], { axes: over }, call.site("x"));
      return tensor(call.bool("keepdims", false) ? kept(call, value, reduced, over) : reduced);
    },
  };
}

/** The reduced axes again, with size 1. */
function kept(call: Arguments, value: Value, reduced: Value, over: readonly number[]): Value {
  if (over.length === 0) return reduced;
  const shape = value.type.shape.map((dim, axis) => (over.includes(axis) ? 1 : dim));
  return call.apply("reshape", [reduced], { shape }, call.site("x"));
}

function positionOf(name: string): Intrinsic {
  return {
    name,
    doc: `${opNamed(name).doc} Without \`axis\`, the position among all elements in row-major order.`,
    parameters: [x, { name: "axis", kind: "int", default: "all elements" }, keepdims],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      const site = call.site("x");
      if (!call.has("axis") || call.item("axis").meaning.kind === "all_axes") {
        const total = value.type.shape.reduce(multiplyDims, 1);
        const flat = call.apply("reshape", [value], { shape: [total] }, site);
        const found = call.apply(name, [flat], { axis: 0 }, site);
        const ones = value.type.shape.map(() => 1);
        return tensor(
          call.bool("keepdims", false) && ones.length > 0
            ? call.apply("reshape", [found], { shape: ones }, site)
            : found,
        );
      }
      const axis = call.axis("axis", value);
      const found = call.apply(name, [value], { axis }, site);
      return tensor(call.bool("keepdims", false) ? kept(call, value, found, [axis]) : found);
    },
  };
}

function sumOfSquares(call: Arguments): Meaning {
  const values = call.tensors("tensors");
  const dtype = values[0]?.type.dtype ?? "f32";
  const site = call.site("tensors");
  const total = values.reduce<Value | undefined>((sum, value) => {
    const same = value.type.dtype === dtype ? value : call.apply("cast", [value], { to: dtype }, site);
    const square = call.apply("mul", [same, same], {}, site);
    const all = square.type.shape.map((_, axis) => axis);
    const own = all.length === 0 ? square : call.apply("sum", [square], { axes: all }, site);
    return sum === undefined ? own : call.apply("add", [sum, own], {}, site);
  }, undefined);
  return tensor(total ?? fill(tensorType("f32"), 0));
}

export const reductions: readonly Intrinsic[] = [
  ...["sum", "prod", "max", "min", "all", "any"].map(reduction),
  ...["argmax", "argmin"].map(positionOf),
  {
    name: "sum_of_squares",
    doc: "The sum of the squares of all elements of all tensors of a list.",
    parameters: [{ name: "tensors", kind: "list" }],
    result: "y",
    build: sumOfSquares,
  },
];
