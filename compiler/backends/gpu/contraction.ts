import type { ContractKernel, Extent, NestKernel, Statement } from "../../kernels/form.js";
import { serial } from "../../kernels/lanes.js";

/** A contraction as the loops that it stands for. */
export function nestOf(kernel: ContractKernel): NestKernel {
  const { accumulator, lhs, rhs, k, name, spans } = kernel;
  const term: Statement = {
    kind: "accumulate",
    accumulator: accumulator.id,
    value: { kind: "apply", dtype: accumulator.dtype, op: "mul", args: [lhs, rhs] },
    index: undefined,
  };
  // A product over nothing has one term.
  const loops = k.length > 0 ? k : [{ id: -1, extent: 1 }];
  const sum = loops.reduceRight<readonly Statement[]>(
    (body, { id, extent }, depth) => [
      { kind: "loop", id, extent, accumulators: depth === 0 ? [accumulator] : [], schedule: serial, body },
    ],
    [term],
  );
  const body = loopsAround([...kernel.batch, ...kernel.m, ...kernel.n], [...sum, ...kernel.epilogue]);
  return { kind: "nest", name, body, spans };
}

/** Statements within loops that sum nothing up, from the outermost. */
export function loopsAround(loops: readonly Extent[], statements: readonly Statement[]): readonly Statement[] {
  return loops.reduceRight<readonly Statement[]>(
    (body, { id, extent }) => [{ kind: "loop", id, extent, accumulators: [], schedule: serial, body }],
    statements,
  );
}
