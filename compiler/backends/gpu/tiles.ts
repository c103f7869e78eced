import { addAffine, loopAffine, scaleAffine } from "../../kernels/affine.js";
import type {
  Accumulator,
  Affine,
  BufferId,
  ContractKernel,
  Extent,
  LoopStatement,
  NestKernel,
  ScalarExpr,
  Statement,
} from "../../kernels/form.js";
import { serial } from "../../kernels/lanes.js";
import { Rewriter } from "../../kernels/rewrite.js";
import { freshLoop } from "../../kernels/roots.js";
import { loopsAround } from "./contraction.js";
import type { DeviceKernel } from "./form.js";
import { mostRows, shortestRow } from "./grid.js";
import { sourcesOf } from "./math.js";
import { decode } from "./places.js";
import { ThreadWriter } from "./thread.js";

/** Sums that one thread makes: as many as a kernel of gpu.js can return. */
export const tileSums = 4;
/** With fewer results than this there are too few threads left. */
const fewestResults = 2 ** 14;
/** Multiplications that are worth a launch more. */
const fewestProducts = 2 ** 23;

/**
 * A contraction in two kernels. In the first, each thread makes the sums of four rows next to each other in one column, so that an
 * element of the other operand, once read, serves four times. The second puts them where they belong, with the epilogue.
 */
export interface Tiles {
  readonly sums: TileSums;
  readonly rest: NestKernel;
}

export interface TileSums {
  readonly target: BufferId;
  /** Elements of the target: the four sums of a thread lie next to each other. */
  readonly length: number;
  /** Around the sums: the loop along a row of threads, and those that the number of a row tells. */
  readonly along: LoopStatement;
  readonly rows: readonly LoopStatement[];
  readonly rowIndex: Affine;
  readonly rowCount: number;
  readonly body: readonly Statement[];
  readonly accumulators: readonly Accumulator[];
}

/** Undefined where one kernel does as well. `add` makes a temporary of so many elements. */
export function inTiles(kernel: ContractKernel, add: (length: number) => BufferId): Tiles | undefined {
  const { batch, m, n, k, lhs, rhs, accumulator, epilogue, name, spans } = kernel;
  const results = product([...batch, ...m, ...n]);
  if (results < fewestResults || results * product(k) < fewestProducts || k.length === 0) return undefined;
  const found = splitOf(m, n) ?? splitOf(n, m);
  if (found === undefined) return undefined;
  const { split, along } = found;
  if (along.extent > mostRows || results / tileSums / along.extent > mostRows) return undefined;

  const outer: Extent = { id: freshLoop(), extent: split.extent / tileSums };
  const [fixed, moving] = m.includes(split) ? [rhs, lhs] : [lhs, rhs];
  const accumulators = Array.from({ length: tileSums }, (_, i) => ({ ...accumulator, id: -1 - i }));
  const terms = accumulators.map(({ id }, i): Statement => {
    const at = addAffine(loopAffine(outer.id, tileSums), { offset: i, terms: [] });
    const other = new Rewriter({ loop: (loop) => (loop === split.id ? at : undefined) }).expression(moving);
    const value: ScalarExpr = { kind: "apply", dtype: accumulator.dtype, op: "mul", args: [fixed, other] };
    return { kind: "accumulate", accumulator: id, value, index: undefined };
  });
  const body = k.reduceRight<readonly Statement[]>(
    (inner, { id, extent }, depth) => [
      { kind: "loop", id, extent, accumulators: depth === 0 ? accumulators : [], schedule: serial, body: inner },
    ],
    terms,
  );

  const rows = [...batch, ...m, ...n].flatMap((loop) => (loop === split ? [outer] : loop === along ? [] : [loop]));
  const rowIndex = rowMajor(rows);
  const target = add(results);
  const sums: TileSums = {
    target,
    length: results,
    along: loopOf(along),
    rows: rows.map(loopOf),
    rowIndex,
    rowCount: product(rows),
    body,
    accumulators,
  };

  const inner: Extent = { id: freshLoop(), extent: tileSums };
  const index = addAffine(
    scaleAffine(addAffine(scaleAffine(rowIndex, along.extent), loopAffine(along.id)), tileSums),
    loopAffine(inner.id),
  );
  const sum: ScalarExpr = { kind: "load", dtype: accumulator.dtype, access: { buffer: target, index } };
  const place = addAffine(loopAffine(outer.id, tileSums), loopAffine(inner.id));
  const rewriter = new Rewriter({
    loop: (loop) => (loop === split.id ? place : undefined),
    accumulated: (id) => (id === accumulator.id ? sum : undefined),
  });
  const loops = [...batch, ...m, ...n].flatMap((loop) => (loop === split ? [outer, inner] : [loop]));
  return { sums, rest: { kind: "nest", name, spans, body: loopsAround(loops, rewriter.statements(epilogue)) } };
}

/** What a thread does: its sums together. `isScalar`: whether a buffer is one number that each launch is given as such. */
export function writeTiles(
  { length, along, rows, rowIndex, rowCount, body, accumulators }: TileSums,
  isScalar: (buffer: BufferId) => boolean,
): Omit<DeviceKernel, "name" | "of" | "spans" | "work"> {
  const writer = new ThreadWriter(isScalar);
  const column = writer.fresh("x");
  const row = writer.fresh("p");
  writer.line(`const ${column} = this.thread.x;`);
  writer.line(`const ${row} = this.thread.y;`);
  writer.nameLoop(along.id, column);
  decode(writer, rowIndex, [], rows, row, true, () => writer.statements(body));
  writer.line(`return [${accumulators.map(({ id }) => writer.sum(id)).join(", ")}];`);
  return {
    source: writer.source(),
    functions: sourcesOf(writer.functions),
    grid: [along.extent, rowCount],
    perThread: tileSums,
    length,
    arrays: writer.arrays,
    numbers: writer.numbers,
  };
}

/** The loop whose iterations a thread takes by fours, on one side, and the one along a row of threads, on the other. */
function splitOf(
  side: readonly Extent[],
  other: readonly Extent[],
): { readonly split: Extent; readonly along: Extent } | undefined {
  const split = side.findLast(({ extent }) => extent % tileSums === 0);
  const along = other.at(-1);
  if (split === undefined || along === undefined || along.extent < shortestRow) return undefined;
  return { split, along };
}

function product(loops: readonly Extent[]): number {
  return loops.reduce((all, { extent }) => all * extent, 1);
}

function rowMajor(loops: readonly Extent[]): Affine {
  return loops.reduce<Affine>((index, { id, extent }) => addAffine(scaleAffine(index, extent), loopAffine(id)), {
    offset: 0,
    terms: [],
  });
}

function loopOf({ id, extent }: Extent): LoopStatement {
  return { kind: "loop", id, extent, accumulators: [], schedule: serial, body: [] };
}
