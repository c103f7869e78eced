import { byteSize, isFloat } from "../ir/dtype.js";
import { forEachExpression } from "./access.js";
import { loopAffine, strideOf } from "./affine.js";
import type { AccumulatorId, Affine, LoopId, LoopStatement, NestKernel, ScalarExpr, Statement } from "./form.js";
import { Rewriter } from "./rewrite.js";
import { freshLoop } from "./roots.js";
import type { TargetLimits } from "./schedule.js";
import { blockSums } from "./sums.js";

/** Makes the schedule of a nest: merges loops that are one run through memory, puts lanes along one loop of each path, blocks long sums. */
export function scheduleNest(
  kernel: NestKernel,
  target: TargetLimits,
  names: { readonly freshAccumulator: () => AccumulatorId },
): NestKernel {
  const merged = mergeLoops(kernel.body);
  const vectorised = merged.map((statement) =>
    statement.kind === "loop" ? chooseLanes(statement, target).loop : statement,
  );
  return { ...kernel, body: blockSums(vectorised, names.freshAccumulator) };
}

/** Two perfectly nested loops of which each index makes one run (outer stride = inner stride x inner extent) become one. */
function mergeLoops(body: readonly Statement[]): readonly Statement[] {
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
        else if (statement.index !== undefined) collect(statement.index);
        collect(statement.value);
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

/** The cheaper of lanes along this loop and lanes along loops inside it, by a rough count of cycles. */
function chooseLanes(loop: LoopStatement, target: TargetLimits): Choice {
  const inner = loop.body.map((statement) => (statement.kind === "loop" ? chooseLanes(statement, target) : undefined));
  const insideCycles = loop.body.reduce(
    (sum, statement, i) => sum + (inner[i]?.cycles ?? statementCycles(statement, undefined, 1, new Set())),
    0,
  );
  const inside: Choice = {
    loop: {
      ...loop,
      schedule: { vector: false, unroll: scalarUnroll(loop) },
      body: loop.body.map((statement, i) => inner[i]?.loop ?? statement),
    },
    cycles: loop.extent * (insideCycles + 1),
  };
  if (loop.extent < 2 || !mayVectorise(loop)) return inside;
  const lanes = lanesIn(loop.body, target);
  const steps = Math.ceil(loop.extent / lanes);
  const seen = new Set<ScalarExpr>();
  const perStep = loop.body.reduce((sum, statement) => sum + statementCycles(statement, loop.id, lanes, seen), 0);
  const across = loop.accumulators.length * 2 * Math.log2(Math.max(2, lanes));
  const here = steps * (perStep + 1) + across;
  if (here > inside.cycles) return inside;
  const sums = loop.accumulators.length > 0 || loop.body.some((statement) => statement.kind === "loop");
  const unroll = sums ? Math.max(1, Math.min(4, Math.floor(loop.extent / lanes))) : 1;
  return { loop: { ...loop, schedule: { vector: true, unroll }, body: loop.body.map(withoutLanes) }, cycles: here };
}

function withoutLanes(statement: Statement): Statement {
  if (statement.kind !== "loop") return statement;
  return { ...statement, schedule: { vector: false, unroll: 1 }, body: statement.body.map(withoutLanes) };
}

/** Small innermost loops are unrolled whole; a scalar sum in four parts. */
function scalarUnroll(loop: LoopStatement): number {
  if (loop.body.some((statement) => statement.kind === "loop")) return 1;
  if (loop.extent <= 8) return Math.max(1, loop.extent);
  return loop.accumulators.length > 0 ? 4 : 1;
}

/** Each lane must store to a place of its own: a row buffer that all iterations share forbids lanes along them. */
function mayVectorise(loop: LoopStatement): boolean {
  const visit = (body: readonly Statement[]): boolean =>
    body.every((statement) => {
      if (statement.kind === "loop") return visit(statement.body);
      return statement.kind !== "store" || strideOf(statement.target.index, loop.id) !== 0;
    });
  return visit(loop.body);
}

/** Lanes of the widest element that the body handles. */
function lanesIn(body: readonly Statement[], target: TargetLimits): number {
  let widest = 1;
  const seen = new Set<ScalarExpr>();
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "loop") visit(statement.body);
      else {
        forEachExpression(statement.value, seen, (e) => {
          if (e.kind !== "constant" && e.kind !== "index") widest = Math.max(widest, byteSize(e.dtype));
        });
      }
    }
  };
  visit(body);
  return Math.max(1, Math.floor(target.vectorBytes / widest));
}

const dear = new Map<string, number>([
  ["div", 5],
  ["sqrt", 6],
  ["rsqrt", 8],
  ["floor_div", 12],
  ["mod", 12],
  ["pow", 30],
  ["exp", 10],
  ["expm1", 12],
  ["log", 12],
  ["log1p", 12],
  ["sin", 14],
  ["cos", 14],
  ["tanh", 12],
  ["sigmoid", 12],
  ["erf", 14],
]);
/** A scalar call into the same polynomial gains nothing from lanes, so it costs as much as a whole register of them. */
function statementCycles(
  statement: Statement,
  lanesAlong: LoopId | undefined,
  lanes: number,
  seen: Set<ScalarExpr>,
): number {
  if (statement.kind === "loop") {
    const body = statement.body.reduce((sum, inner) => sum + statementCycles(inner, lanesAlong, lanes, seen), 0);
    return statement.extent * (body + 1);
  }
  // Gathers cost about a cycle and a half a lane, scatters more.
  const accessCycles = (index: Affine, strided = 1.5): number => {
    if (lanesAlong === undefined) return 0.5;
    const stride = strideOf(index, lanesAlong);
    return stride === 0 ? 0.25 : stride === 1 ? 0.75 : strided * lanes;
  };
  let cycles = statement.kind === "store" ? accessCycles(statement.target.index, 3) : 1;
  const count = (expression: ScalarExpr): void => {
    forEachExpression(expression, seen, (e) => {
      if (e.kind === "load") cycles += accessCycles(e.access.index);
      else if (e.kind === "apply") cycles += dear.get(e.op) ?? (isFloat(e.dtype) ? 0.5 : 0.75);
      else if (e.kind === "random") cycles += 40;
      else if (e.kind !== "constant") cycles += 0.5;
    });
  };
  count(statement.value);
  if (statement.kind === "accumulate" && statement.index !== undefined) count(statement.index);
  return cycles;
}
