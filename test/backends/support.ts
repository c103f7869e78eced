/** Runs one computation on the reference and natively, on equal feeds and variables, and says where the results differ. */

import type { Backend, CompileOptions } from "../../compiler/backends/backend.js";
import type { Executable, RunOutcome, RunState, StorageBlock } from "../../compiler/backends/executable.js";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { cpuBackend } from "../../compiler/backends/llvm/backend.js";
import type { CpuTarget } from "../../compiler/backends/llvm/target.js";
import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { decodeBF16, decodeF16 } from "../../compiler/ir/half.js";
import { elementCount, type TensorData } from "../../compiler/ir/tensor.js";

export const nativeIsAvailable = probe().available;

if (!nativeIsAvailable) {
  const missing = probe().requirements.filter(({ found }) => !found);
  console.log(
    `tests of native code are skipped: ${missing.map(({ name, detail }) => `${name} (${detail})`).join(", ")}`,
  );
}

/** Elements of placeholders or variables, by name. */
export type Contents = ReadonlyMap<string, TensorData>;

export const startState: RunState = { seed: 42n, step: 7n, runsSinceStep: 3n };

/** An executable with storage of its own, and what frees all of it. */
export interface Bound {
  readonly executable: Executable;
  readonly variables: ReadonlyMap<string, StorageBlock>;
  readonly allocate: Backend["memory"]["allocate"];
  readonly close: () => void;
}

let compiling = 0;
const waiting: (() => void)[] = [];

/** Tests of a file run at once; their compilers, processes of a hundred megabytes, run two at a time. */
async function inTurn<T>(compile: () => Promise<T>): Promise<T> {
  if (compiling >= 2) await new Promise<void>((resolve) => waiting.push(resolve));
  else compiling++;
  try {
    return await compile();
  } finally {
    const next = waiting.shift();
    if (next === undefined) compiling--;
    else next();
  }
}

/** Compiles and binds; the variables start with `contents`, or with zeros. */
export async function bindOn(
  backend: Backend,
  computation: Computation,
  contents: Contents = new Map(),
  options: CompileOptions = { checkNumerics: false },
): Promise<Bound> {
  const compiled = await inTurn(() => backend.compile(computation, options));
  const variables = new Map(
    compiled.info.variables.map(({ name, dtype, shape }) => {
      const block = backend.memory.allocate(dtype, elementCount(shape));
      const content = contents.get(name);
      if (content !== undefined) copyInto(block.data, content);
      return [name, block];
    }),
  );
  const executable = compiled.bind(variables);
  return {
    executable,
    variables,
    allocate: backend.memory.allocate,
    close: () => {
      executable.close();
      compiled.close();
      for (const block of variables.values()) block.free();
    },
  };
}

/** The reference and the native back end, each with the same start; native code may be made of another form of the computation. */
export async function bindBoth(
  computation: Computation,
  contents: Contents = new Map(),
  target?: CpuTarget,
  options: CompileOptions = { checkNumerics: false },
  forNative: Computation = computation,
): Promise<{ readonly reference: Bound; readonly native: Bound; readonly close: () => void }> {
  const reference = await bindOn(referenceBackend(), computation, contents, options);
  const native = await bindOn(target === undefined ? cpuBackend() : cpuBackend(target), forNative, contents, options);
  return {
    reference,
    native,
    close: () => {
      reference.close();
      native.close();
    },
  };
}

export function copyInto(target: TensorData, source: TensorData): void {
  if (target.length !== source.length) throw new RangeError(`${source.length} elements into ${target.length}`);
  if (target instanceof BigInt64Array) {
    if (source instanceof BigInt64Array) target.set(source);
  } else if (!(source instanceof BigInt64Array)) target.set(source);
}

/** How far two floats may be apart, and whether the sign of a zero counts. */
export interface Tolerance {
  /** Steps of the dtype from number to number. */
  readonly ulps: number;
  /** Differences up to this are never wrong (sums with cancellation). */
  readonly absolute: number;
  /** Differences up to this times the expected magnitude are never wrong. */
  readonly relative: number;
  readonly zeroSigns: boolean;
}

export const exact: Tolerance = { ulps: 0, absolute: 0, relative: 0, zeroSigns: true };

/** The first element that differs, in words; undefined where all agree. NaN agrees with NaN. */
export function firstDifference(
  dtype: NumericDType,
  actual: TensorData,
  expected: TensorData,
  tolerance: Tolerance = exact,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} elements, not ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [actual[i], expected[i]];
    if (x === y && x !== 0) continue;
    if (typeof x === "bigint" || typeof y === "bigint") {
      if (x !== y) return `[${i}] is ${x}, not ${y}`;
      continue;
    }
    const [number, wanted] = [flushed(dtype, x as number), flushed(dtype, y as number)];
    if (!agrees(dtype, number, wanted, tolerance)) return `[${i}] is ${signed(number)}, not ${signed(wanted)}`;
  }
  return undefined;
}

function agrees(dtype: NumericDType, x: number, y: number, tolerance: Tolerance): boolean {
  if (Object.is(x, y)) return true;
  if (x === 0 && y === 0) return !tolerance.zeroSigns;
  // The processor flushes what is tiny before it is rounded, the reference what is tiny after.
  const { least } = formats[dtype] ?? wholeNumbers;
  const greatest = Math.max(Math.abs(x), Math.abs(y));
  if ((x === 0 || y === 0) && greatest >= least && greatest <= least * (1 + 2 ** -40)) return sameSign(x, y);
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return tolerance.ulps > 0 && isNextToInfinity(dtype, x, y);
  const distance = Math.abs(x - y);
  return distance <= Math.max(tolerance.absolute, tolerance.relative * Math.abs(y), tolerance.ulps * unit(dtype, y));
}

function sameSign(x: number, y: number): boolean {
  return (x < 0 || Object.is(x, -0)) === (y < 0 || Object.is(y, -0));
}

/** The greatest number and infinity are one rounding apart. */
function isNextToInfinity(dtype: NumericDType, x: number, y: number): boolean {
  const { precision, greatest } = formats[dtype] ?? wholeNumbers;
  const [small, large] = Math.abs(x) < Math.abs(y) ? [x, y] : [y, x];
  return Math.sign(small) === Math.sign(large) && Math.abs(small) >= greatest * (1 - 4 * 2 ** -precision);
}

const wholeNumbers = { precision: 64, least: 1, greatest: Number.POSITIVE_INFINITY };
const formats: Partial<Record<NumericDType, typeof wholeNumbers>> = {
  f64: { precision: 53, least: 2 ** -1022, greatest: Number.MAX_VALUE },
  f32: { precision: 24, least: 2 ** -126, greatest: (2 - 2 ** -23) * 2 ** 127 },
  bf16: { precision: 8, least: 2 ** -126, greatest: (2 - 2 ** -7) * 2 ** 127 },
  f16: { precision: 11, least: 2 ** -14, greatest: 65_504 },
};

/** The distance between neighbours of a dtype around a number; at the least normal ones where it is smaller still. */
function unit(dtype: NumericDType, x: number): number {
  const format = formats[dtype];
  if (format === undefined) return 0;
  const magnitude = Math.max(Math.abs(x), format.least);
  return 2 ** Math.floor(Math.log2(magnitude)) * 2 ** (1 - format.precision);
}

/** An element's number. A subnormal counts as a signed zero, whether the code that moved it flushed it or not. */
function flushed(dtype: NumericDType, element: number): number {
  if (dtype === "f16") return decodeF16(element);
  const x = dtype === "bf16" ? decodeBF16(element) : element;
  const { least } = formats[dtype] ?? wholeNumbers;
  return Math.abs(x) < least ? x * 0 : x;
}

function signed(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** The outputs of a run; a failure is thrown. */
export function outputsOf(outcome: RunOutcome): readonly TensorData[] {
  if (outcome.kind === "failed") throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`);
  return outcome.outputs;
}
