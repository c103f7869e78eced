import { InternalError } from "../ir/diagnostic.js";
import { addAffine, constantAffine, scaleAffine, strideOf } from "./affine.js";
import { contractScratch, tileAxes } from "./contract_scratch.js";
import { contractionOf } from "./contractions.js";
import { castTo, dtypeOf } from "./expressions.js";
import type { Accumulator, Affine, ContractKernel, Extent, ScalarExpr, Statement } from "./form.js";
import { type Emission, kernelExpressions, pointwiseExpression } from "./nests.js";
import type { ContractGroup } from "./regions.js";
import { boundLoop, indexAt, operandsAt, type Root } from "./roots.js";
import { lanesOf, type OperandShape, scheduleContraction, type TargetLimits } from "./schedule.js";
import { isOwnElement } from "./storage.js";
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

  const { batch, m, n, k } = loopsOf(main);
  const [lhs, rhs] = operandsAt(main, boundLoop(main)).map((operand) =>
    castTo(contraction.accumulate, expressions.element(operand.value, operand.index)),
  );
  if (lhs === undefined || rhs === undefined) throw new InternalError("a contraction without operands");
  const epilogue = group.roots.flatMap((root) =>
    emission.places.targets(root).map((place): Store => {
      const index = axesIndex(indexAt(root, boundLoop(root)));
      return { kind: "store", target: emission.places.access(root, place, index), value: resultOf(root) };
    }),
  );
  const count = (list: readonly Extent[]): number => list.reduce((product, { extent }) => product * extent, 1);
  const output = epilogue[0]?.target.index;
  const schedule = scheduleContraction(
    {
      dtype: contraction.accumulate,
      m: count(m),
      n: count(n),
      k: count(k),
      lhs: operandShape(lhs, m, k),
      rhs: operandShape(rhs, n, k),
      outputUnitAxis: output === undefined ? undefined : isUnit(output, n) ? "n" : isUnit(output, m) ? "m" : undefined,
    },
    target,
  );
  const sizes = contractScratch(
    tileAxes({ batch, m, n, k, schedule }),
    schedule,
    lanesOf(contraction.accumulate, target),
  );
  const scratch = [sizes.vectorPanel, sizes.scalarPanel, sizes.tile]
    .filter((length) => length > 0)
    .map((length) => emission.buffers.add(contraction.accumulate, length, { kind: "temporary" }, "packed panel"));
  return { kind: "contract", batch, m, n, k, lhs, rhs, accumulator, epilogue, schedule, scratch };
}

function loopsOf(main: Root): {
  readonly batch: readonly Extent[];
  readonly m: readonly Extent[];
  readonly n: readonly Extent[];
  readonly k: readonly Extent[];
} {
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

function operandShape(operand: ScalarExpr, free: readonly Extent[], contracted: readonly Extent[]): OperandShape {
  if (operand.kind !== "load") return { plain: false, unitFree: false, unitContracted: false };
  const { index } = operand.access;
  return { plain: true, unitFree: isUnit(index, free), unitContracted: isUnit(index, contracted) };
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

/** The position in a contraction's dense result, for tests and printers. */
export function densePosition(loops: readonly Extent[]): Affine {
  return loops.reduce<Affine>(
    (sum, loop) => addAffine(scaleAffine(sum, loop.extent), { offset: 0, terms: [{ loop: loop.id, stride: 1 }] }),
    constantAffine(0),
  );
}
