import type { IToken } from "chevrotain";
import { indentation, isClosing, isOpening } from "./brackets.js";
import { BaseParser } from "./grammar-base.js";
import { isMade } from "./layout.js";
import { joinsLines, lineEndBefore } from "./lines.js";
import { Reported } from "./refusal.js";

/** A statement ends with its line: what reads it meets the end of the line there, whatever stands in the next one. */
export abstract class LineParser extends BaseParser {
  /** What the rules read: the tokens, one of which may be the end of a line. */
  private read: IToken[] = [];
  /** The index of the token that is the end of a line instead; -1 where none is. */
  private lineEnd = -1;

  protected startLines(): void {
    this.read = [...this.tokens];
    this.lineEnd = -1;
    // The array is read as it is, and is not copied.
    this.input = this.read;
  }

  /** Reads what starts at the next token and ends with its line. */
  protected withinLine<T>(parse: () => T): T {
    return this.RECORDING_PHASE ? parse() : this.until(this.behindLine(this.position(this.LA(1))), parse);
  }

  /** Reads lines of their own, in brackets. */
  protected acrossLines<T>(parse: () => T): T {
    return this.RECORDING_PHASE ? parse() : this.until(-1, parse);
  }

  /** Behind a block or the like: one whose end is nowhere, and that nothing stands in, says nothing of what was meant. */
  protected refuseUnclosed(isEmpty: boolean): void {
    if (isEmpty && !this.RECORDING_PHASE && isMade(this.LA(0))) throw new Reported();
  }

  private until<T>(lineEnd: number, parse: () => T): T {
    const before = this.lineEnd;
    this.endLineAt(lineEnd);
    try {
      return parse();
    } finally {
      this.endLineAt(before);
    }
  }

  private endLineAt(index: number): void {
    const [hidden, next] = [this.tokens[this.lineEnd], this.tokens[index]];
    if (hidden !== undefined) this.read[this.lineEnd] = hidden;
    if (next !== undefined) this.read[index] = lineEndBefore(next);
    this.lineEnd = next === undefined ? -1 : index;
  }

  /** The index of the first token behind the line that starts at one, as far as that goes on; -1 where the block or the file ends before. */
  private behindLine(begin: number): number {
    const { joined, partner } = this.brackets;
    let isOpen = false;
    for (let index = begin; index < this.tokens.length; index += 1) {
      const token = this.tokens[index];
      if (token === undefined) break;
      const other = joined[index] ?? -1;
      if (isClosing(token) && other >= 0) return -1;
      if (index > begin && this.firstOnLine(index) && !this.goesOnAt(index, begin, isOpen)) return index;
      if (other > index) {
        if (partner[index] !== other) this.restsOnLayout = true;
        index = other;
      } else if (isOpening(token)) isOpen = true;
    }
    return -1;
  }

  /** Whether the statement from `begin` goes on in the line of a token; `isOpen`: it has opened a bracket, and not closed it. */
  private goesOnAt(index: number, begin: number, isOpen: boolean): boolean {
    const [last, first] = [this.tokens[index - 1], this.tokens[index]];
    if (last === undefined || first === undefined) return false;
    if (!isOpen && !joinsLines(last, first)) return false;
    if (!this.startsAt(index)) return true;
    this.restsOnLayout = true;
    return (first.startColumn ?? 0) > indentation(this.tokens, begin);
  }
}
