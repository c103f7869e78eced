import { createHash } from "node:crypto";
import { deserialize, serialize } from "node:v8";
import { version } from "../version.js";
import { cacheGet, cachePut, openCacheFolder } from "./folder.js";

/**
 * Plain data (what a structured clone takes) in the cache folder, by name. It is a convenience: what cannot be read is not there,
 * and what cannot be written is not kept. The format is the engine's own, so its version is part of every key; the number in
 * `format` goes up when `code.ts` keeps something else under an old name.
 */
const suffix = ".data";
const format = `data 2 ${version} ${process.versions.v8}`;

/** Whether what is written can be read by a later process. Where it cannot, nothing is worth writing. */
export function isLasting(): boolean {
  return attempt(() => openCacheFolder().warning === undefined) ?? false;
}

/** What was kept under a name; the caller knows its type by the name. */
export function readKept<T>(name: string): T | undefined {
  const bytes = attempt(() => cacheGet(keyOf(name), suffix));
  return bytes === undefined ? undefined : (deserialize(bytes) as T);
}

export function writeKept<T>(name: string, content: T): void {
  const bytes = serialize(content);
  attempt(() => {
    cachePut(keyOf(name), bytes, suffix, openCacheFolder(), { sync: false });
  });
}

function keyOf(name: string): string {
  return createHash("sha256").update(`${format}\n${name}`).digest("hex");
}

/** Undefined where the system refuses: a full disk, a folder that went away. Anything else is a defect. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") return undefined;
    throw error;
  }
}
