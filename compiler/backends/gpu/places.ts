import { InternalError } from "../../ir/diagnostic.js";
import { strideOf } from "../../kernels/affine.js";
import type { Affine, Extent, LoopStatement, StoreStatement } from "../../kernels/form.js";
import { literal } from "./scalar.js";
import type { ThreadWriter } from "./thread.js";

/** Names the loops `found` at a place, and writes what happens there: within an `if` where not every place is one of theirs. */
export function decode(
  writer: ThreadWriter,
  index: Affine,
  dynamic: NonNullable<StoreStatement["target"]["dynamic"]>,
  found: readonly LoopStatement[],
  place: string,
  whole: boolean,
  write: () => void,
): void {
  const order = [...found].sort((a, b) => Math.abs(strideOf(index, b.id)) - Math.abs(strideOf(index, a.id)));
  // Where a loop runs backwards its last iteration comes first.
  const backwards = order.reduce((sum, { id, extent }) => sum + Math.min(0, strideOf(index, id)) * (extent - 1), 0);
  const ids = new Set(order.map(({ id }) => id));
  const others: Affine = {
    offset: index.offset + backwards,
    terms: index.terms.filter(({ loop }) => !ids.has(loop)),
  };
  const start = [
    ...(others.offset === 0 && others.terms.length === 0 ? [] : [writer.affine(others)]),
    ...dynamic.map((term) => `${literal(term.stride)} * ${writer.value(term.value)}`),
  ];
  let rest = place;
  if (start.length > 0) {
    rest = writer.fresh("r");
    writer.line(`const ${rest} = ${place} - ${start.length === 1 ? start[0] : `(${start.join(" + ")})`};`);
  }
  const reach = order.reduce((sum, { id, extent }) => sum + Math.abs(strideOf(index, id)) * (extent - 1), 0);
  const inside = (): void => {
    const conditions: string[] = [];
    order.forEach(({ id, extent }, depth) => {
      const stride = strideOf(index, id);
      const below = order
        .slice(depth + 1)
        .reduce((sum, next) => sum + Math.abs(strideOf(index, next.id)) * (next.extent - 1), 0);
      if (Math.abs(stride) <= below) throw new InternalError("two iterations of a kernel store to one place");
      const isLast = depth === order.length - 1;
      const unit = Math.abs(stride) === 1;
      let at = rest;
      if (!unit) {
        at = writer.fresh("q");
        writer.line(`const ${at} = ${quotient(writer, rest, Math.abs(stride), reach)};`);
        const left = writer.fresh("r");
        if (!(whole && isLast)) {
          writer.line(`const ${left} = ${rest} - ${at} * ${literal(Math.abs(stride))};`);
          rest = left;
        }
      }
      // A place that no iteration has: beyond the loop, or between two steps.
      if (!whole && depth > 0) conditions.push(`${at} < ${extent}`);
      if (!whole && isLast && !unit) conditions.push(`${rest} < 0.5`);
      if (stride > 0) writer.nameLoop(id, at);
      else {
        const turned = writer.fresh("q");
        writer.line(`const ${turned} = ${extent - 1} - ${at};`);
        writer.nameLoop(id, turned);
      }
    });
    if (conditions.length === 0) write();
    else writer.block(`if (${conditions.join(" && ")})`, write);
  };
  if (whole) inside();
  else if (order.length === 0) writer.block(`if (Math.abs(${rest}) < 0.5)`, write);
  else writer.block(`if (${rest} >= 0 && ${rest} < ${reach + 1})`, inside);
}

/** Below this, half a step more than the place outweighs any error of a device's division. */
const nearPlaces = 2 ** 20;

function quotient(writer: ThreadWriter, place: string, stride: number, reach: number): string {
  if (reach < nearPlaces) return `Math.floor((${place} + 0.5) / ${literal(stride)})`;
  return writer.call("quotient", place, literal(stride));
}

/** Whether a store writes each element of a buffer of this length, each once. */
export function coversAll(
  { store, loops }: { readonly store: StoreStatement; readonly loops: readonly Extent[] },
  length: number,
): boolean {
  const { index, dynamic } = store.target;
  if (dynamic !== undefined || store.combiner !== undefined || index.offset !== 0) return false;
  if (index.terms.some(({ loop, stride }) => stride < 0 || !loops.some(({ id }) => id === loop))) return false;
  if (loops.some(({ id }) => strideOf(index, id) === 0)) return false;
  let next = 1;
  for (const { id, extent } of [...loops].sort((a, b) => strideOf(index, a.id) - strideOf(index, b.id))) {
    if (strideOf(index, id) !== next) return false;
    next *= extent;
  }
  return next === length;
}
