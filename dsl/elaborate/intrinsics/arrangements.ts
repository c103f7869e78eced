import { addDims, type Dim, dimText, isSymbolic, multiplyDims, subtractDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";
import { leaveToCalls, originNote, refusal } from "../state.js";
import { part } from "./padding.js";
import { sizeOver } from "./shapes.js";

/** Elements in another arrangement: all known when the graph is compiled, and most of it free. */

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const axisAt = (value: string): IntrinsicParameter => ({ name: "axis", kind: "int", default: value });

function split(call: Arguments): Meaning {
  const value = call.tensor("x");
  const axis = call.axis("axis", value, 0);
  const size = value.type.shape[axis] as Dim;
  const sizes = partSizes(call, value, axis, size);
  let start: Dim = 0;
  const outputs = sizes.map((length): Meaning => {
    const limit = addDims(start, length);
    const piece = part(call, value, axis, start, limit);
    start = limit;
    return tensor(piece);
  });
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? only : { kind: "many", outputs, callee: "split" };
}

function partSizes(call: Arguments, value: Value, axis: number, size: Dim): readonly Dim[] {
  const where = call.spanOf("parts");
  const notes = [originNote(call.env, value, call.spanOf("x"))];
  if (call.item("parts").meaning.kind === "int") {
    const count = call.integer("parts");
    requireFew(call, count);
    if (count >= 1 && typeof size === "number" && size % count === 0)
      return Array.from({ length: count }, () => size / count);
    leaveToCalls(call.env, [size]);
    const why = isSymbolic(size)
      ? `axis ${axis} has ${dimText(size)} elements: give a list of sizes`
      : `${dimText(size)} elements along axis ${axis} do not split into ${count} equal parts`;
    throw refusal(call.env, "G027", where, why, { notes, hint: "`split(x, [a, b])` gives parts of other sizes" });
  }
  const sizes = call.shape("parts");
  const total = sizes.reduce<Dim>((sum, part) => addDims(sum, part), 0);
  const rest = subtractDims(size, total);
  if (sizes.length > 0 && rest === 0 && sizes.every((part) => isSymbolic(part) || part >= 0)) return sizes;
  leaveToCalls(call.env, [size, total]);
  throw refusal(
    call.env,
    "G027",
    where,
    `the parts have ${dimText(total)} elements, and axis ${axis} of ${typeText(value.type)} has ${dimText(size)}`,
    { notes },
  );
}

/** Each part is an output, which a binding names. */
const mostParts = 1000;

function requireFew(call: Arguments, count: number): void {
  if (count <= mostParts) return;
  throw refusal(call.env, "G102", call.span, `\`${call.name}\` gives at most ${mostParts} parts, not ${count}`);
}

function unstack(call: Arguments): Meaning {
  const value = call.tensor("x");
  const axis = call.axis("axis", value, 0);
  const size = value.type.shape[axis] as Dim;
  leaveToCalls(call.env, [size]);
  if (isSymbolic(size) || size < 1) {
    throw refusal(
      call.env,
      "G027",
      call.spanOf("x"),
      `axis ${axis} of ${typeText(value.type)} gives no fixed number of parts`,
      {
        notes: [originNote(call.env, value, call.spanOf("x"))],
      },
    );
  }
  requireFew(call, size);
  const shape = value.type.shape.filter((_, i) => i !== axis);
  const outputs = Array.from({ length: size }, (_, i): Meaning => {
    const row = part(call, value, axis, i, i + 1);
    return tensor(call.apply("reshape", [row], { shape }, call.site("x")));
  });
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? only : { kind: "many", outputs, callee: "unstack" };
}

/** Cyclic, axis by axis: the last `shift` elements come first. */
function roll(call: Arguments): Meaning {
  const value = call.tensor("x");
  const shifts = call.integers("shift");
  const axes = (call.has("axis") ? call.integers("axis") : [0]).map((axis) =>
    axis < 0 ? axis + value.type.shape.length : axis,
  );
  if (shifts.length !== axes.length) {
    throw refusal(
      call.env,
      "G031",
      call.spanOf("shift"),
      `\`roll\` takes one shift for each axis: ${shifts.length} for ${axes.length}`,
    );
  }
  return tensor(
    axes.reduce((current, axis, i) => {
      const size = current.type.shape[axis];
      if (size === undefined) {
        throw refusal(call.env, "G025", call.spanOf("axis"), `${typeText(value.type)} has no axis ${axis}`);
      }
      const shift = shifts[i] ?? 0;
      if (shift === 0 || size === 0) return current;
      // A shift over a dim's size is taken as it is: it must not be longer.
      const right = isSymbolic(size) ? shift : ((shift % size) + size) % size;
      if (right === 0) return current;
      const cut = right < 0 ? -right : subtractDims(size, right);
      const pieces = [part(call, current, axis, cut, size), part(call, current, axis, 0, cut)];
      return call.apply("concatenate", pieces, { axis }, call.site("x", "x"));
    }, value),
  );
}

/** Axis by axis: a new axis in front of each, repeated, and both as one. */
function tile(call: Arguments): Meaning {
  const value = call.tensor("x");
  const counts = call.shape("repeats");
  const rank = Math.max(counts.length, value.type.shape.length);
  const shape: readonly Dim[] = [...new Array<Dim>(rank - value.type.shape.length).fill(1), ...value.type.shape];
  const times: readonly Dim[] = [...new Array<Dim>(rank - counts.length).fill(1), ...counts];
  return tensor(repeated(call, value, shape, times, 0));
}

function repeat(call: Arguments): Meaning {
  const value = call.tensor("x");
  const axis = call.axis("axis", value, 0);
  const { shape } = value.type;
  const times = shape.map((_, i): Dim => (i === axis ? call.dim("repeats") : 1));
  return tensor(repeated(call, value, shape, times, 1));
}

/** Each axis `times` over: as a whole (`inner` 0), or each element by itself (1). */
function repeated(call: Arguments, value: Value, shape: readonly Dim[], times: readonly Dim[], inner: 0 | 1): Value {
  const negative = times.find((count) => typeof count === "number" && count < 0);
  if (negative !== undefined) {
    throw refusal(call.env, "G027", call.spanOf("repeats"), `nothing is repeated ${dimText(negative)} times`);
  }
  const site = call.site("x");
  const reshaped = call.apply("reshape", [value], { shape }, site);
  const wide = shape.flatMap((size, i) => (inner === 0 ? [times[i] as Dim, size] : [size, times[i] as Dim]));
  const axes = shape.map((_, i) => 2 * i + 1 - inner);
  const spread = call.apply("broadcast_in_dim", [reshaped], { shape: wide, axes }, site);
  const merged = shape.map((size, i) => multiplyDims(size, times[i] as Dim));
  return call.apply("reshape", [spread], { shape: merged }, site);
}

function expandDims(call: Arguments): Meaning {
  const value = call.tensor("x");
  const given = call.integers("axis");
  const rank = value.type.shape.length + given.length;
  const added = new Set(given.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (added.size !== given.length || [...added].some((axis) => axis < 0 || axis >= rank)) {
    throw refusal(
      call.env,
      "G025",
      call.spanOf("axis"),
      `the result has ${rank} axes: [${given.join(", ")}] does not name ${given.length} of them`,
    );
  }
  const rest = [...value.type.shape];
  const shape = Array.from({ length: rank }, (_, axis): Dim => (added.has(axis) ? 1 : (rest.shift() as Dim)));
  return tensor(call.apply("reshape", [value], { shape }, call.site("x")));
}

function squeeze(call: Arguments): Meaning {
  const value = call.tensor("x");
  const { shape } = value.type;
  const axes = call.has("axis") ? call.axes("axis", value) : shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const wrong = axes.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined) {
    throw refusal(
      call.env,
      "G027",
      call.spanOf("axis"),
      `axis ${wrong} of ${typeText(value.type)} has ${dimText(shape[wrong] as Dim)} elements, not 1`,
      {
        notes: [originNote(call.env, value, call.spanOf("x"))],
      },
    );
  }
  return tensor(
    call.apply("reshape", [value], { shape: shape.filter((_, axis) => !axes.includes(axis)) }, call.site("x")),
  );
}

function swapAxes(call: Arguments): Meaning {
  const value = call.tensor("x");
  const [a, b] = [call.axis("first", value), call.axis("second", value)];
  const permutation = value.type.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return tensor(call.apply("transpose", [value], { permutation }, call.site("x")));
}

function moveAxis(call: Arguments): Meaning {
  const value = call.tensor("x");
  const [from, to] = [call.axis("from", value), call.axis("to", value)];
  if (from === to) return tensor(value);
  const permutation = value.type.shape.flatMap((_, axis) => (axis === from ? [] : [axis]));
  permutation.splice(to, 0, from);
  return tensor(call.apply("transpose", [value], { permutation }, call.site("x")));
}

function mergeAxes(call: Arguments): Meaning {
  const value = call.tensor("x");
  const merged = call.axes("axis", value);
  const kept = value.type.shape.flatMap((_, axis) => (merged.includes(axis) ? [] : [axis]));
  const permutation = [...kept, ...merged];
  const inOrder = permutation.every((axis, i) => axis === i);
  const moved = inOrder ? value : call.apply("transpose", [value], { permutation }, call.site("x"));
  const shape = [...kept.map((axis) => value.type.shape[axis] as Dim), sizeOver(value.type.shape, merged)];
  return tensor(call.apply("reshape", [moved], { shape }, call.site("x")));
}

export const arrangements: readonly Intrinsic[] = [
  {
    name: "split",
    doc: "x cut along an axis: into so many equal parts, or into parts of the given sizes. It has an output for each part.",
    parameters: [x, { name: "parts", kind: "axes" }, axisAt("0")],
    result: "one for each part",
    build: split,
  },
  {
    name: "unstack",
    doc: "The parts of x along an axis, without the axis: the opposite of `stack`. It has an output for each.",
    parameters: [x, axisAt("0")],
    result: "one for each part",
    build: unstack,
  },
  {
    name: "roll",
    doc: "x turned along an axis, or along several: element i moves to i + `shift`, and what leaves at one end comes in at the other.",
    parameters: [x, { name: "shift", kind: "axes" }, { name: "axis", kind: "axes", default: "0" }],
    result: "y",
    build: roll,
  },
  {
    name: "tile",
    doc: "x put beside itself, `repeats` times along each axis. Missing axes of either count as 1, from the right.",
    parameters: [x, { name: "repeats", kind: "shape" }],
    result: "y",
    build: tile,
  },
  {
    name: "repeat",
    doc: "Each element of x so many times in a row along an axis.",
    parameters: [x, { name: "repeats", kind: "int" }, axisAt("0")],
    result: "y",
    build: repeat,
  },
  {
    name: "expand_dims",
    doc: "x with new axes of size 1: `axis` says where they are in the result.",
    parameters: [x, { name: "axis", kind: "axes" }],
    result: "y",
    build: expandDims,
  },
  {
    name: "squeeze",
    doc: "x without axes of size 1: the given ones, or all.",
    parameters: [x, { name: "axis", kind: "axes", default: "all of size 1" }],
    result: "y",
    build: squeeze,
  },
  {
    name: "swap_axes",
    doc: "x with two axes in each other's place.",
    parameters: [x, { name: "first", kind: "int" }, { name: "second", kind: "int" }],
    result: "y",
    build: swapAxes,
  },
  {
    name: "move_axis",
    doc: "x with one axis moved to another place; the others keep their order.",
    parameters: [x, { name: "from", kind: "int" }, { name: "to", kind: "int" }],
    result: "y",
    build: moveAxis,
  },
  {
    name: "merge_axes",
    doc: "x with some axes made one, which is the last: their elements in row-major order. The other axes keep their order.",
    parameters: [x, { name: "axis", kind: "axes", default: "all axes" }],
    result: "y",
    build: mergeAxes,
  },
];
