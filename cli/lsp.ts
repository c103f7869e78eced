import { pipeline, type Writable } from "node:stream";
import { Worker } from "node:worker_threads";
import { InternalError } from "../compiler/ir/diagnostic.js";
import { Frames, NoMessage } from "../editor/server/frames.js";
import type { Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";

export interface LspOptions {
  readonly allowPath?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
}

/**
 * What a keystroke makes lives until the next one. A young generation that holds several of them is collected seldom, and has little to
 * copy then; that of a process is smaller, and only a thread can be given another.
 */
const youngMegabytes = 192;

const expected =
  "an editor starts `graphc lsp`, and speaks the Language Server Protocol on its standard input and output (docs/editor.md)";

/** Speaks the language server protocol on standard input and output. The process ends when the editor says so, or goes away. */
export async function lsp(console: Console, { allowPath, json }: LspOptions): Promise<ExitCode> {
  if (json === true) throw new UsageError(`\`lsp\` has no \`--json\`: ${expected}`);
  if (process.stdin.isTTY) console.note(`${expected}; Ctrl-C ends it`);
  const worker = new Worker(new URL("../editor/server/thread.js", import.meta.url), {
    workerData: { allowPaths: allowPath ?? [] },
    stdin: true,
    resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
  });
  const ended = new Promise<number>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", resolve);
    pipeline(process.stdin, new Frames(), inputOf(worker), (error) => {
      if (error instanceof NoMessage) reject(new UsageError(`${error.message}: ${expected}`));
    });
  });
  try {
    if ((await ended) === 0) return exitCodes.fine;
    console.problem("standard input ended before the editor said `shutdown` and `exit`");
    return exitCodes.wrongInput;
  } finally {
    process.stdin.destroy();
    await worker.terminate();
  }
}

function inputOf({ stdin }: Worker): Writable {
  if (stdin === null) throw new InternalError("the server's thread has no input");
  return stdin;
}
