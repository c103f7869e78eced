import { InternalError } from "../ir/diagnostic.js";
import { addAffine, constantAffine, loopAffine, scaleAffine, zero } from "./affine.js";
import type { Affine, Statement } from "./form.js";
import { serial } from "./lanes.js";
import { type Emission, kernelExpressions } from "./nests.js";
import { freshLoop, type Root } from "./roots.js";
import type { Storehouse } from "./storage.js";
import { axesIndex, inputOf, numberAttribute, numbersAttribute, shapeOf } from "./views.js";

/** Concatenation and padding: several nests that each fill a part of one buffer. */
export function emitAssembly(root: Root, emission: Emission): readonly Statement[] {
  const { node } = root.value;
  const expressions = kernelExpressions(emission, () => undefined);
  const statements: Statement[] = [];

  /** Stores `value` at each point of a box of the result: element i of the box along an axis lies at start + step * i. */
  const fill = (
    operand: Root["value"],
    box: readonly number[],
    from: readonly { readonly start: number; readonly step: number }[],
    to: readonly { readonly start: number; readonly step: number }[],
  ): void => {
    if (box.includes(0)) return;
    const loops = box.map((extent) => (extent === 1 ? undefined : { id: freshLoop(), extent }));
    const map = (places: readonly { readonly start: number; readonly step: number }[]): readonly Affine[] =>
      places.map(({ start, step }, axis) => {
        const loop = loops[axis];
        return addAffine(constantAffine(start), loop === undefined ? zero : scaleAffine(loopAffine(loop.id), step));
      });
    const value = expressions.element(operand, axesIndex(map(from)));
    let body: readonly Statement[] = emission.places.targets(root).map((place) => ({
      kind: "store",
      target: emission.places.access(root, place, axesIndex(map(to))),
      value,
    }));
    for (const loop of [...loops].reverse()) {
      if (loop === undefined) continue;
      body = [{ kind: "loop", ...loop, accumulators: [], schedule: serial, body }];
    }
    statements.push(...body);
  };

  const shape = shapeOf(root.value);
  if (node.op === "concatenate") {
    const axis = numberAttribute(node.attributes, "axis");
    let start = 0;
    for (const operand of node.inputs) {
      const box = shapeOf(operand);
      fill(
        operand,
        box,
        box.map(() => ({ start: 0, step: 1 })),
        box.map((_, i) => ({ start: i === axis ? start : 0, step: 1 })),
      );
      start += box[axis] ?? 0;
    }
    return statements;
  }
  if (node.op !== "pad") throw new InternalError(`${node.op} is not put together from parts`);
  const source = shapeOf(inputOf(node, 0));
  const low = numbersAttribute(node.attributes, "low");
  const interior = numbersAttribute(node.attributes, "interior");
  // Elements first <= i < last of each axis land inside the result, at low + i * step; negative padding drops the others.
  const part = source.map((size, axis) => {
    const step = (interior[axis] ?? 0) + 1;
    const start = low[axis] ?? 0;
    const first = Math.max(0, Math.ceil(-start / step));
    const last = Math.min(size, Math.ceil(((shape[axis] ?? 0) - start) / step));
    return { first, count: Math.max(0, last - first), start: start + first * step, step };
  });
  for (const { box, start } of surroundings(shape, part)) {
    fill(
      inputOf(node, 1),
      box,
      [],
      start.map((at) => ({ start: at, step: 1 })),
    );
  }
  fill(
    inputOf(node, 0),
    part.map(({ count }) => count),
    part.map(({ first }) => ({ start: first, step: 1 })),
    part.map(({ start, step }) => ({ start, step })),
  );
  return statements;
}

interface Box {
  readonly box: readonly number[];
  readonly start: readonly number[];
}

/**
 * The boxes of the result that the operand leaves free: before and after it along each axis, inside what earlier axes have left. The
 * whole result where it has holes.
 */
function surroundings(
  shape: readonly number[],
  part: readonly { readonly count: number; readonly start: number; readonly step: number }[],
): readonly Box[] {
  const ends = part.map(({ count, start, step }) => (count === 0 ? start : start + (count - 1) * step + 1));
  if (part.some(({ count, step }) => count === 0 || (step > 1 && count > 1)))
    return [{ box: shape, start: shape.map(() => 0) }];
  return shape.flatMap((size, axis) => {
    const inside = (from: number, to: number): Box => ({
      box: shape.map((whole, other) => {
        if (other === axis) return to - from;
        return other < axis ? (ends[other] ?? 0) - (part[other]?.start ?? 0) : whole;
      }),
      start: shape.map((_, other) => (other === axis ? from : other < axis ? (part[other]?.start ?? 0) : 0)),
    });
    const { start } = part[axis] ?? { start: 0 };
    const end = ends[axis] ?? size;
    return [...(start > 0 ? [inside(0, start)] : []), ...(end < size ? [inside(end, size)] : [])];
  });
}

/** A nest that copies `length` elements that lie one after another. */
export function copyStatements(
  from: Storehouse,
  to: Storehouse,
  dtype: Extract<Root["value"]["type"]["dtype"], string>,
  length: number,
): readonly Statement[] {
  if (dtype === "string") throw new InternalError("strings are not copied");
  const loop = length === 1 ? undefined : { id: freshLoop(), extent: length };
  const index = loop === undefined ? zero : loopAffine(loop.id);
  const body: readonly Statement[] = [
    {
      kind: "store",
      target: { buffer: to.buffer, index: addAffine(index, to.offset) },
      value: { kind: "load", dtype, access: { buffer: from.buffer, index: addAffine(index, from.offset) } },
    },
  ];
  if (loop === undefined) return body;
  return [{ kind: "loop", ...loop, accumulators: [], schedule: serial, body }];
}
