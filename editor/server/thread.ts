import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { workerData } from "node:worker_threads";
import { createConnection } from "vscode-languageserver/node";
import { serve } from "./server.js";

/**
 * Writes at once, as a process does whose output is a pipe: what a thread gives its process to write is lost where it ends right after.
 */
class Output extends Writable {
  readonly #descriptor: number;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < chunk.length; ) at += this.#writeSome(chunk, at);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Where the pipe is full and does not wait by itself, waits a little, and has written nothing. */
  #writeSome(chunk: Buffer, at: number): number {
    try {
      return writeSync(this.#descriptor, chunk, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(this.#sleeper, 0, 0, 1);
      return 0;
    }
  }
}

/** The thread that `graphc lsp` starts, whose input is what the editor says. */
const { allowPaths } = workerData as { readonly allowPaths: readonly string[] };

serve(createConnection(process.stdin, new Output(1)), { allowPaths, input: process.stdin });
