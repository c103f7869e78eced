import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import type { Tensor } from "../../compiler/ir/tensor.js";

/** Runs `use` with a new folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "graphc-test-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes bytes or text under `name` in `folder`; gives the path. */
export async function put(folder: string, name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** Sees that a step fails with a GraphError of this code whose message matches; gives the error. */
export async function failsWith(
  t: ExecutionContext,
  step: () => unknown,
  code: string,
  message: RegExp,
): Promise<GraphError | undefined> {
  let result: unknown;
  try {
    result = await step();
  } catch (error) {
    if (!(error instanceof GraphError)) {
      throw error;
    }
    t.is(error.diagnostics[0]?.code, code, error.message);
    t.regex(error.message, message);
    return error;
  }
  t.fail(`expected ${code}, got ${typeof result}`);
  return undefined;
}

/** A tensor's elements as numbers, for comparisons. */
export function numbersOf(tensor: Tensor | undefined): readonly number[] {
  return tensor === undefined ? [] : Array.from(tensor.data, Number);
}

/** The fixtures are data, which the build does not copy; tests run from the project's root. */
export const fixtures = "test/runtime/data/fixtures";
