import type { Item, Statement } from "./ast.js";
import type { Earlier, Part, ReadPart } from "./earlier.js";
import { RegionParser } from "./grammar-regions.js";

/**
 * Takes what stands in the new text as it did in an earlier one from there, and tells what may be taken so the next time: parts that were
 * read without a problem, and whose reading rested on nothing but their own text, the end of the token before them and two tokens
 * behind them.
 */
export abstract class ReusingParser extends RegionParser {
  protected readParts: ReadPart[] = [];
  private earlier: Earlier | undefined;
  private blocks = 0;
  private containers = 0;

  protected startReuse(earlier: Earlier | undefined): void {
    this.earlier = earlier;
    this.readParts = [];
    this.blocks = 0;
    this.containers = 0;
  }

  /** Reads the body of a graph, a scope or an `on` block, whose statements are parts themselves. */
  protected inContainer<T>(read: () => T): T {
    this.containers += 1;
    try {
      return read();
    } finally {
      this.containers -= 1;
    }
  }

  /** Reads the statements of any block. */
  protected inBlock<T>(read: () => T): T {
    this.blocks += 1;
    try {
      return read();
    } finally {
      this.blocks -= 1;
    }
  }

  /** The next part: from the earlier text, or else as `read` reads it. */
  protected part<T extends Part>(isPart: (part: Part) => part is T, read: () => T): T {
    if (this.RECORDING_PHASE || this.blocks !== this.containers) return read();
    const first = this.LA(1);
    const index = this.position(first);
    if (!this.firstOnLine(index)) return read();
    const before = this.tokenAt(index - 1);
    const from = before === undefined ? -1 : before.startOffset + before.image.length;
    const known = this.earlier?.take(first.startOffset, from);
    if (known !== undefined && isPart(known.part)) {
      this.skipPart(known.end);
      const { part } = known;
      this.readParts.push({ part, from, start: first.startOffset, end: known.end, to: this.lookahead() });
      return part;
    }
    const [problems, edges] = [this.diagnostics.length, this.edges.size];
    this.restsOnLayout = false;
    const part = read();
    const isSound = this.diagnostics.length === problems && this.edges.size === edges && part.kind !== "invalid";
    if (!isSound || this.restsOnLayout || isContainer(part)) return part;
    const behind = this.position(this.LA(1));
    for (let i = index; i < behind; i += 1) if (this.hasDoc(this.tokenAt(i))) return part;
    const last = this.LA(0);
    const end = last.startOffset + last.image.length;
    this.readParts.push({ part, from, start: first.startOffset, end, to: this.lookahead() });
    return part;
  }

  private skipPart(end: number): void {
    while (!this.atEnd() && this.LA(1).startOffset < end) {
      this.takeDoc(this.LA(1));
      this.SKIP_TOKEN();
    }
  }

  /** The end of the second token from here on. */
  private lookahead(): number {
    const second = this.tokenAt(this.position(this.LA(1)) + 1);
    return second === undefined ? Number.POSITIVE_INFINITY : second.startOffset + second.image.length;
  }
}

/** What is kept by its statements, not as a whole. */
function isContainer(part: Item | Statement): boolean {
  return part.kind === "graph" || part.kind === "scope" || part.kind === "on";
}
