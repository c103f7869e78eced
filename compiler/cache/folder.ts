import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/**
 * The store of compiled code, shared by all processes of one user. An entry is a file named by its key, whose last bytes
 * say how long it should be and what it hashes to: an ELF loader ignores them, and a file cut short is found out.
 * Entries appear by rename and are never changed, since a loaded library that changes kills its process.
 */
export interface CacheFolder {
  readonly path: string;
  /** Why the usual folder could not be used and this one, which ends with the process, was taken. */
  readonly warning: string | undefined;
}

const trailerMagic = Buffer.from("graphc-cache-v1\n");
const trailerBytes = trailerMagic.length + 8 + 32;
const defaultCapMegabytes = 512;
/** The cap on the size is one on the number as well, of entries of this size: most are much smaller, and all are looked at together. */
const bytesPerEntry = 32 * 1024;
/** So many may be there whatever the cap on the size is: those of a few programs. */
const leastCapEntries = 256;
const staleAfterMilliseconds = 3600_000;
/** So long after its last use an entry may still be about to be loaded, by this process or another. */
const loadingMilliseconds = 60_000;
/** The intermediate files of one compilation take less; LLVM ends the whole process where it cannot write one. */
const roomBytes = 16 * 1024 * 1024;

/** Where the environment says that the cache should be. */
export function configuredCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { GRAPHC_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = environment;
  if (own !== undefined && own !== "") return resolve(own);
  // The XDG specification: a relative path there is to be ignored.
  if (xdg?.startsWith("/") === true) return join(xdg, "graphc");
  return join(homedir(), ".cache", "graphc");
}

/** Why a folder must not hold code that will be loaded, or nothing when it may. */
function refusal(path: string): string | undefined {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return "it is a symbolic link";
  if (!status.isDirectory()) return "it is not a folder";
  if (process.getuid !== undefined && status.uid !== process.getuid()) return "it belongs to another user";
  if ((status.mode & 0o022) !== 0) return "others may write to it";
  return undefined;
}

const opened = new Map<string, CacheFolder>();
const temporary = new Set<string>();

/**
 * The cache folder, made on first use with mode 0700. Where it cannot be made or others could put code into it, a new
 * private folder serves until the process ends.
 */
export function openCacheFolder(configured: string = configuredCacheFolder()): CacheFolder {
  const known = opened.get(configured);
  if (known !== undefined) return known;
  const folder = usableFolder(configured);
  opened.set(configured, folder);
  return folder;
}

/**
 * Makes a folder of the user's own and what is missing above it. Node's recursive mkdir never ends where the folder above exists
 * and yet says that there is no such file, as /proc does.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(folder)) throw error;
  }
}

function usableFolder(configured: string): CacheFolder {
  const reason = ((): string | undefined => {
    try {
      makeFolder(configured);
      return refusal(configured) ?? probeWrite(configured);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  })();
  if (reason === undefined) return { path: configured, warning: undefined };
  return privateFolder(`${configured} cannot be used, ${reason}`);
}

function privateFolder(reason: string): CacheFolder {
  const path = mkdtempSync(join(tmpdir(), "graphc-cache-"));
  if (temporary.size === 0) process.once("exit", removeTemporary);
  temporary.add(path);
  return { path, warning: `compiled code is not kept: ${reason}` };
}

/** The disk has no room for compiled code. `code` is the system's, so that it is told like any other full disk. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
  readonly code = "ENOSPC";
}

const instead = new Map<string, CacheFolder>();

/**
 * The folder, or where its disk is full a private one on the disk for temporary files, which ends with the process: what is in
 * the cache can still be loaded, and what is not is compiled beside it. Throws DiskFull where there is no room either.
 */
export function folderWithRoom(folder: CacheFolder): CacheFolder {
  if (hasRoom(folder.path)) return folder;
  const other = instead.get(folder.path) ?? privateFolder(`the disk of ${folder.path} is full`);
  instead.set(folder.path, other);
  if (hasRoom(other.path)) return other;
  throw new DiskFull(`no room to compile in ${folder.path} and in ${tmpdir()}`);
}

function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize >= roomBytes;
  } catch {
    // Some network file systems do not tell; a write will.
    return true;
  }
}

function probeWrite(folder: string): string | undefined {
  const path = join(folder, `.write-${process.pid}-${randomBytes(4).toString("hex")}`);
  closeSync(openSync(path, "wx", 0o600));
  rmSync(path);
  return undefined;
}

function removeTemporary(): void {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
}

function entryPath(folder: CacheFolder, key: string, suffix: string): string {
  const name = /^[0-9a-f]{64}$/.test(key) ? key : createHash("sha256").update(key).digest("hex");
  return join(folder.path, `${name}${suffix}`);
}

function trailerOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([trailerMagic, length, createHash("sha256").update(bytes).digest()]);
}

/** The content of an entry, or nothing where there is none or where it is damaged (then it is removed). */
export function cacheGet(key: string, suffix = ".bin", folder: CacheFolder = openCacheFolder()): Buffer | undefined {
  const path = entryPath(folder, key, suffix);
  let file: Buffer;
  try {
    file = readRegularFile(path);
  } catch {
    return undefined;
  }
  const content = file.subarray(0, Math.max(0, file.length - trailerBytes));
  if (file.length < trailerBytes || !trailerOf(content).equals(file.subarray(content.length))) {
    rmSync(path, { force: true });
    return undefined;
  }
  try {
    const now = new Date();
    utimesSync(path, now, now); // the eviction below goes by age of last use
  } catch {
    // Another process has evicted the file; its content is in hand.
  }
  return content;
}

/** Reads a file whole, through one descriptor; refuses what is not a regular file. */
function readRegularFile(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error(`${path} is not a file`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The path of a sound entry, for a loader that wants a file; nothing where there is none. */
export function cachePath(key: string, suffix: string, folder: CacheFolder = openCacheFolder()): string | undefined {
  return cacheGet(key, suffix, folder) === undefined ? undefined : entryPath(folder, key, suffix);
}

export interface PutOptions {
  /** Wait until it is on the disk; an entry that a crash cuts short is found out, and is then only missing. */
  readonly sync?: boolean;
}

/** Stores an entry and gives its path. */
export function cachePut(
  key: string,
  bytes: Uint8Array,
  suffix = ".bin",
  folder: CacheFolder = openCacheFolder(),
  { sync = true }: PutOptions = {},
): string {
  const path = entryPath(folder, key, suffix);
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const temporaryPath = join(folder.path, `.new-${process.pid}-${randomBytes(8).toString("hex")}`);
  const descriptor = openSync(temporaryPath, "wx", 0o600);
  try {
    const whole = Buffer.concat([content, trailerOf(content)]);
    for (let done = 0; done < whole.length; ) done += writeSync(descriptor, whole, done);
    if (sync) fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporaryPath, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporaryPath, path);
  evictWhenDue(folder, content.length, cacheCapBytes());
  return path;
}

/** The time of this file is when the folder was last looked through. */
const sweptName = ".swept";
const sweepMilliseconds = 600_000;
/** What this process has written since then, by folder. */
const unswept = new Map<string, { readonly bytes: number; readonly entries: number }>();
const nothing = { bytes: 0, entries: 0 };

/**
 * To look at all entries of a large cache takes longer than to write one. It is done every ten minutes, and sooner by a process
 * that has itself written a sixteenth of a cap.
 */
function evictWhenDue(folder: CacheFolder, bytes: number, capBytes: number): void {
  const before = unswept.get(folder.path) ?? nothing;
  const written = { bytes: before.bytes + bytes, entries: before.entries + 1 };
  unswept.set(folder.path, written);
  const marker = join(folder.path, sweptName);
  const status = statSync(marker, { throwIfNoEntry: false });
  const age = status === undefined ? Number.POSITIVE_INFINITY : Math.abs(Date.now() - status.mtimeMs);
  const isMuch = written.bytes >= capBytes / 16 || written.entries >= cacheCapEntries(capBytes) / 16;
  if (age < sweepMilliseconds && !isMuch) return;
  // Before the work: other processes need not do the same meanwhile.
  closeSync(openSync(marker, "w", 0o600));
  unswept.set(folder.path, nothing);
  evict(folder, capBytes);
}

/** The cap on the cache's size: `GRAPHC_CACHE_MB` megabytes, 512 where it is not set or not a number. */
export function cacheCapBytes(environment: NodeJS.ProcessEnv = process.env): number {
  const { GRAPHC_CACHE_MB: text } = environment;
  const megabytes = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return (Number.isFinite(megabytes) && megabytes >= 0 ? megabytes : defaultCapMegabytes) * 1024 * 1024;
}

/** The cap on the number of the cache's entries: 16,384 where that on its size is 512 megabytes. */
export function cacheCapEntries(capBytes: number): number {
  return Math.max(leastCapEntries, Math.floor(capBytes / bytesPerEntry));
}

/**
 * Removes the entries that were used longest ago until the rest fits, in size and in number, and leftovers of processes that were
 * killed. Removing a file that a process has loaded is harmless: its pages stay; so is removing what another process removes.
 */
export function evict(folder: CacheFolder, capBytes: number, capEntries = cacheCapEntries(capBytes)): void {
  const files: { readonly path: string; readonly size: number; readonly used: number }[] = [];
  for (const name of readdirSync(folder.path)) {
    const path = join(folder.path, name);
    try {
      const status = statSync(path);
      const isStale = name.startsWith(".") && Date.now() - status.mtimeMs > staleAfterMilliseconds;
      if (isStale) rmSync(path, { recursive: true, force: true });
      else if (status.isFile() && !name.startsWith(".")) files.push({ path, size: status.size, used: status.mtimeMs });
    } catch {
      // Another process was faster.
    }
  }
  let total = files.reduce((sum, file) => sum + file.size, 0);
  let count = files.length;
  files.sort((a, b) => a.used - b.used);
  // What was just used is about to be loaded, though it alone may be beyond the cap.
  for (const file of files.slice(0, -1)) {
    if ((total <= capBytes && count <= capEntries) || Date.now() - file.used < loadingMilliseconds) return;
    rmSync(file.path, { force: true });
    total -= file.size;
    count -= 1;
  }
}

/** A folder inside the cache for one compilation's intermediate files; the caller removes it. */
export function workFolder(folder: CacheFolder = openCacheFolder()): string {
  return mkdtempSync(join(folder.path, `.work-${process.pid}-`));
}
