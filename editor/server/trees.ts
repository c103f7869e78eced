import { type MovableSpan, makeMovable, moveSpan, type Span } from "../../compiler/ir/span.js";
import type { GraphDeclaration, Ident, Item, Placed, Scope, Statement } from "../../dsl/ast.js";
import type { ParseResult } from "../../dsl/parse.js";

type Part = Item | Statement;
type Container = GraphDeclaration | Scope | Placed;

/** A part of a tree that is kept as a whole: an item of the file, or a statement of the graph or of a scope in it. */
interface Piece<T extends Part> {
  readonly part: T;
  /** What it says, with its documentation. */
  readonly key: string;
  readonly spans: readonly MovableSpan[];
  start: number;
}

/** Of one block, what is kept. */
interface Level<T extends Part> {
  readonly pieces: Map<string, Piece<T>[]>;
  /** The graph, and in it the scopes and the statements that are placed together. */
  readonly inner: Map<string, Level<Statement>>;
  /** The places of the names that it binds. */
  readonly names: Map<string, Span>;
}

function emptyLevel<T extends Part>(): Level<T> {
  return { pieces: new Map(), inner: new Map(), names: new Map() };
}

/**
 * Keeps the tree of a file from one text to the next: what is written as it was before is the same object, with its spans moved to where
 * it stands now. Each text is parsed as a whole, so that the trees are what they would be anyhow. A name that is bound again keeps its
 * place's object, too, whatever has become of the rest of its statement. Trees given before are not to be used any more.
 */
export class Trees {
  #level: Level<Item> = emptyLevel();

  next(text: string, parsed: ParseResult): ParseResult {
    const wrong = parsed.diagnostics.flatMap(({ span }) => (span === undefined ? [] : [span]));
    const keeping = new Keeping(text, wrong);
    const { parts, level } = keeping.block(parsed.ast.items, this.#level);
    this.#level = level;
    return { ...parsed, ast: { ...parsed.ast, items: parts } };
  }
}

class Keeping {
  readonly #text: string;
  readonly #wrong: readonly Span[];

  constructor(text: string, wrong: readonly Span[]) {
    this.#text = text;
    this.#wrong = wrong;
  }

  block<T extends Part>(
    parts: readonly T[],
    before: Level<T>,
  ): { readonly parts: readonly T[]; readonly level: Level<T> } {
    const level: Level<T> = emptyLevel();
    // The pieces that stay come first: their names' places are theirs.
    const stays = parts.map((part) => (isContainer(part) ? undefined : this.#taken(part, before)));
    const kept = new Set(
      stays.flatMap((piece) => (piece === undefined ? [] : identsOf(piece.part).map(({ span }) => span))),
    );
    const made = parts.map((part, i): T => {
      const stayed = stays[i];
      if (stayed !== undefined) {
        add(level, stayed);
        return stayed.part;
      }
      for (const ident of identsOf(part)) reuseSpan(ident, before.names.get(ident.name), kept);
      return isContainer(part) ? this.#container(part, before, level) : this.#fresh(part, level);
    });
    for (const part of made) for (const { name, span } of identsOf(part)) level.names.set(name, span);
    return { parts: made, level };
  }

  #taken<T extends Part>(part: T, { pieces }: Level<T>): Piece<T> | undefined {
    if (this.#isWrong(part)) return undefined;
    const piece = pieces.get(this.#key(part))?.shift();
    if (piece === undefined) return undefined;
    const start = startOf(part);
    const by = start - piece.start;
    if (by !== 0) for (const span of piece.spans) moveSpan(span, by);
    piece.start = start;
    return piece;
  }

  #fresh<T extends Part>(part: T, level: Level<T>): T {
    const spans = spansIn(part);
    for (const span of spans) makeMovable(span);
    if (!this.#isWrong(part)) add(level, { part, key: this.#key(part), spans, start: startOf(part) });
    return part;
  }

  #container<T extends Part>(container: T & Container, before: Level<T>, level: Level<T>): T {
    const named = container.kind === "on" ? container.on.value : container.name.name;
    let key = `${container.kind} ${named}`;
    while (level.inner.has(key)) key += "'";
    const { parts, level: inner } = this.block(container.body.statements, before.inner.get(key) ?? emptyLevel());
    if (container.kind !== "on") makeMovable(container.name.span);
    level.inner.set(key, inner);
    return { ...container, body: { ...container.body, statements: parts } };
  }

  #key(part: Part): string {
    return `${part.kind} ${this.#text.slice(startOf(part), part.span.end)}`;
  }

  /** What the parser found a problem in may rest on the text around it. */
  #isWrong(part: Part): boolean {
    const [start, end] = [startOf(part), part.span.end];
    return part.kind === "invalid" || this.#wrong.some((span) => span.start <= end && start <= span.end);
  }
}

function add<T extends Part>({ pieces }: Level<T>, piece: Piece<T>): void {
  const known = pieces.get(piece.key);
  if (known === undefined) pieces.set(piece.key, [piece]);
  else known.push(piece);
}

function isContainer<T extends Part>(part: T): part is T & Container {
  return part.kind === "graph" || part.kind === "scope" || part.kind === "on";
}

function startOf(part: Part): number {
  const doc = "doc" in part ? part.doc : undefined;
  return Math.min(part.span.start, doc?.span.start ?? part.span.start);
}

/** The names that a part binds in its block. */
function identsOf(part: Part): readonly Ident[] {
  switch (part.kind) {
    case "binding":
      return part.targets.map(({ name }) => name);
    case "import":
      return part.names.map(({ local }) => local);
    case "invalid":
      return part.names;
    case "graph":
    case "fn":
    case "optimizer":
    case "constant":
    case "dim":
    case "placeholder":
    case "variable":
    case "scope":
    case "update":
      return [part.name];
    case "seed":
    case "assignment":
    case "signature":
    case "train":
    case "require":
    case "next":
    case "yield":
    case "on":
      return [];
  }
}

/** Puts the object of the place that the name had before in the place of its new one. */
function reuseSpan(ident: Ident, before: Span | undefined, taken: Set<Span>): void {
  if (before === undefined || taken.has(before)) return;
  taken.add(before);
  const [place, holder]: [MovableSpan, { span: Span }] = [before, ident];
  moveSpan(place, ident.span.start - before.start);
  place.end = ident.span.end;
  holder.span = before;
}

/** All spans of a part, each once. */
function spansIn(part: Part): readonly MovableSpan[] {
  const found = new Set<Span>();
  const stack: object[] = [part];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (isSpan(one)) found.add(one);
    else for (const value of Object.values(one)) if (typeof value === "object" && value !== null) stack.push(value);
  }
  return [...found];
}

function isSpan(one: object): one is Span {
  return "file" in one && "start" in one && "end" in one && !("kind" in one);
}
