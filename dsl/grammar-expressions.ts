import type { IToken, ParserMethod } from "chevrotain";
import type {
  Argument,
  Block,
  Call,
  Ellipsis,
  Expression,
  Field,
  Ident,
  Index,
  IndexItem,
  List,
  Path,
  RecordLiteral,
} from "./ast.js";
import { givenTwice, positionalAfterNamed } from "./diagnostics.js";
import { LiteralParser } from "./grammar-literals.js";
import { buildOperation, type Piece } from "./precedence.js";
import * as t from "./tokens.js";

/**
 * Values, types and paths. A list with an optional last comma is `MANY` with a gate that stops after an item without one, so
 * that the closing bracket's message can say that a comma would do, too.
 */
export abstract class ExpressionParser extends LiteralParser {
  /** Statements in braces: the regions need it. */
  protected abstract readonly block: ParserMethod<[], Block>;

  // value |> f(...) |> g(...)
  protected readonly expression = this.RULE("expression", (): Expression => {
    const begin = this.LA(1);
    let value: Expression = this.SUBRULE(this.operation);
    this.MANY(() => {
      this.CONSUME(t.PipeSign);
      this.expectValueHere();
      const callee = this.SUBRULE(this.reference);
      let args: readonly Argument[] = [];
      this.OPTION({
        GATE: () => this.onSameLine(),
        DEF: () => {
          args = this.SUBRULE(this.callArguments);
        },
      });
      value = this.ACTION(() => {
        const call: Call = { kind: "call", callee, arguments: args, span: this.spanFrom(callee.span) };
        const span = this.spanFrom(begin);
        return this.depth.grow({ kind: "pipe", input: value, call, span }, [value, ...args.map((a) => a.value)], value);
      });
    });
    return value;
  });

  // prefix* operand (binary prefix* operand)*: flat here, a tree in precedence.ts
  protected readonly operation = this.RULE("operation", (): Expression => {
    const pieces: Piece[] = [];
    const add = (kind: "prefix" | "binary", token: IToken): void => {
      pieces.push({ kind, token: token.tokenType, span: this.spanOf(token) });
    };
    const operand = (index: number): void => {
      const begin = this.LA(1);
      const expression = this.nested(() => this.subrule(index, this.postfix));
      this.ACTION(() => {
        const minus = pieces.at(-1);
        const negated = minus?.kind === "prefix" && minus.token === t.Minus;
        if (expression.kind === "integer" && negated) this.edges.delete(expression);
        pieces.push({ kind: "operand", expression, span: this.spanFrom(begin) });
      });
    };
    this.MANY(() => add("prefix", this.CONSUME(t.PrefixSign)));
    operand(1);
    this.MANY2(() => {
      add("binary", this.CONSUME(t.BinarySign));
      this.MANY3(() => add("prefix", this.CONSUME2(t.PrefixSign)));
      this.expectValueHere();
      operand(2);
    });
    const source = (e: Expression): string => {
      const text = this.text.slice(e.span.start, e.span.end);
      return text.length > 24 || text.includes("\n") ? "..." : text;
    };
    return this.ACTION(() => buildOperation(pieces, source, this.depth, (d) => this.report(d)));
  });

  protected readonly postfix = this.RULE("postfix", (): Expression => {
    const begin = this.LA(1);
    let value: Expression = this.SUBRULE(this.primary);
    this.MANY({
      GATE: () => this.onSameLine(),
      DEF: () => {
        const items = this.SUBRULE(this.indexItems);
        value = this.ACTION(() => {
          const parts = items
            .flatMap((i) => (i.kind === "slice" ? [i.start, i.stop, i.step] : [i]))
            .filter((e) => e !== undefined);
          const whole: Index = { kind: "index", target: value, items, span: this.spanFrom(begin) };
          return this.depth.grow(whole, [value, ...parts], value);
        });
      },
    });
    return value;
  });

  protected readonly primary = this.RULE(
    "primary",
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => this.boolean(this.CONSUME(t.True)) },
        { ALT: () => this.boolean(this.CONSUME(t.False)) },
        { ALT: () => this.SUBRULE(this.stringLiteral) },
        { ALT: () => this.SUBRULE(this.referenceOrCall) },
        { ALT: () => this.SUBRULE(this.parenthesis) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.record) },
      ]),
  );

  protected readonly referenceOrCall = this.RULE("referenceOrCall", (): Expression => {
    const callee = this.SUBRULE(this.reference);
    let result: Expression = callee;
    this.OPTION({
      GATE: () => this.onSameLine(),
      DEF: () => {
        const args = this.SUBRULE(this.callArguments);
        result = this.ACTION(() => {
          const whole: Call = { kind: "call", callee, arguments: args, span: this.spanFrom(callee.span) };
          return this.depth.grow(
            whole,
            args.map((a) => a.value),
            callee,
          );
        });
      },
    });
    return result;
  });

  protected readonly parenthesis = this.RULE("parenthesis", (): Expression => {
    this.CONSUME(t.LeftParen);
    const value = this.SUBRULE(this.expression);
    this.CONSUME(t.RightParen);
    this.ACTION(() => this.parenthesized.add(value));
    return value;
  });

  protected readonly callArguments = this.RULE("callArguments", (): readonly Argument[] => {
    const items: Argument[] = [];
    let more = true;
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.argument));
        more = this.RECORDING_PHASE;
        this.OPTION(() => {
          this.CONSUME(t.Comma);
          more = true;
        });
      },
    });
    this.CONSUME(t.RightParen);
    this.ACTION(() => this.checkArguments(items));
    return items;
  });

  protected checkArguments(items: readonly Argument[]): void {
    const seen = new Map<string, Ident>();
    let named: Argument | undefined;
    for (const item of items) {
      if (item.name === undefined) {
        if (named !== undefined) this.report(positionalAfterNamed(item.span, named.span));
        continue;
      }
      named ??= item;
      const first = seen.get(item.name.name);
      if (first !== undefined) this.report(givenTwice(item.name.span, first.span, "argument", item.name.name));
      else seen.set(item.name.name, item.name);
    }
  }

  protected readonly argument = this.RULE("argument", (): Argument => {
    const begin = this.LA(1);
    this.expectArgumentHere();
    let name: Ident | undefined;
    this.OPTION({
      GATE: () => this.LA(2).tokenType === t.Equal,
      DEF: () => {
        name = this.ident(this.CONSUME(t.Word));
        this.CONSUME(t.Equal);
      },
    });
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: "argument", name, value, span: this.spanFrom(begin) }));
  });

  private ellipsis(token: IToken): Ellipsis {
    return { kind: "ellipsis", span: this.spanOf(token) };
  }

  protected readonly list = this.RULE("list", (): Expression => {
    const items: Expression[] = [];
    let more = true;
    const open = this.CONSUME(t.LeftBracket);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.listItem));
        more = this.RECORDING_PHASE;
        this.OPTION(() => {
          this.CONSUME(t.Comma);
          more = true;
        });
      },
    });
    this.CONSUME(t.RightBracket);
    return this.ACTION(() => {
      const whole: List = { kind: "list", items, span: this.spanFrom(open) };
      return this.depth.grow(whole, items, { ...whole, items: [] });
    });
  });

  protected readonly listItem = this.RULE(
    "listItem",
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.ellipsis(this.CONSUME(t.EllipsisSign)) },
        { ALT: () => this.SUBRULE(this.expression) },
      ]),
  );

  protected readonly record = this.RULE("record", (): Expression => {
    const fields: Field[] = [];
    let more = true;
    const open = this.CONSUME(t.LeftBrace);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        fields.push(this.SUBRULE(this.field));
        more = this.RECORDING_PHASE;
        this.OPTION(() => {
          this.CONSUME(t.Comma);
          more = true;
        });
      },
    });
    this.CONSUME(t.RightBrace);
    return this.ACTION(() => {
      this.checkFields(fields);
      const whole: RecordLiteral = { kind: "record", fields, span: this.spanFrom(open) };
      const values = fields.map((f) => f.value);
      return this.depth.grow(whole, values, { ...whole, fields: [] });
    });
  });

  protected checkFields(fields: readonly Field[]): void {
    const seen = new Map<string, Path>();
    for (const { name } of fields) {
      const first = seen.get(name.text);
      if (first !== undefined) this.report(givenTwice(name.span, first.span, "field", name.text));
      else seen.set(name.text, name);
    }
  }

  protected readonly field = this.RULE("field", (): Field => {
    const begin = this.LA(1);
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.SUBRULE(this.path);
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: "field", doc, name, value, span: this.spanFrom(begin) }));
  });

  protected readonly indexItems = this.RULE("indexItems", (): readonly IndexItem[] => {
    const items: IndexItem[] = [];
    let more = true;
    this.CONSUME(t.LeftBracket);
    items.push(this.SUBRULE(this.indexItem));
    this.OPTION(() => {
      this.CONSUME(t.Comma);
      this.MANY({
        GATE: () => more,
        DEF: () => {
          items.push(this.SUBRULE2(this.indexItem));
          more = this.RECORDING_PHASE;
          this.OPTION2(() => {
            this.CONSUME2(t.Comma);
            more = true;
          });
        },
      });
    });
    this.CONSUME(t.RightBracket);
    return items;
  });

  protected readonly indexItem = this.RULE("indexItem", (): IndexItem => {
    const begin = this.LA(1);
    return this.OR<IndexItem>([
      { ALT: () => this.ellipsis(this.CONSUME(t.EllipsisSign)) },
      { ALT: () => this.SUBRULE(this.sliceTail, { ARGS: [undefined, begin] }) },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression);
          let item: IndexItem = value;
          this.OPTION(() => {
            item = this.SUBRULE2(this.sliceTail, { ARGS: [value, begin] });
          });
          return item;
        },
      },
    ]);
  });

  // :stop:step
  protected readonly sliceTail = this.RULE("sliceTail", (start: Expression | undefined, begin: IToken): IndexItem => {
    let stop: Expression | undefined;
    let step: Expression | undefined;
    this.CONSUME(t.Colon);
    this.OPTION(() => {
      stop = this.SUBRULE(this.expression);
    });
    this.OPTION2(() => {
      this.CONSUME2(t.Colon);
      this.OPTION3(() => {
        step = this.SUBRULE2(this.expression);
      });
    });
    return this.ACTION(() => ({ kind: "slice", start, stop, step, span: this.spanFrom(begin) }));
  });
}
