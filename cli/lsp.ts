import { createConnection } from "vscode-languageserver/node";
import { serve } from "../editor/server/server.js";
import type { ExitCode } from "./failure.js";

export interface LspOptions {
  readonly allowPath?: readonly string[] | undefined;
}

/** Speaks the language server protocol on standard input and output. The process ends when the editor says so, or goes away. */
export function lsp(options: LspOptions): Promise<ExitCode> {
  serve(createConnection(process.stdin, process.stdout), { allowPaths: options.allowPath ?? [] });
  return new Promise(() => undefined);
}
