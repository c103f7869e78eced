import { createHash, randomBytes } from "node:crypto";
import {
  constants,
  copyFile,
  type FileHandle,
  link,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { InternalError } from "../../compiler/ir/diagnostic.js";
import { fileError, quotePath, systemErrorCode, systemFailure } from "./errors.js";
import { makeFolder, requireRoom } from "./folders.js";

/** Pieces of a file, in order. They must not change until the writing is done. */
export type FileContent = Iterable<Uint8Array>;

/** One write call takes at most this much, so that the event loop and a pending Ctrl-C get their turn. */
const largestWrite = 1 << 24;

/** The temporary files that this thread is writing now. */
const inUse = new Set<string>();

/**
 * Writes a file so that, whatever happens, its name holds the whole old or the whole new content (see `AtomicFile`). On a failure
 * the temporary file is removed and the old file stays.
 * @throws GraphError G092 with the system's reason; G064 where the name is a folder or a device.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const file = await AtomicFile.create(path);
  try {
    for (const piece of content) await file.append(piece);
    await file.finish();
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * Writes several files that belong together: all are whole and on the disk before the first one gets its name, and all get their
 * names or none (see `publishAll`).
 * @throws GraphError as `writeFileAtomic`.
 */
export async function writeFilesAtomic(
  contents: readonly { readonly path: string; readonly content: FileContent }[],
): Promise<void> {
  const files: AtomicFile[] = [];
  try {
    for (const { path, content } of contents) {
      const file = await AtomicFile.create(path);
      files.push(file);
      for (const piece of content) await file.append(piece);
      await file.finish();
    }
    await publishAll(files);
  } catch (error) {
    for (const file of files) await file.discard();
    throw error;
  }
}

/**
 * Gives finished files their names: all or, where one cannot have its name, none. Those that had theirs by then hold again what they
 * held before.
 * @throws GraphError G092 with the system's reason.
 */
export async function publishAll(files: readonly AtomicFile[]): Promise<void> {
  if (files.length < 2) {
    for (const file of files) await file.publish();
    return;
  }
  try {
    for (const file of files) await file.keepOld();
    for (const file of files) await file.publish();
  } catch (error) {
    for (const file of files) await file.restoreOld();
    throw error;
  }
  for (const file of files) await file.forgetOld();
}

/**
 * A file that is written bit by bit and has its name only when it is whole: in a temporary file in the same folder, synced, renamed
 * over the name, the folder synced. Missing folders are made. Temporary files that killed processes left for this name are removed.
 * A name that is a symbolic link keeps being one: the file it leads to is replaced. Each method throws GraphError G092 with the
 * system's reason.
 */
export class AtomicFile {
  readonly #path: string;
  readonly #target: string;
  readonly #temporary: string;
  #handle: FileHandle | undefined;
  #length = 0;
  #state: "temporary" | "published" | "discarded" = "temporary";
  /** Another name of what the name held before. */
  #old: string | undefined;

  private constructor(path: string, target: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#target = target;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @throws GraphError G092; G064 where the name is a folder or a device. */
  static async create(path: string): Promise<AtomicFile> {
    const { target, mode } = await inspectTarget(path);
    const folder = dirname(target);
    const name = basename(target);
    const temporary = join(folder, temporaryName(name));
    inUse.add(temporary);
    try {
      await makeFolder(folder);
      await removeStaleTemporaries(folder, (candidate) => candidate === name);
      // "wx": a file that stands there already would be somebody else's.
      const file = new AtomicFile(path, target, temporary, await open(temporary, "wx", mode ?? 0o666));
      if (mode !== undefined) await file.#guarded((handle) => handle.chmod(mode));
      return file;
    } catch (error) {
      inUse.delete(temporary);
      // Which folder takes no files says more than what the system said of the whole path.
      if (systemErrorCode(error) !== undefined) await requireRoom(folder, basename(temporary), refusal(path));
      throw writeFailure(path, error);
    }
  }

  /** Writes after what is there. */
  async append(piece: Uint8Array): Promise<void> {
    await this.writeAt(this.#length, piece);
    this.#length += piece.length;
  }

  /** Overwrites what was written. */
  writeAt(position: number, piece: Uint8Array): Promise<void> {
    return this.#guarded((handle) => writeWhole(handle, piece, position));
  }

  /** All has been written: it is on the disk, still under its temporary name. */
  finish(): Promise<void> {
    return this.#guarded(async (handle) => {
      await handle.sync();
      this.#handle = undefined;
      // close can report an error that an earlier write met (NFS).
      await handle.close();
    });
  }

  /** Gives a finished file its name. */
  async publish(): Promise<void> {
    try {
      await rename(this.#temporary, this.#target);
    } catch (error) {
      await this.discard();
      throw writeFailure(this.#path, error);
    }
    this.#state = "published";
    inUse.delete(this.#temporary);
    await syncFolder(dirname(this.#target), this.#path);
  }

  /** Keeps what the name holds now, until `restoreOld` or `forgetOld`. */
  async keepOld(): Promise<void> {
    const old = join(dirname(this.#target), temporaryName(basename(this.#target)));
    inUse.add(old);
    try {
      // Some file systems have no second names, and some files may not be given one.
      await link(this.#target, old).catch(() => copyFile(this.#target, old, constants.COPYFILE_EXCL));
      this.#old = old;
    } catch (error) {
      inUse.delete(old);
      if (systemErrorCode(error) !== "ENOENT") throw writeFailure(this.#path, error);
    }
  }

  /** Takes a name back that was given. Never throws. */
  async restoreOld(): Promise<void> {
    if (this.#state === "published") {
      const undone = this.#old === undefined ? unlink(this.#target) : rename(this.#old, this.#target);
      await undone.catch(() => {});
    }
    await this.forgetOld();
  }

  /** The new content is there for good. Never throws. */
  async forgetOld(): Promise<void> {
    if (this.#old === undefined) return;
    await unlink(this.#old).catch(() => {});
    inUse.delete(this.#old);
    this.#old = undefined;
  }

  /** Leaves nothing behind, unless it has its name already. Never throws. */
  async discard(): Promise<void> {
    if (this.#state !== "temporary") return;
    this.#state = "discarded";
    await this.#handle?.close().catch(() => {});
    this.#handle = undefined;
    await unlink(this.#temporary).catch(() => {});
    inUse.delete(this.#temporary);
  }

  async #guarded(work: (handle: FileHandle) => Promise<void>): Promise<void> {
    if (this.#handle === undefined) throw new InternalError("a file is written after it was finished or discarded");
    try {
      await work(this.#handle);
    } catch (error) {
      await this.discard();
      throw writeFailure(this.#path, error);
    }
  }
}

/**
 * Sees, before the work whose result is to be saved, that a file of this name could be written now. Leaves nothing behind. Gives
 * the topmost folder that is missing and would be made.
 * @throws GraphError as `writeFileAtomic`, and G092 for the name of a graph's source.
 */
export async function requireWritable(path: string): Promise<string | undefined> {
  if (path === "") throw fileError("G092", "cannot save: the name of the file is empty");
  const refused = refusal(path);
  if (/[/\\]$/.test(path)) throw fileError("G064", `${refused}: that is the name of a folder`, "name a file");
  const { target } = await inspectTarget(path);
  // What is computed never stands where people write.
  if ([path, target].some((name) => extname(name).toLowerCase() === ".graph")) {
    const hint = "name a file with another ending, such as .safetensors for a checkpoint";
    throw fileError("G092", `${refused}: a name that ends in .graph is that of a graph's source`, hint);
  }
  return requireRoom(dirname(target), temporaryName(basename(target)), refused);
}

/** The same of a folder that files will be written to. @throws GraphError G092. */
export async function requireWritableFolder(path: string): Promise<string | undefined> {
  if (path === "") throw fileError("G092", "cannot write: the name of the folder is empty");
  return requireRoom(path, temporaryName("probe"), `cannot write to ${quotePath(path)}`);
}

async function inspectTarget(path: string): Promise<{ readonly target: string; readonly mode: number | undefined }> {
  try {
    const target = await realpath(path);
    const status = await stat(target);
    if (!status.isFile()) {
      const kind = status.isDirectory() ? "a folder" : "not a regular file";
      throw fileError("G064", `cannot save ${quotePath(path)}: it is ${kind}`, "name a file");
    }
    return { target, mode: status.mode & 0o7777 };
  } catch (error) {
    const errno = systemErrorCode(error);
    // Below a file: which part of the path that is, is found where its folder is made or tried.
    if (errno === "ENOENT" || errno === "ENOTDIR") return { target: path, mode: undefined };
    throw writeFailure(path, error);
  }
}

async function writeWhole(handle: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < piece.length) {
    // A write may take less than it is given, for example at the edge of a quota.
    const length = Math.min(piece.length - done, largestWrite);
    const { bytesWritten } = await handle.write(piece, done, length, position + done);
    done += bytesWritten;
  }
}

/** Makes the rename itself last through a power cut. Systems that can't sync a folder (Windows, some network drives) say so. */
async function syncFolder(folder: string, path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    const errno = systemErrorCode(error);
    if (errno === undefined || !["EINVAL", "ENOTSUP", "EPERM", "EISDIR", "EACCES", "EBADF", "ENOSYS"].includes(errno)) {
      throw systemFailure("G092", "saved, but could not make sure that it lasts through a power cut:", path, error);
    }
  } finally {
    await handle?.close().catch(() => {});
  }
}

function refusal(path: string): string {
  return `cannot save ${quotePath(path)}`;
}

function writeFailure(path: string, error: unknown): unknown {
  const errno = systemErrorCode(error);
  const hint =
    errno === "ENOSPC" || errno === "EDQUOT"
      ? "free some space and save again; the file that was there before is untouched"
      : "the file that was there before, if any, is untouched";
  return systemFailure("G092", "cannot save", path, error, hint);
}

/** Names this machine: on a shared folder, a process number of another machine says nothing about a process here. */
const machineTag = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** The random end keeps apart the saves of one process, and of processes that got the same number in containers. */
function temporaryName(name: string): string {
  return `.${name}.${machineTag}-${process.pid}-${threadId}-${randomBytes(6).toString("hex")}.tmp`;
}

/**
 * Removes temporary files of saves whose process is dead, where `accepts` the name that was being saved. Those of living
 * processes and of other machines stay. A failure to remove one is not worth failing a save for.
 */
export async function removeStaleTemporaries(folder: string, accepts: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    const match = /^\.(.+)\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/s.exec(name);
    if (match === null || match[2] !== machineTag || !accepts(match[1] ?? "")) {
      continue;
    }
    const file = join(folder, name);
    const pid = Number(match[3]);
    // In a container every run may get the same process number, so our own number alone does not make a file ours.
    const stale = pid === process.pid ? Number(match[4]) === threadId && !inUse.has(file) : !isAlive(pid);
    if (stale) {
      await unlink(file).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return systemErrorCode(error) !== "ESRCH";
  }
}
