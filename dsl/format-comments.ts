import type { Comment, ParsedSource } from "./ast.js";
import { emptyLine, hardLine, type Layout, lineEnd } from "./format-layout.js";

/** Something with a place between which comments stand: a statement, an item of a list. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly layout: () => Layout;
}

/** Hands out each comment once, in the order of the text, to whoever prints the code around it. */
export class Comments {
  private next = 0;

  constructor(private readonly source: ParsedSource) {}

  /** Whether a comment that is not yet printed starts before `offset`. */
  pendingBefore(offset: number): boolean {
    const comment = this.source.comments[this.next];
    return comment !== undefined && comment.span.start < offset;
  }

  take(before: number): readonly Comment[] {
    const taken: Comment[] = [];
    while (this.pendingBefore(before)) {
      const comment = this.source.comments[this.next];
      if (comment !== undefined) taken.push(comment);
      this.next += 1;
    }
    return taken;
  }

  /** The comment behind what ends at `end`, on its line. */
  takeTrailing(end: number): readonly Comment[] {
    const comment = this.source.comments[this.next];
    if (comment === undefined || comment.ownLine || this.lineBreaks(end, comment.span.start) > 0) return [];
    // `x = [  # why` stands inside: code follows before the comment only where `end` is not behind all of its line.
    if (/[^\s,]/.test(this.source.text.slice(end, comment.span.start))) return [];
    this.next += 1;
    return [comment];
  }

  private codeBetween(from: number, to: number): boolean {
    return /\S/.test(this.source.text.slice(from, to).replace(/#[^\r\n]*/g, ""));
  }

  lineBreaks(from: number, to: number): number {
    return to <= from ? 0 : (this.source.text.slice(from, to).match(/\r\n|\r|\n/g)?.length ?? 0);
  }

  private emptyLine(from: number, to: number): boolean {
    return /(?:\r\n|\r|\n)[ \t]*[\r\n]/.test(this.source.text.slice(from, to));
  }

  /**
   * Pieces on lines of their own with the comments around them and at most one empty line between two. `begin` is where
   * the list starts (behind its bracket), `end` where it ends. `between` parts two pieces where the text has no say.
   */
  lines(
    pieces: readonly Piece[],
    begin: number,
    end: number,
    separator: string,
    atLeastOneEmpty: (index: number) => boolean,
  ): readonly Layout[] {
    const rows: Layout[] = [];
    let last = begin;
    let first = true;
    const row = (start: number, layout: Layout, forced: boolean): void => {
      if (!first) rows.push(forced || this.emptyLine(last, start) ? emptyLine : hardLine);
      rows.push(layout);
      first = false;
    };
    const own = (comments: readonly Comment[], next: number | undefined, forced: boolean): void => {
      for (const [index, comment] of comments.entries()) {
        const moved = !comment.ownLine || next === undefined || this.codeBetween(comment.span.end, next);
        row(comment.span.start, commentText(comment, moved), forced && index === 0);
        last = Math.max(last, comment.span.end);
      }
    };
    for (const [index, piece] of pieces.entries()) {
      const before = this.take(piece.start);
      const forced = index > 0 && atLeastOneEmpty(index);
      own(before, piece.start, forced);
      const layout = piece.layout();
      // Comments inside a value that no list of it could take stand before it.
      const inner = this.take(piece.end);
      for (const comment of inner)
        row(last, commentText(comment, true), forced && before.length === 0 && comment === inner[0]);
      const apart = forced && before.length === 0 && inner.length === 0;
      const trailing = this.takeTrailing(piece.end);
      const whole: Layout = [layout, separator, trailing.map((c) => lineEnd(c.text))];
      if (inner.length > 0) rows.push(hardLine, whole);
      else row(piece.start, whole, apart);
      last = Math.max(piece.end, ...trailing.map((c) => c.span.end));
    }
    own(this.take(end), undefined, false);
    return rows;
  }
}

/** `moved`: a `##` that would document something else than before, or nothing, becomes a plain comment. */
function commentText(comment: Comment, moved: boolean): string {
  return moved ? comment.text.replace(/^##+/, "#") : comment.text;
}
