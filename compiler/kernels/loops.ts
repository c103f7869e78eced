import { isFloat } from "../ir/dtype.js";
import { scalarFacts } from "../ops/scalar.js";
import { expressionsOfStatement, forEachExpression, forEachStatement, strideAlong } from "./access.js";
import { loopAffine, strideOf } from "./affine.js";
import type {
  Access,
  Accumulator,
  AccumulatorId,
  Affine,
  BufferId,
  LoopId,
  LoopStatement,
  NestKernel,
  ScalarExpr,
  Statement,
} from "./form.js";
import { lanesAlong, lanesOfNest, serial } from "./lanes.js";
import { loopsIn, Rewriter } from "./rewrite.js";
import { freshLoop } from "./roots.js";
import type { TargetLimits } from "./schedule.js";
import { blockSums } from "./sums.js";

/** What schedules ask of the program around a nest. */
export interface NestNames {
  readonly freshAccumulator: () => AccumulatorId;
  readonly buffers: {
    /** Whether a buffer is a temporary of one iteration of loops of its kernel. */
    readonly isRow: (buffer: BufferId) => boolean;
    readonly repeatRow: (buffer: BufferId, lanes: number) => void;
  };
}

/** Makes the schedule of a nest: merges loops that are one run through memory, puts lanes along one loop of each path, blocks long sums. */
export function scheduleNest(kernel: NestKernel, target: TargetLimits, names: NestNames): NestKernel {
  const merged = mergeLoops(kernel.body);
  const lanes = lanesOfNest(merged, target.vectorBytes);
  const rows = rowsByLoop(merged, (buffer) => names.buffers.isRow(buffer));
  const chooser = new LaneChooser(lanes, rows);
  const vectorised = merged.map((statement) =>
    statement.kind === "loop" ? chooser.choose(statement).loop : statement,
  );
  for (const loop of loopsIn(vectorised)) for (const row of loop.schedule.rows) names.buffers.repeatRow(row, lanes);
  return { ...kernel, body: blockSums(vectorised, names.freshAccumulator) };
}

/** Two perfectly nested loops of which each index makes one run (outer stride = inner stride x inner extent) become one. */
export function mergeLoops(body: readonly Statement[]): readonly Statement[] {
  return body.map((statement) => {
    if (statement.kind !== "loop") return statement;
    const inner = mergeLoops(statement.body);
    const [only] = inner;
    const outer: LoopStatement = { ...statement, body: inner };
    if (inner.length !== 1 || only?.kind !== "loop" || only.accumulators.length > 0 || statement.extent === 0)
      return outer;
    const oneRun = indicesIn(only.body).every(
      (index) => strideOf(index, outer.id) === strideOf(index, only.id) * only.extent,
    );
    if (!oneRun) return outer;
    const id = freshLoop();
    const rewriter = new Rewriter({
      loop: (loop) => (loop === only.id ? loopAffine(id) : loop === outer.id ? { offset: 0, terms: [] } : undefined),
    });
    return { ...outer, id, extent: outer.extent * only.extent, body: rewriter.statements(only.body) };
  });
}

function indicesIn(body: readonly Statement[]): readonly Affine[] {
  const found: Affine[] = [];
  const seen = new Set<ScalarExpr>();
  const collect = (expression: ScalarExpr): void => {
    forEachExpression(expression, seen, (e) => {
      if (e.kind === "load") found.push(e.access.index);
      else if (e.kind === "index") found.push(e.value);
      else if (e.kind === "random") found.push(e.position);
    });
  };
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "loop") visit(statement.body);
      else {
        if (statement.kind === "store") found.push(statement.target.index);
        expressionsOfStatement(statement).forEach(collect);
      }
    }
  };
  visit(body);
  return found;
}

interface Choice {
  readonly loop: LoopStatement;
  readonly cycles: number;
}

/** Row buffers of which every access lies within the loop, and none moves along with it. */
function rowsByLoop(
  body: readonly Statement[],
  isRow: (buffer: BufferId) => boolean,
): (loop: LoopStatement) => ReadonlySet<BufferId> {
  const rowsIn = (statements: readonly Statement[]): readonly BufferId[] =>
    storesIn(statements)
      .map((store) => store.buffer)
      .filter(isRow);
  if (rowsIn(body).length === 0) return () => none;
  const all = accessesIn(body);
  return (loop) => {
    const stored = rowsIn(loop.body);
    if (stored.length === 0) return none;
    const inside = accessesIn(loop.body);
    const ofBuffer = (list: readonly Access[], buffer: BufferId): readonly Access[] =>
      list.filter((access) => access.buffer === buffer);
    return new Set(
      stored.filter((buffer) => {
        const here = ofBuffer(inside, buffer);
        return (
          here.length === ofBuffer(all, buffer).length && here.every((access) => strideOf(access.index, loop.id) === 0)
        );
      }),
    );
  };
}

const none: ReadonlySet<BufferId> = new Set();

function storesIn(body: readonly Statement[]): readonly Access[] {
  const found: Access[] = [];
  forEachStatement(body, (statement) => {
    if (statement.kind === "store") found.push(statement.target);
  });
  return found;
}

function accessesIn(body: readonly Statement[]): readonly Access[] {
  const found: Access[] = [];
  forEachStatement(body, (statement) => {
    if (statement.kind === "loop") return;
    if (statement.kind === "store") found.push(statement.target);
    // Each statement by itself: an expression that two share is counted in both.
    const seen = new Set<ScalarExpr>();
    for (const expression of expressionsOfStatement(statement)) {
      forEachExpression(expression, seen, (e) => {
        if (e.kind === "load") found.push(e.access);
      });
    }
  });
  return found;
}

/** Chooses the loops that lanes run along, by a rough count of cycles. */
class LaneChooser {
  readonly #lanes: number;
  readonly #rowsOf: (loop: LoopStatement) => ReadonlySet<BufferId>;

  constructor(lanes: number, rowsOf: (loop: LoopStatement) => ReadonlySet<BufferId>) {
    this.#lanes = lanes;
    this.#rowsOf = rowsOf;
  }

  /** The cheaper of lanes along this loop and lanes along loops inside it. */
  choose(loop: LoopStatement): Choice {
    const inner = loop.body.map((statement) => (statement.kind === "loop" ? this.choose(statement) : undefined));
    const insideCycles = loop.body.reduce(
      (sum, statement, i) => sum + (inner[i]?.cycles ?? statementCycles(statement, undefined, 1, new Set())),
      0,
    );
    const inside: Choice = {
      loop: {
        ...loop,
        schedule: { ...serial, unroll: scalarUnroll(loop) },
        body: loop.body.map((statement, i) => inner[i]?.loop ?? statement),
      },
      cycles: loop.extent * (insideCycles + 1),
    };
    if (loop.extent < 2) return inside;
    const rows = this.#rowsOf(loop);
    if (!mayVectorise(loop, rows)) return inside;
    const lanes = lanesAlong(loop.extent, this.#lanes);
    const steps = Math.ceil(loop.extent / lanes);
    const seen = new Set<ScalarExpr>();
    const along: LanesAlong = { loop: loop.id, lanes, rows };
    const perStep = loop.body.reduce((sum, statement) => sum + statementCycles(statement, along, lanes, seen), 0);
    const across = loop.accumulators.reduce((sum, accumulator) => sum + cyclesAcross(accumulator, lanes), 0);
    const here = steps * (perStep + 1) + across;
    if (here > inside.cycles) return inside;
    const nested = loop.body.some((statement) => statement.kind === "loop");
    const sums = loop.accumulators.length > 0 || nested;
    const parts = nested ? 4 : partialSums(perStep);
    // Rows in lanes hide latency among themselves.
    const unroll = sums && rows.size === 0 ? Math.max(1, Math.min(parts, Math.floor(loop.extent / lanes))) : 1;
    return {
      loop: { ...loop, schedule: { vector: true, unroll, rows: [...rows] }, body: loop.body.map(withoutLanes) },
      cycles: here,
    };
  }
}

/**
 * Registers that a sum is split into. An addition waits four cycles for the one before: a short body leaves the core idle meanwhile.
 * A long one does not, and several of it at a time would only spill its constants.
 */
function partialSums(cyclesPerStep: number): number {
  return cyclesPerStep >= 12 ? 1 : cyclesPerStep >= 6 ? 2 : 4;
}

/** Lanes are joined half by half, each time a shuffle and an operation that wait for the ones before. */
function cyclesAcross(accumulator: Accumulator, lanes: number): number {
  const indexed = accumulator.combiner === "arg_max" || accumulator.combiner === "arg_min";
  return (indexed ? 18 : 6) * Math.log2(Math.max(2, lanes));
}

function withoutLanes(statement: Statement): Statement {
  if (statement.kind !== "loop") return statement;
  const nested = statement.body.some((inner) => inner.kind === "loop");
  const unroll = !nested && statement.accumulators.length > 0 ? partsOf(statement.extent) : 1;
  return { ...statement, schedule: { ...serial, unroll }, body: statement.body.map(withoutLanes) };
}

/** Into how many sums a sum in each lane is split, so that they do not wait for each other: a number that leaves no rest, if any. */
function partsOf(extent: number): number {
  for (const parts of [4, 5, 3, 2]) if (extent % parts === 0) return parts;
  return extent < 8 ? 1 : 4;
}

/** Small innermost loops are unrolled whole; a scalar sum in four parts. */
function scalarUnroll(loop: LoopStatement): number {
  if (loop.body.some((statement) => statement.kind === "loop")) return 1;
  if (loop.extent <= 8) return Math.max(1, loop.extent);
  return loop.accumulators.length > 0 ? 4 : 1;
}

/** Each lane must store to a place of its own, be it a line of a row buffer. */
function mayVectorise(loop: LoopStatement, rows: ReadonlySet<BufferId>): boolean {
  const visit = (body: readonly Statement[]): boolean =>
    body.every((statement) => {
      if (statement.kind === "loop") return visit(statement.body);
      if (statement.kind !== "store") return true;
      const stride = strideAlong(statement.target, loop.id);
      // At run-time positions two lanes may meet, and their order would matter.
      return stride !== undefined && (stride !== 0 || rows.has(statement.target.buffer));
    });
  return visit(loop.body);
}

interface LanesAlong {
  readonly loop: LoopId;
  readonly lanes: number;
  readonly rows: ReadonlySet<BufferId>;
}

/** A scalar call into the same polynomial gains nothing from lanes, so it costs as much as a whole register of them. */
function statementCycles(
  statement: Statement,
  along: LanesAlong | undefined,
  lanes: number,
  seen: Set<ScalarExpr>,
): number {
  if (statement.kind === "loop") {
    const body = statement.body.reduce((sum, inner) => sum + statementCycles(inner, along, lanes, seen), 0);
    return statement.extent * (body + 1);
  }
  // Gathers cost about a cycle and a half a lane, scatters more.
  const accessCycles = (access: Access, strided = 1.5): number => {
    if (along === undefined) return 0.5;
    const step = strideAlong(access, along.loop);
    const stride = step !== undefined && along.rows.has(access.buffer) ? 1 : step;
    return stride === 0 ? 0.25 : stride === 1 ? 0.75 : strided * lanes;
  };
  let cycles = statement.kind === "store" ? accessCycles(statement.target, 3) : 1;
  if (statement.kind === "store" && statement.combiner !== undefined) cycles += accessCycles(statement.target) + 0.5;
  const count = (expression: ScalarExpr): void => {
    forEachExpression(expression, seen, (e) => {
      if (e.kind === "load") cycles += accessCycles(e.access);
      else if (e.kind === "apply") cycles += scalarFacts[e.op].cycles ?? (isFloat(e.dtype) ? 0.5 : 0.75);
      else if (e.kind === "random") cycles += 40;
      else if (e.kind !== "constant") cycles += 0.5;
    });
  };
  expressionsOfStatement(statement).forEach(count);
  return cycles;
}
