import type { Argument, Block, Carry, Ident, If, IfBranch, Region, Scan, Sequence, Value, While } from "./ast.js";
import { givenTwice } from "./diagnostics.js";
import { TypeParser } from "./grammar-types.js";
import * as t from "./tokens.js";

/** The right side of a binding: a value or one of the regions scan, while and if. */
export abstract class RegionParser extends TypeParser {
  protected checkDistinct(names: readonly Ident[], what: string): void {
    const seen = new Map<string, Ident>();
    for (const name of names) {
      const first = seen.get(name.name);
      if (first === undefined) seen.set(name.name, name);
      else this.report(givenTwice(name.span, first.span, what, name.name));
    }
  }

  protected readonly value = this.RULE("value", (): Value => {
    this.expectValueHere();
    return this.OR<Value>([
      { ALT: () => this.SUBRULE(this.scan) },
      { ALT: () => this.SUBRULE(this.whileRegion) },
      { ALT: () => this.SUBRULE(this.ifRegion) },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
  });

  // scan(reverse=false) x in xs, y in ys with h = h0 { ... }
  protected readonly scan = this.RULE("scan", (): Region => {
    const begin = this.CONSUME(t.ScanWord);
    let options: readonly Argument[] = [];
    this.OPTION(() => {
      options = this.SUBRULE(this.callArguments);
    });
    const sequences: Sequence[] = [this.SUBRULE(this.sequence)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      sequences.push(this.SUBRULE2(this.sequence));
    });
    const carries = this.SUBRULE(this.carries);
    const body = this.SUBRULE(this.block);
    return this.ACTION((): Scan => {
      this.checkDistinct([...sequences.map((s) => s.name), ...carries.map((c) => c.name)], "name");
      return { kind: "scan", options, sequences, carries, body, span: this.spanFrom(begin) };
    });
  });

  protected readonly sequence = this.RULE("sequence", (): Sequence => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    this.consume(8, this.atClause("in") || this.RECORDING_PHASE ? t.Name : t.InWord);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: "sequence", name, value, span: this.spanFrom(begin) }));
  });

  // [with h = h0, c = c0]
  protected readonly carries = this.RULE("carries", (): readonly Carry[] => {
    const items: Carry[] = [];
    this.OPTION({
      GATE: () => this.atClause("with"),
      DEF: () => {
        this.CONSUME(t.Name);
        items.push(this.SUBRULE(this.carry));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          items.push(this.SUBRULE2(this.carry));
        });
      },
    });
    return items;
  });

  protected readonly carry = this.RULE("carry", (): Carry => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: "carry", name, value, span: this.spanFrom(begin) }));
  });

  protected readonly whileRegion = this.RULE("whileRegion", (): Region => {
    const begin = this.CONSUME(t.While);
    const condition = this.SUBRULE(this.expression);
    const carries = this.SUBRULE(this.carries);
    const body = this.SUBRULE(this.block);
    return this.ACTION((): While => {
      const names = carries.map((c) => c.name);
      this.checkDistinct(names, "carry");
      return { kind: "while", condition, carries, body, span: this.spanFrom(begin) };
    });
  });

  // if a { ... } else if b { ... } else { ... }
  protected readonly ifRegion = this.RULE("ifRegion", (): Region => {
    const begin = this.LA(1);
    const branches: IfBranch[] = [this.SUBRULE(this.branch)];
    this.MANY({
      GATE: () => this.LA(2).tokenType === t.If,
      DEF: () => {
        this.CONSUME(t.Else);
        branches.push(this.SUBRULE2(this.branch));
      },
    });
    const otherwise = this.SUBRULE(this.elseBranch);
    return this.ACTION((): If => ({ kind: "if", branches, otherwise, span: this.spanFrom(begin) }));
  });

  protected readonly elseBranch = this.RULE("elseBranch", (): Block => {
    this.CONSUME(t.Else);
    return this.SUBRULE(this.block);
  });

  protected readonly branch = this.RULE("branch", (): IfBranch => {
    const begin = this.CONSUME(t.If);
    const condition = this.SUBRULE(this.expression);
    const body = this.SUBRULE(this.block);
    return this.ACTION(() => ({ kind: "if-branch", condition, body, span: this.spanFrom(begin) }));
  });
}
