import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Hint } from "../compiler/ir/fix.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { Span } from "../compiler/ir/span.js";
import type { FunctionDeclaration, GraphDeclaration, Ident, Item, OptimizerDeclaration } from "./ast.js";
import { didYouMean, limitDiagnostics, quote, suggest } from "./diagnostics.js";
import { checkAhead, checkAlone, checkDeclaration, fileEnv } from "./elaborate/alone.js";
import { FactList, Facts } from "./elaborate/facts.js";
import { elaborateGraph } from "./elaborate/graph.js";
import { intrinsics } from "./elaborate/intrinsics/table.js";
import { type Home, type Meaning, poisoned } from "./elaborate/meaning.js";
import type { Memory } from "./elaborate/memory.js";
import { Names } from "./elaborate/names.js";
import { Shared } from "./elaborate/state.js";
import { constant } from "./elaborate/statements.js";
import type { SymbolInfo } from "./elaborate/symbol_table.js";
import { importEdit } from "./import_edit.js";
import { exportsOf, Files, type LoadedFile, preludeFiles } from "./imports.js";
import { parse } from "./parse.js";
import { type ReadFile, readFileFromDisk, shippedStdFolder } from "./standard.js";
import { unusedNames } from "./unused.js";

export interface LoadOptions {
  /** Reads a source file; from the disk where it is left out. */
  readonly readFile?: ReadFile;
  /** The folder of the standard library; the shipped one where it is left out. */
  readonly stdFolder?: string;
  /** Folders that imports may reach by absolute paths or `..`. */
  readonly allowPaths?: readonly string[];
  /** Whether to warn of names of this file that nothing in it reads: of interest to who writes it, not to who runs it. */
  readonly unused?: boolean;
  /** Reads a text; whoever loads a file again and again keeps what it has read. */
  readonly parse?: typeof parse;
  /** Is told of all names. */
  readonly facts?: Facts;
  /**
   * What is kept from one elaboration of this file to the next, by an editor that keeps its trees, too; see `memory.ts`. There is no graph
   * then, only what is found of it.
   */
  readonly memory?: Memory;
}

export interface Loaded {
  /** The typed graph; undefined where there are errors, and for a library, which holds none. */
  readonly graph: Graph | undefined;
  /** All problems of all files, each file's in the order of its text. Empty or warnings only where all is well. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, with its text: for rendering, and for the keys of caches. */
  readonly files: ReadonlyMap<string, string>;
  /** What hover shows, by path: dims, placeholders, variables, bindings, updates; `signature NAME` for signatures. */
  readonly symbols: ReadonlyMap<string, SymbolInfo>;
}

/** Reads, parses and types a `.graph` file and what it imports. Never throws for bad input: see `diagnostics`. */
export function loadGraph(path: string, options: LoadOptions = {}): Loaded {
  return load(path, undefined, options);
}

/** The same from a text; `file` is the name that places show, and the folder that imports resolve from. */
export function loadGraphFromText(text: string, file: string, options: LoadOptions = {}): Loaded {
  return load(file, text, options);
}

function load(path: string, text: string | undefined, options: LoadOptions): Loaded {
  const files = new Files({
    readFile: options.readFile ?? readFileFromDisk,
    stdFolder: options.stdFolder ?? shippedStdFolder,
    allowPaths: options.allowPaths ?? [],
    parse: options.parse ?? parse,
    library: options.memory?.library,
  });
  options.memory?.begin();
  const main = files.main(path, text);
  const shared = new Shared(
    (name) => importHint(files, name),
    (file) => files.texts.get(file),
    options.facts,
    options.memory,
  );
  const graph = main === undefined ? undefined : elaborateFile(files, shared, main);
  // What stands where the syntax is wrong already is no second problem.
  const typed = shared.diagnostics.filter((d) => !files.diagnostics.some((syntax) => overlap(d.span, syntax.span)));
  const found = [...files.diagnostics, ...typed];
  // What is wrong may be what should have read a name.
  const isSound = found.every(({ severity }) => severity !== "error");
  if (options.unused === true && isSound && main !== undefined)
    found.push(...unusedNames(main.ast, files.texts.get(main.path) ?? ""));
  const diagnostics = sorted(found, path);
  const failed = diagnostics.some((d) => d.severity === "error");
  const isWhole = !failed && options.memory === undefined;
  return {
    graph: isWhole ? graph : undefined,
    diagnostics,
    files: files.texts,
    get symbols() {
      return shared.symbols;
    },
  };
}

/** `import { dense } from "std/layers"`, for a name of the library that the text has not imported. */
function importHint(files: Files, { name, span }: Ident): Hint | undefined {
  const from = files.suggestImport(name);
  if (from === undefined) return undefined;
  const statement = `\`import { ${name} } from "${from}"\``;
  const ast = files.treeOf(span.file);
  if (ast === undefined) return statement;
  return { text: statement, fix: () => ({ title: `import it: ${statement}`, edits: [importEdit(ast, name, from)] }) };
}

function overlap(a: Span | undefined, b: Span | undefined): boolean {
  if (a === undefined || b === undefined || a.file !== b.file) return false;
  return a.start < b.end && b.start < a.end;
}

/** The main file's problems first, then each other file's. */
function sorted(diagnostics: readonly Diagnostic[], main: string): readonly Diagnostic[] {
  const byFile = new Map<string, Diagnostic[]>([[main, []]]);
  for (const diagnostic of diagnostics) {
    const file = diagnostic.span?.file ?? main;
    const list = byFile.get(file);
    if (list === undefined) byFile.set(file, [diagnostic]);
    else list.push(diagnostic);
  }
  return [...byFile.values()].flatMap((list) => limitDiagnostics(list));
}

function elaborateFile(files: Files, shared: Shared, main: LoadedFile): Graph | undefined {
  try {
    const linker = new Linker(files, shared);
    const home = linker.home(main);
    const graphs = main.ast.items.filter((item): item is GraphDeclaration => item.kind === "graph");
    const [declaration] = graphs;
    const graph = declaration === undefined ? undefined : elaborateGraph(shared, declaration, home);
    linker.checkAlone(main);
    if (shared.memory?.isFirst === true) linker.checkAhead(main, shared.memory);
    shared.memory?.end();
    return graph;
  } catch (error) {
    if (!(error instanceof RangeError && error.message.includes("call stack"))) throw error;
    shared.report(problem("G101", main.ast.span, "calls and expressions nest too deep"));
    return undefined;
  }
}

function builtInNames(): Names {
  const builtIn = new Names(undefined);
  for (const [name, intrinsic] of intrinsics) {
    builtIn.bind(name, { meaning: { kind: "fn", fn: { kind: "intrinsic", intrinsic } }, span: undefined });
  }
  for (const dtype of ["f64", "f32", "f16", "bf16", "i64", "i32", "i8", "u8", "bool"] as const) {
    builtIn.bind(dtype, { meaning: { kind: "dtype", value: dtype }, span: undefined });
  }
  return builtIn;
}

/** Gives each file its names: the prelude, what it imports and what it declares. */
class Linker {
  readonly #files: Files;
  readonly #shared: Shared;
  readonly #homes = new Map<LoadedFile, Home>();
  readonly #prelude: Names;

  constructor(files: Files, shared: Shared) {
    this.#files = files;
    this.#shared = shared;
    const { memory } = shared;
    this.#prelude = memory?.prelude ?? new Names(builtInNames());
    if (memory?.prelude === undefined) this.#fillPrelude();
    if (memory !== undefined) memory.prelude = this.#prelude;
  }

  /** What is visible everywhere. */
  #fillPrelude(): void {
    for (const name of preludeFiles) {
      const file = this.#files.standard(name);
      if (file === undefined) continue;
      const { names } = this.home(file);
      for (const exported of exportsOf(file)) {
        if (this.#prelude.has(exported)) continue;
        this.#prelude.defer(exported, () => ({ meaning: names.own(exported)?.meaning ?? poisoned, span: undefined }));
      }
    }
  }

  home(file: LoadedFile): Home {
    const { memory } = this.#shared;
    const known = this.#homes.get(file) ?? memory?.homes.get(file);
    if (known !== undefined) return known;
    const made: Home = { file: file.path, names: new Names(this.#prelude), standard: file.standard };
    const home = file.standard ? made : (memory?.home(file.path, this.#prelude) ?? made);
    this.#homes.set(file, home);
    if (file.standard) memory?.homes.set(file, home);
    const { names } = home;
    for (const item of file.ast.items) this.#bindItem(file, home, item);
    for (const item of file.ast.items) {
      if (item.kind === "fn" || item.kind === "optimizer") checkDeclaration(this.#shared, item, home);
    }
    for (const [name, read] of file.deferred) {
      names.defer(name, () => {
        const declaration = read();
        if (declaration === undefined) return { meaning: poisoned, span: undefined };
        checkDeclaration(this.#shared, declaration, home);
        return { meaning: functionMeaning(declaration, home), span: declaration.name.span };
      });
    }
    return home;
  }

  #bindItem(file: LoadedFile, home: Home, item: Item): void {
    switch (item.kind) {
      case "import":
        for (const { name, local } of item.names) {
          const source = file.imports.get(item);
          if (source !== undefined && !home.standard) this.#noteImport(source, name, local);
          if (home.standard && source?.deferred.has(name.name) === true) {
            home.names.defer(local.name, () => ({ meaning: this.#exported(source, name), span: local.span }));
            continue;
          }
          this.#bind(home, local, source === undefined ? poisoned : this.#exported(source, name));
        }
        return;
      case "fn":
      case "optimizer":
        this.#bind(home, item.name, functionMeaning(item, home));
        return;
      case "constant":
        constant(fileEnv(this.#shared, home), item);
        return;
      case "invalid":
        if (item.names.length === 0) home.names.markIncomplete();
        for (const name of item.names) home.names.bind(name.name, { meaning: poisoned, span: name.span });
        return;
      case "graph":
        return;
    }
  }

  #noteImport(source: LoadedFile, name: Ident, local: Ident): void {
    const { facts } = this.#shared;
    const entry = facts === undefined ? undefined : this.home(source).names.own(name.name);
    if (facts === undefined || entry?.span === undefined || !exportsOf(source).has(name.name)) return;
    const fact = {
      about: "name",
      span: name.span,
      origin: entry.span,
      meaning: entry.meaning,
      generic: false,
    } as const;
    facts.addAll(new FactList([fact]));
    facts.addAlias(local.span, entry.span);
    if (local !== name) facts.addAll(new FactList([{ ...fact, span: local.span, origin: local.span }]));
  }

  #bind(home: Home, name: Ident, meaning: Meaning): void {
    const first = home.names.own(name.name);
    if (first?.span !== undefined) {
      this.#shared.report(
        problem("G010", name.span, `${quote(name.name)} is declared twice`, {
          notes: [{ span: first.span, message: "first here" }],
        }),
      );
      return;
    }
    home.names.bind(name.name, { meaning, span: name.span });
  }

  /** What another file declares under a name; G062 where it does not. */
  #exported(source: LoadedFile, name: Ident): Meaning {
    const entry = this.home(source).names.own(name.name);
    const exported = exportsOf(source);
    if (entry !== undefined && exported.has(name.name)) return entry.meaning;
    // Where its syntax is wrong, what is missing may stand in what could not be read.
    const broken = this.#files.diagnostics.some(({ span }) => span?.file === source.path);
    if (entry?.meaning.kind === "poisoned" || broken) return poisoned;
    const title = source.path.split(/[\\/]/).at(-1) ?? source.path;
    this.#shared.report(
      problem("G062", name.span, `${quote(title)} has no ${quote(name.name)}`, {
        hint:
          (source.standard ? this.#elsewhere(name.name, exported) : undefined) ??
          didYouMean(name.name, exported) ??
          (exported.size === 0 ? "it declares nothing" : `it has ${[...exported].slice(0, 12).join(", ")}`),
      }),
    );
    return poisoned;
  }

  /** Where the library has a name that this file of it lacks, if none of its own is as near. */
  #elsewhere(name: string, exported: ReadonlySet<string>): string | undefined {
    const from = this.#files.suggestImport(name);
    if (from !== undefined) return `\`import { ${name} } from "${from}"\``;
    const visible = [...intrinsics.keys(), ...preludeFiles.flatMap((one) => this.#exportedBy(one))];
    const best = suggest(name, [...exported, ...visible]);
    return best === undefined || exported.has(best) ? undefined : `\`${best}\` needs no import`;
  }

  #exportedBy(library: string): readonly string[] {
    const file = this.#files.standard(library);
    return file === undefined ? [] : [...exportsOf(file)];
  }

  /** Checks those that calls have expanded as if there were none, for what an editor will be told next. */
  checkAhead(file: LoadedFile, memory: Memory): void {
    const home = this.home(file);
    const { suggestImport, expanded } = this.#shared;
    const aside = new Shared(suggestImport, (name) => this.#files.texts.get(name), new Facts(), memory);
    for (const item of file.ast.items) {
      if ((item.kind === "fn" || item.kind === "optimizer") && expanded.has(item))
        checkAhead(memory, aside, item, home);
    }
  }

  /** Checks the functions of the main file that no call has expanded. */
  checkAlone(file: LoadedFile): void {
    const home = this.home(file);
    for (const item of file.ast.items) {
      if (item.kind === "fn" || item.kind === "optimizer") checkAlone(this.#shared, item, home);
    }
  }
}

function functionMeaning(declaration: FunctionDeclaration | OptimizerDeclaration, home: Home): Meaning {
  return declaration.kind === "fn"
    ? { kind: "fn", fn: { kind: "fn", declaration, home } }
    : { kind: "fn", fn: { kind: "optimizer", declaration, home } };
}
