import type { Expression, TypeExpression } from "./ast.js";
import { ExpressionParser } from "./grammar-expressions.js";
import * as t from "./tokens.js";

/** Types: of bindings, variables, parameters and outputs. */
export abstract class TypeParser extends ExpressionParser {
  // f32[N, 28 * 28], T[..., I], int, list[f32[N]]
  protected readonly typeExpression = this.RULE("typeExpression", (): TypeExpression => {
    const name = this.CONSUME(t.Name);
    let result: TypeExpression = {
      kind: "named-type",
      name: this.ident(name),
      dims: undefined,
      span: this.spanOf(name),
    };
    this.OPTION({
      GATE: () => this.onSameLine(),
      DEF: () => {
        result = this.OR<TypeExpression>([
          {
            GATE: () => name.image === "list",
            ALT: () => {
              this.CONSUME(t.LeftBracket);
              const element = this.nested(() => this.SUBRULE(this.typeExpression));
              this.CONSUME(t.RightBracket);
              return this.ACTION(() => ({ kind: "list-type", element, span: this.spanFrom(name) }));
            },
          },
          {
            ALT: () => {
              const dims = this.SUBRULE(this.sizes);
              return this.ACTION(() => ({
                kind: "named-type",
                name: this.ident(name),
                dims,
                span: this.spanFrom(name),
              }));
            },
            IGNORE_AMBIGUITIES: true,
          },
        ]);
      },
    });
    return this.ACTION(() => {
      if (result.kind === "named-type" && result.dims === undefined && name.image === "list") {
        return { kind: "list-type", element: undefined, span: result.span };
      }
      return result;
    });
  });

  // [: type]
  protected readonly annotation = this.RULE("annotation", (): TypeExpression | undefined => {
    let type: TypeExpression | undefined;
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      type = this.SUBRULE(this.typeExpression);
    });
    return type;
  });

  protected readonly sizes = this.RULE("sizes", (): readonly Expression[] => {
    const items: Expression[] = [];
    let more = true;
    this.CONSUME(t.LeftBracket);
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
    return items;
  });
}
