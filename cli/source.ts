import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { maximumFileLength } from "../dsl/diagnostics.js";
import { indexLines, type SourceText } from "../dsl/source-text.js";
import { fileError, quotePath, systemFailure } from "../runtime/files/errors.js";

/** Texts as they were when they were compiled: carets must point into those, not into what the editor saved since. */
const texts = new Map<string, string | undefined>();

/** Keeps the text of a file for the diagnostics to come. */
export function rememberSource(file: string, text: string): void {
  texts.set(file, text);
}

/** The text of a file that a diagnostic points into; undefined where it cannot be read. */
export function sourceText(file: string): string | undefined {
  if (!texts.has(file)) {
    try {
      texts.set(file, readSource(file));
    } catch {
      texts.set(file, undefined);
    }
  }
  return texts.get(file);
}

const indexed = new Map<string, SourceText>();

/** The lines of a file, as `sourceText` has it: found once, since thousands of places may be asked for. */
export function sourceLines(file: string): SourceText | undefined {
  const text = sourceText(file);
  if (text === undefined) return undefined;
  const known = indexed.get(file);
  if (known?.text === text) return known;
  const lines = indexLines(text);
  indexed.set(file, lines);
  return lines;
}

/**
 * Reads a .graph file. Throws GraphError: G064 where it is missing, no regular file, not to be read or not UTF-8, G100
 * where it is too large.
 */
export function readSource(file: string): string {
  let descriptor: number | undefined;
  try {
    // Opening a named pipe would wait for its other end.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = fstatSync(descriptor);
    if (!status.isFile()) {
      const kind = status.isDirectory() ? "a folder" : "not a regular file";
      throw fileError("G064", `cannot read ${quotePath(file)}: it is ${kind}`, "name a .graph file");
    }
    // UTF-8 takes at most three bytes for one UTF-16 code unit.
    if (status.size > 3 * maximumFileLength) {
      throw new GraphError([
        problem("G100", undefined, `${quotePath(file)} has ${status.size} bytes, too many for a source file`, {
          hint: "large constants belong in a data file",
        }),
      ]);
    }
    const text = decode(file, readFileSync(descriptor));
    rememberSource(file, text);
    return text;
  } catch (error) {
    throw systemFailure("G064", "cannot read", file, error, nearestFile(file));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function decode(file: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    const isWide = /^(?:\xFF\xFE|\xFE\xFF)/.test(bytes.toString("latin1", 0, 2));
    const isText = isWide || !bytes.includes(0);
    throw fileError(
      "G064",
      `cannot read ${quotePath(file)}: it is ${isWide ? "text in UTF-16, and not" : "not text"} in UTF-8`,
      isText
        ? `save it as UTF-8, or convert it: \`iconv -f ${isWide ? "UTF-16" : "LATIN1"} -t UTF-8\``
        : "name a .graph file: this one is binary",
    );
  }
  return bytes.toString("utf8");
}

/** "did you mean ...": a .graph file of the same folder whose name is near. */
function nearestFile(file: string): string | undefined {
  try {
    const names = readdirSync(dirname(file)).filter((name) => name.endsWith(".graph"));
    const nearest = nearestName(basename(file), names);
    return nearest === undefined || nearest === basename(file)
      ? undefined
      : `did you mean ${quotePath(join(dirname(file), nearest))}?`;
  } catch {
    return undefined;
  }
}
