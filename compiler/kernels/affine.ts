import type { Affine, LoopId } from "./form.js";

/** Affine functions of loop variables are kept canonical: terms sorted by loop, no zero stride, each loop once. */

export const zero: Affine = { offset: 0, terms: [] };

export function constantAffine(offset: number): Affine {
  return { offset, terms: [] };
}

export function loopAffine(loop: LoopId, stride = 1): Affine {
  return stride === 0 ? zero : { offset: 0, terms: [{ loop, stride }] };
}

export function addAffine(a: Affine, b: Affine): Affine {
  if (a.terms.length === 0)
    return b.terms.length === 0 ? constantAffine(a.offset + b.offset) : { ...b, offset: a.offset + b.offset };
  if (b.terms.length === 0) return { ...a, offset: a.offset + b.offset };
  const terms: { loop: LoopId; stride: number }[] = [];
  let i = 0;
  let j = 0;
  while (i < a.terms.length || j < b.terms.length) {
    const x = a.terms[i];
    const y = b.terms[j];
    if (y === undefined || (x !== undefined && x.loop < y.loop)) {
      if (x !== undefined) terms.push(x);
      i++;
    } else if (x === undefined || y.loop < x.loop) {
      terms.push(y);
      j++;
    } else {
      if (x.stride + y.stride !== 0) terms.push({ loop: x.loop, stride: x.stride + y.stride });
      i++;
      j++;
    }
  }
  return { offset: a.offset + b.offset, terms };
}

export function scaleAffine(a: Affine, factor: number): Affine {
  if (factor === 1) return a;
  if (factor === 0) return zero;
  return { offset: a.offset * factor, terms: a.terms.map(({ loop, stride }) => ({ loop, stride: stride * factor })) };
}

/** Replaces loop variables by affine functions; a loop that `replacement` does not know stays. */
export function substituteAffine(a: Affine, replacement: (loop: LoopId) => Affine | undefined): Affine {
  let changed = false;
  let result = constantAffine(a.offset);
  for (const { loop, stride } of a.terms) {
    const by = replacement(loop);
    if (by !== undefined) changed = true;
    result = addAffine(result, by === undefined ? loopAffine(loop, stride) : scaleAffine(by, stride));
  }
  return changed ? result : a;
}

export function strideOf(a: Affine, loop: LoopId): number {
  for (const term of a.terms) if (term.loop === loop) return term.stride;
  return 0;
}

export function affineEquals(a: Affine, b: Affine): boolean {
  return (
    a.offset === b.offset &&
    a.terms.length === b.terms.length &&
    a.terms.every((term, i) => term.loop === b.terms[i]?.loop && term.stride === b.terms[i]?.stride)
  );
}

export function affineKey(a: Affine): string {
  return `${a.offset}${a.terms.map((term) => `+${term.stride}*${term.loop}`).join("")}`;
}

/** The least and greatest value over the loops' ranges. Meaningless where a loop is empty. */
export function affineRange(
  a: Affine,
  extentOf: (loop: LoopId) => number,
): { readonly min: number; readonly max: number } {
  let min = a.offset;
  let max = a.offset;
  for (const { loop, stride } of a.terms) {
    const reach = stride * (extentOf(loop) - 1);
    if (reach < 0) min += reach;
    else max += reach;
  }
  return { min, max };
}

/** Row-major strides of a shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}
