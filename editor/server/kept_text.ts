import { type MovableSpan, moveSpan } from "../../compiler/ir/span.js";
import type { Earlier, Part, ReadPart } from "../../dsl/earlier.js";

/** A part of a tree that is kept as a whole: an item of the file, or a statement of the graph or of a scope in it. */
export interface Piece<T extends Part> {
  readonly part: T;
  /** What it says, with its documentation. */
  readonly key: string;
  readonly spans: readonly MovableSpan[];
  start: number;
}

export interface PlacedPiece {
  readonly piece: Piece<Part>;
  readonly place: ReadPart;
}

export function movePiece(piece: Piece<Part>, by: number): void {
  if (by === 0) return;
  for (const span of piece.spans) moveSpan(span, by);
  piece.start += by;
}

/** A text with the pieces that were read in it. */
export class KeptText {
  readonly #text: string;
  readonly #pieces: ReadonlyMap<number, PlacedPiece>;

  constructor(text: string, pieces: readonly PlacedPiece[]) {
    this.#text = text;
    this.#pieces = new Map(pieces.map((one) => [one.place.start, one]));
  }

  /** What of it stands in the text that came after it. */
  before(next: string): SameText {
    return new SameText(this.#text, this.#pieces, next);
  }
}

/** Two texts are the same at both ends: what was read there need not be read again. */
class SameText implements Earlier {
  /** The parts that were not read again. */
  readonly taken = new Set<Part>();
  readonly #pieces: ReadonlyMap<number, PlacedPiece>;
  readonly #sameUntil: number;
  /** An offset of the old text, and how far what stands from there on has moved. */
  readonly #sameFrom: number;
  readonly #by: number;

  constructor(text: string, pieces: ReadonlyMap<number, PlacedPiece>, next: string) {
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
    this.#sameUntil = before;
    this.#sameFrom = text.length - behind;
    this.#by = next.length - text.length;
  }

  take(start: number, previous: number): ReturnType<Earlier["take"]> {
    return this.#take(start, previous, 0) ?? this.#take(start, previous, this.#by);
  }

  #take(start: number, previous: number, by: number): ReturnType<Earlier["take"]> {
    const found = this.#pieces.get(start - by);
    if (found === undefined || this.taken.has(found.piece.part)) return undefined;
    const { piece, place } = found;
    // The character behind the last word that was looked at may be a part of it.
    const isBefore = by === 0 && place.to < this.#sameUntil;
    const isBehind = by === this.#by && place.from >= this.#sameFrom;
    if (!(isBefore || isBehind) || previous !== place.from + by) return undefined;
    this.taken.add(piece.part);
    movePiece(piece, by);
    return { part: piece.part, end: place.end + by };
  }
}
