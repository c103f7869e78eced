import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { type CompileFileOptions, compile, GraphError, type Program, type TargetName } from "../../index.js";

/** The targets that this machine has. */
export const targets: readonly TargetName[] = probe().available ? ["reference", "cpu"] : ["reference"];

/** A folder of its own for a test, gone when the test ends. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "graphc-test-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a graph's text to a file and compiles it. */
export async function compileText(
  t: ExecutionContext,
  text: string,
  options: CompileFileOptions = {},
): Promise<Program> {
  const path = join(temporaryFolder(t), "model.graph");
  writeFileSync(path, text);
  return compile(path, { target: "reference", ...options });
}

/** The codes of the diagnostics that an action is refused with. */
export async function refusal(t: ExecutionContext, action: () => Promise<unknown>): Promise<readonly string[]> {
  const error = await t.throwsAsync(action, { instanceOf: GraphError });
  return error instanceof GraphError ? error.diagnostics.map(({ code }) => code) : [];
}
