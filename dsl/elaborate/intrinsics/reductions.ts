import { compareDims } from "../../../compiler/ir/condition.js";
import { multiplyDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { tensorType, typeText } from "../../../compiler/ir/type.js";
import { fill } from "../../../compiler/ops/build.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { expand } from "../broadcast.js";
import { demand } from "../constraints.js";
import { toTensor } from "../convert.js";
import { declarationNotes } from "../dim_bounds.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { isLiteral, type Meaning, tensor } from "../meaning.js";
import { originNote, refusal } from "../state.js";
import { sizeOver } from "./shapes.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const axes: IntrinsicParameter = { name: "axis", kind: "axes", default: "all axes", doc: "An int or a list of ints." };
const keepdims: IntrinsicParameter = {
  name: "keepdims",
  kind: "bool",
  default: "false",
  doc: "Whether the reduced axes stay, with size 1.",
};

const initial: IntrinsicParameter = {
  name: "initial",
  kind: "tensor",
  default: "none",
  doc: "A number that is compared too: what the result is where there are no elements.",
};

/** Combiners without an identity among the numbers of every dtype, and what of nothing there is none. */
const extremes = {
  max: { title: "maximum", bound: Number.NEGATIVE_INFINITY, pair: "maximum" },
  min: { title: "minimum", bound: Number.POSITIVE_INFINITY, pair: "minimum" },
} as const;

function extreme(name: keyof typeof extremes): Intrinsic {
  const { title } = extremes[name];
  const [which, order] = name === "max" ? ["largest", "smaller"] : ["smallest", "greater"];
  return {
    name,
    doc:
      `The ${which} element over the axes, which are removed from the shape; NaN when there is one. Equal ${which} elements share the ` +
      `gradient in equal parts. Nothing has no ${title}: axes without elements are an error, unless \`initial\` is given, which the result ` +
      `is no ${order} than.`,
    parameters: [x, axes, keepdims, initial],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      const over = call.axes("axis", value);
      if (!call.has("initial")) {
        const hint = `\`initial\` says what the ${title} of nothing is: \`${name}(x, initial=0)\``;
        requireElements(call, value, over, title, hint);
      }
      const reduced = over.length === 0 ? value : call.apply(name, [value], { axes: over }, call.site("x"));
      const compared = call.has("initial") ? withInitial(call, name, reduced) : reduced;
      return tensor(call.bool("keepdims", false) ? kept(call, value, compared, over) : compared);
    },
  };
}

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

/** The op is its own identity over nothing: an infinite `initial` of a float needs no comparison. */
function withInitial(call: Arguments, name: keyof typeof extremes, reduced: Value): Value {
  const item = call.item("initial");
  const { bound, pair } = extremes[name];
  const value = toTensor(call.env, item, isLiteral(item.meaning) ? reduced.type.dtype : undefined);
  if (value.type.shape.length > 0) {
    throw refusal(call.env, "G025", item.span, `\`initial\` is one number, not ${typeText(value.type)}`);
  }
  if (item.meaning.kind === "float" && item.meaning.value === bound) return reduced;
  const site = call.site("x", "initial");
  return call.apply(pair, [reduced, expand(call.env, value, reduced.type.shape, item.span)], {}, site);
}

/** Where axes may turn out empty: refused at once where their sizes are numbers, else when the dims are bound. */
function requireElements(call: Arguments, value: Value, over: readonly number[], title: string, hint?: string): void {
  const { env, span } = call;
  const size = sizeOver(value.type.shape, over);
  const whole = over.length === value.type.shape.length;
  const which = over.length === 1 ? `axis ${over[0]}` : `axes ${over.join(", ")}`;
  const place = whole ? typeText(value.type) : `${which} of ${typeText(value.type)}`;
  const subject = whole ? "an empty tensor has" : over.length === 1 ? "an empty axis has" : "empty axes have";
  const message = `${subject} no ${title}: ${place}`;
  demand(env, compareDims(size, "unequal", 0), (dims) => {
    const notes = [originNote(env, value, call.spanOf("x")), ...declarationNotes(env, dims)];
    return refusal(env, "G025", span, message, { notes, hint });
  });
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
      const title = name === "argmax" ? "maximum" : "minimum";
      requireElements(
        call,
        value,
        call.item("axis").meaning.kind === "all_axes" ? call.axes("axis", value) : [call.axis("axis", value)],
        title,
      );
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
  ...["sum", "prod", "all", "any"].map(reduction),
  extreme("max"),
  extreme("min"),
  ...["argmax", "argmin"].map(positionOf),
  {
    name: "sum_of_squares",
    doc: "The sum of the squares of all elements of all tensors of a list.",
    parameters: [{ name: "tensors", kind: "list" }],
    result: "y",
    build: sumOfSquares,
  },
];
