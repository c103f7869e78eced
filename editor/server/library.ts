import { readdirSync } from "node:fs";
import type { FunctionDeclaration, OptimizerDeclaration } from "../../dsl/ast.js";
import { intrinsics } from "../../dsl/elaborate/intrinsics/table.js";
import type { Callable } from "../../dsl/elaborate/meaning.js";
import { Names } from "../../dsl/elaborate/names.js";
import { preludeFiles } from "../../dsl/imports.js";
import { parse } from "../../dsl/parse.js";
import { pathOfSource, readFileFromDisk, shippedStdFolder, standardFile } from "../../dsl/standard.js";

/** A function that can be called by name, and the file to import it from where it is not visible everywhere. */
export interface LibraryFunction {
  readonly name: string;
  readonly callable: Callable;
  readonly importFrom: string | undefined;
}

let functions: ReadonlyMap<string, LibraryFunction> | undefined;

/** What the language and the standard library have, by name; read once. */
export function library(): ReadonlyMap<string, LibraryFunction> {
  functions ??= readLibrary();
  return functions;
}

/** `layers`, `optimizers`, ...: what `import ... from "std/..."` may name. */
export function libraryFiles(): readonly string[] {
  return readdirSync(shippedStdFolder)
    .filter((name) => name.endsWith(".graph"))
    .map((name) => name.slice(0, -".graph".length))
    .sort();
}

/** A function as a call names it. */
export function callableOfDeclaration(declaration: FunctionDeclaration | OptimizerDeclaration, file: string): Callable {
  const home = { file, names: new Names(undefined), standard: file.startsWith("<") };
  return declaration.kind === "fn" ? { kind: "fn", declaration, home } : { kind: "optimizer", declaration, home };
}

function readLibrary(): ReadonlyMap<string, LibraryFunction> {
  const found = new Map<string, LibraryFunction>();
  for (const [name, intrinsic] of intrinsics) {
    found.set(name, { name, callable: { kind: "intrinsic", intrinsic }, importFrom: undefined });
  }
  // What is visible everywhere stands before what is imported.
  const files = libraryFiles();
  const ordered = [...preludeFiles, ...files.filter((name) => !preludeFiles.includes(name))];
  for (const library of ordered) {
    const file = standardFile(library);
    const importFrom = preludeFiles.includes(library) ? undefined : `std/${library}`;
    for (const item of parse(readFileFromDisk(pathOfSource(file)), file).ast.items) {
      if (item.kind !== "fn" && item.kind !== "optimizer") continue;
      const name = item.name.name;
      if (!found.has(name)) found.set(name, { name, callable: callableOfDeclaration(item, file), importFrom });
    }
  }
  return found;
}
