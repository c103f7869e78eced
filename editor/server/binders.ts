import type { Span } from "../../compiler/ir/span.js";
import type {
  Block,
  Doc,
  FunctionDeclaration,
  Ident,
  Item,
  OptimizerDeclaration,
  Parameter,
  SourceFile,
  Statement,
  TypeExpression,
  Value,
} from "../../dsl/ast.js";

export type BinderKind =
  | "import"
  | "fn"
  | "optimizer"
  | "graph"
  | "constant"
  | "type parameter"
  | "parameter"
  | "dim"
  | "placeholder"
  | "variable"
  | "binding"
  | "scope"
  | "update"
  | "signature"
  | "sequence"
  | "carry";

/** A name that a text declares, as its syntax alone shows: this holds for broken texts too. */
export interface Binder {
  readonly kind: BinderKind;
  readonly name: string;
  readonly span: Span;
  /** The whole statement. */
  readonly statement: Span;
  /** Where the name is visible by itself. */
  readonly visible: Span;
  readonly doc: string | undefined;
  readonly type: TypeExpression | undefined;
  /** Of a fn, an optimizer, a scope and a graph. */
  readonly children: readonly Binder[];
  readonly declaration: FunctionDeclaration | OptimizerDeclaration | undefined;
  readonly parameter: Parameter | undefined;
  /** Of an import: the name in the other file, and which file. */
  readonly imported: { readonly name: Ident; readonly source: string } | undefined;
}

type Details = Partial<Pick<Binder, "type" | "children" | "declaration" | "parameter" | "imported">>;

function binder(
  kind: BinderKind,
  name: Ident,
  statement: Span,
  visible: Span,
  doc: Doc | undefined,
  details: Details = {},
): Binder {
  return {
    kind,
    name: name.name,
    span: name.span,
    statement,
    visible,
    doc: doc?.text,
    type: undefined,
    children: [],
    declaration: undefined,
    parameter: undefined,
    imported: undefined,
    ...details,
  };
}

/** The names that a file declares, those of blocks below what holds the block. */
export function bindersOf(file: SourceFile): readonly Binder[] {
  return file.items.flatMap((item) => itemBinders(item, file.span));
}

function itemBinders(item: Item, visible: Span): readonly Binder[] {
  switch (item.kind) {
    case "import":
      return item.names.map(({ name, local }) =>
        binder("import", local, item.span, visible, undefined, { imported: { name, source: item.source.value } }),
      );
    case "fn":
    case "optimizer":
      return [
        binder(item.kind, item.name, item.span, visible, item.doc, {
          declaration: item,
          children: functionBinders(item),
        }),
      ];
    case "constant":
      return [binder("constant", item.name, item.span, visible, item.doc, { type: item.type })];
    case "graph": {
      const children = blockBinders(item.body);
      // The name of a graph cannot be used.
      return [binder("graph", item.name, item.span, item.name.span, item.doc, { children })];
    }
    case "invalid":
      return item.names.map((name) => binder("binding", name, item.span, visible, undefined));
  }
}

function functionBinders(item: FunctionDeclaration | OptimizerDeclaration): readonly Binder[] {
  const types = item.typeParameters.map((one) => binder("type parameter", one.name, one.span, item.span, undefined));
  const parameters = item.parameters.map((one) =>
    binder("parameter", one.name, one.span, item.span, one.doc, { type: one.type, parameter: one }),
  );
  return [...types, ...parameters, ...blockBinders(item.body)];
}

function blockBinders(block: Block): readonly Binder[] {
  return block.statements.flatMap((one) => statementBinders(one, block.span));
}

function statementBinders(one: Statement, visible: Span): readonly Binder[] {
  switch (one.kind) {
    case "dim":
    case "signature":
      return [binder(one.kind, one.name, one.span, visible, one.doc)];
    case "placeholder":
    case "variable":
    case "constant":
      return [binder(one.kind, one.name, one.span, visible, one.doc, { type: one.type })];
    case "scope":
      return [binder("scope", one.name, one.span, visible, one.doc, { children: blockBinders(one.body) })];
    case "on":
      return one.body.statements.flatMap((inner) => statementBinders(inner, visible));
    case "update": {
      const children = one.body.kind === "block" ? blockBinders(one.body) : [];
      return [binder("update", one.name, one.span, visible, one.doc, { children })];
    }
    case "binding": {
      const targets = one.targets
        .filter(({ name }) => name.name !== "_")
        .map(({ name, type }) => binder("binding", name, one.span, visible, one.doc, { type }));
      return [...targets, ...valueBinders(one.value)];
    }
    case "invalid":
      return one.names.map((name) => binder("binding", name, one.span, visible, undefined));
    case "seed":
    case "assignment":
    case "train":
    case "require":
    case "next":
    case "yield":
      return [];
  }
}

/** What the blocks of a scan, while or if bind. */
function valueBinders(value: Value): readonly Binder[] {
  switch (value.kind) {
    case "scan": {
      const sequences = value.sequences.map((one) =>
        binder("sequence", one.name, one.span, value.body.span, undefined),
      );
      const carries = value.carries.map((one) => binder("carry", one.name, one.span, value.body.span, undefined));
      return [...sequences, ...carries, ...blockBinders(value.body)];
    }
    case "while": {
      const carries = value.carries.map((one) => binder("carry", one.name, one.span, value.span, undefined));
      return [...carries, ...blockBinders(value.body)];
    }
    case "if":
      return [...value.branches.flatMap(({ body }) => blockBinders(body)), ...blockBinders(value.otherwise)];
    default:
      return [];
  }
}

/** All binders, those inside others too. */
export function* everyBinder(binders: readonly Binder[]): Iterable<Binder> {
  for (const one of binders) {
    yield one;
    yield* everyBinder(one.children);
  }
}

/** Those whose statements reach into a part of the text, and are not all to be gone through. */
export function* bindersWithin(binders: readonly Binder[], start: number, end: number): Iterable<Binder> {
  for (const one of binders) {
    if (one.statement.end < start || one.statement.start > end) continue;
    yield one;
    if (one.children.length > 0) yield* bindersWithin(one.children, start, end);
  }
}

/** What is visible at a place by itself, the innermost first; inside a block only what stands before, except where one may look ahead. */
export function visibleAt(binders: readonly Binder[], offset: number): readonly Binder[] {
  const found = [...everyBinder(binders)].filter(({ visible }) => visible.start <= offset && offset <= visible.end);
  return found.sort((a, b) => a.visible.end - a.visible.start - (b.visible.end - b.visible.start));
}
