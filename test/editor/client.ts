import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ExecutionContext } from "ava";

/** An editor as the server sees it: its own framing of JSON-RPC, so that the server's is tested too. */

const binary = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export interface Edit {
  readonly range: Range;
  readonly newText: string;
}

export interface Shown {
  readonly range: Range;
  readonly severity: number;
  readonly code: string;
  readonly message: string;
  readonly tags?: readonly number[];
  readonly relatedInformation: readonly { readonly location: { readonly uri: string; readonly range: Range } }[];
}

interface Published {
  readonly uri: string;
  readonly diagnostics: readonly Shown[];
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** An answer that is an error. */
export class AnsweredError extends Error {
  override readonly name = "AnsweredError";
  readonly code: number;

  constructor({ code, message }: { readonly code: number; readonly message: string }) {
    super(message);
    this.code = code;
  }
}

export class Editor {
  readonly folder: string;
  readonly child: ChildProcess;
  capabilities: Readonly<Record<string, unknown>> = {};
  stderr = "";
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #published = new Map<string, readonly Shown[]>();
  #listeners: { readonly accepts: (published: Published) => boolean; readonly resolve: () => void }[] = [];
  readonly #texts = new Map<string, { text: string; version: number }>();
  #next = 1;
  #input = Buffer.alloc(0);

  constructor(folder: string, parameters: readonly string[]) {
    this.folder = folder;
    this.child = spawn(process.execPath, [binary, "lsp", ...parameters], { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the server ended: ${this.stderr}`));
    });
  }

  uri(file: string): string {
    return pathToFileURL(join(this.folder, file)).href;
  }

  #send(message: object): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.child.stdin?.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.child.stdin?.write(body);
  }

  #receive(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const head = this.#input.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#input.subarray(0, head).toString())?.[1]);
      if (this.#input.length < head + 4 + length) return;
      const body = this.#input.subarray(head + 4, head + 4 + length).toString();
      this.#input = this.#input.subarray(head + 4 + length);
      this.#handle(JSON.parse(body));
    }
  }

  #handle(message: Message): void {
    if (message.method === "textDocument/publishDiagnostics") {
      const published = message.params as Published;
      this.#published.set(published.uri, published.diagnostics);
      const ready = this.#listeners.filter(({ accepts }) => accepts(published));
      this.#listeners = this.#listeners.filter((one) => !ready.includes(one));
      for (const { resolve } of ready) resolve();
    } else if (message.method !== undefined && message.id !== undefined) this.#send({ id: message.id, result: null });
    else if (message.id !== undefined) {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiting?.resolve(message.result);
      else waiting?.reject(new AnsweredError(message.error));
    }
  }

  request<T>(method: string, params: object): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#send({ id, method, params });
    });
  }

  notify(method: string, params: object): void {
    this.#send({ method, params });
  }

  async initialise(capabilities: object): Promise<void> {
    const root = pathToFileURL(this.folder).href;
    const result = await this.request<{ capabilities: Record<string, unknown> }>("initialize", {
      processId: process.pid,
      rootUri: root,
      capabilities,
      workspaceFolders: [{ uri: root, name: "test" }],
    });
    this.capabilities = result.capabilities;
    this.notify("initialized", {});
  }

  text(file: string): string {
    return this.#texts.get(file)?.text ?? "";
  }

  /** Opens a file with this text, and waits for what is wrong with it. */
  async open(file: string, text: string): Promise<readonly Shown[]> {
    this.#texts.set(file, { text, version: 1 });
    const shown = this.published(file);
    this.notify("textDocument/didOpen", {
      textDocument: { uri: this.uri(file), languageId: "graph", version: 1, text },
    });
    return shown;
  }

  /** Replaces the first `old` by `text`, as a keystroke does, and waits for what is wrong then. */
  async type(file: string, old: string, text: string): Promise<readonly Shown[]> {
    const shown = this.published(file);
    this.typeOnly(file, old, text);
    return shown;
  }

  typeOnly(file: string, old: string, text: string): void {
    const known = this.#texts.get(file);
    if (known === undefined) throw new Error(`${file} is not open`);
    const start = known.text.indexOf(old);
    if (start < 0) throw new Error(`${JSON.stringify(old)} is not in ${file}`);
    const range = { start: positionIn(known.text, start), end: positionIn(known.text, start + old.length) };
    known.text = known.text.slice(0, start) + text + known.text.slice(start + old.length);
    known.version++;
    this.notify("textDocument/didChange", {
      textDocument: { uri: this.uri(file), version: known.version },
      contentChanges: [{ range, text }],
    });
  }

  close(file: string): void {
    this.#texts.delete(file);
    this.notify("textDocument/didClose", { textDocument: { uri: this.uri(file) } });
  }

  /** What is told next of a file; with `accepts`, the first that it accepts. */
  async published(
    file: string,
    accepts: (diagnostics: readonly Shown[]) => boolean = () => true,
  ): Promise<readonly Shown[]> {
    const uri = this.uri(file);
    await new Promise<void>((resolve) => {
      this.#listeners.push({ accepts: (one) => one.uri === uri && accepts(one.diagnostics), resolve });
    });
    return this.#published.get(uri) ?? [];
  }

  /** The place of a mark such as `hid|den` in a file that is open or has this text; the bar is no part of the text. */
  at(file: string, mark: string): { readonly textDocument: { readonly uri: string }; readonly position: Position } {
    const offset = mark.lastIndexOf("|");
    const text = this.text(file);
    const start = text.indexOf(unmarked(mark));
    if (offset < 0 || start < 0) throw new Error(`${mark} is not in ${file}`);
    return { textDocument: { uri: this.uri(file) }, position: positionIn(text, start + offset) };
  }

  /** A request about a place: `hover`, `definition` and so on. */
  ask<T>(method: string, file: string, mark: string, more: object = {}): Promise<T> {
    return this.request<T>(`textDocument/${method}`, { ...this.at(file, mark), ...more });
  }

  async end(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode !== null) return this.child.exitCode;
    await this.request("shutdown", {});
    this.notify("exit", {});
    return ended;
  }
}

/** A text without its mark, the last bar in it. */
export function unmarked(mark: string): string {
  const offset = mark.lastIndexOf("|");
  return mark.slice(0, offset) + mark.slice(offset + 1);
}

/** Lines and UTF-16 columns. */
export function positionIn(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

export function offsetIn(text: string, { line, character }: Position): number {
  let start = 0;
  for (let i = 0; i < line; i++) start = text.indexOf("\n", start) + 1;
  return start + character;
}

export function textIn(text: string, range: Range): string {
  return text.slice(offsetIn(text, range.start), offsetIn(text, range.end));
}

/** A text after edits, which do not overlap. */
export function edited(text: string, edits: readonly Edit[]): string {
  const last = [...edits].sort((a, b) => offsetIn(text, b.range.start) - offsetIn(text, a.range.start));
  return last.reduce(
    (result, { range, newText }) =>
      result.slice(0, offsetIn(text, range.start)) + newText + result.slice(offsetIn(text, range.end)),
    text,
  );
}

/** An editor on a new folder with these files; it ends with the test. */
export async function editorOn(
  t: ExecutionContext,
  files: Readonly<Record<string, string>> = {},
  parameters: readonly string[] = [],
  capabilities: object = {},
): Promise<Editor> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "graphc-editor-")));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const editor = new Editor(folder, parameters);
  t.teardown(async () => {
    editor.child.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await editor.initialise(capabilities);
  return editor;
}
