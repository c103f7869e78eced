import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { format } from "../dsl/format.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import type { CommonOptions, Console } from "./console.js";
import { diagnosticsJson, type ExitCode, exitCodeOf, exitCodes, showDiagnostics } from "./failure.js";
import { plural } from "./numbers.js";
import { readSource } from "./source.js";

export interface FmtOptions extends CommonOptions {
  readonly check?: boolean | undefined;
}

/** Formats each file, or with `--check` lists those that are not. A file with errors stays as it is; the others are done. */
export async function fmt(console: Console, files: readonly string[], options: FmtOptions): Promise<ExitCode> {
  const isCheck = options.check === true;
  const changed: string[] = [];
  const problems: Diagnostic[] = [];
  for (const file of new Set(files)) {
    try {
      const text = readSource(file);
      const result = format(text, file);
      if (!result.ok) {
        problems.push(...result.diagnostics);
        continue;
      }
      if (result.text === text) continue;
      if (!isCheck) await writeFileAtomic(file, [Buffer.from(result.text)]);
      changed.push(file);
      console.say(isCheck ? file : `formatted ${file}`);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      problems.push(...error.diagnostics);
    }
  }
  if (console.isJson) console.object({ changed, written: !isCheck, diagnostics: diagnosticsJson(problems) });
  else showDiagnostics(console, problems);
  if (isCheck && changed.length > 0) {
    console.note(
      `${plural(changed.length, "file")} would change; \`graphc fmt\` without --check writes ${changed.length === 1 ? "it" : "them"}`,
    );
    return exitCodes.wrongInput;
  }
  if (!isCheck && changed.length === 0 && problems.length === 0) console.note("nothing to change");
  return exitCodeOf(problems);
}
