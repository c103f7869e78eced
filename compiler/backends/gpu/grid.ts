import { strideOf } from "../../kernels/affine.js";
import type { Affine, LoopStatement, Statement } from "../../kernels/form.js";
import type { StorePath } from "./lower.js";

/**
 * Rows of threads: the innermost loop of a store runs along one, and its number tells where it lies in the others. So the rows' share
 * of an index is computed once for several threads (WebAssembly runs four at a time), and fewer divide to find their place.
 */
export interface Rows {
  readonly along: LoopStatement;
  /** The number of a row as a function of the other loops. */
  readonly index: Affine;
  readonly count: number;
}

/** Shorter rows leave threads of a group idle. */
export const shortestRow = 8;
/** Rows are many small arrays where gpu.js computes in this process: a long one is worth that, and one with sums in it. */
const longRow = 128;
const fewestTerms = 16;
/** WebGPU starts no more groups of eight along one side. */
export const mostRows = 8 * 65_535;

/** Undefined where threads in one row do as well. `path` covers all of `length` elements. */
export function rowsOf({ store, loops, before }: StorePath, length: number): Rows | undefined {
  const { index } = store.target;
  const along = loops.find((loop) => strideOf(index, loop.id) === 1 && loop.extent > 1);
  if (along === undefined) return undefined;
  const { extent } = along;
  const count = length / extent;
  if (extent < shortestRow || count < 2 || count > mostRows || extent > mostRows) return undefined;
  if (extent < longRow && termsOf(before.flat()) < fewestTerms) return undefined;
  const others = index.terms.filter(({ loop }) => loop !== along.id);
  return {
    along,
    count,
    index: { offset: 0, terms: others.map((term) => ({ ...term, stride: term.stride / extent })) },
  };
}

function termsOf(body: readonly Statement[]): number {
  return body.reduce(
    (sum, statement) => sum + (statement.kind === "loop" ? statement.extent * termsOf(statement.body) : 1),
    0,
  );
}
