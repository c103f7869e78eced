import { InternalError } from "../../../ir/diagnostic.js";
import type { Buffer, BufferId, RoutineKernel } from "../../../kernels/form.js";
import { i64, storageElement } from "../types.js";
import type { Value } from "../value.js";
import { emitAlongAxis } from "./along.js";
import { statusWords } from "./block.js";
import { emitDet, emitSlogdet } from "./determinant.js";
import type { KernelScope } from "./expressions.js";
import { emitCholesky, emitQr, emitSolve, emitTriangularSolve } from "./factorise.js";
import { Matrix, type RoutineScope } from "./routine_scope.js";
import { emitEigh, emitSvd } from "./spectrum.js";

/** Writes a linear-algebra routine: a loop over the batch around the textbook algorithm for one matrix. */
export function emitRoutine(scope: KernelScope, kernel: RoutineKernel, buffers: ReadonlyMap<BufferId, Buffer>): void {
  if (kernel.parameters.has("length")) {
    emitAlongAxis(scope, kernel, buffers);
    return;
  }
  const { b } = scope;
  const size = (name: string): number => {
    const value = kernel.parameters.get(name);
    if (value === undefined) throw new InternalError(`the routine ${kernel.routine} needs the size ${name}`);
    return value;
  };
  const batch = size("batch");
  const matrix = (id: BufferId, entry: Value | undefined): Matrix => {
    const base = scope.pointers.get(id);
    const buffer = buffers.get(id);
    if (base === undefined || buffer === undefined) throw new InternalError(`buffer ${id} is not a parameter`);
    if (entry === undefined) return new Matrix(b, kernel.dtype, base);
    const step = b.mul(entry, b.index(buffer.length / Math.max(1, batch)));
    return new Matrix(b, kernel.dtype, b.offsetElements(base, storageElement(kernel.dtype), step));
  };
  const scratch = kernel.scratch[0];
  if (scratch === undefined) throw new InternalError(`the routine ${kernel.routine} has no scratch`);
  b.loop(0, batch, 1, (entry) => {
    emitOne(kernel.routine, {
      b,
      dtype: kernel.dtype,
      operands: kernel.operands.map((id) => matrix(id, entry)),
      results: kernel.results.map((id) => matrix(id, entry)),
      scratch: matrix(scratch, undefined),
      size,
      failWhere: (bad) => reportFailure(scope, kernel.failure, bad),
    });
    return [];
  });
}

function emitOne(routine: string, scope: RoutineScope): void {
  switch (routine) {
    case "solve":
      emitSolve(scope);
      break;
    case "triangular_solve":
      emitTriangularSolve(scope);
      break;
    case "cholesky":
      emitCholesky(scope);
      break;
    case "qr":
      emitQr(scope);
      break;
    case "svd":
      emitSvd(scope);
      break;
    case "eigh":
      emitEigh(scope);
      break;
    case "det":
      emitDet(scope);
      break;
    case "slogdet":
      emitSlogdet(scope);
      break;
    default:
      throw new InternalError(`the native back end has no routine ${routine}`);
  }
}

function reportFailure(scope: KernelScope, failure: number | undefined, bad: Value): void {
  const { b, status } = scope;
  if (status === undefined || failure === undefined) return;
  const slot = b.offsetElements(status, "i64", statusWords.failure);
  b.ifElse(bad, () => {
    const earlier = b.load(i64, slot);
    b.store(b.select(b.compare("eq", earlier, b.index(0)), b.index(failure + 1), earlier), slot);
  });
}
