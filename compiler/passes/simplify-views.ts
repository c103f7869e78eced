/** Rules on ops that only move elements. All are exact. */
import { addDims, type Dim, dimEquals, multiplyDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { shapeEquals } from "../ir/type.js";
import { broadcastScalar, fill } from "../ops/build.js";
import { constant as constantOp } from "../ops/sources.js";
import { concatenate, iota, pad } from "../ops/structure.js";
import { opNamed } from "../ops/table.js";
import {
  broadcastInDim,
  inversePermutation,
  reshape,
  reshapeTo,
  reverse,
  slice,
  transpose,
  transposeTo,
} from "../ops/views.js";
import { addDisjointPads } from "./disjoint_pads.js";
import { as, is, node, type Opaque, some } from "./pattern.js";
import { type Rule, rule, ruleForAny } from "./rule.js";
import {
  dimsOf,
  inputOf,
  intOf,
  intsOf,
  isIncreasing,
  otherAxes,
  scalarLike,
  scalarOf,
  splatOf,
  staticSizes,
} from "./values.js";

const x = some("x");

/** One number in every element is a scalar constant, broadcast. */
const splats: readonly Rule[] = [
  rule(
    "constant-splat",
    node("c", constantOp),
    ({ c }, opaque) => uniform(c, opaque),
    ({ c }) => c.type.shape.length > 0,
  ),
  ...[reshape, transpose, slice, reverse, broadcastInDim].map((view) =>
    rule(
      `${view.opName}-splat`,
      node("y", view),
      ({ y }, opaque) => uniform(y, opaque),
      // A scalar constant that is broadcast is the canonical form itself.
      ({ y }) => view !== broadcastInDim || inputOf(y).type.shape.length > 0,
    ),
  ),
  // An axis of one element counts 0 only.
  rule(
    "iota-unit",
    node("y", iota),
    ({ y }) => fill(y.type, 0),
    ({ y }) => y.type.shape[intOf(y, "axis")] === 1,
  ),
];

function uniform(value: Value, opaque: Opaque): Value | undefined {
  const scalar = scalarOf(value, opaque);
  return scalar === undefined ? undefined : broadcastScalar(scalar, value.type.shape);
}

const broadcasts: readonly Rule[] = [
  // Of an axis that is repeated the operand need not have the one element: keepdims then reads as the plain reduction, broadcast.
  rule("broadcast-unit-axes", node("y", broadcastInDim), ({ y }) => {
    const { shape } = inputOf(y).type;
    const axes = intsOf(y, "axes");
    const kept = axes.flatMap((to, from) => (shape[from] === 1 && y.type.shape[to] !== 1 ? [] : [from]));
    if (kept.length === shape.length) return undefined;
    return broadcastInDim(reshapeTo(inputOf(y), pick(shape, kept)), {
      shape: y.type.shape,
      axes: kept.map((axis) => axes[axis] as number),
    });
  }),
  rule("broadcast-broadcast", as("y", is(broadcastInDim, node("inner", broadcastInDim))), ({ y, inner }) => {
    const axes = intsOf(y, "axes");
    return broadcastInDim(inputOf(inner), {
      shape: y.type.shape,
      axes: intsOf(inner, "axes").map((axis) => axes[axis] as number),
    });
  }),
  // Nothing is repeated: only axes of size 1 are new.
  rule("broadcast-reshape", node("y", broadcastInDim), ({ y }) => {
    const operand = inputOf(y);
    const axes = intsOf(y, "axes");
    const mapped = axes.every((to, from) => dimEquals(y.type.shape[to] as Dim, operand.type.shape[from] as Dim));
    const added = otherAxes(y.type.shape.length, axes).every((axis) => y.type.shape[axis] === 1);
    if (!mapped || !added || !isIncreasing(axes) || splatOf(operand) !== undefined) return undefined;
    return reshapeTo(operand, y.type.shape);
  }),
];

const reshapes: readonly Rule[] = [
  rule("reshape-identity", as("y", is(reshape, x)), (b) =>
    shapeEquals(b.x.type.shape, b.y.type.shape) ? b.x : undefined,
  ),
  rule("reshape-reshape", as("y", is(reshape, is(reshape, x))), (b) => reshapeTo(b.x, b.y.type.shape)),
];

/** Axes of size 1 are added as late as can be, so that what computes a reduction reads as without keepdims. */
const unitReshapes: readonly Rule[] = [
  ruleForAny("elementwise-of-unit-reshapes", (y, opaque) => {
    const op = opNamed(y.node.op);
    if (op.kernel.kind !== "elementwise") return undefined;
    const shaped = y.node.inputs.filter((input) => scalarOf(input, opaque) === undefined);
    const [first] = shaped;
    if (first?.node.op !== reshape.opName || !addsUnitAxes(first)) return undefined;
    const source = inputOf(first);
    const alike = (input: Value): boolean =>
      input.node.op === reshape.opName && !opaque(input) && shapeEquals(inputOf(input).type.shape, source.type.shape);
    if (!shaped.every(alike)) return undefined;
    const inputs = y.node.inputs.map((input) => {
      const scalar = scalarOf(input, opaque);
      return scalar === undefined ? inputOf(input) : scalarLike(scalar, source);
    });
    const [narrow] = op.apply(inputs, y.node.attributes);
    return narrow === undefined ? undefined : reshapeTo(narrow, y.type.shape);
  }),
];

function addsUnitAxes(reshaped: Value): boolean {
  const [before, after] = [inputOf(reshaped).type.shape, reshaped.type.shape];
  const strip = (shape: readonly Dim[]): readonly Dim[] => shape.filter((dim) => dim !== 1);
  return after.length > before.length && shapeEquals(strip(before), strip(after));
}

const transposes: readonly Rule[] = [
  rule("transpose-identity", as("y", is(transpose, x)), (b) =>
    isIncreasing(intsOf(b.y, "permutation")) ? b.x : undefined,
  ),
  rule("transpose-transpose", as("y", is(transpose, as("inner", is(transpose, x)))), (b) => {
    const inner = intsOf(b.inner, "permutation");
    return transposeTo(
      b.x,
      intsOf(b.y, "permutation").map((axis) => inner[axis] as number),
    );
  }),
  // The order of the elements changes only where axes with more than one element change places.
  rule("transpose-unit-axes", as("y", is(transpose, x)), (b) => {
    const moving = intsOf(b.y, "permutation").filter((axis) => b.x.type.shape[axis] !== 1);
    return isIncreasing(moving) ? reshapeTo(b.x, b.y.type.shape) : undefined;
  }),
  rule("transpose-broadcast", as("y", is(transpose, as("inner", is(broadcastInDim, x)))), (b) => {
    const places = inversePermutation(intsOf(b.y, "permutation"));
    return broadcastInDim(b.x, {
      shape: b.y.type.shape,
      axes: intsOf(b.inner, "axes").map((axis) => places[axis] as number),
    });
  }),
];

const reverses: readonly Rule[] = [
  rule("reverse-unit-axes", as("y", is(reverse, x)), (b) => {
    const axes = intsOf(b.y, "axes");
    const turned = axes.filter((axis) => b.x.type.shape[axis] !== 1);
    return turned.length === axes.length && axes.length > 0 ? undefined : reverseAxes(b.x, turned);
  }),
  rule("reverse-reverse", as("y", is(reverse, as("inner", is(reverse, x)))), (b) => {
    const [first, second] = [intsOf(b.inner, "axes"), intsOf(b.y, "axes")];
    const once = [...first.filter((axis) => !second.includes(axis)), ...second.filter((axis) => !first.includes(axis))];
    return reverseAxes(
      b.x,
      once.sort((p, q) => p - q),
    );
  }),
];

function reverseAxes(operand: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? operand : reverse(operand, { axes });
}

const slices: readonly Rule[] = [
  rule("slice-identity", as("y", is(slice, x)), (b) => {
    const whole = dimsOf(b.y, "start").every((dim) => dim === 0) && shapeEquals(b.x.type.shape, b.y.type.shape);
    return whole && intsOf(b.y, "strides").every((stride) => stride === 1) ? b.x : undefined;
  }),
  // Element i is start1 + stride1 (start2 + stride2 i).
  rule("slice-slice", as("y", is(slice, as("inner", is(slice, x)))), (b) => {
    const [strides1, strides2] = [intsOf(b.inner, "strides"), intsOf(b.y, "strides")];
    const [start1, start2] = [dimsOf(b.inner, "start"), dimsOf(b.y, "start")];
    const sizes = staticSizes(b.y.type.shape);
    if (sizes === undefined && strides1.some((stride) => stride !== 1)) return undefined;
    const strides = strides2.map((stride, axis) => stride * (strides1[axis] as number));
    // An empty slice may lie beyond what the inner one kept, so it is taken from the inner one's start.
    const start = start2.map((dim, axis) => {
      const offset = sizes?.[axis] === 0 ? 0 : multiplyDims(strides1[axis] as number, dim);
      return addDims(start1[axis] as Dim, offset);
    });
    const limit = dimsOf(b.y, "limit").map((dim, axis) => {
      const count = sizes?.[axis];
      if (count === undefined) return addDims(start1[axis] as Dim, dim);
      return addDims(start[axis] as Dim, count === 0 ? 0 : (count - 1) * (strides[axis] as number) + 1);
    });
    return slice(b.x, { start, limit, strides });
  }),
  rule("slice-concatenate", as("y", is(slice, node("whole", concatenate))), ({ y, whole }) => {
    const axis = intOf(whole, "axis");
    const [first, last] = [dimsOf(y, "start")[axis], dimsOf(y, "limit")[axis]];
    let offset: Dim = 0;
    for (const piece of whole.node.inputs) {
      const size = piece.type.shape[axis];
      if (typeof size !== "number" || typeof offset !== "number") return undefined;
      if (typeof first === "number" && typeof last === "number" && first >= offset && last <= offset + size) {
        const from = offset;
        const within = (name: string) => dimsOf(y, name).map((dim, i) => (i === axis ? addDims(dim, -from) : dim));
        return slice(piece, { start: within("start"), limit: within("limit"), strides: intsOf(y, "strides") });
      }
      offset += size;
    }
    return undefined;
  }),
];

const structures: readonly Rule[] = [
  rule("concatenate-one", is(concatenate, x), (b) => b.x),
  rule("concatenate-empty", node("y", concatenate), ({ y }) => {
    const axis = intOf(y, "axis");
    const kept = y.node.inputs.filter((piece) => piece.type.shape[axis] !== 0);
    return kept.length === y.node.inputs.length || kept.length === 0 ? undefined : concatenate(kept, { axis });
  }),
  rule("concatenate-concatenate", node("y", concatenate), ({ y }) => {
    const axis = intOf(y, "axis");
    const joins = (piece: Value) => piece.node.op === "concatenate" && intOf(piece, "axis") === axis;
    if (!y.node.inputs.some(joins)) return undefined;
    return concatenate(
      y.node.inputs.flatMap((piece) => (joins(piece) ? piece.node.inputs : [piece])),
      { axis },
    );
  }),
  rule("pad-nothing", as("y", is(pad, x, some("value"))), (b) => {
    const none = [...dimsOf(b.y, "low"), ...dimsOf(b.y, "high")].every((dim) => dim === 0);
    return none && shapeEquals(b.x.type.shape, b.y.type.shape) ? b.x : undefined;
  }),
];

function pick(shape: readonly Dim[], axes: readonly number[]): readonly Dim[] {
  return axes.map((axis) => shape[axis] as Dim);
}

/** Canonical constants, broadcasts and reshapes: what the patterns of the other tables are written for. */
export const canonicalRules: readonly Rule[] = [...splats, ...broadcasts, ...reshapes, ...unitReshapes];

export const viewRules: readonly Rule[] = [
  ...canonicalRules,
  ...transposes,
  ...reverses,
  ...slices,
  ...structures,
  addDisjointPads,
];
