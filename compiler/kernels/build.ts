import "../ops/table.js";
import type { Computation } from "../ir/graph.js";
import { zero } from "./affine.js";
import { buildBlock, type KernelObserver, type ObservedKernel, type ProgramContext } from "./block.js";
import { expandComposites } from "./composites.js";
import { dtypeOf } from "./expressions.js";
import { Failures } from "./failures.js";
import { finishProgram } from "./finish.js";
import type { BufferId, KernelProgram, ProgramOutput } from "./form.js";
import type { FusionLog } from "./fusion_log.js";
import { withIndexChecks } from "./index_checks.js";
import { panelsBeforeLoops } from "./loop_panels.js";
import { masksFromResults } from "./masks.js";
import { KernelNames } from "./names.js";
import type { FusionOptions } from "./regions.js";
import type { TargetLimits } from "./schedule.js";
import { BufferTable, textAttribute } from "./storage.js";
import { shapeOf } from "./views.js";

export interface KernelOptions extends Partial<FusionOptions> {
  /** Every float result is checked; the run fails at the first op that makes a NaN or an infinity. */
  readonly checkNumerics: boolean;
  readonly observe?: KernelObserver;
  /** Takes down what is decided, and why. */
  readonly log?: FusionLog | undefined;
}

/**
 * Lowers a specialised computation (static shapes, no pseudo-ops) to kernels with their schedules and memory plan. Throws
 * InternalError for a computation that earlier stages should have refused.
 */
export function buildKernels(given: Computation, target: TargetLimits, options: KernelOptions): KernelProgram {
  const computation = masksFromResults(withIndexChecks(expandComposites(given)));
  let accumulators = 0;
  let finished = (id: BufferId): BufferId | undefined => id;
  const buffers = new BufferTable();
  const context: ProgramContext = {
    buffers,
    names: new KernelNames(),
    failures: new Failures(computation.sources, options.checkNumerics),
    sources: computation.sources,
    target,
    fusion: {
      fuseEpilogues: options.fuseEpilogues ?? true,
      fuseNests: options.fuseNests ?? true,
      single: options.single,
    },
    freshAccumulator: () => accumulators++,
    observe: (name, kernel) => {
      const observed = inFinished(kernel, (id) => finished(id));
      options.observe?.(name, observed);
      options.log?.kernel(name, observed);
    },
    log: options.log,
  };
  const { compute, commit, outputs } = buildBlock(
    {
      outputs: computation.outputs,
      assignments: computation.assignments,
      bound: new Map(),
      isVariables: true,
      isWriteOnly: () => false,
      pathOf: (value) => (value.node.op === "variable" ? textAttribute(value, "path") : undefined),
      target: (path, value) => ({ buffer: buffers.variable(path, value), offset: zero }),
      wantedAs: (path) => ({ kind: "assigned", path }),
    },
    context,
  );
  const { program, bufferOf } = finishProgram({
    name: computation.name,
    compute: panelsBeforeLoops(compute, context),
    commit: panelsBeforeLoops(commit, context),
    buffers: buffers.all(),
    outputs: computation.outputs.map(
      ({ name, value }, i): ProgramOutput => ({
        name,
        buffer: outputs[i] as BufferId,
        dtype: dtypeOf(value),
        shape: shapeOf(value),
      }),
    ),
    failures: context.failures.list,
  });
  finished = bufferOf;
  return program;
}

/** What was told of a kernel while buffers had other numbers. */
function inFinished(
  { roots, nodes, bufferOf }: ObservedKernel,
  finished: (id: BufferId) => BufferId | undefined,
): ObservedKernel {
  return {
    roots: roots.map((root) => ({ ...root, targets: () => root.targets().flatMap((id) => finished(id) ?? []) })),
    nodes,
    bufferOf: (value) => {
      const id = bufferOf(value);
      return id === undefined ? undefined : finished(id);
    },
  };
}
