import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Import } from "../../dsl/ast.js";
import { Facts } from "../../dsl/elaborate/facts.js";
import { Memory } from "../../dsl/elaborate/memory.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { type ParseResult, parse } from "../../dsl/parse.js";
import { isStandard, pathOfSource, readFileFromDisk } from "../../dsl/standard.js";
import { type Analysis, failedAnalysis, type Source, sourceOf } from "./analysis.js";
import { Trees } from "./trees.js";

/** A folder may hold anything: so many of its files are looked at, and so many folders deep. */
const mostFiles = 2000;
const mostFolders = 12;

/** Texts of the library that are kept parsed. */
const mostKept = 4000;

/**
 * The files as the editor has them: what is open there stands before what lies on the disk. Analyses are made when they are asked
 * for, and kept until a file that they read changes.
 */
export class Workspace {
  readonly #open = new Map<string, string>();
  /**
   * Of an open file the places stay, empty, where a text is outdated: maps in which they came and went at each keystroke would leave tables
   * behind that keep what came later (see `memory.ts`).
   */
  readonly #sources = new Map<string, Source | undefined>();
  /** What has been parsed of the standard library. */
  readonly library: Map<string, ParseResult>;
  readonly #analyses = new Map<string, Analysis | undefined>();
  /** Of files that are open: what is kept from one text to the next. */
  readonly #trees = new Map<string, Trees>();
  readonly #memories = new Map<string, Memory>();
  readonly #listed = new Map<string, readonly string[]>();
  /** How often the text of an open file has changed. */
  changes = 0;
  folders: readonly string[] = [];
  allowPaths: readonly string[] = [];

  constructor(library = new Map<string, ParseResult>()) {
    this.library = library;
  }

  get openFiles(): readonly string[] {
    return [...this.#open.keys()];
  }

  isOpen(file: string): boolean {
    return this.#open.has(file);
  }

  /** The text of an open file, after a change. */
  setText(file: string, text: string): void {
    this.changes++;
    this.#open.set(file, text);
    this.#forget(file);
  }

  close(file: string): void {
    this.#open.delete(file);
    this.#trees.delete(file);
    this.#memories.delete(file);
    this.#forget(file);
    this.#drop(file);
  }

  /** A file was made, changed or deleted on the disk. */
  touch(file: string): void {
    this.#listed.clear();
    if (this.#open.has(file)) return;
    this.#forget(file);
    this.#drop(file);
  }

  forgetAll(): void {
    this.#analyses.clear();
    this.#listed.clear();
  }

  #forget(file: string): void {
    if (this.#sources.has(file)) this.#sources.set(file, undefined);
    for (const [root, analysis] of this.#analyses) {
      if (root === file || analysis?.asked.has(file) === true) this.#analyses.set(root, undefined);
    }
  }

  #drop(file: string): void {
    this.#sources.delete(file);
    this.#analyses.delete(file);
  }

  /** Throws where it is neither open nor on the disk. */
  read(file: string): string {
    const name = pathOfSource(file);
    return this.#open.get(name) ?? readFileFromDisk(name);
  }

  /** A file by its syntax alone; undefined where it cannot be read. */
  source(file: string): Source | undefined {
    try {
      return this.#source(file, this.read(file));
    } catch {
      return undefined;
    }
  }

  #source(file: string, text: string): Source {
    const known = this.#sources.get(file);
    if (known?.text === text) return known;
    const source = sourceOf(file, text, this.#parsed(file, text));
    this.#sources.set(file, source);
    return source;
  }

  /** The tree of a file; of an open one, it shares with the one before what it can. */
  #parsed(file: string, text: string): ParseResult {
    if (!this.#open.has(file)) return parse(text, file);
    const known = this.#trees.get(file) ?? new Trees();
    this.#trees.set(file, known);
    return known.next(text, file);
  }

  /** How many statements the last analysis of an open file elaborated, and how many it only repeated. */
  countsOf(file: string): Memory["counts"] | undefined {
    return this.#memories.get(file)?.counts;
  }

  #memory(file: string): Memory | undefined {
    if (!this.#open.has(file)) return undefined;
    const known = this.#memories.get(file);
    if (known !== undefined && !known.isFull) return known;
    const made = new Memory();
    this.#memories.set(file, made);
    return made;
  }

  #parse(text: string, file: string): ParseResult {
    if (!isStandard(file)) return this.#source(file, text).parsed;
    const key = `${file}\n${text}`;
    const known = this.library.get(key);
    if (known !== undefined) return known;
    const parsed = parse(text, file);
    if (this.library.size < mostKept) this.library.set(key, parsed);
    return parsed;
  }

  /** All that is known of a file; undefined where it cannot be read. */
  analysis(file: string): Analysis | undefined {
    const known = this.#analyses.get(file);
    if (known !== undefined) return known;
    const source = this.source(file);
    if (source === undefined) return undefined;
    const made = this.#analyse(source, (name) => this.read(name), undefined, this.#memory(file));
    this.#analyses.set(file, made);
    return made;
  }

  /** An analysis that is not kept; where `read` knows other texts, they are to be parsed anew. */
  analyse(source: Source, read: (file: string) => string, parseOther: typeof parse): Analysis {
    return this.#analyse(source, read, parseOther, undefined);
  }

  #analyse(
    source: Source,
    read: (file: string) => string,
    parseOther: typeof parse | undefined,
    memory: Memory | undefined,
  ): Analysis {
    const asked = new Set<string>();
    const facts = new Facts();
    const start = performance.now();
    try {
      const loaded = loadGraphFromText(source.text, source.file, {
        allowPaths: this.allowPaths,
        unused: true,
        facts,
        ...(memory === undefined ? {} : { memory }),
        parse: parseOther ?? ((text, file) => this.#parse(text, file)),
        readFile: (path) => {
          asked.add(path);
          return read(path);
        },
      });
      return { source, loaded, facts, asked, milliseconds: performance.now() - start };
    } catch (error) {
      return failedAnalysis(source, asked, error);
    }
  }

  /** Files of the folders, and the open ones. */
  files(): readonly string[] {
    const found = new Set(this.#open.keys());
    for (const folder of this.folders) for (const file of this.#list(folder)) found.add(file);
    return [...found];
  }

  #list(folder: string): readonly string[] {
    const known = this.#listed.get(folder);
    if (known !== undefined) return known;
    const files: string[] = [];
    listGraphs(folder, 0, files);
    this.#listed.set(folder, files);
    return files;
  }

  /** The files that import one of these, at once or through others; nearest first. */
  importersOf(file: string): readonly string[] {
    const importers = new Map<string, string[]>();
    for (const one of this.files()) {
      for (const target of this.#importsOf(one)) {
        const list = importers.get(target);
        if (list === undefined) importers.set(target, [one]);
        else list.push(one);
      }
    }
    const found = new Set<string>();
    const queue = [file];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const one of importers.get(next) ?? []) {
        if (one === file || found.has(one)) continue;
        found.add(one);
        queue.push(one);
      }
    }
    return [...found];
  }

  #importsOf(file: string): readonly string[] {
    const items = this.source(file)?.parsed.ast.items ?? [];
    return items
      .filter((item): item is Import => item.kind === "import")
      .map(({ source }) => source.value)
      .filter((name) => !name.startsWith("std/"))
      .map((name) => join(dirname(file), name.endsWith(".graph") ? name : `${name}.graph`));
  }
}

/** Links are not followed: a folder may lead to itself. */
function listGraphs(folder: string, depth: number, files: string[]): void {
  if (depth > mostFolders || files.length >= mostFiles) return;
  let entries: ReturnType<typeof entriesOf>;
  try {
    entries = entriesOf(folder);
  } catch {
    return;
  }
  for (const entry of entries) {
    if (files.length >= mostFiles) return;
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith(".graph")) files.push(path);
    else if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
      listGraphs(path, depth + 1, files);
  }
}

function entriesOf(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}
