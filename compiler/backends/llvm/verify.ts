import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InternalError } from "../../ir/diagnostic.js";

/**
 * llvm-bindings says only that a module is broken; the `opt` tool says why. Gives an InternalError with its message, or
 * without where the tool is missing.
 */
export function diagnoseBrokenModule(text: string): InternalError {
  const folder = mkdtempSync(join(tmpdir(), "graphc-"));
  try {
    const path = join(folder, "broken.ll");
    writeFileSync(path, text);
    const run = spawnSync("opt-14", ["-passes=verify", "-disable-output", path], { encoding: "utf8" });
    const message = run.error === undefined ? run.stderr.slice(0, 2000) : "install llvm-14 to see LLVM's message";
    return new InternalError(`the generated LLVM module is broken: ${message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
