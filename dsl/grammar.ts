import type { IToken } from "chevrotain";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type {
  Block,
  Comment,
  Doc,
  Expression,
  FunctionDeclaration,
  GraphDeclaration,
  Ident,
  Import,
  ImportedName,
  Item,
  OptimizerDeclaration,
  Output,
  Parameter,
  SourceFile,
  TypeParameter,
} from "./ast.js";
import { matchBrackets } from "./brackets.js";
import { misplacedStatement, strayBracket } from "./diagnostics.js";
import { type Earlier, isItem, type ReadPart } from "./earlier.js";
import { attachDocs, joinDoc } from "./grammar-base.js";
import { StatementParser } from "./grammar-statements.js";
import { classifyItem, type ItemKind, startsItem, startsStatement } from "./statement-kinds.js";
import * as t from "./tokens.js";

export interface Grammar {
  readonly ast: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
  readonly parenthesized: ReadonlySet<Expression>;
  /** `##` lines that document nothing, by the offset of the token they stand before. */
  readonly unusedDocs: readonly Doc[];
  /** What need not be read again in the next text, where it is as it is here. */
  readonly parts: readonly ReadPart[];
}

/** The whole grammar: items of a file over statements over expressions. */
export class GraphParser extends StatementParser {
  constructor(options: { readonly validate: boolean } = { validate: false }) {
    super(options.validate);
    this.performSelfAnalysis();
  }

  parse(text: string, file: string, tokens: IToken[], comments: readonly Comment[], earlier?: Earlier): Grammar {
    const docs = attachDocs(comments, tokens);
    const firstOnLine = (i: number): boolean => i === 0 || tokens[i - 1]?.endLine !== tokens[i]?.startLine;
    const startsAt = (index: number): boolean => startsStatement(index, (i) => tokens[i], firstOnLine);
    const fileDoc = takeFileDoc(comments, tokens, docs, text);
    this.start(text, file, tokens, matchBrackets(tokens, startsAt), docs);
    this.startReuse(earlier);
    const items = this.sourceFile();
    this.finishNumbers();
    const span = { file, start: 0, end: text.length };
    const ast: SourceFile = { kind: "file", file, doc: fileDoc, items, span };
    const { diagnostics, parenthesized, readParts: parts } = this;
    return { ast, diagnostics, parenthesized, unusedDocs: [...docs.values()], parts };
  }

  private readonly sourceFile = this.RULE("sourceFile", (): readonly Item[] => {
    const items: Item[] = [];
    let outside = false;
    do {
      if (this.RECORDING_PHASE) this.SUBRULE(this.item, { ARGS: ["graph"] });
      else if (!this.atEnd()) {
        const kind = classifyItem((ahead) => this.LA(ahead));
        if (kind === undefined) this.refuseItem(outside);
        else {
          const one = (): Item => this.SUBRULE(this.item, { ARGS: [kind] });
          items.push(this.part(isItem, () => this.recovering(one, (i) => this.resumesItem(i))));
        }
        outside = kind === undefined;
      }
    } while (!this.RECORDING_PHASE && !this.atEnd());
    return items;
  });

  private resumesItem(index: number): boolean {
    return startsItem(
      index,
      (i) => this.tokenAt(i),
      (i) => this.firstOnLine(i),
    );
  }

  /** A statement, or anything else, at the top of a file: one report for a run of them. */
  private refuseItem(reported: boolean): void {
    const token = this.LA(1);
    if (token.tokenType === t.RightBrace || token.tokenType === t.RightParen || token.tokenType === t.RightBracket) {
      this.report(strayBracket(this.spanOf(token), token.image));
      this.SKIP_TOKEN();
      return;
    }
    const begin = this.position(token);
    const problemCount = this.diagnostics.length;
    const statement = this.recovering(
      () => this.SUBRULE2(this.statement),
      (i) => this.firstOnLine(i),
    );
    if (this.position(this.LA(1)) === begin) this.SKIP_TOKEN();
    if (reported || this.diagnostics.length > problemCount) return;
    const hint = "only imports, fns, optimizers and constants stand beside the graph";
    this.report(misplacedStatement(statement.span, "this statement stands outside of a graph", hint));
  }

  private readonly item = this.RULE(
    "item",
    (kind: ItemKind): Item =>
      this.OR<Item>({
        MAX_LOOKAHEAD: 1,
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { GATE: () => kind === "import", ALT: () => this.SUBRULE(this.importItem) },
          { GATE: () => kind === "fn", ALT: () => this.SUBRULE(this.fn) },
          { GATE: () => kind === "optimizer", ALT: () => this.SUBRULE(this.optimizer) },
          { GATE: () => kind === "graph", ALT: () => this.SUBRULE(this.graph) },
          { GATE: () => kind === "constant", ALT: () => this.SUBRULE(this.constant) },
        ],
      }),
  );

  // import { adam, sgd as descent } from "std/optimizers"
  private readonly importItem = this.RULE("importItem", (): Item => {
    const begin = this.word();
    const names = this.SUBRULE(this.importNames);
    this.consume(8, this.atClause("from") || this.RECORDING_PHASE ? t.Name : t.FromWord);
    const source = this.SUBRULE(this.stringLiteral);
    return this.ACTION((): Import => {
      this.checkDistinct(
        names.map((n) => n.local),
        "name",
      );
      return { kind: "import", names, source, span: this.spanFrom(begin) };
    });
  });

  private readonly importNames = this.RULE("importNames", (): readonly ImportedName[] => {
    const items: ImportedName[] = [];
    let more = true;
    this.CONSUME(t.LeftBrace);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.importedName));
        more = this.RECORDING_PHASE;
        this.OPTION(() => {
          this.CONSUME(t.Comma);
          more = true;
        });
      },
    });
    this.CONSUME(t.RightBrace);
    return items;
  });

  private readonly importedName = this.RULE("importedName", (): ImportedName => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    let local: Ident = name;
    this.OPTION({
      GATE: () => this.atClause("as"),
      DEF: () => {
        this.CONSUME(t.Name);
        local = this.valueName(this.CONSUME2(t.Word));
      },
    });
    return this.ACTION(() => ({ kind: "imported-name", name, local, span: this.spanFrom(begin) }));
  });

  private readonly graph = this.RULE("graph", (): Item => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    const body = this.inContainer(() => this.SUBRULE(this.block));
    return this.ACTION((): GraphDeclaration => ({ kind: "graph", doc, name, body, span: this.spanFrom(begin) }));
  });

  private readonly fn = this.RULE("fn", (): Item => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    let typeParameters: readonly TypeParameter[] = [];
    this.OPTION(() => {
      typeParameters = this.SUBRULE(this.typeParameters);
    });
    const parameters = this.SUBRULE(this.parameters);
    const outputs = this.outputsOr("fn", this.output, () => this.SUBRULE(this.outputs));
    const body: Block = this.SUBRULE(this.block);
    return this.ACTION((): FunctionDeclaration => {
      this.checkDistinct(
        [...typeParameters, ...parameters].map((p) => p.name),
        "parameter",
      );
      const span = this.spanFrom(begin);
      const base = { kind: "fn", doc, name, typeParameters, parameters, body, span } as const;
      if (outputs === undefined) return { ...base, outputs: [], incomplete: true };
      this.checkDistinct(
        outputs.map((o) => o.name),
        "output",
      );
      return { ...base, outputs };
    });
  });

  private readonly optimizer = this.RULE("optimizer", (): Item => {
    const begin = this.word();
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(this.CONSUME(t.Word));
    let typeParameters: readonly TypeParameter[] = [];
    this.OPTION(() => {
      typeParameters = this.SUBRULE(this.typeParameters);
    });
    const parameters = this.SUBRULE(this.parameters);
    const body: Block = this.SUBRULE(this.block);
    return this.ACTION((): OptimizerDeclaration => {
      this.checkDistinct(
        [...typeParameters, ...parameters].map((p) => p.name),
        "parameter",
      );
      return { kind: "optimizer", doc, name, typeParameters, parameters, body, span: this.spanFrom(begin) };
    });
  });

  private readonly typeParameters = this.RULE("typeParameters", (): readonly TypeParameter[] => {
    const items: TypeParameter[] = [];
    let more = true;
    this.CONSUME(t.LeftBracket);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.typeParameter));
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

  private readonly typeParameter = this.RULE("typeParameter", (): TypeParameter => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    let bound: Ident | undefined;
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      bound = this.ident(this.CONSUME2(t.Word));
    });
    return this.ACTION(() => ({ kind: "type-parameter", name, bound, span: this.spanFrom(begin) }));
  });

  private readonly parameters = this.RULE("parameters", (): readonly Parameter[] => {
    const items: Parameter[] = [];
    let more = true;
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.parameter));
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

  private readonly parameter = this.RULE("parameter", (): Parameter => {
    const begin = this.CONSUME(t.Word);
    const doc = this.ACTION(() => this.takeDoc(begin));
    const name = this.valueName(begin);
    const type = this.SUBRULE(this.annotation);
    let value: Expression | undefined;
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      value = this.SUBRULE(this.expression);
    });
    return this.ACTION(() => ({ kind: "parameter", doc, name, type, default: value, span: this.spanFrom(begin) }));
  });

  private readonly outputs = this.RULE("outputs", (): readonly Output[] => {
    const items: Output[] = [];
    let more = true;
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => more,
      DEF: () => {
        items.push(this.SUBRULE(this.output));
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

  private readonly output = this.RULE("output", (): Output => {
    const begin = this.CONSUME(t.Word);
    const name = this.valueName(begin);
    const type = this.SUBRULE(this.annotation);
    return this.ACTION(() => ({ kind: "output", name, type, span: this.spanFrom(begin) }));
  });
}

/**
 * The first `##` lines of a file document the file where an import follows, or where an empty line parts them from the
 * `##` lines of the first declaration.
 */
function takeFileDoc(
  comments: readonly Comment[],
  tokens: readonly IToken[],
  docs: Map<number, Doc>,
  text: string,
): Doc | undefined {
  const first = tokens[0];
  const whole = first === undefined ? undefined : docs.get(first.startOffset);
  if (first === undefined || whole === undefined) return undefined;
  if (first.image === "import") {
    docs.delete(first.startOffset);
    return whole;
  }
  const lines = comments.filter((c) => c.doc && c.ownLine && c.span.start < first.startOffset);
  const isGap = (a: Comment, b: Comment): boolean => /\n[ \t]*\r?\n/.test(text.slice(a.span.end, b.span.start));
  const split = lines.findIndex((line, index) => index > 0 && isGap(lines[index - 1] ?? line, line));
  if (split <= 0) return undefined;
  docs.set(first.startOffset, joinDoc(lines.slice(split)));
  return joinDoc(lines.slice(0, split));
}
