import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, posix, relative, resolve, sep, win32 } from "node:path";
import { nearestName } from "../../compiler/ir/nearest.js";
import { fileError, quotePath, systemErrorCode, systemFailure } from "./errors.js";

/** Where paths resolve from, and which places outside a .graph file's folder it may name. */
export interface PathContext {
  /**
   * Who wrote the path. "file": a .graph file, which is not trusted: it reaches its own folder and what `dataDir`,
   * `allow` and `searchDirs` name. "user": a flag or a program, trusted like any path the user types.
   */
  readonly origin: "file" | "user";
  /** The folder of the .graph file, where there is one. */
  readonly baseDir?: string | undefined;
  /** `--data-dir`: looked at first. */
  readonly dataDir?: string | undefined;
  /** `--allow-path`: places that absolute paths, `..` and symbolic links in a file may lead to. */
  readonly allow?: readonly string[] | undefined;
  /** More folders to look for data in, last of all. */
  readonly searchDirs?: readonly string[] | undefined;
  /** Where a user's relative paths start; the process's working directory where undefined. */
  readonly workingDir?: string | undefined;
}

/**
 * Finds a data file. A path in a .graph file is looked for in `dataDir`, the file's folder, its `data` folder and
 * `searchDirs`, in this order; a user's path in `dataDir`, the working directory, then those same places. In each,
 * `path` comes before `path` with one of the other `suffixes`.
 * @throws GraphError G063 where a file names a place that it may not, G070 where nothing is found.
 */
export async function resolveDataPath(
  path: string,
  context: PathContext,
  suffixes: readonly string[] = [""],
): Promise<string> {
  requirePathText(path);
  if (context.origin === "file" && leavesItsFolder(path)) {
    const target = await requireAllowed(path, context);
    return (
      (await firstThatExists([{ folder: dirname(target), file: target, trusted: true }], suffixes))?.file ??
      notFound(path, [{ folder: dirname(target), file: target, trusted: true }], context)
    );
  }
  const places = isAbsolute(path)
    ? [{ folder: dirname(path), file: path, trusted: true }]
    : searchPlaces(context).map(({ folder, trusted }) => ({ folder, file: join(folder, path), trusted }));
  const found = await firstThatExists(places, suffixes);
  if (found === undefined) {
    return notFound(path, places, context);
  }
  if (!found.trusted) {
    await requireInside(path, found.file, context);
  }
  return found.file;
}

/**
 * The place of a file to be written, such as a checkpoint: from the .graph file's folder for a path in a file, from the
 * working directory for a user's. Nothing is made yet.
 * @throws GraphError G063.
 */
export async function resolveOutputPath(path: string, context: PathContext): Promise<string> {
  requirePathText(path);
  if (context.origin === "user") {
    return resolve(context.workingDir ?? process.cwd(), path);
  }
  if (leavesItsFolder(path)) {
    return requireAllowed(path, context);
  }
  const file = join(baseDir(context), path);
  await requireInside(path, file, context);
  return file;
}

interface Place {
  readonly folder: string;
  readonly file: string;
  /** Whether the user named this place, so that links in it are the user's own. */
  readonly trusted: boolean;
}

function searchPlaces(context: PathContext): readonly { readonly folder: string; readonly trusted: boolean }[] {
  const trusted = context.origin === "user";
  const working = trusted ? [context.workingDir ?? process.cwd()] : [];
  const base = context.baseDir === undefined ? [] : [resolve(context.baseDir), resolve(context.baseDir, "data")];
  return [
    ...(context.dataDir === undefined ? [] : [{ folder: resolve(context.dataDir), trusted: true }]),
    ...[...working, ...base].map((folder) => ({ folder, trusted })),
    ...(context.searchDirs ?? []).map((folder) => ({ folder: resolve(folder), trusted: true })),
  ];
}

async function firstThatExists(places: readonly Place[], suffixes: readonly string[]): Promise<Place | undefined> {
  for (const place of places) {
    for (const suffix of suffixes) {
      const file = place.file + suffix;
      try {
        await stat(file);
        return { ...place, file };
      } catch (error) {
        const errno = systemErrorCode(error);
        if (errno !== "ENOENT" && errno !== "ENOTDIR") {
          throw systemFailure("G064", "cannot read", file, error);
        }
      }
    }
  }
  return undefined;
}

async function notFound(path: string, places: readonly Place[], { origin }: PathContext): Promise<never> {
  const looked = [...new Set(places.map(({ folder }) => folder))].map(quotePath).join(", ");
  const hint =
    origin === "file"
      ? "`--data-dir DIR` says where data lies; in TypeScript, the option `data` of `train` does"
      : ((await nearestOf(path, places)) ??
        "a path that the command line or a program gives starts at the working directory");
  throw fileError("G070", `no data file ${quotePath(path)}; looked in ${looked}`, hint);
}

async function nearestOf(path: string, places: readonly Place[]): Promise<string | undefined> {
  const names = await Promise.all(places.map(({ file }) => namesBeside(file)));
  const nearest = nearestName(basename(path), names.flat());
  return nearest === undefined ? undefined : `did you mean ${quotePath(join(dirname(path), nearest))}?`;
}

/** The names in the folder in which a file was looked for. */
async function namesBeside(file: string): Promise<readonly string[]> {
  try {
    return (await readdir(dirname(file))).slice(0, 10_000);
  } catch {
    return [];
  }
}

function requirePathText(path: string): void {
  if (path === "" || path.includes("\0")) {
    throw fileError("G063", `${quotePath(path)} is not a path`);
  }
}

/** Absolute on any system, or with a `..`: judged alike everywhere, so that a file means the same on every machine. */
function leavesItsFolder(path: string): boolean {
  return (
    posix.isAbsolute(path) || win32.isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.split(/[\\/]/).includes("..")
  );
}

function baseDir(context: PathContext): string {
  return resolve(context.baseDir ?? context.workingDir ?? process.cwd());
}

async function requireAllowed(path: string, context: PathContext): Promise<string> {
  const target = resolve(baseDir(context), path);
  const allowed = (context.allow ?? []).map((folder) => resolve(folder));
  const real = await realPathOf(target);
  const realAllowed = await Promise.all(allowed.map(realPathOf));
  // The place must be inside both as it is written and where its links lead.
  if (!allowed.some((folder) => isInside(target, folder)) || !realAllowed.some((folder) => isInside(real, folder))) {
    throw refused(path, "leads out of the folder of its .graph file", dirname(target));
  }
  return target;
}

async function requireInside(path: string, file: string, context: PathContext): Promise<void> {
  const real = await realPathOf(file);
  const named = [context.dataDir, ...(context.allow ?? []), ...(context.searchDirs ?? [])];
  const folders = [baseDir(context), ...named.flatMap((folder) => (folder === undefined ? [] : [resolve(folder)]))];
  const realFolders = await Promise.all(folders.map(realPathOf));
  if (!realFolders.some((folder) => isInside(real, folder))) {
    throw refused(
      path,
      `leads out of the folder of its .graph file through a symbolic link, to ${quotePath(real)}`,
      dirname(real),
    );
  }
}

/** G063 for a path in a .graph file. */
function refused(path: string, reason: string, folder: string): Error {
  return fileError(
    "G063",
    `the path ${quotePath(path)} ${reason}`,
    `if you trust the file, allow the place: \`--allow-path ${folder}\`; in TypeScript, give the data in the option \`data\``,
  );
}

/** Where a path leads once links are followed; of what does not exist yet, the part that does. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    const errno = systemErrorCode(error);
    if ((errno !== "ENOENT" && errno !== "ENOTDIR") || parent === path) {
      throw systemFailure("G064", "cannot read", path, error);
    }
    return join(await realPathOf(parent), relative(parent, path));
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`));
}
