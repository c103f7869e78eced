import type { JsonValue } from "./json.js";
import { jsonText } from "./json.js";

/** What every command takes. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** False with `--no-color`. */
  readonly color?: boolean | undefined;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const escapes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/**
 * Where the command's words go. Answers stand on standard output, remarks on standard error, so that a pipe gets the
 * answer alone; with `--json` standard output holds the one object and nothing else.
 */
export class Console {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly #color: boolean | undefined;

  constructor(options: CommonOptions = {}) {
    this.isJson = options.json === true;
    this.isQuiet = options.quiet === true;
    this.#color = options.color === false ? false : undefined;
  }

  /** What was asked for: standard output, also with `--quiet`; standard error with `--json`. */
  print(text: string): void {
    if (this.isJson) this.note(text);
    else write(process.stdout, `${text}\n`);
  }

  /** What is good to know along the way, on standard output; `--quiet` leaves it out. */
  say(text: string): void {
    if (!this.isQuiet) this.print(text);
  }

  /** A remark on standard error; `--quiet` leaves it out. */
  note(text: string): void {
    if (!this.isQuiet) write(process.stderr, `${text}\n`);
  }

  /** A problem, on standard error, always. */
  problem(text: string): void {
    write(process.stderr, `${text}\n`);
  }

  /** The one object of `--json`. */
  object(value: JsonValue): void {
    write(process.stdout, `${jsonText(value)}\n`);
  }

  /** Whether text on this stream is coloured. */
  colors(stream: NodeJS.WriteStream): boolean {
    return this.#color ?? streamColors(stream);
  }

  /** Paints text that will stand on standard output, or on `stream`. */
  paint(
    style: Style,
    text: string,
    stream: NodeJS.WriteStream = this.isJson ? process.stderr : process.stdout,
  ): string {
    if (!this.colors(stream)) return text;
    const [on, off] = escapes[style];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  }
}

/** https://no-color.org and https://force-color.org; no colour where it would not be seen. */
function streamColors(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR: none, FORCE_COLOR: force, TERM: term } = process.env;
  if (none !== undefined && none !== "") return false;
  if (force !== undefined && force !== "") return force !== "0";
  return stream.isTTY === true && term !== "dumb";
}

const closed = new Set<NodeJS.WriteStream>();
const whenClosed = new Set<() => void>();

/** Writes, unless the reader has gone away (`graphc ... | head`): then nobody wants to hear of it. */
export function write(stream: NodeJS.WriteStream, text: string): void {
  if (!closed.has(stream)) stream.write(text);
}

/** Keeps a closed pipe from ending the process with a stack trace. Other failures of the streams are reported as they are. */
export function watchStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      closed.add(stream);
      if (stream === process.stdout) for (const callback of whenClosed) callback();
    });
  }
}

/** Calls `callback` when nobody reads standard output any more; gives the function that ends that. */
export function onOutputClosed(callback: () => void): () => void {
  whenClosed.add(callback);
  return () => whenClosed.delete(callback);
}
