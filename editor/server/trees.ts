import { type MovableSpan, makeMovable, moveSpan, type Span } from "../../compiler/ir/span.js";
import type { GraphDeclaration, Ident, Item, Placed, Scope, Statement } from "../../dsl/ast.js";
import type { Part, ReadPart } from "../../dsl/earlier.js";
import { type ParseResult, parse } from "../../dsl/parse.js";
import { KeptText, movePiece, type Piece, type PlacedPiece, type SameText } from "./kept_text.js";

type Container = GraphDeclaration | Scope | Placed;

/** Of one block, what is kept. */
interface Level<T extends Part> {
  readonly pieces: Map<string, Piece<T>[]>;
  readonly parts: Map<Part, Piece<T>>;
  /** The graph, and in it the scopes and the statements that are placed together. */
  readonly inner: Map<string, Level<Statement>>;
  /** The places of the names that it binds. */
  readonly names: Map<string, Span>;
}

function emptyLevel<T extends Part>(): Level<T> {
  return { pieces: new Map(), parts: new Map(), inner: new Map(), names: new Map() };
}

function nothingKept(): KeptText {
  return new KeptText("", { tokens: [], comments: [], diagnostics: [] }, []);
}

/**
 * Keeps the tree of a file from one text to the next: what is written as it was before is the same object, with its spans moved to where
 * it stands now. The parser is told which parts stand as they did, with all that their reading rested on, and does not read them again; the
 * tree is what it would be anyhow. A name that is bound again keeps its place's object, too, whatever has become of the rest of its
 * statement. Trees given before are not to be used any more.
 */
export class Trees {
  #level: Level<Item> = emptyLevel();
  #kept = nothingKept();
  /** How many parts of the last text were read, and how many were not, as they stood there before. */
  readonly counts = { read: 0, unread: 0 };

  next(text: string, file: string): ParseResult {
    const earlier = this.#kept.before(text);
    const parsed = parse(text, file, earlier);
    const keeping = new Keeping(text, parsed, earlier.taken);
    if (keeping.mayStay(parsed.ast.items, this.#level)) return this.#keep(text, earlier, parsed, keeping);
    const anew = parse(text, file);
    return this.#keep(text, earlier, anew, new Keeping(text, anew, new Set()));
  }

  #keep(text: string, earlier: SameText, parsed: ParseResult, keeping: Keeping): ParseResult {
    const { parts, level } = keeping.block(parsed.ast.items, this.#level);
    this.#level = level;
    this.counts.unread = keeping.unread.size;
    this.counts.read = parsed.parts.length - keeping.unread.size;
    // A text that is too long is not even split into tokens.
    const { lexed } = earlier;
    this.#kept = lexed === undefined ? nothingKept() : new KeptText(text, lexed, keeping.pieces(parsed.parts));
    return { ...parsed, ast: { ...parsed.ast, items: parts } };
  }
}

class Keeping {
  readonly #text: string;
  readonly #wrong: readonly Span[];
  /** The parts that the parser did not read. */
  readonly unread: ReadonlySet<Part>;
  readonly #pieceOf = new Map<Part, Piece<Part>>();

  constructor(text: string, { diagnostics }: ParseResult, unread: ReadonlySet<Part>) {
    this.#text = text;
    this.#wrong = diagnostics.flatMap(({ span }) => (span === undefined ? [] : [span]));
    this.unread = unread;
  }

  /** Whether each part that was not read stands in the block that it stood in, and no problem is found in it now. */
  mayStay<T extends Part>(parts: readonly T[], before: Level<T>): boolean {
    if (this.unread.size === 0) return true;
    const names = new ContainerNames();
    return parts.every((part) => {
      if (isContainer(part)) return this.mayStay(part.body.statements, innerOf(before, names.of(part)));
      return !this.unread.has(part) || (before.parts.has(part) && !this.#isWrong(part));
    });
  }

  /** Where the parts stand that were read, or were not read again, with what is kept of them. */
  pieces(parts: readonly ReadPart[]): readonly PlacedPiece[] {
    return parts.flatMap((place) => {
      const piece = this.#pieceOf.get(place.part);
      return piece === undefined ? [] : [{ piece, place }];
    });
  }

  block<T extends Part>(
    parts: readonly T[],
    before: Level<T>,
  ): { readonly parts: readonly T[]; readonly level: Level<T> } {
    const level: Level<T> = emptyLevel();
    const names = new ContainerNames();
    // The pieces that stay come first: their names' places are theirs.
    for (const part of parts) if (this.unread.has(part)) remove(before, before.parts.get(part));
    const stays = parts.map((part) => {
      if (isContainer(part)) return undefined;
      return this.unread.has(part) ? before.parts.get(part) : this.#taken(part, before);
    });
    const kept = new Set(
      stays.flatMap((piece) => (piece === undefined ? [] : identsOf(piece.part).map(({ span }) => span))),
    );
    const made = parts.map((part, i): T => {
      const stayed = stays[i];
      if (stayed !== undefined) {
        this.#add(level, part, stayed);
        return stayed.part;
      }
      for (const ident of identsOf(part)) reuseSpan(ident, before.names.get(ident.name), kept);
      return isContainer(part) ? this.#container(part, names.of(part), before, level) : this.#fresh(part, level);
    });
    for (const part of made) for (const { name, span } of identsOf(part)) level.names.set(name, span);
    return { parts: made, level };
  }

  /** What was written before as the part is now, and nowhere else in the new text. */
  #taken<T extends Part>(part: T, before: Level<T>): Piece<T> | undefined {
    if (this.#isWrong(part)) return undefined;
    const piece = before.pieces.get(this.#key(part))?.[0];
    if (piece === undefined) return undefined;
    remove(before, piece);
    movePiece(piece, startOf(part) - piece.start);
    return piece;
  }

  #fresh<T extends Part>(part: T, level: Level<T>): T {
    const spans = spansIn(part);
    const derived = spans.map(makeMovable);
    if (!this.#isWrong(part))
      this.#add(level, part, { part, key: this.#key(part), spans, derived, start: startOf(part) });
    return part;
  }

  #add<T extends Part>({ pieces, parts }: Level<T>, part: T, piece: Piece<T>): void {
    const known = pieces.get(piece.key);
    if (known === undefined) pieces.set(piece.key, [piece]);
    else known.push(piece);
    parts.set(piece.part, piece);
    this.#pieceOf.set(part, piece);
  }

  #container<T extends Part>(container: T & Container, key: string, before: Level<T>, level: Level<T>): T {
    const { parts, level: inner } = this.block(container.body.statements, innerOf(before, key));
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

/** The names by which the containers of one block are known. */
class ContainerNames {
  readonly #given = new Set<string>();

  of(container: Container): string {
    let name = `${container.kind} ${container.kind === "on" ? container.on.value : container.name.name}`;
    while (this.#given.has(name)) name += "'";
    this.#given.add(name);
    return name;
  }
}

function innerOf<T extends Part>({ inner }: Level<T>, name: string): Level<Statement> {
  return inner.get(name) ?? emptyLevel();
}

function remove<T extends Part>({ pieces }: Level<T>, piece: Piece<T> | undefined): void {
  const known = piece === undefined ? undefined : pieces.get(piece.key);
  const at = piece === undefined ? -1 : (known?.indexOf(piece) ?? -1);
  if (at >= 0) known?.splice(at, 1);
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
