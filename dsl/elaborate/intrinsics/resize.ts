import { dimText } from "../../../compiler/ir/dim.js";
import { isFloat } from "../../../compiler/ir/dtype.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { broadcastAlong, literal } from "../../../compiler/ops/build.js";
import { numericDType } from "../../../compiler/ops/precision.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import type { Item } from "../meaning.js";
import { type Meaning, tensor } from "../meaning.js";
import { leaveToCalls, originNote, refusal, silentRefusal } from "../state.js";
import { spatialAxesOf } from "./window_arguments.js";

/** Where an element of the result lies between the elements of x: ONNX's modes, by its names. */
const coordinates = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
] as const;
const roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;
const modes = ["nearest", "linear"] as const;

type Coordinates = (typeof coordinates)[number];
type Rounding = (typeof roundings)[number];

interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly target: number;
  readonly scale: number;
}

function resize(call: Arguments): Meaning {
  const value = call.tensor("x");
  const mode = choice(call, "mode", modes);
  const where = choice(call, "coordinates", coordinates);
  const rounding = choice(call, "rounding", roundings);
  if (mode === "linear" && !isFloat(value.type.dtype)) {
    const text = `\`resize\` interpolates floats, not ${typeText(value.type)}`;
    throw refusal(call.env, "G024", call.spanOf("x"), text, { hint: '`cast` it, or take `mode="nearest"`' });
  }
  const result = targets(call, value).reduce((resized, along) => {
    const places = Array.from({ length: along.target }, (_, i) => placeOf(i, along, where));
    if (along.target === along.size && places.every((place, i) => place === i)) return resized;
    if (mode === "linear") return interpolated(call, resized, along, places);
    return taken(
      call,
      resized,
      along,
      places.map((place) => rounded(place, rounding)),
    );
  }, value);
  return tensor(result);
}

/** What each spatial axis becomes. */
function targets(call: Arguments, value: Value): readonly Axis[] {
  const axes = spatialAxesOf(call, value);
  const [given, other] = call.has("size") ? (["size", "scale"] as const) : (["scale", "size"] as const);
  if (!call.has(given) || call.has(other))
    throw refusal(call.env, "G030", call.span, "`resize` takes either `size` or `scale`");
  const numbers = numbersOf(call, given, axes.length);
  return axes.map((axis, i) => {
    const size = value.type.shape[axis] ?? 0;
    const number = numbers[i] as number;
    if (typeof size !== "number") {
      const text = `\`resize\` needs spatial sizes that are numbers, and axis ${axis} has ${dimText(size)} elements`;
      throw refusal(call.env, "G130", call.spanOf("x"), text, {
        notes: [originNote(call.env, value, call.spanOf("x"))],
      });
    }
    const target = given === "size" ? number : Math.floor(size * number);
    if (!(number > 0) || target < 1 || size < 1) {
      const text = `\`resize\` of ${typeText(value.type)} makes ${target} elements along axis ${axis}, of ${size}`;
      throw refusal(call.env, "G130", call.spanOf(given), text);
    }
    if (target > mostPlaces) {
      const text = `\`resize\` makes at most ${mostPlaces} elements along an axis, and this asks for ${target} along axis ${axis}`;
      throw refusal(call.env, "G102", call.spanOf(given), text);
    }
    return { axis, size, target, scale: given === "size" ? target / size : number };
  });
}

/** Where each element comes from is a table of the compiler's. */
const mostPlaces = 2 ** 24;

function numbersOf(call: Arguments, parameter: string, count: number): readonly number[] {
  const item = call.item(parameter);
  const number = ({ meaning, span }: Item): number => {
    if (meaning.kind === "float") {
      // A stand-in gives no size.
      if (call.env.state.generic && Number.isNaN(meaning.value)) throw silentRefusal;
      return meaning.value;
    }
    if (meaning.kind === "int" && typeof meaning.value !== "bigint") leaveToCalls(call.env, [meaning.value]);
    if (meaning.kind === "int" && typeof meaning.value === "bigint") return Number(meaning.value);
    throw refusal(
      call.env,
      "G031",
      span,
      `\`${parameter}\` of \`resize\` is a number for each spatial axis, or one for all`,
    );
  };
  const { meaning } = item;
  if (meaning.kind === "shape") return sized(call, parameter, call.integers(parameter), count);
  if (meaning.kind !== "list") return Array.from({ length: count }, () => number(item));
  return sized(call, parameter, meaning.items.map(number), count);
}

function sized(call: Arguments, parameter: string, list: readonly number[], count: number): readonly number[] {
  if (list.length === count) return list;
  const text = `\`${parameter}\` of \`resize\` has ${list.length} numbers, and x ${count} spatial axes`;
  throw refusal(call.env, "G025", call.spanOf(parameter), text);
}

function choice<const T extends string>(call: Arguments, parameter: string, allowed: readonly [T, ...T[]]): T {
  if (!call.has(parameter)) return allowed[0];
  const { meaning } = call.item(parameter);
  const found = meaning.kind === "string" ? allowed.find((name) => name === meaning.value) : undefined;
  if (found !== undefined) return found;
  throw call.wrong(parameter, `one of ${allowed.map((name) => `"${name}"`).join(", ")}`);
}

/** As ONNX's `Resize` has them; not yet brought inside. */
function placeOf(i: number, { size, target, scale }: Axis, where: Coordinates): number {
  switch (where) {
    case "half_pixel":
      return (i + 0.5) / scale - 0.5;
    case "half_pixel_symmetric": {
      // A scale that does not divide: what it leaves over is shared by both ends.
      const adjustment = target / (scale * size);
      return (size / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
    }
    case "pytorch_half_pixel":
      return target > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case "align_corners":
      return target > 1 ? (i * (size - 1)) / (target - 1) : 0;
    case "asymmetric":
      return i / scale;
  }
}

function rounded(place: number, rounding: Rounding): number {
  switch (rounding) {
    case "round_prefer_floor":
      return Math.ceil(place - 0.5);
    case "round_prefer_ceil":
      return Math.floor(place + 0.5);
    case "floor":
      return Math.floor(place);
    case "ceil":
      return Math.ceil(place);
  }
}

/** Elements of x at known places along one axis; those outside are its ends. */
function taken(call: Arguments, x: Value, { axis, size }: Axis, places: readonly number[]): Value {
  const inside = places.map((place) => BigInt(Math.min(size - 1, Math.max(0, place))));
  const index = literal("i64", [places.length], inside);
  const found = call.apply("gather", [x, index], { axes: [axis] }, call.site("x"));
  if (axis === 0) return found;
  // The gathered axis stands first.
  const permutation = x.type.shape.map((_, to) => (to === axis ? 0 : to < axis ? to + 1 : to));
  return call.apply("transpose", [found], { permutation }, call.site("x"));
}

/** The two neighbours, weighted by how near they are. */
function interpolated(call: Arguments, x: Value, along: Axis, places: readonly number[]): Value {
  const site = call.site("x");
  const below = places.map((place) => Math.floor(place));
  const low = taken(call, x, along, below);
  const high = taken(
    call,
    x,
    along,
    below.map((place) => place + 1),
  );
  const { dtype } = x.type;
  const others = low.type.shape.flatMap((_, axis) => (axis === along.axis ? [] : [axis]));
  const weights = (of: (share: number) => number): Value => {
    const shares = places.map((place, i) => of(place - (below[i] as number)));
    return broadcastAlong(literal(numericDType(dtype), [places.length], shares), low.type.shape, others);
  };
  const left = call.apply("mul", [low, weights((share) => 1 - share)], {}, site);
  const right = call.apply("mul", [high, weights((share) => share)], {}, site);
  return call.apply("add", [left, right], {}, site);
}

const text = (name: string, allowed: readonly string[]): IntrinsicParameter => ({
  name,
  kind: "string",
  default: `"${allowed[0]}"`,
  strings: allowed,
  doc: allowed.map((value) => `"${value}"`).join(", "),
});

export const resizing: readonly Intrinsic[] = [
  {
    name: "resize",
    doc:
      "x [batch, spatial..., channels] with other spatial sizes: given as `size`, or as `scale` (then size = floor(old * scale)), a number " +
      "for each axis or one for all. Elements are the nearest of x, or interpolated linearly between neighbours; beyond the ends the ends. " +
      "`coordinates` and `rounding` (of nearest) are ONNX's.",
    parameters: [
      { name: "x", kind: "tensor" },
      { name: "size", kind: "any", default: "by `scale`" },
      { name: "scale", kind: "any", default: "by `size`" },
      text("mode", modes),
      text("coordinates", coordinates),
      text("rounding", roundings),
    ],
    result: "y",
    build: resize,
  },
];
