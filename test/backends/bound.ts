/** A computation on one back end, with storage of its own. Nothing here needs Node. */

import type { Backend, CompileOptions } from "../../compiler/backends/backend.js";
import type { Executable, RunOutcome, RunState, StorageBlock } from "../../compiler/backends/executable.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { elementCount, type TensorData } from "../../compiler/ir/tensor.js";

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

export function copyInto(target: TensorData, source: TensorData): void {
  if (target.length !== source.length) throw new RangeError(`${source.length} elements into ${target.length}`);
  if (target instanceof BigInt64Array) {
    if (source instanceof BigInt64Array) target.set(source);
  } else if (!(source instanceof BigInt64Array)) target.set(source);
}

/** The outputs of a run; a failure is thrown. */
export function outputsOf(outcome: RunOutcome): readonly TensorData[] {
  if (outcome.kind === "failed") throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`);
  return outcome.outputs;
}
