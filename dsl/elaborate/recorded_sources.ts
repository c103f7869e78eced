import type { Node, Value } from "../../compiler/ir/node.js";
import { type SourceScope, SourceTable } from "../../compiler/ir/sources.js";
import type { Span } from "../../compiler/ir/span.js";

/** One thing that a table is told. */
export type OriginNote = (table: SourceTable) => void;

/** Keeps what it is told, and takes it in when it is first asked: in an editor only messages ask, and most files have none. */
export class RecordedSources extends SourceTable {
  readonly #record: (note: OriginNote) => void;
  readonly #table = new SourceTable();
  #waiting: (readonly OriginNote[])[] = [];
  #last: OriginNote[] = [];

  constructor(record: (note: OriginNote) => void) {
    super();
    this.#record = record;
  }

  override spansOf(node: Node): readonly Span[] {
    return this.#settled().spansOf(node);
  }

  override scopeOf(node: Node): SourceScope | undefined {
    return this.#settled().scopeOf(node);
  }

  override add(node: Node, span: Span): void {
    this.#note((table) => table.add(node, span));
  }

  override addFirst(node: Node, span: Span): void {
    this.#note((table) => table.addFirst(node, span));
  }

  override write(value: Value, spans: readonly Span[], scope: SourceScope | undefined, most?: number): void {
    this.#note((table) => table.write(value, spans, scope, most));
  }

  override copy(value: Value, from: Node): void {
    this.#note((table) => table.copy(value, from));
  }

  /** Editors draw nothing. */
  override noteCall(): void {}

  override noteString(): void {}

  override meet(): void {}

  /** What another elaboration was told. */
  addAll(notes: readonly OriginNote[]): void {
    if (notes.length === 0) return;
    this.#waiting.push(notes);
    this.#last = [];
  }

  #note(note: OriginNote): void {
    if (this.#last.length === 0) this.#waiting.push(this.#last);
    this.#last.push(note);
    this.#record(note);
  }

  #settled(): SourceTable {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#last = [];
    for (const notes of waiting) for (const note of notes) note(this.#table);
    return this.#table;
  }
}
