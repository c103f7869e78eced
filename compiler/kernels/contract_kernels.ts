import { InternalError } from "../ir/diagnostic.js";
import type { NumericDType } from "../ir/dtype.js";
import { expressionsOfStatement, forEachExpression, strideAlong } from "./access.js";
import { addAffine, affineRange, loopAffine, strideOf, zero } from "./affine.js";
import { contractScratch, scratchOrder, tileAxes } from "./contract_scratch.js";
import { contractionOf } from "./contractions.js";
import { castTo, dtypeOf } from "./expressions.js";
import type { Access, Accumulator, Affine, ContractKernel, Extent, ScalarExpr, Statement } from "./form.js";
import { type Emission, kernelExpressions, pointwiseExpression } from "./nests.js";
import type { ContractGroup } from "./regions.js";
import { Rewriter } from "./rewrite.js";
import { boundLoop, freshLoop, indexAt, operandsAt, type Root } from "./roots.js";
import {
  depthOfTurn,
  lanesOf,
  type OperandShape,
  scheduleContraction,
  stepsInTurn,
  type TargetLimits,
} from "./schedule.js";
import { type BufferTable, isOwnElement } from "./storage.js";
import { axesIndex } from "./views.js";

type Store = Extract<Statement, { kind: "store" }>;

/** A contraction with its epilogue, and the schedule for the target. */
export function emitContraction(
  group: ContractGroup,
  emission: Emission,
  target: TargetLimits,
): Omit<ContractKernel, "name" | "spans"> {
  const main = group.roots[0];
  if (main === undefined) throw new InternalError("an empty contraction");
  const contraction = contractionOf(main.value.node);
  const accumulator: Accumulator = {
    id: emission.freshAccumulator(),
    combiner: "sum",
    dtype: contraction.accumulate,
    keyDtype: contraction.accumulate,
  };
  const members = new Set(group.roots);
  const results = new Map<Root, ScalarExpr>();
  const expressions = kernelExpressions(emission, (root, index) =>
    members.has(root) && !root.copy && isOwnElement(root, index) ? resultOf(root) : undefined,
  );
  const resultOf = (root: Root): ScalarExpr => {
    const known = results.get(root);
    if (known !== undefined) return known;
    const sum: ScalarExpr = { kind: "accumulated", dtype: accumulator.dtype, accumulator: accumulator.id };
    const result =
      root === main
        ? expressions.checkFinite(main.value.node, castTo(dtypeOf(main.value), sum))
        : pointwiseExpression(root, expressions, axesIndex(indexAt(root, boundLoop(root))));
    results.set(root, result);
    return result;
  };

  const [lhs, rhs] = operandsAt(main, boundLoop(main)).map((operand) =>
    castTo(contraction.accumulate, expressions.element(operand.value, operand.index)),
  );
  if (lhs === undefined || rhs === undefined) throw new InternalError("a contraction without operands");
  for (const root of group.roots) resultOf(root);
  const epilogue = group.roots.flatMap((root) =>
    emission.places.targets(root).map((place): Store => {
      const index = axesIndex(indexAt(root, boundLoop(root)));
      return { kind: "store", target: emission.places.access(root, place, index), value: resultOf(root) };
    }),
  );
  const merged = mergeAxes(inMemoryOrder({ ...loopsOf(main), lhs, rhs, epilogue }));
  const body = inTurns({ ...merged, m: longRowsLast(merged.m) }, accumulator.dtype, target);
  return scheduled(body, accumulator, emission.buffers, target);
}

/** Rows that a tile needs so that its sums hide each other's latency. */
const shortRows = 6;

interface Loops {
  readonly batch: readonly Extent[];
  readonly m: readonly Extent[];
  readonly n: readonly Extent[];
  readonly k: readonly Extent[];
}

export interface ContractBody extends Loops {
  readonly lhs: ScalarExpr;
  readonly rhs: ScalarExpr;
  readonly epilogue: readonly Store[];
}

/** Which operands are the same in each turn of the loop around. */
export interface FixedOperands {
  readonly lhs: boolean;
  readonly rhs: boolean;
}

/** A contraction with its schedule, and buffers for that. */
export function scheduled(
  body: ContractBody,
  accumulator: Accumulator,
  buffers: BufferTable,
  target: TargetLimits,
  fixed: FixedOperands = { lhs: false, rhs: false },
): Omit<ContractKernel, "name" | "spans"> {
  const { m, n, k, lhs, rhs, epilogue } = body;
  const { dtype } = accumulator;
  const schedule = scheduleContraction(
    {
      dtype,
      m: turnsOf(m),
      n: turnsOf(n),
      k: turnsOf(k),
      tile: { m: m.at(-1)?.extent ?? 1, n: n.at(-1)?.extent ?? 1 },
      lhs: { ...operandShape(lhs, m, k), fixed: fixed.lhs },
      rhs: { ...operandShape(rhs, n, k), fixed: fixed.rhs },
      turns: k.map((_, outer) => {
        const inner = k.slice(outer);
        return { depth: turnsOf(inner), lhs: footprint(lhs, [...m, ...inner]), rhs: footprint(rhs, [...n, ...inner]) };
      }),
      sums: turnsOf([...body.batch, ...m, ...n]),
      strided: { m: stridedAlong(epilogue, m), n: stridedAlong(epilogue, n) },
    },
    target,
  );
  const sizes = contractScratch(tileAxes({ ...body, schedule }), schedule, lanesOf(dtype, target));
  const parts = target.panels === false ? [] : scratchOrder;
  const scratch = parts
    .map((part) => sizes[part])
    .filter((length) => length > 0)
    .map((length) => buffers.add(dtype, length, { kind: "temporary" }, "packed panel"));
  return { kind: "contract", batch: body.batch, m, n, k, lhs, rhs, accumulator, epilogue, schedule, scratch };
}

/** Loops of one part in the order in which their operand lies in memory, so that the innermost takes the least steps. */
function inMemoryOrder(body: ContractBody): ContractBody {
  const { m, n, k, lhs, rhs } = body;
  const all = [...m, ...n, ...k];
  const larger = footprint(lhs, all) >= footprint(rhs, all) ? lhs : rhs;
  return { ...body, m: sortedBy(m, lhs), n: sortedBy(n, rhs), k: sortedBy(k, larger) };
}

/** Register tiles are cut from the innermost loop: where that is too short for one, from the longest. */
function longRowsLast(loops: readonly Extent[]): readonly Extent[] {
  const last = loops.at(-1);
  const longest = loops.reduce<Extent | undefined>(
    (a, b) => (a === undefined || b.extent >= a.extent ? b : a),
    undefined,
  );
  if (last === undefined || longest === undefined || last.extent >= shortRows || longest.extent < 2 * last.extent)
    return loops;
  return [...loops.filter((loop) => loop !== longest), longest];
}

/** Splits a long loop of k in two, of which the outer one can run outside the tiles, where that spares reading panels from afar. */
function inTurns(body: ContractBody, dtype: NumericDType, target: TargetLimits): ContractBody {
  const { batch, m, n, k, lhs, rhs } = body;
  const [loop, ...others] = k;
  if (loop === undefined || others.length > 0 || batch.length > 0 || target.panels === false) return body;
  const depth = depthOfTurn({ dtype, m: turnsOf(m), n: turnsOf(n), k: loop.extent }, target);
  if (depth === undefined) return body;
  const outer = { id: freshLoop(), extent: loop.extent / depth };
  const place = addAffine(loopAffine(outer.id, depth), loopAffine(loop.id));
  const rewriter = new Rewriter({ loop: (id) => (id === loop.id ? place : undefined) });
  return {
    ...body,
    k: [outer, { id: loop.id, extent: depth }],
    lhs: rewriter.expression(lhs),
    rhs: rewriter.expression(rhs),
  };
}

function sortedBy(loops: readonly Extent[], operand: ScalarExpr): readonly Extent[] {
  const [index] = indicesOf(operand);
  if (index === undefined) return loops;
  const step = (loop: Extent): number => Math.abs(strideOf(index, loop.id));
  return [...loops].sort((a, b) => step(b) - step(a));
}

function turnsOf(loops: readonly Extent[]): number {
  return loops.reduce((product, { extent }) => product * extent, 1);
}

/** Elements between the first and the last that a load reads; as many as the loops have turns where it is no plain load. */
function footprint(operand: ScalarExpr, loops: readonly Extent[]): number {
  const mentioned = (index: Affine): readonly Extent[] => loops.filter((loop) => strideOf(index, loop.id) !== 0);
  if (operand.kind !== "load")
    return turnsOf(loops.filter((loop) => indicesOf(operand).some((at) => strideOf(at, loop.id) !== 0)));
  const { index } = operand.access;
  const extents = new Map(loops.map((loop) => [loop.id, loop.extent]));
  const { min, max } = affineRange(index, (loop) => extents.get(loop) ?? 1);
  return Math.min(max - min + 1, turnsOf(mentioned(index)));
}

/** Axes that every index steps through as one (a batch of rows of vectors is more rows) become one axis of the tile. */
function mergeAxes(body: ContractBody): ContractBody {
  for (const name of ["m", "n", "k"] as const) {
    const loops = body[name];
    for (let i = 0; i + 1 < loops.length; i++) {
      const [outer, inner] = [loops[i], loops[i + 1]];
      if (outer === undefined || inner === undefined) continue;
      const indices = [
        ...[body.lhs, body.rhs, ...body.epilogue.flatMap(expressionsOfStatement)].flatMap(indicesOf),
        ...body.epilogue.map((store) => store.target.index),
      ];
      if (!indices.every((index) => strideOf(index, outer.id) === strideOf(index, inner.id) * inner.extent)) continue;
      const rewriter = new Rewriter({ loop: (loop) => (loop === outer.id ? zero : undefined) });
      return mergeAxes({
        ...body,
        [name]: [...loops.slice(0, i), { id: inner.id, extent: outer.extent * inner.extent }, ...loops.slice(i + 2)],
        lhs: rewriter.expression(body.lhs),
        rhs: rewriter.expression(body.rhs),
        epilogue: body.epilogue.map((store) => ({
          ...store,
          target: rewriter.access(store.target),
          value: rewriter.expression(store.value),
        })),
      });
    }
  }
  return body;
}

function indicesOf(root: ScalarExpr): readonly Affine[] {
  const found: Affine[] = [];
  forEachExpression(root, new Set(), (e) => {
    if (e.kind === "load") found.push(e.access.index);
    else if (e.kind === "index") found.push(e.value);
    else if (e.kind === "random") found.push(e.position);
  });
  return found;
}

function accessesOf(root: ScalarExpr): readonly Access[] {
  const found: Access[] = [];
  forEachExpression(root, new Set(), (e) => {
    if (e.kind === "load") found.push(e.access);
  });
  return found;
}

function loopsOf(main: Root): Loops {
  const contraction = contractionOf(main.value.node);
  const index = main.index;
  const axesOf = (from: number, count: number): readonly Extent[] =>
    index.slice(from, from + count).flatMap((at) => {
      const axis = main.axes.find((candidate) => strideOf(at, candidate.own) !== 0);
      return axis === undefined ? [] : [{ id: axis.bound ?? axis.own, extent: axis.extent }];
    });
  const { batch, m, n } = contraction;
  return {
    batch: axesOf(0, batch.length),
    m: axesOf(batch.length, m.length),
    n: axesOf(batch.length + m.length, n.length),
    k: main.axes.filter((axis) => axis.reduced).map((axis) => ({ id: axis.bound ?? axis.own, extent: axis.extent })),
  };
}

/** Loads and stores of the epilogue that step through memory along these loops, but not one element at a time. */
function stridedAlong(epilogue: readonly Store[], loops: readonly Extent[]): number {
  const loads = [...new Set(epilogue.flatMap(expressionsOfStatement))].flatMap(accessesOf);
  const innermost = loops.at(-1);
  if (innermost === undefined) return 0;
  return [...loads, ...epilogue.map((store) => store.target)].filter((access) => {
    const stride = strideAlong(access, innermost.id);
    return stride !== 0 && stride !== 1;
  }).length;
}

function operandShape(
  operand: ScalarExpr,
  free: readonly Extent[],
  contracted: readonly Extent[],
): Omit<OperandShape, "fixed"> {
  const loops = [...free, ...contracted];
  const elements = footprint(operand, loops);
  const turns = turnsOf(loops);
  if (operand.kind !== "load" || operand.access.dynamic !== undefined) {
    return { plain: false, unitFree: false, unitContracted: false, windowed: false, step: 1, shared: 0, elements };
  }
  const { index } = operand.access;
  const unitFree = isUnit(index, free.slice(-1));
  const innermost = contracted.at(-1);
  const step = innermost === undefined ? 1 : Math.abs(strideOf(index, innermost.id));
  const steps = stepsInTurn(innermost?.extent ?? 1);
  const neighbour = free.at(-1);
  const apart = (neighbour === undefined ? 0 : Math.abs(strideOf(index, neighbour.id))) / Math.max(1, step);
  return {
    plain: true,
    unitFree,
    unitContracted: isUnit(index, contracted),
    // Windows overlap: the same elements are read in several turns.
    windowed: 1.5 * elements < turns,
    step,
    shared: step > 0 && apart > 0 && apart < steps && Number.isInteger(apart) ? steps - 1 : 0,
    elements,
  };
}

/** Whether the loops, taken as one row-major axis, step through memory one element at a time. */
function isUnit(index: Affine, loops: readonly Extent[]): boolean {
  let stride = 1;
  for (let i = loops.length - 1; i >= 0; i--) {
    const loop = loops[i];
    if (loop === undefined || strideOf(index, loop.id) !== stride) return false;
    stride *= loop.extent;
  }
  return true;
}
