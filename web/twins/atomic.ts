import { fileError, quotePath } from "../../runtime/files/errors.js";

/** `runtime/files/atomic.ts` in a page, which has no files to write. */

export async function writeFileAtomic(path: string): Promise<void> {
  throw fileError("G092", `${quotePath(path)} cannot be written: a page has no files`, "take `weightsOf(session)`");
}

export const AtomicFile = { create: writeFileAtomic };

export async function publishAll(): Promise<void> {}

export const requireWritable: (path: string) => Promise<void> = writeFileAtomic;
export const requireWritableFolder: (path: string) => Promise<void> = writeFileAtomic;

export async function removeStaleTemporaries(): Promise<void> {}
