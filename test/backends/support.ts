/** Runs one computation on the reference and natively, on equal feeds and variables. */

import type { CompileOptions } from "../../compiler/backends/backend.js";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { cpuBackend } from "../../compiler/backends/llvm/backend.js";
import { type CpuTarget, hostTarget } from "../../compiler/backends/llvm/target.js";
import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { type Bound, bindOn, type Contents, outputsOf, startState } from "./bound.js";
import { differencesOf, type OpModule } from "./matrix.js";

export const nativeIsAvailable = probe().available;

if (!nativeIsAvailable) {
  const missing = probe().requirements.filter(({ found }) => !found);
  console.log(
    `tests of native code are skipped: ${missing.map(({ name, detail }) => `${name} (${detail})`).join(", ")}`,
  );
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

/** Where native code gives something else than the reference for a module of the op table. */
export async function nativeDifferences(module: OpModule): Promise<readonly string[]> {
  const both = await bindBoth(module.computation, new Map(), hostTarget());
  try {
    const expected = outputsOf(both.reference.executable.run(module.feeds, startState));
    const actual = outputsOf(both.native.executable.run(module.feeds, startState));
    return differencesOf(module, actual, expected);
  } finally {
    both.close();
  }
}
