import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Hint } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import type { FunctionDeclaration, Import, OptimizerDeclaration, SourceFile } from "./ast.js";
import { didYouMean, maximumFileLength, meant, quote, suggest } from "./diagnostics.js";
import type { parse } from "./parse.js";
import { projectOf } from "./project.js";
import { sectionsOf, textOfSection } from "./sections.js";
import { isStandard, pathOfSource, type ReadFile, standardFile } from "./standard.js";

export interface ImportOptions {
  readonly readFile: ReadFile;
  /** The folder of the standard library. */
  readonly stdFolder: string;
  readonly parse: typeof parse;
  /** Folders besides the main file's own that imports may reach, by absolute paths or `..`. */
  readonly allowPaths: readonly string[];
  /** Files of the standard library that have been read, for whoever loads again and again. */
  readonly library?: Map<string, { readonly file: LoadedFile; readonly text: string }> | undefined;
}

/** Files of the standard library whose names are visible everywhere. Layers and optimizers are imported. */
export const preludeFiles: readonly string[] = [
  "math",
  "activations",
  "losses",
  "initialisers",
  "regularisation",
  "clipping",
  "linear_algebra",
  "random",
];

export interface LoadedFile {
  readonly path: string;
  readonly ast: SourceFile;
  readonly standard: boolean;
  /** The file of each import statement; undefined where it could not be had, which has been reported. */
  readonly imports: ReadonlyMap<Import, LoadedFile | undefined>;
  /** Functions that are not in `ast`: each is parsed when it is asked for, once; undefined where it can't be, which has been reported. Only the standard library has such. */
  readonly deferred: ReadonlyMap<string, () => FunctionDeclaration | OptimizerDeclaration | undefined>;
}

/** The names that a file offers to those that import it. */
export function exportsOf(file: LoadedFile): ReadonlySet<string> {
  const declared = file.ast.items.flatMap((item) =>
    item.kind === "fn" || item.kind === "optimizer" || item.kind === "constant" ? [item.name.name] : [],
  );
  return new Set([...declared, ...file.deferred.keys()]);
}

/** Reads and parses files, each once, and finds what they import. */
export class Files {
  readonly diagnostics: Diagnostic[] = [];
  /** The text of every file that was read, by path: for rendering, and for the keys of caches. */
  readonly texts = new Map<string, string>();
  readonly #loaded = new Map<string, LoadedFile>();
  readonly #loading: { readonly path: string; readonly span: Span | undefined }[] = [];
  readonly #options: ImportOptions;
  /** The folder of the main file: what a program is made of lies in it. Of a library by itself, that of its project. */
  #root = ".";
  #rootIs: "the folder of the main file" | "the folder of this library" | "the project of this library" =
    "the folder of the main file";
  #main: string | undefined;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /** The main file, whose text may be given. */
  main(path: string, text: string | undefined): LoadedFile | undefined {
    this.#root = dirname(path);
    this.#main = path;
    return this.#load(path, text, undefined);
  }

  /** A library that is looked at by itself may have its main file anywhere in its project, and is part of no run. */
  #beginLibrary(path: string): void {
    const project = projectOf(dirname(path));
    if (project !== undefined) this.#root = project;
    this.#rootIs = project === undefined ? "the folder of this library" : "the project of this library";
  }

  /** A file of the standard library; undefined where there is none of this name. */
  standard(name: string): LoadedFile | undefined {
    return this.#load(standardFile(name), undefined, undefined, true);
  }

  /** Where a name that is not visible could be imported from. */
  suggestImport(name: string): string | undefined {
    for (const library of this.#libraries()) {
      const file = this.standard(library);
      if (preludeFiles.includes(library) || file === undefined) continue;
      if (exportsOf(file).has(name)) return `std/${library}`;
    }
    return undefined;
  }

  /** The tree of a file that is read already. */
  treeOf(path: string): SourceFile | undefined {
    return this.#loaded.get(path)?.ast;
  }

  #libraries(): readonly string[] {
    return (graphFiles(this.#options.stdFolder) ?? []).map((file) => file.slice(0, -".graph".length));
  }

  #load(path: string, text: string | undefined, from: Span | undefined, silent = false): LoadedFile | undefined {
    const known = this.#loaded.get(path);
    if (known !== undefined) return known;
    const kept = this.#options.library?.get(path);
    if (kept !== undefined) {
      this.texts.set(path, kept.text);
      return kept.file;
    }
    const start = this.#loading.findIndex((one) => one.path === path);
    if (start >= 0) {
      this.#reportCycle(path, start, from);
      return undefined;
    }
    const content = text ?? this.#read(path, from, silent);
    if (content === undefined) return undefined;
    this.texts.set(path, content);
    const sections = isStandard(path) ? sectionsOf(content) : undefined;
    const ast =
      sections === undefined ? this.#parse(content, path) : this.#parse(sections.rest ?? "", path, content.length);
    if (content.length > maximumFileLength) return undefined;
    if (path === this.#main && !ast.items.some(({ kind }) => kind === "graph")) this.#beginLibrary(path);
    this.#loading.push({ path, span: from });
    const imports = new Map<Import, LoadedFile | undefined>();
    for (const item of ast.items) if (item.kind === "import") imports.set(item, this.#import(item, path));
    this.#loading.pop();
    const deferred = new Map(
      [...(sections?.functions ?? [])].map(([name, section]) => {
        return [name, () => this.#function(textOfSection(content, section), path)] as const;
      }),
    );
    const file: LoadedFile = { path, ast, standard: isStandard(path), imports, deferred };
    this.#loaded.set(path, file);
    if (file.standard) this.#options.library?.set(path, { file, text: content });
    return file;
  }

  #parse(text: string, path: string, length = text.length): SourceFile {
    if (text === "")
      return { kind: "file", file: path, doc: undefined, items: [], span: { file: path, start: 0, end: length } };
    const { ast, diagnostics } = this.#options.parse(text, path);
    this.diagnostics.push(...diagnostics);
    return ast;
  }

  #function(text: string, path: string): FunctionDeclaration | OptimizerDeclaration | undefined {
    for (const item of this.#parse(text, path).items) if (item.kind === "fn" || item.kind === "optimizer") return item;
    return undefined;
  }

  #reportCycle(path: string, start: number, from: Span | undefined): void {
    const cycle = this.#loading.slice(start);
    const names = [...cycle.map((one) => one.path), path].map((p) => p.split(/[\\/]/).at(-1) ?? p);
    this.diagnostics.push(
      problem("G061", from, `the files import each other in a circle: ${names.join(" -> ")}`, {
        notes: cycle.flatMap((one) => (one.span === undefined ? [] : [{ span: one.span, message: "imported here" }])),
        hint: "move what both need into a third file",
      }),
    );
  }

  #read(path: string, from: Span | undefined, silent: boolean): string | undefined {
    try {
      return this.#options.readFile(pathOfSource(path, this.#options.stdFolder));
    } catch (error) {
      if (silent) return undefined;
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      const missing = code === "ENOENT" || code === "ENOTDIR";
      const reason = missing ? "there is no such file" : reasonOf(error, code);
      this.diagnostics.push(
        from === undefined
          ? problem("G064", undefined, `${path}: ${reason}`)
          : problem(
              missing ? "G060" : "G064",
              from,
              `cannot import ${quote(pathFrom(from.file, path))}: ${reason}`,
              missing ? { hint: nearestImport(from.file, path) } : {},
            ),
      );
      return undefined;
    }
  }

  #import(item: Import, importer: string): LoadedFile | undefined {
    const { value, span } = item.source;
    if (value.startsWith("std/")) return this.#importStandard(value.slice("std/".length), span);
    const path = this.#resolve(value, importer, span);
    return path === undefined ? undefined : this.#load(path, undefined, span);
  }

  #importStandard(name: string, span: Span): LoadedFile | undefined {
    const path = standardFile(name);
    if (/^[A-Za-z0-9_]+$/.test(name)) {
      const file = this.#loading.some((one) => one.path === path)
        ? this.#load(path, undefined, span)
        : this.standard(name);
      if (file !== undefined || this.#loading.some((one) => one.path === path)) return file;
    }
    const near = suggest(name, this.#libraries());
    this.diagnostics.push(
      problem("G060", span, `the standard library has no file ${quote(name)}`, {
        hint:
          near === undefined
            ? `its files are ${this.#libraries().join(", ")}`
            : meant(`std/${near}`, JSON.stringify(`std/${near}`)),
      }),
    );
    return undefined;
  }

  /**
   * A path from the importing file's folder; G063 where it leaves the main file's folder and those that are allowed. `..` is taken
   * away as text, whatever links there are: what counts in the end is where they lead.
   */
  #resolve(text: string, importer: string, span: Span): string | undefined {
    if (text === "") {
      const hint = 'write the path of a file from this one\'s folder, or of the standard library: `"std/layers"`';
      this.diagnostics.push(problem("G060", span, "the import names no file", { hint }));
      return undefined;
    }
    const name = text.endsWith(".graph") ? text : `${text}.graph`;
    const absolute = isAbsolute(name) || /^[A-Za-z]:/.test(name);
    const upwards = normalize(name).split(/[\\/]/).includes("..");
    const path = isAbsolute(name) ? normalize(name) : join(dirname(importer), name);
    const { allowPaths } = this.#options;
    const reaches = (folder: string): boolean => isInside(resolve(path), resolve(folder));
    const allowed = allowPaths.some(reaches) || (!absolute && (!upwards || reaches(this.#root)));
    if (text.includes("\0") || !allowed) {
      this.#reportOutside(text, "", dirname(path), span);
      return undefined;
    }
    // Its folder may be reached through links itself.
    const real = realPath(path);
    if ([this.#root, dirname(importer), ...allowPaths].some((folder) => isInside(real, realPath(folder)))) return path;
    this.#reportOutside(text, " through a symbolic link", dirname(real), span);
    return undefined;
  }

  #reportOutside(text: string, how: string, folder: string, span: Span): void {
    const way =
      this.#rootIs === "the folder of this library"
        ? "; a package.json or .git marks a project, in which libraries may import each other"
        : "";
    this.diagnostics.push(
      problem("G063", span, `the import ${quote(text)} leaves ${this.#rootIs}${how}`, {
        hint: `if you trust the file, allow the place: \`--allow-path ${folder}\`${way}`,
      }),
    );
  }
}

/** A path as the importing file could write it: the one that was tried may begin anywhere, and be long. */
function pathFrom(importer: string, path: string): string {
  return relative(dirname(importer), path).replaceAll("\\", "/");
}

const mostFilesNamed = 8;

/** What may have been meant by the path of a file that is not there. */
function nearestImport(importer: string, path: string): Hint | undefined {
  const folder = dirname(path);
  const named = path.slice(0, -".graph".length);
  const [inside, beside] = [graphFiles(named), graphFiles(folder)];
  const shown = (files: readonly string[], from: string): readonly string[] =>
    files.map((file) => pathFrom(importer, join(from, file))).filter((file) => file !== basename(importer));
  const listed = (files: readonly string[]): string => files.slice(0, mostFilesNamed).map(quote).join(", ");
  if (inside !== undefined)
    return `${quote(pathFrom(importer, named) || ".")} is a folder: import a file, such as ${listed(shown(inside, named)) || "one in it"}`;
  if (beside === undefined)
    return folder === dirname(importer) ? undefined : `there is no folder ${quote(pathFrom(importer, folder))}`;
  const files = shown(beside, folder);
  return (
    didYouMean(pathFrom(importer, path), files, (best) => JSON.stringify(best)) ??
    (files.length === 0 ? undefined : `its folder has ${listed(files)}`)
  );
}

/** The source files of a folder; undefined where it is none. */
function graphFiles(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".graph"))
      .sort();
  } catch {
    return undefined;
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Where a path leads once links are followed; of what is not there, the part that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const whole = resolve(path);
    const parent = dirname(whole);
    return parent === whole ? whole : join(realPath(parent), basename(whole));
  }
}

function reasonOf(error: unknown, code: string): string {
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES" || code === "EPERM") return "it may not be read";
  return error instanceof Error ? (error.message.split("\n")[0] ?? code) : code;
}
