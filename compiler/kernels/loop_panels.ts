import { expressionsOf, forEachExpression, mentions, writtenBy } from "./access.js";
import { addAffine, constantAffine, loopAffine, scaleAffine, zero } from "./affine.js";
import { scheduled } from "./contract_kernels.js";
import { tileAxes } from "./contract_scratch.js";
import type {
  AccumulatorId,
  Affine,
  BufferId,
  ContractKernel,
  Extent,
  Kernel,
  LoopId,
  LoopKernel,
  NestKernel,
  ScalarExpr,
  Statement,
  WhileKernel,
} from "./form.js";
import { serial } from "./lanes.js";
import { scheduleNest } from "./loops.js";
import type { KernelNames } from "./names.js";
import { Rewriter } from "./rewrite.js";
import { freshLoop } from "./roots.js";
import { lanesOf, type TargetLimits } from "./schedule.js";
import type { BufferTable } from "./storage.js";

interface Surroundings {
  readonly buffers: BufferTable;
  readonly names: KernelNames;
  readonly target: TargetLimits;
  readonly freshAccumulator: () => AccumulatorId;
}

/**
 * A contraction in a loop reads the weights of a recurrent layer anew in each turn. Where it would pack them, the panel is filled once,
 * before the loop: the same numbers in the same order, without a copy of all weights a turn.
 */
export function panelsBeforeLoops(kernels: readonly Kernel[], around: Surroundings): readonly Kernel[] {
  return around.target.panels === false ? kernels : new PanelPlanner(around).list(kernels);
}

class PanelPlanner {
  readonly #around: Surroundings;
  /** Kernels that fill panels: out of an inner loop they may go on, out of those around it. */
  readonly #fills = new Set<Kernel>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  list(kernels: readonly Kernel[]): readonly Kernel[] {
    return kernels.flatMap((kernel): readonly Kernel[] => {
      switch (kernel.kind) {
        case "loop":
        case "while":
          return this.#loop(kernel);
        case "branch":
          return [{ ...kernel, whenTrue: this.list(kernel.whenTrue), whenFalse: this.list(kernel.whenFalse) }];
        case "nest":
        case "contract":
        case "routine":
          return [kernel];
      }
    });
  }

  /** What goes before the loop, and the loop. */
  #loop(kernel: LoopKernel | WhileKernel): readonly Kernel[] {
    const loop = kernel.kind === "loop" ? kernel.loop.id : kernel.loop;
    const written = writtenBy(kernel);
    const isFixed = (root: ScalarExpr): boolean => isSame(root, loop, written);
    // A loop of one turn would fill the panel no less often.
    if (kernel.kind === "loop" && kernel.loop.extent < 2) return [{ ...kernel, body: this.list(kernel.body) }];
    const before: Kernel[] = [];
    const body = this.list(kernel.body).flatMap((inner): readonly Kernel[] => {
      if (this.#fills.has(inner) && expressionsOf(inner).every(isFixed)) {
        before.push(inner);
        return [];
      }
      if (inner.kind !== "contract") return [inner];
      const taken = this.#panel(inner, { lhs: isFixed(inner.lhs), rhs: isFixed(inner.rhs) });
      if (taken === undefined) return [inner];
      this.#fills.add(taken.fill);
      before.push(taken.fill);
      return [taken.contraction];
    });
    return [...before, { ...kernel, body }];
  }

  /** A contraction that reads a panel which is there, and what fills that; undefined where it packs no operand that is `fixed`. */
  #panel(
    kernel: ContractKernel,
    fixed: { readonly lhs: boolean; readonly rhs: boolean },
  ): { readonly contraction: ContractKernel; readonly fill: NestKernel } | undefined {
    if (!fixed.lhs && !fixed.rhs) return undefined;
    const { buffers, names, target } = this.#around;
    const { name, spans, accumulator } = kernel;
    const contraction = { name, spans, ...scheduled(kernel, accumulator, buffers, target, fixed) };
    const { schedule } = contraction;
    const [operand, isFixed] =
      schedule.vectorAxis === "n" ? [contraction.rhs, fixed.rhs] : [contraction.lhs, fixed.lhs];
    const { outer, turns } = tileAxes(contraction);
    const isOne = turns.length === 0 && outer.every(({ id }) => !variesWith(operand, id));
    const [buffer, ...scratch] = contraction.scratch;
    if (!isFixed || !schedule.packVectorOperand || !isOne || buffer === undefined) return undefined;
    const panel = { buffer, width: schedule.vectors * lanesOf(accumulator.dtype, target) };
    const body = fillStatements(contraction, operand, panel.buffer, panel.width);
    const nest: NestKernel = { kind: "nest", name: names.unique(`${name}_panel`), body, spans };
    return { contraction: { ...contraction, scratch, panel }, fill: scheduleNest(nest, target, this.#around) };
  }
}

/** Whether an expression is the same in each turn of a loop that writes these buffers, and may be evaluated where the loop has no turn. */
function isSame(root: ScalarExpr, loop: LoopId, written: ReadonlySet<BufferId>): boolean {
  let same = true;
  forEachExpression(root, new Set(), (e) => {
    switch (e.kind) {
      case "load": {
        const { buffer, index, dynamic } = e.access;
        if (written.has(buffer) || mentions(index, loop) || dynamic !== undefined) same = false;
        break;
      }
      case "index":
        if (mentions(e.value, loop)) same = false;
        break;
      case "constant":
      case "apply":
        break;
      case "random":
      case "accumulated":
      case "check_index":
      case "check_finite":
      case "check_nonzero":
        same = false;
        break;
    }
  });
  return same;
}

function variesWith(root: ScalarExpr, loop: LoopId): boolean {
  return !isSame(root, loop, new Set());
}

/** Strip by strip of columns, in each k by k, the strip's columns; zeros where the last strip has none. */
function fillStatements(
  kernel: ContractKernel,
  operand: ScalarExpr,
  buffer: BufferId,
  width: number,
): readonly Statement[] {
  const { columns, depth } = tileAxes(kernel);
  const { dtype } = kernel.accumulator;
  const rows = depth.reduce((product, { extent }) => product * extent, 1);
  const whole = Math.floor(columns.extent / width);
  const rest = columns.extent - whole * width;
  /** Fills `count` columns from one on of so many strips, of which the first is the one with this number. */
  const part = (first: number, strips: number, from: number, count: number, isThere: boolean): readonly Statement[] => {
    if (strips === 0 || count === 0) return [];
    const strip: Extent | undefined = strips === 1 ? undefined : { id: freshLoop(), extent: strips };
    const within: Extent = { id: freshLoop(), extent: count };
    const turns = depth.map(({ extent }): Extent => ({ id: freshLoop(), extent }));
    const number = addAffine(strip === undefined ? zero : loopAffine(strip.id), constantAffine(first));
    const place = addAffine(loopAffine(within.id), constantAffine(from));
    const row = turns.reduce<Affine>(
      (sum, { id, extent }) => addAffine(scaleAffine(sum, extent), loopAffine(id)),
      zero,
    );
    const column = addAffine(scaleAffine(number, width), place);
    const at = new Map([
      [columns.id, column],
      ...depth.map(({ id }, i) => [id, loopAffine(turns[i]?.id ?? id)] as const),
    ]);
    const value: ScalarExpr = isThere
      ? new Rewriter({ loop: (loop) => at.get(loop) }).expression(operand)
      : { kind: "constant", dtype, value: 0 };
    const index = addAffine(addAffine(scaleAffine(number, rows * width), scaleAffine(row, width)), place);
    const loops = strip === undefined ? [...turns, within] : [strip, ...turns, within];
    return loops.reduceRight<readonly Statement[]>(
      (body, loop) => [{ kind: "loop", ...loop, accumulators: [], schedule: serial, body }],
      [{ kind: "store", target: { buffer, index }, value }],
    );
  };
  return [
    ...part(0, whole, 0, width, true),
    ...part(whole, 1, 0, rest, true),
    ...part(whole, 1, rest, rest === 0 ? 0 : width - rest, false),
  ];
}
