import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where source files come from: the disk, or texts of a test or an editor. Throws as `readFileSync` does. */
export type ReadFile = (path: string) => string;

export const readFileFromDisk: ReadFile = (path) => readFileSync(path, "utf8");

/** The standard library: beside this file where it is installed, in the source tree where it is only compiled. */
export const shippedStdFolder: string =
  ["./std", "../../dsl/std"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? fileURLToPath(new URL("./std", import.meta.url));

/** Files of the standard library are named so in spans and caches, wherever the package is installed. */
const prefix = "<std>/";

/** The name of a file of the standard library. */
export function standardFile(name: string): string {
  return `${prefix}${name}.graph`;
}

export function isStandard(file: string): boolean {
  return file.startsWith(prefix);
}

/** Where a file lies that places name so. */
export function pathOfSource(file: string, stdFolder: string = shippedStdFolder): string {
  return isStandard(file) ? join(stdFolder, file.slice(prefix.length)) : file;
}
