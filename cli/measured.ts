import { cpuBackend } from "../compiler/backends/llvm/backend.js";
import type { Computation } from "../compiler/ir/graph.js";
import { allocate, elementCount } from "../compiler/ir/tensor.js";

/** Seconds of a call of each kernel, by name. */
export interface Measured {
  readonly runs: number;
  readonly kernels: ReadonlyMap<string, number>;
}

const mostRuns = 200;
const mostMilliseconds = 300;

/**
 * Runs a computation a few times with all feeds and variables zero: times of loops do not depend on the numbers, save where these
 * decide how often something is done. Undefined where a check fails on zeros.
 */
export async function measureOnZeros(computation: Computation): Promise<Measured | undefined> {
  const backend = cpuBackend();
  const compiled = await backend.compile(computation, { checkNumerics: false, profile: true });
  const { placeholders, variables } = compiled.info;
  const blocks = new Map(
    variables.map(({ name, dtype, shape }) => [name, backend.memory.allocate(dtype, elementCount(shape))]),
  );
  const executable = compiled.bind(blocks);
  try {
    const feeds = new Map(placeholders.map(({ name, dtype, shape }) => [name, allocate(dtype, elementCount(shape))]));
    const start = performance.now();
    let runs = 0;
    while (runs < mostRuns && (runs === 0 || performance.now() - start < mostMilliseconds)) {
      const outcome = executable.run(feeds, { seed: 0n, step: BigInt(runs), runsSinceStep: 0n });
      if (outcome.kind === "failed") return undefined;
      runs++;
    }
    const { kernels = [] } = executable.profile?.() ?? {};
    return { runs, kernels: new Map(kernels.map(({ name, calls, seconds }) => [name, seconds / Math.max(1, calls)])) };
  } finally {
    executable.close();
    for (const block of blocks.values()) block.free();
    compiled.close();
  }
}
