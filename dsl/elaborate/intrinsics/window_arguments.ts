import { addDims, type Dim, floorDivideDims, multiplyDims, subtractDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { dilatedSize } from "../../../compiler/ops/window_rules.js";
import { toNumber } from "../convert.js";
import type { Arguments, IntrinsicParameter } from "../intrinsic.js";
import type { Item } from "../meaning.js";
import { originNote, refusal } from "../state.js";

/** The parameters that convolutions and pooling share. */
export const stridesParameter: IntrinsicParameter = { name: "strides", kind: "axes", default: "1" };
export const dilationParameter: IntrinsicParameter = {
  name: "dilation",
  kind: "axes",
  default: "1",
  doc: "How far the window's elements stand apart.",
};
export const paddingParameter: IntrinsicParameter = {
  name: "padding",
  kind: "any",
  default: '"valid"',
  strings: ["valid", "same", "same_lower"],
  doc:
    '"valid" (none); "same": as many positions as x has elements, divided by the strides and rounded up ("same_lower" puts an odd one ' +
    "before); or how much: an int, a list of ints, or of pairs [before, after], one for each axis. Negative padding cuts.",
};

/** One number for each of `count` axes: a list of as many, or an int for all. */
export function perAxis(call: Arguments, parameter: string, count: number, fallback: number): readonly number[] {
  if (!call.has(parameter)) return Array.from({ length: count }, () => fallback);
  const given = call.integers(parameter);
  const { meaning } = call.item(parameter);
  if (meaning.kind === "int") return Array.from({ length: count }, () => given[0] ?? fallback);
  if (given.length === count) return given;
  const axes = count === 1 ? "axis" : "axes";
  const text = `\`${parameter}\` of \`${call.name}\` has ${given.length} numbers, and the window slides along ${count} ${axes}`;
  throw refusal(call.env, "G025", call.spanOf(parameter), text, { hint: "one int stands for all axes" });
}

/** Strides or dilations: one for each of `count` axes, 1 or more. */
export function stepsPerAxis(call: Arguments, parameter: string, count: number): readonly number[] {
  const steps = perAxis(call, parameter, count, 1);
  const wrong = steps.find((step) => step < 1);
  if (wrong === undefined) return steps;
  const text = `\`${parameter}\` of \`${call.name}\` must be at least 1, not ${wrong}`;
  throw refusal(call.env, "G130", call.spanOf(parameter), text);
}

export interface Sliding {
  /** The axis of x that it is about. */
  readonly axis: number;
  readonly size: Dim;
  readonly window: Dim;
  readonly stride: number;
  readonly dilation: number;
}

export interface Padding {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
}

/** What `padding` says, in numbers. */
export function paddingOf(call: Arguments, slidings: readonly Sliding[]): Padding {
  const item = call.item("padding");
  if (!call.has("padding")) return none(slidings);
  const { meaning } = item;
  if (meaning.kind === "string") {
    if (meaning.value === "valid") return none(slidings);
    if (meaning.value === "same" || meaning.value === "same_lower")
      return same(call, slidings, meaning.value === "same_lower");
  }
  const pairs = explicitPairs(call, item, slidings.length);
  if (pairs === undefined)
    throw call.wrong("padding", '"valid", "same", "same_lower", an int, a list of ints or of pairs [before, after]');
  return { low: pairs.map(([low]) => low), high: pairs.map(([, high]) => high) };
}

function none(slidings: readonly Sliding[]): Padding {
  return { low: slidings.map(() => 0), high: slidings.map(() => 0) };
}

function same(call: Arguments, slidings: readonly Sliding[], lower: boolean): Padding {
  const low: Dim[] = [];
  const high: Dim[] = [];
  for (const { size, window, stride, dilation } of slidings) {
    const least = Math.max(1, stride);
    const positions = floorDivideDims(addDims(size, least - 1), least);
    const extent = dilatedSize(window, dilation);
    const missing = subtractDims(addDims(multiplyDims(subtractDims(positions, 1), least), extent), size);
    const wide = typeof extent === "number" && extent >= least;
    if (typeof missing !== "number" && !wide) {
      throw refusal(
        call.env,
        "G130",
        call.spanOf("padding"),
        `\`padding="same"\` of a window that is shorter than its stride of ${stride} needs sizes that are numbers`,
      );
    }
    const total = typeof missing === "number" ? Math.max(0, missing) : missing;
    const half = floorDivideDims(total, 2);
    const rest = subtractDims(total, half);
    low.push(lower ? rest : half);
    high.push(lower ? half : rest);
  }
  return { low, high };
}

/** An int, ints, or pairs; undefined for anything else. */
function explicitPairs(call: Arguments, item: Item, count: number): readonly (readonly [number, number])[] | undefined {
  const number = (part: Item): number => toNumber(call.env, part, "`padding`");
  const { meaning } = item;
  if (meaning.kind === "int") {
    const each = number(item);
    return Array.from({ length: count }, () => [each, each] as const);
  }
  if (meaning.kind === "shape") {
    const each = call.integers("padding");
    return sized(
      call,
      count,
      each.map((size) => [size, size] as const),
    );
  }
  if (meaning.kind !== "list") return undefined;
  const pairs = meaning.items.map((part): readonly [number, number] | undefined => {
    if (part.meaning.kind === "int") return [number(part), number(part)];
    const inner = part.meaning.kind === "list" ? part.meaning.items : [];
    const [low, high] = inner;
    return low === undefined || high === undefined || inner.length > 2 ? undefined : [number(low), number(high)];
  });
  const known = pairs.filter((pair) => pair !== undefined);
  return known.length === pairs.length ? sized(call, count, known) : undefined;
}

function sized<T>(call: Arguments, count: number, list: readonly T[]): readonly T[] {
  if (list.length === count) return list;
  const text = `\`padding\` of \`${call.name}\` has ${list.length} entries, and the window slides along ${count} axes`;
  throw refusal(call.env, "G025", call.spanOf("padding"), text, {
    hint: "an int, or for each axis an int or a pair [before, after]",
  });
}

/** The axes between the batch and the channels. Refuses a tensor that has none. */
export function spatialAxesOf(call: Arguments, x: Value): readonly number[] {
  const rank = x.type.shape.length;
  if (rank >= 3) return Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const text = `\`${call.name}\` takes x as [batch, spatial..., channels], not ${typeText(x.type)}`;
  throw refusal(call.env, "G025", call.spanOf("x"), text, { notes: [originNote(call.env, x, call.spanOf("x"))] });
}
