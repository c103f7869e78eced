import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readKept, writeKept } from "./kept.js";

/** A file as it was when it was read; whoever writes to it moves its times on. */
interface Stamp {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
}

interface KnownCode {
  readonly files: readonly Stamp[];
  readonly digest: string;
}

/** The folders whose code decides what a program is. */
const folders = ["compiler", "dsl"] as const;

const known: { digest?: string | undefined } = {};

/** The digest of this very code. */
export function codeDigest(): string | undefined {
  if (!("digest" in known)) known.digest = findDigest(join(import.meta.dirname, "..", ".."));
  return known.digest;
}

/**
 * A digest of graphc's own code, under which programs are kept: another code may make another program of the same source. Reading
 * all of it takes longer than a start should, so the digest is kept with the sizes and times of the files. Undefined where
 * the code does not lie in its folders, such as in a bundle.
 */
export function findDigest(root: string): string | undefined {
  const name = `code\n${root}`;
  const kept = readKept<KnownCode>(name);
  if (kept?.files.every(isUnchanged) === true) return kept.digest;
  return folders.every((folder) => existsSync(join(root, folder))) ? readCode(root, name) : undefined;
}

function readCode(root: string, name: string): string {
  const hash = createHash("sha256");
  const files: Stamp[] = [];
  for (const folder of folders) {
    const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const path of paths.filter((one) => one.endsWith(".js")).sort()) {
      const stamp = stampOf(join(root, folder, path));
      files.push(stamp);
      const text = readFileSync(stamp.path);
      hash.update(`${folder}/${path} ${text.length}\n`).update(text);
    }
  }
  const digest = hash.digest("hex");
  writeKept<KnownCode>(name, { files, digest });
  return digest;
}

function stampOf(path: string): Stamp {
  const { size, mtimeMs, ctimeMs } = statSync(path);
  return { path, size, modified: mtimeMs, changed: ctimeMs };
}

function isUnchanged({ path, size, modified, changed }: Stamp): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.size === size && now.mtimeMs === modified && now.ctimeMs === changed;
}
