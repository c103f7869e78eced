import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Fix } from "../compiler/ir/fix.js";
import type {
  Block,
  FunctionDeclaration,
  GraphDeclaration,
  Ident,
  Import,
  ImportedName,
  Item,
  OptimizerDeclaration,
  SourceFile,
  Statement,
} from "./ast.js";
import { quote } from "./diagnostics.js";
import { type Bound, boundBy, type Mention, readingOf } from "./mentions.js";

/**
 * G155 of the names of a main file that nothing in it reads. A session may fetch any name of a graph, so those of the graph itself are told
 * of only where signatures say what is wanted of it; fns, optimizers and constants of a library are for others. Names that start with `_`
 * are not told of. `text` is that of the file.
 */
export function unusedNames(file: SourceFile, text: string): readonly Diagnostic[] {
  return new Unused(file, text).diagnostics();
}

interface Entry {
  readonly bound: Bound;
  isRead: boolean;
  /** Of a scope: its names. */
  readonly inner: Level | undefined;
}

/** The names of a block of statements, and those of the blocks around it. */
class Level {
  readonly entries = new Map<string, Entry>();

  constructor(
    readonly parent: Level | undefined,
    statements: readonly Statement[],
    /** Parameters, which callers give. */
    readonly given: ReadonlySet<string> = new Set(),
  ) {
    for (const bound of statements.flatMap(boundBy)) {
      const { statement, name } = bound;
      const inner = statement.kind === "scope" ? new Level(this, statement.body.statements) : undefined;
      if (!this.entries.has(name.name)) this.entries.set(name.name, { bound, isRead: false, inner });
    }
  }

  readAll(): void {
    for (const entry of this.entries.values()) {
      entry.isRead = true;
      entry.inner?.readAll();
    }
  }
}

class Unused {
  readonly #file: SourceFile;
  readonly #text: string;
  readonly #graph: GraphDeclaration | undefined;
  /** What is read of the file's own names. */
  readonly #read = new Set<string>();
  /** Names that a path mentions inside of calls: `hidden/dense/w`. */
  readonly #inside = new Set<string>();
  /** What signatures are fed. */
  readonly #fed = new Set<string>();
  readonly #found: Diagnostic[] = [];

  constructor(file: SourceFile, text: string) {
    this.#file = file;
    this.#text = text;
    this.#graph = file.items.find((item) => item.kind === "graph");
  }

  diagnostics(): readonly Diagnostic[] {
    const { items } = this.#file;
    const graph = this.#graph;
    const level = graph === undefined ? undefined : new Level(undefined, graph.body.statements);
    if (graph !== undefined && level !== undefined) this.#visit(graph.body.statements, level);
    const functions = items.filter((item) => item.kind === "fn" || item.kind === "optimizer");
    const levels = functions.map((one) => this.#visitFunction(one));
    for (const item of items) if (item.kind === "constant") this.#readAll(readingOf(item.value).mentions, undefined);
    if (level !== undefined && graph !== undefined)
      this.#tellGraph(
        level,
        graph.body.statements.some(({ kind }) => kind === "signature"),
      );
    for (const one of levels) this.#tellLevel(one);
    for (const item of items) this.#tellItem(item);
    return this.#found;
  }

  #visitFunction(one: FunctionDeclaration | OptimizerDeclaration): Level {
    const given = new Set([...one.typeParameters, ...one.parameters].map(({ name }) => name.name));
    const level = new Level(undefined, one.body.statements, given);
    this.#visit(one.body.statements, level);
    const outputs = one.kind === "fn" ? one.outputs : [];
    for (const { name } of outputs) this.#resolve(level, { segments: [name.name], outside: 1 });
    for (const part of [...one.parameters, ...outputs]) this.#readAll(readingOf(part).mentions, level);
    return level;
  }

  #visit(statements: readonly Statement[], level: Level): void {
    for (const one of statements) {
      if (one.kind === "scope") this.#visit(one.body.statements, level.entries.get(one.name.name)?.inner ?? level);
      else if (one.kind === "on") this.#visit(one.body.statements, level);
      else if (one.kind === "update" && one.body.kind === "block") this.#visitUpdate(one.body, level);
      else {
        const { mentions, unread } = readingOf(one);
        this.#readAll(mentions, level);
        this.#tellBound(unread, false);
        if (one.kind === "signature") for (const { text } of one.inputs) this.#fed.add(text);
        // `/` divides in an expression, and enters a call where names are listed.
        if (one.kind === "train" || one.kind === "update")
          for (const { segments } of mentions) for (const name of segments) this.#inside.add(name);
      }
    }
  }

  #visitUpdate({ statements }: Block, around: Level): void {
    const level = new Level(around, statements);
    this.#visit(statements, level);
    this.#tellLevel(level);
  }

  #readAll(mentions: readonly Mention[], level: Level | undefined): void {
    for (const mention of mentions) this.#resolve(level, mention);
  }

  #resolve(level: Level | undefined, { segments, outside }: Mention): void {
    const [first, ...rest] = segments;
    if (first === undefined) return;
    for (const name of segments.slice(outside)) this.#inside.add(name);
    let holder = level;
    while (holder !== undefined && !holder.entries.has(first) && !holder.given.has(first)) holder = holder.parent;
    if (holder === undefined) this.#read.add(first);
    let entry = holder?.entries.get(first);
    if (entry !== undefined) entry.isRead = true;
    for (const name of rest.slice(0, outside - 1)) {
      entry = entry?.inner?.entries.get(name);
      if (entry !== undefined) entry.isRead = true;
    }
    // The whole of a scope, as in `variables=[encoder]`.
    entry?.inner?.readAll();
  }

  #tellGraph(level: Level, hasSignatures: boolean): void {
    this.#tellUnread(level, true, ({ statement }) => hasSignatures || statement.kind === "dim");
    for (const { inner, isRead } of level.entries.values())
      if (inner !== undefined && isRead) this.#tellGraph(inner, hasSignatures);
  }

  /** Of a body whose names may be fetched by a path through its calls. */
  #tellLevel(level: Level): void {
    this.#tellUnread(level, false, ({ name }) => !this.#inside.has(name.name));
    for (const { inner, isRead } of level.entries.values()) if (inner !== undefined && isRead) this.#tellLevel(inner);
  }

  #tellUnread(level: Level, isGraph: boolean, isWanted: (bound: Bound) => boolean): void {
    const unread = [...level.entries.values()].filter(({ isRead }) => !isRead).map(({ bound }) => bound);
    this.#tellBound(unread.filter(isWanted), isGraph);
  }

  /** Of several outputs of one call it is enough that one is read: the others are named for whoever reads the text. */
  #tellBound(unread: readonly Bound[], isGraph: boolean): void {
    const names = new Set(unread.map(({ name }) => name));
    for (const { name, statement } of unread) {
      const targets = statement.kind === "binding" ? statement.targets : [];
      const isFirst = targets.length === 0 || targets[0]?.name === name;
      if (!isFirst || targets.some((target) => !names.has(target.name))) continue;
      if (!isPrivate(name)) this.#report(name, ...this.#aboutBound(name, statement, isGraph));
    }
  }

  #aboutBound(
    name: Ident,
    statement: Statement,
    isGraph: boolean,
  ): readonly [message: string, hint: string, fixes: readonly Fix[]] {
    const targets = statement.kind === "binding" ? statement.targets : [];
    const shown = targets.length > 1 ? targets.map((target) => quote(target.name.name)).join(", ") : quote(name.name);
    const remove = this.#removal(statement, `remove ${shown}`);
    switch (statement.kind) {
      case "update":
        return [
          `no signature does the update ${shown}`,
          `a run does what its signature says: \`signature fit(...) does ${name.name} -> (...)\``,
          [],
        ];
      case "dim":
        return [`no size is the dim ${shown}`, "remove it", [remove]];
      case "placeholder": {
        const isFed = this.#fed.has(name.name);
        const message = `nothing reads the placeholder ${shown}${isFed ? ", which signatures are fed" : ""}`;
        return [message, isFed ? "remove it, and from the inputs" : "remove it", isFed ? [] : [remove]];
      }
      default: {
        const what = statement.kind === "binding" ? "" : `the ${statement.kind} `;
        const given = statement.kind === "scope" ? "a name of it" : "it";
        const hint = `${isGraph ? `give ${given} in a signature, or remove it` : "remove it"}; ${isLeftAlone}`;
        return [`nothing reads ${what}${shown}`, hint, targets.length > 1 ? [remove] : [remove, renamed(name)]];
      }
    }
  }

  #tellItem(item: Item): void {
    switch (item.kind) {
      case "import": {
        const unread = item.names.filter(({ local }) => !this.#read.has(local.name) && !isPrivate(local));
        for (const one of unread) this.#tellImport(item, one, unread.length === item.names.length);
        return;
      }
      case "fn":
      case "optimizer":
      case "constant": {
        // Those of a library are for others.
        if (this.#graph === undefined || this.#read.has(item.name.name) || isPrivate(item.name)) return;
        const shown = quote(item.name.name);
        const message = `nothing ${item.kind === "constant" ? "reads" : "calls"} the ${item.kind} ${shown}`;
        this.#report(item.name, message, "remove it, or move it into a library", [
          this.#removal(item, `remove ${shown}`),
        ]);
        return;
      }
      case "graph":
      case "invalid":
        return;
    }
  }

  #tellImport(item: Import, { local, span }: ImportedName, isWhole: boolean): void {
    const title = `remove ${quote(local.name)}`;
    const at = item.names.findIndex((one) => one.local === local);
    const [before, after] = [item.names[at - 1], item.names[at + 1]];
    const { file } = span;
    const only =
      after !== undefined
        ? { file, start: span.start, end: after.span.start }
        : { file, start: before?.span.end ?? span.start, end: span.end };
    const fix = isWhole ? this.#removal(item, "remove the import") : { title, edits: [{ span: only, text: "" }] };
    this.#report(local, `nothing uses the import ${quote(local.name)}`, "remove it", [fix]);
  }

  /** The whole of a statement or item goes, with its documentation, and its lines where nothing else stands there. */
  #removal({ span, ...one }: Statement | Import | FunctionDeclaration | OptimizerDeclaration, title: string): Fix {
    const text = this.#text;
    const doc = "doc" in one ? one.doc : undefined;
    const start = Math.min(span.start, doc?.span.start ?? span.start);
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const newline = text.indexOf("\n", span.end);
    const lineEnd = newline < 0 ? text.length : newline + 1;
    const behind = text.slice(span.end, lineEnd);
    const isAlone = /^\s*$/.test(text.slice(lineStart, start)) && /^\s*(#|$)/.test(behind);
    const { file } = span;
    const whole = isAlone ? { file, start: lineStart, end: lineEnd } : { file, start, end: span.end };
    return { title, edits: [{ span: whole, text: "" }] };
  }

  #report(name: Ident, message: string, hint: string, fixes: readonly Fix[]): void {
    const found = problem("G155", name.span, message, { severity: "warning", hint });
    this.#found.push({ ...found, tag: "unnecessary", ...(fixes.length === 0 ? {} : { fixes }) });
  }
}

const isLeftAlone = "a name that starts with `_` is left alone";

function isPrivate({ name }: Ident): boolean {
  return name.startsWith("_");
}

/** What nothing reads can have another name without a change elsewhere. */
function renamed({ name, span: { file, start } }: Ident): Fix {
  return { title: `rename to \`_${name}\``, edits: [{ span: { file, start, end: start }, text: "_" }] };
}
