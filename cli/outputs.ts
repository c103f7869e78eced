import { realpathSync } from "node:fs";
import { extname, resolve } from "node:path";
import { requireWritable, requireWritableFolder } from "../runtime/files/atomic.js";
import { quotePath } from "../runtime/files/errors.js";
import { pictureFiles, requireReplaceable } from "../runtime/files/replace.js";
import type { Console } from "./console.js";
import { UsageError } from "./failure.js";

/** Sees before any work that these files can be written, and says which folders will be made. Throws GraphError G092 and G064. */
export async function requireOutputs(console: Console, paths: readonly string[]): Promise<void> {
  const missing = new Set<string | undefined>();
  for (const path of paths) missing.add(await requireWritable(path));
  for (const folder of missing) if (folder !== undefined) sayMissing(console, folder);
}

/** Throws UsageError where two outputs have one name, or one would take the place of what is read. */
export function requireApart(outputs: readonly string[], inputs: readonly string[]): void {
  const read = new Set(inputs.map(realPath));
  const written = new Set<string>();
  for (const path of outputs) {
    const real = realPath(path);
    if (read.has(real)) throw new UsageError(`${quotePath(path)} is read, and would be overwritten`);
    if (written.has(real)) throw new UsageError(`two results would be written to ${quotePath(path)}`);
    written.add(real);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Sees that pictures take the place of no file of another kind. Throws GraphError G092. */
export async function requirePictures(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const ending = extname(path).toLowerCase();
    if (isPictureEnding(ending)) await requireReplaceable(path, pictureFiles[ending]);
  }
}

function isPictureEnding(ending: string): ending is keyof typeof pictureFiles {
  return Object.hasOwn(pictureFiles, ending);
}

/** Sees the same of a folder that files will be written to. */
export async function requireOutputFolder(console: Console, path: string): Promise<void> {
  const missing = await requireWritableFolder(path);
  if (missing !== undefined) sayMissing(console, missing);
}

/** A mistyped path would otherwise only be seen when somebody looks for the file. */
export function sayMissing(console: Console, folder: string): void {
  console.note(`the folder ${folder} is not there: it will be made`);
}
