import { compareDims } from "../../../compiler/ir/condition.js";
import { type Dim, dimText, subtractDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { demand } from "../constraints.js";
import { declarationNotes } from "../dim_bounds.js";
import type { Arguments } from "../intrinsic.js";
import { originNote, refusal } from "../state.js";

/** Padding with what is there: the elements mirrored at the ends, the ends repeated, or the other end. */

const modes = ["reflect", "edge", "wrap"] as const;
type Mode = (typeof modes)[number];
/** What `mode` may be. */
export const padModes: readonly string[] = ["constant", ...modes];

/** The mode of `pad`; undefined for a constant. */
export function padMode(call: Arguments): Mode | undefined {
  if (!call.has("mode")) return undefined;
  const { meaning } = call.item("mode");
  if (meaning.kind === "string" && meaning.value === "constant") return undefined;
  const found = meaning.kind === "string" ? modes.find((mode) => mode === meaning.value) : undefined;
  if (found !== undefined) return found;
  throw call.wrong("mode", '"constant", "reflect", "edge" or "wrap"');
}

export function padWithElements(
  call: Arguments,
  value: Value,
  mode: Mode,
  low: readonly number[],
  high: readonly number[],
): Value {
  for (const parameter of ["interior", "value"]) {
    if (!call.has(parameter)) continue;
    throw refusal(
      call.env,
      "G031",
      call.spanOf(parameter),
      `\`${parameter}\` is for padding with a constant, not by "${mode}"`,
    );
  }
  const rank = value.type.shape.length;
  if (low.length !== rank || high.length !== rank) {
    const text = `\`pad\` of ${typeText(value.type)} takes ${rank} numbers in \`low\` and \`high\`, not ${low.length} and ${high.length}`;
    throw refusal(call.env, "G025", call.span, text, { notes: [originNote(call.env, value, call.spanOf("x"))] });
  }
  // Negative padding cuts, and before anything is put there.
  const cut = low.reduce((current, from, axis) => {
    const [start, end] = [Math.max(0, -from), Math.max(0, -(high[axis] ?? 0))];
    const size = current.type.shape[axis] as Dim;
    return start === 0 && end === 0 ? current : part(call, current, axis, start, subtractDims(size, end));
  }, value);
  return low.reduce(
    (current, before, axis) => padAxis(call, current, axis, mode, Math.max(0, before), Math.max(0, high[axis] ?? 0)),
    cut,
  );
}

function padAxis(call: Arguments, x: Value, axis: number, mode: Mode, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const size = x.type.shape[axis] as Dim;
  const wanted = Math.max(before, after);
  // The edge may be repeated, but has to be there.
  const most = mode === "reflect" ? subtractDims(size, 1) : size;
  demand(call.env, compareDims(mode === "edge" ? 1 : wanted, "at_most", most), (dims) => {
    const text = `"${mode}" has ${dimText(most)} elements to pad axis ${axis} of ${typeText(x.type)} with, and ${wanted} are wanted`;
    const notes = [originNote(call.env, x, call.spanOf("x")), ...declarationNotes(call.env, dims)];
    return refusal(call.env, "G026", call.span, text, { notes });
  });
  const pieces = [
    ...(before === 0 ? [] : [sideOf(call, x, axis, mode, before, "low", size)]),
    x,
    ...(after === 0 ? [] : [sideOf(call, x, axis, mode, after, "high", size)]),
  ];
  return call.apply("concatenate", pieces, { axis }, call.site("x", "x", "x"));
}

function sideOf(
  call: Arguments,
  x: Value,
  axis: number,
  mode: Mode,
  count: number,
  side: "low" | "high",
  size: Dim,
): Value {
  const site = call.site("x");
  const last = subtractDims(size, 1);
  switch (mode) {
    case "edge": {
      const end = side === "low" ? part(call, x, axis, 0, 1) : part(call, x, axis, last, size);
      const shape = x.type.shape.map((dim, i) => (i === axis ? count : dim));
      return call.apply("broadcast_in_dim", [end], { shape, axes: shape.map((_, i) => i) }, site);
    }
    case "reflect": {
      const near =
        side === "low" ? part(call, x, axis, 1, count + 1) : part(call, x, axis, subtractDims(last, count), last);
      return call.apply("reverse", [near], { axes: [axis] }, site);
    }
    case "wrap":
      return side === "low" ? part(call, x, axis, subtractDims(size, count), size) : part(call, x, axis, 0, count);
  }
}

/** The part from `start` to `limit` along one axis. */
export function part(call: Arguments, value: Value, axis: number, start: Dim, limit: Dim): Value {
  const { shape } = value.type;
  const attributes = {
    start: shape.map((_, i) => (i === axis ? start : 0)),
    limit: shape.map((size, i) => (i === axis ? limit : size)),
    strides: shape.map(() => 1),
  };
  return call.apply("slice", [value], attributes, call.site("x"));
}
