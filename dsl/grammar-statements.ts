import type { IToken, ParserMethod } from "chevrotain";
import { placeLike } from "../compiler/ir/device.js";
import { writeInstead } from "../compiler/ir/fix.js";
import type {
  Assignment,
  Binding,
  BindingTarget,
  Block,
  BooleanLiteral,
  Constant,
  DimDeclaration,
  Expression,
  Field,
  Next,
  Path,
  Placed,
  Placeholder,
  Require,
  Scope,
  Seed,
  Signature,
  Statement,
  StringLiteral,
  Train,
  Update,
  Variable,
  Yield,
} from "./ast.js";
import { quote, unexpectedToken } from "./diagnostics.js";
import { isStatement } from "./earlier.js";
import { OutputsParser } from "./grammar-outputs.js";
import { boundBy } from "./mentions.js";
import { classify, type StatementKind } from "./statement-kinds.js";
import * as t from "./tokens.js";

/** The statements of a block and the regions at the right side of a binding. */
export abstract class StatementParser extends OutputsParser {
  /** What the statement that starts at the next token is; throws a `Refusal` that explains where it is none. */
  private kindOfNext(): StatementKind {
    return classify(
      (ahead) => this.LA(ahead),
      (token) => this.spanOf(token),
    );
  }

  /** Consumes a statement word such as `scope`, which is a name to the lexer. */
  protected word(): IToken {
    return this.consume(9, t.Name);
  }

  protected readonly statement = this.RULE("statement", (): Statement => {
    const kind = this.ACTION(() => this.kindOfNext());
    const when = (wanted: StatementKind, rule: ParserMethod<[], Statement>, index: number) => ({
      GATE: () => kind === wanted,
      ALT: () => this.subrule(index, rule),
    });
    return this.OR<Statement>({
      MAX_LOOKAHEAD: 1,
      IGNORE_AMBIGUITIES: true,
      DEF: [
        when("binding", this.binding, 1),
        when("assignment", this.assignment, 2),
        when("variable", this.variable, 3),
        when("constant", this.constant, 4),
        when("placeholder", this.placeholder, 5),
        when("scope", this.scope, 6),
        when("update", this.update, 7),
        when("signature", this.signature, 8),
        when("train", this.train, 9),
        when("seed", this.seed, 10),
        when("dim", this.dim, 11),
        when("next", this.next, 12),
        when("yield", this.yieldStatement, 13),
        when("require", this.require, 14),
        when("on", this.placed, 15),
      ],
    });
  });

  protected override readonly block = this.RULE("block", (): Block => {
    const open = this.CONSUME(t.LeftBrace);
    const statements: Statement[] = [];
    this.inBlock(() => {
      do {
        if (this.RECORDING_PHASE || !this.blockEnds()) {
          const one = (): Statement => this.nested(() => this.SUBRULE(this.statement));
          const read = this.part(isStatement, () => this.recovering(one, (i) => this.startsAt(i)));
          const goesOn = this.goesOn();
          const end = this.recovering(
            () => this.expectLineEnd(),
            (i) => this.startsAt(i),
          );
          statements.push(end !== undefined && goesOn ? this.cutOff(read) : read);
        }
      } while (!this.RECORDING_PHASE && !this.blockEnds());
    });
    if (!this.RECORDING_PHASE && this.atEnd()) this.reportEnd();
    else this.CONSUME(t.RightBrace);
    return this.ACTION(() => ({ kind: "block", statements, span: this.spanFrom(open) }));
  });

  /** Whether what follows a statement on its line goes on with its value: `dense(3)(x)`, `relu(x).sum()`, `lambda x: x`. */
  private goesOn(): boolean {
    if (this.RECORDING_PHASE || !this.onSameLine()) return false;
    const { tokenType } = this.LA(1);
    return tokenType === t.LeftParen || tokenType === t.Dot || this.LA(0).image === "lambda";
  }

  /** A statement whose value was not read to its end, which has been reported: what was read of it is not what was meant. */
  private cutOff(read: Statement): Statement {
    const names = boundBy(read).map(({ name }) => name);
    return names.length === 0 ? read : { kind: "invalid", names, span: read.span };
  }

  private blockEnds(): boolean {
    return this.atEnd() || this.LA(1).tokenType === t.RightBrace;
  }

  /** `on "gpu"` behind a statement, or between a scope's or an update's name and what follows. */
  private place(index: number): StringLiteral | undefined {
    let on: StringLiteral | undefined;
    this.option(index, {
      GATE: () => this.LA(1).image === "on" && this.onSameLine(),
      DEF: () => {
        this.consume(index, t.Name);
        on = this.subrule(index, this.device);
      },
    });
    return on;
  }

  /** A name in quotes; one without is reported, and what follows is read all the same. */
  protected readonly device = this.RULE(
    "device",
    (): StringLiteral =>
      this.OR<StringLiteral>([
        { ALT: () => this.SUBRULE(this.stringLiteral) },
        {
          GATE: () => this.onSameLine(),
          ALT: () => {
            const { name, span } = this.ident(this.CONSUME(t.Name));
            const value = placeLike(name) ?? "gpu";
            this.ACTION(() => {
              const hint = writeInstead(`"${value}"`, `a place is quoted: \`on "${value}"\``);
              this.report(unexpectedToken(span, '`"cpu"` or `"gpu"`', quote(name), { hint }));
            });
            // One problem is told of one word.
            return { kind: "string", value, span };
          },
        },
      ]),
  );

  protected readonly placed = this.RULE("placed", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const on = this.SUBRULE(this.device);
    const body = this.inContainer(() => this.SUBRULE(this.block));
    return this.ACTION((): Placed => ({ kind: "on", doc, on, body, span: this.spanFrom(begin) }));
  });

  protected readonly seed = this.RULE("seed", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const value = this.SUBRULE(this.integer);
    return this.ACTION((): Seed => ({ kind: "seed", doc, value, span: this.spanFrom(begin) }));
  });

  protected readonly dim = this.RULE("dim", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    let bound: Expression | undefined;
    this.OPTION(() => {
      this.CONSUME(t.LessEqual);
      bound = this.SUBRULE(this.expression);
    });
    return this.ACTION((): DimDeclaration => ({ kind: "dim", doc, name, bound, span: this.spanFrom(begin) }));
  });

  protected readonly placeholder = this.RULE("placeholder", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.typeExpression);
    let value: Expression | undefined;
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      value = this.SUBRULE(this.expression);
    });
    return this.ACTION(
      (): Placeholder => ({ kind: "placeholder", doc, name, type, default: value, span: this.spanFrom(begin) }),
    );
  });

  protected readonly variable = this.RULE("variable", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const type = this.SUBRULE(this.annotation);
    this.CONSUME(t.Equal);
    const initial = this.SUBRULE(this.expression);
    let frozen = false;
    this.OPTION({
      GATE: () => this.atClause("frozen") && this.onSameLine(),
      DEF: () => {
        this.CONSUME(t.Name);
        frozen = true;
      },
    });
    const on = this.place(20);
    return this.ACTION(
      (): Variable => ({ kind: "variable", doc, name, type, initial, frozen, on, span: this.spanFrom(begin) }),
    );
  });

  protected readonly constant = this.RULE("constant", (): Constant => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const type = this.SUBRULE(this.annotation);
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    return this.ACTION((): Constant => ({ kind: "constant", doc, name, type, value, span: this.spanFrom(begin) }));
  });

  protected readonly binding = this.RULE("binding", (): Statement => {
    const begin = this.LA(1);
    const doc = this.ACTION(() => this.takeDoc(begin));
    const targets: BindingTarget[] = [this.SUBRULE(this.bindingTarget)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      targets.push(this.SUBRULE2(this.bindingTarget));
    });
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.value);
    const on = this.place(20);
    return this.ACTION((): Binding => {
      const names = targets.map((target) => target.name).filter((name) => name.name !== "_");
      this.checkDistinct(names, "name");
      return { kind: "binding", doc, targets, value, on, span: this.spanFrom(begin) };
    });
  });

  protected readonly bindingTarget = this.RULE("bindingTarget", (): BindingTarget => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    const type = this.SUBRULE(this.annotation);
    return this.ACTION(() => ({ kind: "target", name, type, span: this.spanFrom(begin) }));
  });

  protected readonly assignment = this.RULE("assignment", (): Statement => {
    const begin = this.LA(1);
    const doc = this.ACTION(() => this.takeDoc(begin));
    const target = this.SUBRULE(this.path);
    this.CONSUME(t.Assign);
    const value = this.SUBRULE(this.expression);
    const on = this.place(20);
    return this.ACTION((): Assignment => ({ kind: "assignment", doc, target, value, on, span: this.spanFrom(begin) }));
  });

  protected readonly scope = this.RULE("scope", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const on = this.place(20);
    const body = this.inContainer(() => this.SUBRULE(this.block));
    return this.ACTION((): Scope => ({ kind: "scope", doc, name, on, body, span: this.spanFrom(begin) }));
  });

  protected readonly update = this.RULE("update", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const before = this.place(20);
    const body = this.SUBRULE(this.updateBody);
    // Behind `minimize(...)`; a block has it in front.
    const behind = body?.kind === "block" ? undefined : this.place(21);
    const on = before ?? behind;
    return this.ACTION((): Update => ({ kind: "update", doc, name, body, on, span: this.spanFrom(begin) }));
  });

  protected readonly updateBody = this.RULE("updateBody", (): Expression | Block =>
    this.OR<Expression | Block>([
      {
        ALT: () => {
          this.CONSUME(t.Equal);
          return this.SUBRULE(this.expression);
        },
      },
      { ALT: () => this.SUBRULE(this.block) },
    ]),
  );

  // signature NAME(inputs) [does U, ...] [training=BOOL] -> (outputs)
  protected readonly signature = this.RULE("signature", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const inputs = this.SUBRULE(this.paths);
    const does: Path[] = [];
    let training: BooleanLiteral | undefined;
    this.OPTION({
      GATE: () => this.atClause("does"),
      DEF: () => {
        this.CONSUME(t.Name);
        does.push(this.SUBRULE(this.path));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          does.push(this.SUBRULE2(this.path));
        });
      },
    });
    this.OPTION2({
      GATE: () => this.atClause("training"),
      DEF: () => {
        this.CONSUME2(t.Name);
        this.CONSUME(t.Equal);
        training = this.SUBRULE(this.truth);
      },
    });
    const outputs = this.outputsOr("signature", this.path, () => this.SUBRULE2(this.paths));
    return this.ACTION((): Signature => {
      const span = this.spanFrom(begin);
      const base = { kind: "signature", doc, name, inputs, does, training, span } as const;
      return outputs === undefined ? { ...base, outputs: [], incomplete: true } : { ...base, outputs };
    });
  });

  protected readonly truth = this.RULE("truth", (): BooleanLiteral => {
    const token = this.OR([{ ALT: () => this.CONSUME(t.True) }, { ALT: () => this.CONSUME(t.False) }]);
    return this.ACTION(() => ({ kind: "boolean", value: token.tokenType === t.True, span: this.spanOf(token) }));
  });

  protected readonly paths = this.RULE("paths", (): readonly Path[] => {
    const items: Path[] = [];
    let more = true;
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.path));
        more = this.RECORDING_PHASE;
        this.OPTION(() => {
          this.CONSUME(t.Comma);
          more = true;
        });
      },
    });
    this.CONSUME(t.RightParen);
    return items;
  });

  // Fields stand on lines of their own, without commas.
  protected readonly train = this.RULE("train", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const fields: Field[] = [];
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      fields.push(this.SUBRULE(this.field));
    });
    this.CONSUME(t.RightBrace);
    return this.ACTION((): Train => {
      this.checkFields(fields);
      return { kind: "train", doc, fields, span: this.spanFrom(begin) };
    });
  });

  protected readonly require = this.RULE("require", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const condition = this.SUBRULE(this.expression);
    this.CONSUME(t.Comma);
    const message = this.SUBRULE(this.stringLiteral);
    return this.ACTION((): Require => ({ kind: "require", doc, condition, message, span: this.spanFrom(begin) }));
  });

  protected readonly next = this.RULE("next", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    this.CONSUME(t.Equal);
    const value = this.SUBRULE(this.expression);
    return this.ACTION((): Next => ({ kind: "next", doc, name, value, span: this.spanFrom(begin) }));
  });

  protected readonly yieldStatement = this.RULE("yieldStatement", (): Statement => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const values: Expression[] = [this.SUBRULE(this.expression)];
    this.MANY(() => {
      this.CONSUME(t.Comma);
      values.push(this.SUBRULE2(this.expression));
    });
    return this.ACTION((): Yield => ({ kind: "yield", doc, values, span: this.spanFrom(begin) }));
  });
}
