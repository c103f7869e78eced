import type { Connection } from "vscode-languageserver";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import { isStandard } from "../../dsl/standard.js";
import { afterInput } from "./after_input.js";
import { editorDiagnostic } from "./diagnostics.js";
import { uriOf } from "./paths.js";
import type { Workspace } from "./workspace.js";

/** How long typing may rest before the files that are not open, but import what changed, are looked at. */
const restMilliseconds = 300;

/**
 * Where two analyses in a row took longer than this, the next one waits until typing rests. One alone tells nothing: the first of a file
 * is of the whole file, while those after it are of what a keystroke changes.
 */
const slowMilliseconds = 200;

/** Tells the editor what is wrong: at once for the file that changed, then for the open files that import it, at last for the others. */
export class Publisher {
  readonly #workspace: Workspace;
  readonly #connection: Connection;
  /** The problems that the analysis of each main file found, by the file that they are in. */
  readonly #found = new Map<string, ReadonlyMap<string, readonly Diagnostic[]>>();
  readonly #published = new Set<string>();
  readonly #changed = new Set<string>();
  #soon: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;
  /** Milliseconds of the slowest analysis after the last changes, and after those before them. */
  #slowest: readonly [last: number, before: number] = [0, 0];
  #changes = 0;
  #hasStopped = false;

  constructor(workspace: Workspace, connection: Connection) {
    this.#workspace = workspace;
    this.#connection = connection;
  }

  /** A file changed: it and all that import it are looked at again. */
  changed(file: string): void {
    this.#changed.add(file);
    this.#changes++;
    const isSlow = Math.min(...this.#slowest) > slowMilliseconds;
    if (isSlow) clearTimeout(this.#soon);
    else if (this.#soon !== undefined) return;
    this.#soon = setTimeout(() => this.#whenRead(this.#changes), isSlow ? restMilliseconds : 0);
  }

  /** What the editor has said meanwhile is heard first: of a text that is outdated nothing need be known. */
  #whenRead(changes: number): void {
    afterInput(() => {
      if (this.#changes === changes) this.#run();
      else this.#whenRead(this.#changes);
    });
  }

  /** Everything may have changed. */
  changedAll(): void {
    for (const file of new Set([...this.#workspace.openFiles, ...this.#found.keys()])) this.changed(file);
  }

  stop(): void {
    this.#hasStopped = true;
    clearTimeout(this.#soon);
    clearTimeout(this.#later);
  }

  #run(): void {
    this.#soon = undefined;
    if (this.#hasStopped) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#slowest = [0, this.#slowest[0]];
    for (const file of changed) this.#analyse(file);
    clearTimeout(this.#later);
    const importers = new Set(changed.flatMap((file) => this.#workspace.importersOf(file)));
    const open = [...importers].filter((file) => this.#workspace.isOpen(file) && !changed.includes(file));
    for (const file of open) this.#analyse(file);
    const closed = [...importers].filter((file) => !this.#workspace.isOpen(file));
    if (closed.length === 0) return;
    this.#later = setTimeout(() => {
      for (const file of closed) this.#analyse(file);
    }, restMilliseconds);
  }

  #analyse(file: string): void {
    const analysis = this.#workspace.analysis(file);
    const before = this.#found.get(file);
    const found = new Map<string, Diagnostic[]>();
    for (const diagnostic of analysis?.loaded.diagnostics ?? []) {
      const home = diagnostic.span?.file ?? file;
      // What the standard library says wrongly is told at the user's call.
      if (isStandard(home)) continue;
      found.set(home, [...(found.get(home) ?? []), diagnostic]);
    }
    const [last, previous] = this.#slowest;
    this.#slowest = [Math.max(last, analysis?.milliseconds ?? 0), previous];
    if (analysis === undefined) this.#found.delete(file);
    else this.#found.set(file, found);
    for (const home of new Set([file, ...(before?.keys() ?? []), ...found.keys()])) this.#publish(home);
  }

  #publish(file: string): void {
    const all = new Map<string, Diagnostic>();
    for (const found of this.#found.values()) {
      for (const diagnostic of found.get(file) ?? []) {
        const { code, message, span } = diagnostic;
        all.set(`${code} ${span?.start} ${span?.end} ${message}`, diagnostic);
      }
    }
    if (all.size === 0 && !this.#published.has(file) && !this.#workspace.isOpen(file)) return;
    this.#published.add(file);
    const diagnostics = [...all.values()].map((one) => editorDiagnostic(this.#workspace, one));
    this.#connection.sendDiagnostics({ uri: uriOf(file), diagnostics }).catch(() => undefined);
  }
}
