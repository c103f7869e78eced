import type { IToken } from "chevrotain";
import type { Expression, Ident, IntegerLiteral, Path, Reference, StringLiteral } from "./ast.js";
import { malformedNumber } from "./diagnostics.js";
import { BaseParser } from "./grammar-base.js";
import { literalText, unescapeText } from "./lex.js";
import * as t from "./tokens.js";

const largestInteger = 2n ** 63n - 1n;

/** Numbers, strings, names and paths. */
export abstract class LiteralParser extends BaseParser {
  /** Literals of exactly 2 ** 63, which are right only behind a minus. */
  protected edges = new Set<IntegerLiteral>();

  protected finishNumbers(): void {
    for (const literal of this.edges) this.reportRange(literal);
    this.edges = new Set();
  }

  private reportRange(literal: IntegerLiteral): void {
    this.report(malformedNumber(literal.span, "the integer does not fit in i64", "the largest is 9223372036854775807"));
  }

  protected boolean(token: IToken): Expression {
    return { kind: "boolean", value: token.tokenType === t.True, span: this.spanOf(token) };
  }

  protected readonly number = this.RULE(
    "number",
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.integer) },
        { ALT: () => this.float(this.CONSUME(t.Float)) },
        { ALT: () => this.float(this.CONSUME(t.Inf)) },
        { ALT: () => this.float(this.CONSUME(t.Nan)) },
      ]),
  );

  protected readonly integer = this.RULE("integer", (): IntegerLiteral => {
    const token = this.CONSUME(t.Integer);
    return this.ACTION(() => {
      const text = literalText(token);
      const digits = text.replaceAll("_", "").replace(/^0+(?=\d)/, "");
      // Longer ones are out of range whatever they are; reading a million digits would take a second.
      const value = digits.length > 19 ? largestInteger + 2n : BigInt(digits);
      const literal: IntegerLiteral = { kind: "integer", value, text, span: this.spanOf(token) };
      if (value === largestInteger + 1n) this.edges.add(literal);
      else if (value > largestInteger) this.reportRange(literal);
      return literal;
    });
  });

  private float(token: IToken): Expression {
    return this.ACTION(() => {
      const text = literalText(token);
      const span = this.spanOf(token);
      if (token.tokenType === t.Inf) return { kind: "float", value: Number.POSITIVE_INFINITY, text, span };
      if (token.tokenType === t.Nan) return { kind: "float", value: Number.NaN, text, span };
      const value = Number(text.replaceAll("_", ""));
      if (!Number.isFinite(value)) {
        this.report(malformedNumber(span, "the decimal is beyond the range of f64", "infinity is written `inf`"));
      }
      return { kind: "float", value, text, span };
    });
  }

  protected readonly stringLiteral = this.RULE("stringLiteral", (): StringLiteral => {
    const token = this.CONSUME(t.Text);
    return this.ACTION(() => {
      const value = unescapeText(token, this.file, (d) => this.report(d));
      return { kind: "string", value, span: this.spanOf(token) };
    });
  });

  protected readonly reference = this.RULE("reference", (): Reference => {
    const first = this.CONSUME(t.Name);
    const segments: Ident[] = [this.ident(first)];
    this.MANY(() => {
      this.CONSUME(t.Dot);
      segments.push(this.ident(this.CONSUME(t.Word)));
    });
    const text = segments.map((s) => s.name).join(".");
    return this.ACTION(() => ({ kind: "reference", segments, text, span: this.spanFrom(first) }));
  });

  // hidden/dense/w, metrics.loss
  protected readonly path = this.RULE("path", (): Path => {
    const first = this.CONSUME(t.Word);
    const segments: Ident[] = [this.ident(first)];
    const separators: ("." | "/")[] = [];
    this.MANY(() => {
      const separator = this.OR([{ ALT: () => this.CONSUME(t.Dot) }, { ALT: () => this.CONSUME(t.Slash) }]);
      separators.push(separator.tokenType === t.Slash ? "/" : ".");
      segments.push(this.ident(this.CONSUME2(t.Word)));
    });
    return this.ACTION(() => {
      const text = segments.map((s, i) => s.name + (separators[i] ?? "")).join("");
      return { kind: "path", segments, separators, text, span: this.spanFrom(first) };
    });
  });
}
