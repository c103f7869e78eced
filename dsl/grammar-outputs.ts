import type { IToken, ParserMethod } from "chevrotain";
import { isDType } from "../compiler/ir/dtype.js";
import type { Advice } from "../compiler/ir/fix.js";
import { syntaxHint } from "./expectations.js";
import { ReusingParser } from "./grammar-earlier.js";
import * as t from "./tokens.js";

/** What stands behind a signature's or a fn's `->`, and how reading goes on where it is wrong. */
export abstract class OutputsParser extends ReusingParser {
  /**
   * `-> (a, b)`. Where the arrow or the brackets are missing that is reported, and what stands there is read all the same, so that what
   * else is wrong is found, too; undefined where there is nothing to read.
   */
  protected outputsOr<T>(
    rule: "signature" | "fn",
    one: ParserMethod<[], T>,
    inBrackets: () => readonly T[],
  ): readonly T[] | undefined {
    const hasArrow = this.LA(1).tokenType === t.Arrow;
    if (this.RECORDING_PHASE || (hasArrow && this.LA(2).tokenType === t.LeftParen)) {
      this.consume(7, t.Arrow);
      return inBrackets();
    }
    if (hasArrow) {
      this.SKIP_TOKEN();
      if (this.isListed()) return this.listed(rule, one);
      this.reportMissing("`(`", rule);
    } else {
      const opening = this.openingAhead();
      this.reportMissing("`->`", rule, opening === undefined ? undefined : this.arrowAdvice(opening, rule));
      if (opening !== undefined) {
        while (this.LA(1) !== opening) this.SKIP_TOKEN();
        return inBrackets();
      }
    }
    while (!this.atEnd() && this.onSameLine() && !this.startsBody()) this.SKIP_TOKEN();
    return undefined;
  }

  private startsBody(): boolean {
    return this.LA(1).tokenType === t.LeftBrace || this.LA(1).tokenType === t.RightBrace;
  }

  /** The `(` of outputs that follow another sign, as in `: (y)` and `=> (y)`, or none. */
  private openingAhead(): IToken | undefined {
    const signs = [t.Colon, t.Equal, t.Greater, t.GreaterEqual, t.Minus];
    for (let ahead = 1; ahead < 4; ahead += 1) {
      const token = this.LA(ahead);
      if (token.startLine !== this.LA(0).endLine) return undefined;
      if (token.tokenType === t.LeftParen) return token;
      if (!signs.includes(token.tokenType)) return undefined;
    }
    return undefined;
  }

  private arrowAdvice(opening: IToken, rule: string): Advice {
    const { file, end: start } = this.spanOf(this.LA(0));
    const { start: end } = this.spanOf(opening);
    const edits = [{ span: { file, start, end }, text: " -> " }];
    const text = syntaxHint(this.LA(1), this.LA(0), "`->`", rule);
    return { text, fix: () => ({ title: "insert `->`", edits }) };
  }

  /** Whether names follow that could be outputs without brackets. */
  private isListed(): boolean {
    const { tokenType, image } = this.LA(1);
    return tokenType === t.Name && this.onSameLine() && !isDType(image);
  }

  /** `-> a, b`: names without brackets around them. */
  private listed<T>(rule: string, one: ParserMethod<[], T>): readonly T[] {
    const [first, previous] = [this.LA(1), this.LA(0)];
    const items: T[] = [this.subrule(7, one)];
    while (this.LA(1).tokenType === t.Comma && this.onSameLine()) {
      this.SKIP_TOKEN();
      items.push(this.subrule(8, one));
    }
    const { file, start } = this.spanOf(first);
    const { end } = this.spanOf(this.LA(0));
    const edits = [
      { span: { file, start, end: start }, text: "(" },
      { span: { file, start: end, end }, text: ")" },
    ];
    const text = `outputs stand in brackets: \`-> (${this.text.slice(start, end)})\``;
    const hint: Advice = { text, fix: () => ({ title: "put them in brackets", edits }) };
    this.reportMissing("`(`", rule, hint, first, previous);
    return items;
  }
}
