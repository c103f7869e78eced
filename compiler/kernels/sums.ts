import { isFloat } from "../ir/dtype.js";
import { addAffine, constantAffine, loopAffine } from "./affine.js";
import type { Accumulator, AccumulatorId, LoopId, LoopStatement, Statement } from "./form.js";
import { serial } from "./lanes.js";
import { loopsIn, Rewriter } from "./rewrite.js";
import { freshLoop } from "./roots.js";

/**
 * Terms that one floating-point accumulator may take in. Error grows with the number of terms in a row (plain f32 accumulation of
 * 16M numbers is 5 % wrong); in two levels of 4096 it grows as for 8192, which is below 0.05 % in the worst case and far below it
 * as a rule (Higham, "The accuracy of floating point summation", 1993: blocked summation).
 */
const longestSum = 4096;

/** Splits long sums into sums of sums. */
export function blockSums(body: readonly Statement[], freshAccumulator: () => AccumulatorId): readonly Statement[] {
  return body.map((statement) => (statement.kind === "loop" ? blockLoop(statement, freshAccumulator) : statement));
}

function needsBlocks(accumulator: Accumulator): boolean {
  return accumulator.combiner === "sum" && isFloat(accumulator.dtype);
}

function blockLoop(loop: LoopStatement, freshAccumulator: () => AccumulatorId): LoopStatement {
  const withPartials = loop.accumulators.reduce(
    (current, accumulator) =>
      needsBlocks(accumulator) && termsOf(current.body, accumulator.id) * loop.extent > longestSum
        ? addPartial(current, accumulator, freshAccumulator)
        : current,
    loop,
  );
  const inner: LoopStatement = { ...withPartials, body: blockSums(withPartials.body, freshAccumulator) };
  const long = inner.accumulators.filter((a) => needsBlocks(a) && accumulatesDirectly(inner.body, a.id));
  return inner.extent > longestSum && long.length > 0 ? splitLoop(inner, long, freshAccumulator) : inner;
}

/** How often one run through `body` adds to the accumulator. */
function termsOf(body: readonly Statement[], id: AccumulatorId): number {
  let terms = 0;
  for (const statement of body) {
    if (statement.kind === "loop") terms += statement.extent * termsOf(statement.body, id);
    else if (statement.kind === "accumulate" && statement.accumulator === id) terms += 1;
  }
  return terms;
}

function accumulatesDirectly(body: readonly Statement[], id: AccumulatorId): boolean {
  return body.some((statement) => statement.kind === "accumulate" && statement.accumulator === id);
}

/** The loop inside that adds to the accumulator gets one of its own, which is added to the outer one when it is complete. */
function addPartial(loop: LoopStatement, total: Accumulator, freshAccumulator: () => AccumulatorId): LoopStatement {
  const body = loop.body.flatMap((statement): readonly Statement[] => {
    if (statement.kind !== "loop" || termsOf(statement.body, total.id) === 0) return [statement];
    const part: Accumulator = { ...total, id: freshAccumulator() };
    const rewriter = new Rewriter({ accumulator: (id) => (id === total.id ? part.id : id) });
    const [inner] = rewriter.statements([statement]);
    if (inner?.kind !== "loop") return [statement];
    return [{ ...inner, accumulators: [...inner.accumulators, part] }, addTo(total, part)];
  });
  return { ...loop, body };
}

function addTo(total: Accumulator, part: Accumulator): Statement {
  return {
    kind: "accumulate",
    accumulator: total.id,
    value: { kind: "accumulated", dtype: part.dtype, accumulator: part.id },
    index: undefined,
  };
}

/** `for i < n` becomes `for block < n / size { for i < size }` and, where n is no multiple, a last shorter block. */
function splitLoop(
  loop: LoopStatement,
  long: readonly Accumulator[],
  freshAccumulator: () => AccumulatorId,
): LoopStatement {
  const pieces = Math.ceil(loop.extent / longestSum);
  // Blocks of nearly equal size, of a whole number of registers each.
  const size = Math.ceil(loop.extent / pieces / 64) * 64;
  const blocks = Math.floor(loop.extent / size);
  const rest = loop.extent - blocks * size;
  const block = (
    extent: number,
    startOf: { readonly offset: number; readonly outer: LoopId | undefined },
  ): readonly Statement[] => {
    const parts = new Map(long.map((total) => [total.id, { ...total, id: freshAccumulator() }]));
    const id = freshLoop();
    const names = new Map(loopsIn(loop.body).map((inner) => [inner.id, freshLoop()]));
    const renamed = new Map(
      loopsIn(loop.body).flatMap((inner) => inner.accumulators.map((a) => [a.id, freshAccumulator()])),
    );
    const start = startOf.outer === undefined ? constantAffine(startOf.offset) : loopAffine(startOf.outer, size);
    const rewriter = new Rewriter({
      loop: (name) => {
        if (name === loop.id) return addAffine(start, loopAffine(id));
        const fresh = names.get(name);
        return fresh === undefined ? undefined : loopAffine(fresh);
      },
      accumulator: (name) => parts.get(name)?.id ?? renamed.get(name) ?? name,
    });
    const body = rewriter.statements(loop.body, (name) => names.get(name) ?? name);
    return [
      { kind: "loop", id, extent, accumulators: [...parts.values()], schedule: loop.schedule, body },
      ...long.map((total) => addTo(total, parts.get(total.id) ?? total)),
    ];
  };
  const outer = freshLoop();
  const whole = block(size, { offset: 0, outer });
  if (rest === 0) return { ...loop, id: outer, extent: blocks, schedule: serial, body: whole };
  const main: LoopStatement = {
    kind: "loop",
    id: outer,
    extent: blocks,
    accumulators: [],
    schedule: serial,
    body: whole,
  };
  // One iteration, so that both parts add to the same accumulators.
  const last = block(rest, { offset: blocks * size, outer: undefined });
  return { ...loop, id: freshLoop(), extent: 1, schedule: serial, body: [main, ...last] };
}
