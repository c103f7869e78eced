import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import { version } from "../compiler/version.js";
import { renderJson, renderText, summarize } from "../dsl/render.js";
import type { Console } from "./console.js";
import type { JsonValue } from "./json.js";
import { sourceText } from "./source.js";

/** What the process ends with. */
export const exitCodes = { fine: 0, wrongInput: 1, usage: 2, missing: 3, defect: 70 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command line is not understood: said with the way to its help, and exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Diagnostics as text on standard error, with the lines that they point at. */
export function showDiagnostics(console: Console, diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const width = Math.max(40, (process.stderr.columns ?? 120) - 10);
  console.problem(
    renderText(diagnostics, { source: sourceText, color: console.colors(process.stderr), width: Math.min(width, 110) }),
  );
  const summary = summarize(diagnostics);
  if (diagnostics.length > 1) console.problem(`\n${summary}`);
}

/** The member `diagnostics` of what `--json` prints. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[]): readonly JsonValue[] {
  return renderJson(diagnostics, sourceText).map((d) => ({
    ...d,
    notes: d.notes.map((note) => ({ ...note })),
    fixes: d.fixes.map(({ title, edits }) => ({ title, edits: edits.map((edit) => ({ ...edit })) })),
  }));
}

/** Says what went wrong and gives the exit code. Whatever is not bad input is a defect of graphc and says so. */
export function report(console: Console, error: unknown, command: string): ExitCode {
  if (error instanceof GraphError) {
    const code = exitCodeOf(error.diagnostics);
    if (console.isJson) console.object({ diagnostics: diagnosticsJson(error.diagnostics) });
    else showDiagnostics(console, error.diagnostics);
    return code;
  }
  if (error instanceof UsageError) return usage(console, error.message, command);
  return defect(console, error);
}

/** 3 where a part of the machine is missing, else 1. */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return exitCodes.fine;
  return errors.every(({ code }) => code === "G120" || code === "G122") ? exitCodes.missing : exitCodes.wrongInput;
}

export function usage(console: Console, message: string, command: string): ExitCode {
  const help = command === "" ? "graphc help" : `graphc ${command} --help`;
  if (console.isJson) console.object({ diagnostics: [], error: { kind: "usage", message, help } });
  else {
    const head = console.paint("red", console.paint("bold", "error", process.stderr), process.stderr);
    console.problem(`${head}: ${message}\n\nSee \`${help}\`.`);
  }
  return exitCodes.usage;
}

/** Node's own failures that are the machine's state, not a defect. */
const resourceProblems: ReadonlyMap<string, string> = new Map([
  ["ERR_MEMORY_ALLOCATION_FAILED", "the machine has not enough free memory"],
  ["ENOMEM", "the machine has not enough free memory"],
  ["EMFILE", "this process has too many files open"],
  ["ENFILE", "the machine has too many files open"],
  ["ENOSPC", "the disk is full"],
]);

function defect(console: Console, error: unknown): ExitCode {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const resource =
    resourceProblems.get(code) ??
    (/Array buffer allocation failed/.test(message) ? resourceProblems.get("ENOMEM") : undefined);
  if (resource !== undefined) {
    if (console.isJson)
      console.object({ diagnostics: [], error: { kind: "resources", message: resource, detail: message } });
    else console.problem(`error: ${resource} (${message})`);
    return exitCodes.wrongInput;
  }
  const kind = error instanceof Error ? error.name : typeof error;
  const platform = `graphc ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  const debug = process.env.GRAPHC_DEBUG;
  const wantsStack = debug !== undefined && debug !== "" && debug !== "0";
  if (console.isJson) {
    console.object({ diagnostics: [], error: { kind: "defect", message: `${kind}: ${message}`, version, platform } });
  } else {
    const lines = [
      `${console.paint("red", console.paint("bold", "internal error", process.stderr), process.stderr)}: this is a defect of graphc, not of your file`,
      "",
      ...`${kind}: ${message}`.split("\n").map((line) => `  ${line}`),
      "",
      `Please report it with the .graph file, the command line, these lines, and:`,
      `  ${platform}`,
      wantsStack ? "" : "GRAPHC_DEBUG=1 before the command adds where in graphc it happened.",
    ];
    console.problem(lines.join("\n").trimEnd());
  }
  if (wantsStack && error instanceof Error && error.stack !== undefined) console.problem(`\n${error.stack}`);
  return exitCodes.defect;
}
