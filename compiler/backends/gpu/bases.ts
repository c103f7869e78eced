import type { Affine } from "../../kernels/form.js";

/** A part of an index that has a name: what loops inside do not change is computed once. */
export interface Base {
  readonly index: Affine;
  readonly name: string;
}

export function isAmong({ loop, stride }: Affine["terms"][number], index: Affine | undefined): boolean {
  return index?.terms.some((term) => term.loop === loop && term.stride === stride) ?? false;
}

/** The base with the most terms of an index, of all that are known here. */
export function largestBase(blocks: readonly (readonly Base[])[], index: Affine): Base | undefined {
  let best: Base | undefined;
  for (const base of blocks.flat()) {
    const fits = base.index.terms.every((term) => isAmong(term, index));
    if (fits && base.index.terms.length > (best?.index.terms.length ?? 0)) best = base;
  }
  return best;
}
