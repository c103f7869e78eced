import { InternalError } from "../../ir/diagnostic.js";
import { addAffine, loopAffine, scaleAffine } from "../../kernels/affine.js";
import type { Accumulator, BufferId, LoopStatement, ScalarExpr, Statement } from "../../kernels/form.js";
import { serial } from "../../kernels/lanes.js";
import { Rewriter } from "../../kernels/rewrite.js";
import { freshLoop } from "../../kernels/roots.js";
import type { StorePath } from "./lower.js";

/** Gives names to what one stage hands to the next. */
export interface Temporaries {
  readonly add: (length: number) => BufferId;
}

/** What one kernel of a sum in stages stores. */
export interface Stage {
  readonly stores: readonly StorePath[];
  readonly target: BufferId;
  readonly length: number;
}

/** One thread takes in so many terms at most where others could share the work. */
const longestShare = 1024;
/** With so many results there is work for all threads anyway. */
const enoughThreads = 4096;
/** Parts that the second stage sums up for each result. */
const mostParts = 1024;

/**
 * A long sum of few results in two stages: partial sums by many threads, then the sum of those. Undefined where one kernel does
 * as well, or where the sum is of no such form: one accumulator, its terms innermost.
 */
export function inStages(path: StorePath, length: number, temporaries: Temporaries): readonly Stage[] | undefined {
  const before = path.before[path.loops.length] ?? [];
  const [sum] = before;
  if (length >= enoughThreads || before.length !== 1 || sum?.kind !== "loop") return undefined;
  if (path.before.some((list, depth) => depth < path.loops.length && list.length > 0)) return undefined;
  const [accumulator] = sum.accumulators;
  if (accumulator === undefined || sum.accumulators.length > 1 || !combinesParts(accumulator)) return undefined;
  const terms = termsOf([sum]);
  const inner = loopsBelow(sum);
  if (terms <= longestShare || inner === undefined) return undefined;

  // The longest loop of the sum is cut into parts of equal length, as many as divide it best.
  const cut = inner.reduce((a, b) => (b.extent > a.extent ? b : a));
  const parts = partsOf(cut.extent, terms);
  if (parts < 2) return undefined;
  const share = Math.ceil(cut.extent / parts);
  const part = freshLoop();
  const within = freshLoop();
  const rewriter = new Rewriter({
    loop: (id) => (id === cut.id ? addAffine(scaleAffine(loopAffine(part), share), loopAffine(within)) : undefined),
  });
  const shorten = (statement: Statement): Statement => {
    if (statement.kind !== "loop") return statement;
    const body = statement.body.map(shorten);
    return statement.id === cut.id ? { ...statement, id: within, extent: share, body } : { ...statement, body };
  };
  const shared = rewriter.statements([shorten(sum)], (id) => id);
  const target = temporaries.add(length * parts);
  const partLoop: LoopStatement = {
    kind: "loop",
    id: part,
    extent: parts,
    accumulators: [],
    schedule: serial,
    body: [],
  };
  const total: ScalarExpr = { kind: "accumulated", dtype: accumulator.dtype, accumulator: accumulator.id };
  // The parts of one result lie next to each other.
  const at = addAffine(scaleAffine(path.store.target.index, parts), loopAffine(part));
  const first = pathFrom([...path.loops, partLoop], shared, {
    kind: "store",
    target: { buffer: target, index: at },
    value: total,
  });
  const again = freshLoop();
  const second: LoopStatement = {
    ...sum,
    id: again,
    extent: parts,
    body: [
      {
        kind: "accumulate",
        accumulator: accumulator.id,
        value: {
          kind: "load",
          dtype: accumulator.dtype,
          access: {
            buffer: target,
            index: addAffine(scaleAffine(path.store.target.index, parts), loopAffine(again)),
          },
        },
        index: undefined,
      },
    ],
  };
  return [
    { stores: [first], target, length: length * parts },
    { stores: [pathFrom(path.loops, [second], path.store)], target: path.store.target.buffer, length },
  ];
}

function pathFrom(loops: readonly LoopStatement[], sums: readonly Statement[], store: StorePath["store"]): StorePath {
  const body = loops.reduceRight<readonly Statement[]>((inner, loop) => [{ ...loop, body: inner }], [...sums, store]);
  return { store, loops, before: [...loops.map(() => []), sums], body };
}

function combinesParts({ combiner }: Accumulator): boolean {
  return combiner !== "arg_max" && combiner !== "arg_min";
}

function termsOf(body: readonly Statement[]): number {
  return body.reduce(
    (sum, statement) => sum + (statement.kind === "loop" ? statement.extent * termsOf(statement.body) : 1),
    0,
  );
}

/** The loops of a sum, each right inside the other; undefined where it has another form. */
function loopsBelow(sum: LoopStatement): readonly LoopStatement[] | undefined {
  const loops = [sum];
  for (;;) {
    const last = loops.at(-1);
    if (last === undefined) throw new InternalError("a sum without a loop");
    const [only, ...others] = last.body;
    if (others.length > 0 || only === undefined) return undefined;
    if (only.kind === "accumulate") return loops;
    if (only.kind !== "loop" || only.accumulators.length > 0) return undefined;
    loops.push(only);
  }
}

/** A divisor of the loop, so that no part is shorter than the others; 1 where there is none that helps. */
function partsOf(extent: number, terms: number): number {
  const wish = Math.min(mostParts, Math.ceil(Math.sqrt(terms)));
  let best = 1;
  for (let parts = 2; parts <= Math.min(extent, mostParts); parts++) {
    if (extent % parts === 0 && Math.abs(parts - wish) < Math.abs(best - wish)) best = parts;
  }
  return best;
}
