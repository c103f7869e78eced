import { type MovableSpan, moveAll } from "../../compiler/ir/span.js";
import type { Earlier, Part, ReadPart } from "../../dsl/earlier.js";
import type { Lexed } from "../../dsl/lex.js";
import { lexAgain, type Sameness } from "../../dsl/lex_again.js";

/** A part of a tree that is kept as a whole: an item of the file, or a statement of the graph or of a scope in it. */
export interface Piece<T extends Part> {
  readonly part: T;
  /** What it says, with its documentation. */
  readonly key: string;
  readonly spans: readonly MovableSpan[];
  /** What was derived from each of them. */
  readonly derived: readonly (readonly MovableSpan[])[];
  start: number;
}

export interface PlacedPiece {
  readonly piece: Piece<Part>;
  readonly place: ReadPart;
}

export function movePiece(piece: Piece<Part>, by: number): void {
  if (by === 0) return;
  moveAll(piece.spans, by);
  for (const spans of piece.derived) if (spans.length > 0) moveAll(spans, by);
  piece.start += by;
}

/** A text with its tokens and the pieces that were read in it. */
export class KeptText {
  readonly #text: string;
  readonly #lexed: Lexed;
  readonly #pieces: ReadonlyMap<number, PlacedPiece>;

  constructor(text: string, lexed: Lexed, pieces: readonly PlacedPiece[]) {
    this.#text = text;
    this.#lexed = lexed;
    this.#pieces = new Map(pieces.map((one) => [one.place.start, one]));
  }

  /** What of it stands in the text that came after it. */
  before(next: string): SameText {
    return new SameText(this.#text, this.#lexed, this.#pieces, next);
  }
}

/** Two texts are the same at both ends: what was read there need not be read again. */
export class SameText implements Earlier {
  /** The parts that were not read again. */
  readonly taken = new Set<Part>();
  /** The tokens of the new text, once they have been read. */
  lexed: Lexed | undefined;
  readonly #text: string;
  readonly #lexed: Lexed;
  readonly #pieces: ReadonlyMap<number, PlacedPiece>;
  readonly #same: Sameness;

  constructor(text: string, lexed: Lexed, pieces: ReadonlyMap<number, PlacedPiece>, next: string) {
    this.#text = text;
    this.#lexed = lexed;
    this.#pieces = pieces;
    const most = Math.min(text.length, next.length);
    let before = 0;
    while (before < most && text.charCodeAt(before) === next.charCodeAt(before)) before++;
    let behind = 0;
    while (
      behind < most - before &&
      text.charCodeAt(text.length - 1 - behind) === next.charCodeAt(next.length - 1 - behind)
    )
      behind++;
    this.#same = { until: before, from: text.length - behind, by: next.length - text.length };
  }

  lex(text: string, file: string): Lexed {
    this.lexed ??= lexAgain(this.#lexed, this.#text, text, file, this.#same);
    return this.lexed;
  }

  take(start: number, previous: number): ReturnType<Earlier["take"]> {
    return this.#take(start, previous, 0) ?? this.#take(start, previous, this.#same.by);
  }

  #take(start: number, previous: number, by: number): ReturnType<Earlier["take"]> {
    const found = this.#pieces.get(start - by);
    if (found === undefined || this.taken.has(found.piece.part)) return undefined;
    const { piece, place } = found;
    // The character behind the last word that was looked at may be a part of it.
    const isBefore = by === 0 && place.to < this.#same.until;
    const isBehind = by === this.#same.by && place.from >= this.#same.from;
    if (!(isBefore || isBehind) || previous !== place.from + by) return undefined;
    this.taken.add(piece.part);
    movePiece(piece, by);
    return { part: piece.part, end: place.end + by };
  }
}
