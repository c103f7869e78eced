import { isUtf8 } from "node:buffer";
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { standardPrefix } from "../compiler/ir/span.js";
import { maximumFileLength } from "./diagnostics.js";

/** Where source files come from: the disk, or texts of a test or an editor. Throws as `readFileSync` does. */
export type ReadFile = (path: string) => string;

export const readFileFromDisk: ReadFile = (path) => {
  // Opening a named pipe would wait for its other end.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const status = fstatSync(descriptor);
    if (status.isDirectory()) throw new Error("it is a folder");
    if (!status.isFile()) throw new Error("it is not a regular file");
    // UTF-8 takes at most three bytes for one UTF-16 code unit.
    if (status.size > 3 * maximumFileLength) throw new Error(`it has ${status.size} bytes, too many for a source file`);
    const bytes = readFileSync(descriptor);
    if (!isUtf8(bytes)) throw new Error("it is not text in UTF-8");
    return bytes.toString("utf8");
  } finally {
    closeSync(descriptor);
  }
};

/** The standard library: beside this file where it is installed, in the source tree where it is only compiled. */
export const shippedStdFolder: string =
  ["./std", "../../dsl/std"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? fileURLToPath(new URL("./std", import.meta.url));

/** The name of a file of the standard library. */
export function standardFile(name: string): string {
  return `${standardPrefix}${name}.graph`;
}

export function isStandard(file: string): boolean {
  return file.startsWith(standardPrefix);
}

/** Where a file lies that places name so. */
export function pathOfSource(file: string, stdFolder: string = shippedStdFolder): string {
  return isStandard(file) ? join(stdFolder, file.slice(standardPrefix.length)) : file;
}
