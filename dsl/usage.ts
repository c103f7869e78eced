import type {
  Constant,
  FunctionDeclaration,
  GraphDeclaration,
  Ident,
  Import,
  ImportedName,
  OptimizerDeclaration,
  Parameter,
  SourceFile,
  Statement,
} from "./ast.js";
import { type Dead, deadUnits, type Other, reachedBy, type Unit, unit } from "./dead.js";
import { boundBy, isLeftUnread, isOfFunction, type Mention, readingOf } from "./mentions.js";

/** What of a main file's names is of no use, as the tree alone tells. */
export interface Usage {
  readonly names: readonly Dead<Use>[];
  readonly items: readonly Dead<ItemUse>[];
  /** What signatures are fed. */
  readonly fed: ReadonlySet<string>;
}

/** A statement with the names that it binds, or a parameter. */
export type Use =
  | {
      readonly kind: "statement";
      readonly statement: Statement;
      /** Whether a signature could give it. */
      readonly isGiven: boolean;
      /** In the same loop or branch: what is of use for this one alone. */
      readonly others: readonly Other<Statement>[];
    }
  | {
      readonly kind: "parameter";
      readonly parameter: Parameter;
      readonly of: FunctionDeclaration | OptimizerDeclaration;
    }
  | { readonly kind: "type-parameter"; readonly name: Ident };

export type ItemUse =
  | { readonly kind: "import"; readonly item: Import; readonly imported: ImportedName }
  | { readonly kind: "declaration"; readonly item: FunctionDeclaration | OptimizerDeclaration | Constant };

export function usageOf(file: SourceFile): Usage {
  return new Walk(file).usage();
}

export function namesOf(use: Use): readonly Ident[] {
  switch (use.kind) {
    case "statement":
      return boundBy(use.statement).map(({ name }) => name);
    case "parameter":
      return [use.parameter.name];
    case "type-parameter":
      return [use.name];
  }
}

interface Entry {
  readonly unit: Unit<Use>;
  /** Of a scope: its names. */
  readonly inner: Level | undefined;
}

/** The names of a block of statements, and those of the blocks around it. */
class Level {
  readonly entries = new Map<string, Entry>();
  readonly units = new Map<Statement, Unit<Use>>();

  constructor(
    readonly parent: Level | undefined,
    statements: readonly Statement[],
    readonly isGiven: boolean,
  ) {
    for (const { statement, name } of statements.flatMap(boundBy)) {
      const inner = statement.kind === "scope" ? new Level(this, statement.body.statements, this.isGiven) : undefined;
      const held = inner === undefined ? this.#inside(statement) : [...inner.units.values()];
      const made = this.units.get(statement) ?? unit<Use>({ kind: "statement", statement, isGiven, others: [] }, held);
      this.units.set(statement, made);
      if (!this.entries.has(name.name)) this.entries.set(name.name, { unit: made, inner });
    }
  }

  /** What loops and branches in a statement bind, and nothing reads. */
  #inside(statement: Statement): readonly Unit<Use>[] {
    if (statement.kind === "update") return [];
    return readingOf(statement).unread.map(({ of, others }) =>
      unit<Use>({ kind: "statement", statement: of, isGiven: false, others }),
    );
  }

  add(name: Ident, made: Unit<Use>): void {
    if (!this.entries.has(name.name)) this.entries.set(name.name, { unit: made, inner: undefined });
  }

  /** All units of it and of its scopes. */
  *all(): Iterable<Unit<Use>> {
    yield* this.units.values();
    for (const { inner } of this.entries.values()) if (inner !== undefined) yield* inner.all();
  }
}

/** The names of a graph or of a function, with those of its scopes and updates, in the order of the text. */
interface Body {
  readonly units: Unit<Use>[];
  readonly roots: Set<Unit<Use>>;
  /** Of a function: which parameters tell the sizes and dtypes that it infers. */
  readonly inferred: Map<Unit<Use>, Unit<Use>[]>;
  /** What reads the file's names; undefined of the graph. */
  readonly item: Unit<ItemUse> | undefined;
}

class Walk {
  readonly #file: SourceFile;
  readonly #graph: GraphDeclaration | undefined;
  readonly #items = new Map<string, Unit<ItemUse>>();
  readonly #itemRoots = new Set<Unit<ItemUse>>();
  /** Functions that are passed on, so that what they are given is not theirs to choose. */
  readonly #passed = new Set<string>();
  /** Names that a path mentions inside of calls: `hidden/dense/w`. */
  readonly #inside = new Set<string>();
  readonly #fed = new Set<string>();
  readonly #bodies: Body[] = [];

  constructor(file: SourceFile) {
    this.#file = file;
    this.#graph = file.items.find((item) => item.kind === "graph");
  }

  usage(): Usage {
    for (const [name, use] of this.#file.items.flatMap(itemUses)) {
      const made = unit(use);
      if (!this.#items.has(name.name)) this.#items.set(name.name, made);
      // Those of a library are for others.
      const isOffered = use.kind === "declaration" && this.#graph === undefined;
      if (isOffered || isLeftUnread(name)) this.#itemRoots.add(made);
    }
    for (const item of this.#file.items) {
      if (item.kind === "fn" || item.kind === "optimizer") this.#visitFunction(item);
      if (item.kind === "constant") {
        const body = this.#body(this.#items.get(item.name.name));
        for (const mention of readingOf(item).mentions) this.#resolve(body, undefined, undefined, mention);
      }
    }
    if (this.#graph !== undefined) this.#visitGraph(this.#graph);
    return {
      names: this.#bodies.flatMap((body) => this.#dead(body)),
      items: deadUnits([...this.#items.values()], this.#itemRoots),
      fed: this.#fed,
    };
  }

  #body(item: Unit<ItemUse> | undefined): Body {
    const made: Body = { units: [], roots: new Set(), inferred: new Map(), item };
    this.#bodies.push(made);
    return made;
  }

  #visitGraph({ body: { statements } }: GraphDeclaration): void {
    const body = this.#body(undefined);
    const level = new Level(undefined, statements, true);
    this.#visit(body, statements, level);
    // Without signatures a session says what is wanted.
    if (statements.some(({ kind }) => kind === "signature")) return;
    for (const one of level.all()) {
      if (one.of.kind === "statement" && one.of.statement.kind !== "dim") body.roots.add(one);
    }
  }

  #visitFunction(one: FunctionDeclaration | OptimizerDeclaration): void {
    const body = this.#body(this.#items.get(one.name.name));
    const level = new Level(undefined, one.body.statements, false);
    for (const { name } of one.typeParameters) level.add(name, unit<Use>({ kind: "type-parameter", name }));
    const parameters = one.parameters.map((parameter) => {
      const made = unit<Use>({ kind: "parameter", parameter, of: one });
      body.units.push(made);
      level.add(parameter.name, made);
      return made;
    });
    // What an optimizer moves and its gradient are given to it by `minimize`.
    for (const made of one.kind === "optimizer" ? parameters.slice(0, 2) : []) body.roots.add(made);
    one.parameters.forEach(({ type, default: value }, i) => {
      const made = parameters[i];
      if (value !== undefined) this.#read(body, level, made, value);
      for (const read of type === undefined
        ? []
        : readingOf(type).mentions.flatMap((m) => this.#find(body, level, m))) {
        if (made === undefined) continue;
        if (read.of.kind === "type-parameter") body.inferred.set(read, [...(body.inferred.get(read) ?? []), made]);
        else made.reads.add(read);
      }
    });
    this.#visit(body, one.body.statements, level);
    for (const output of one.kind === "fn" ? one.outputs : []) {
      this.#resolve(body, level, undefined, { segments: [output.name.name], outside: 1 });
      this.#read(body, level, undefined, output);
    }
  }

  #visit(body: Body, statements: readonly Statement[], level: Level): void {
    for (const one of statements) {
      const own = level.units.get(one);
      if (own !== undefined) body.units.push(own);
      if (one.kind === "scope")
        this.#visit(body, one.body.statements, level.entries.get(one.name.name)?.inner ?? level);
      else if (one.kind === "on") this.#visit(body, one.body.statements, level);
      else if (one.kind === "update" && one.body.kind === "block") {
        const { statements: inner } = one.body;
        this.#visit(body, inner, new Level(level, inner, false));
      } else this.#visitStatement(body, one, level, own);
    }
  }

  #visitStatement(body: Body, one: Statement, level: Level, own: Unit<Use> | undefined): void {
    // An update is wanted as soon as a signature does it, with all that it reads.
    this.#read(body, level, one.kind === "update" ? undefined : own, one);
    const { mentions, unread } = readingOf(one);
    unread.forEach((inner, i) => {
      const made = own?.holds[i];
      if (made !== undefined) body.units.push(made);
      for (const mention of inner.mentions) this.#resolve(body, level, made, mention);
    });
    if (one.kind === "signature") for (const { text } of one.inputs) this.#fed.add(text);
    // `/` divides in an expression, and enters a call where names are listed.
    if (one.kind === "train" || one.kind === "update")
      for (const { segments } of mentions) for (const name of segments) this.#inside.add(name);
  }

  #read(body: Body, level: Level, reader: Unit<Use> | undefined, part: object): void {
    for (const mention of readingOf(part).mentions) this.#resolve(body, level, reader, mention);
  }

  /** Notes that a unit reads what a mention names; without a unit it is of use whatever becomes of the others. */
  #resolve(body: Body, level: Level | undefined, reader: Unit<Use> | undefined, mention: Mention): void {
    const read = reader?.reads ?? body.roots;
    for (const one of this.#find(body, level, mention)) read.add(one);
  }

  #find(body: Body, level: Level | undefined, mention: Mention): readonly Unit<Use>[] {
    const { segments, outside } = mention;
    const [first, ...rest] = segments;
    if (first === undefined) return [];
    for (const name of segments.slice(outside)) this.#inside.add(name);
    let holder = level;
    while (holder !== undefined && !holder.entries.has(first)) holder = holder.parent;
    let entry = holder?.entries.get(first);
    const isFunction = isOfFunction(mention);
    if (entry === undefined || isFunction) {
      const item = this.#items.get(first);
      if (!isFunction) this.#passed.add(first);
      if (item !== undefined) (body.item?.reads ?? this.#itemRoots).add(item);
    }
    // What is called by a name that is bound nearer, too, may be a function that was passed.
    if (entry === undefined) return [];
    const found = [entry.unit];
    for (const name of rest.slice(0, outside - 1)) {
      entry = entry?.inner?.entries.get(name);
      if (entry !== undefined) found.push(entry.unit);
    }
    // The whole of a scope, as in `variables=[encoder]`.
    return entry?.inner === undefined ? found : [...found, ...entry.inner.all()];
  }

  #dead({ units, roots, inferred }: Body): readonly Dead<Use>[] {
    const wanted = new Set(roots);
    for (const one of units) {
      const { of } = one;
      const names = namesOf(of);
      const isFetched = of.kind === "statement" && !of.isGiven && names.some(({ name }) => this.#inside.has(name));
      const isPassed = of.kind === "parameter" && this.#passed.has(of.of.name.name);
      if (isFetched || isPassed || names.every(isLeftUnread)) wanted.add(one);
    }
    const used = reachedBy(wanted);
    for (const [read, tellers] of inferred) {
      if (used.has(read) && !tellers.some((one) => used.has(one))) for (const one of tellers) wanted.add(one);
    }
    return deadUnits(units, wanted);
  }
}

function itemUses(item: SourceFile["items"][number]): readonly (readonly [name: Ident, use: ItemUse])[] {
  switch (item.kind) {
    case "import":
      return item.names.map((imported) => [imported.local, { kind: "import", item, imported }]);
    case "fn":
    case "optimizer":
    case "constant":
      return [[item.name, { kind: "declaration", item }]];
    case "graph":
    case "invalid":
      return [];
  }
}
