import { existsSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

/** How `graphc` is started; its own words follow `parameters`. */
export interface GraphcProgram {
  readonly command: string;
  readonly parameters: readonly string[];
  /** A script of Windows, which only its shell starts. */
  readonly shell: boolean;
}

export interface Surroundings {
  /** What the user wrote: empty for none. */
  readonly setting: string;
  readonly folders: readonly string[];
  /** As the variable `PATH` has them. */
  readonly searchPath: string;
  readonly home: string;
  readonly windows: boolean;
}

/** Why there is no graphc to start. */
export type Missing =
  | { readonly kind: "no such file"; readonly path: string }
  | { readonly kind: "none"; readonly folders: readonly string[] };

export type Located = { readonly kind: "found"; readonly program: GraphcProgram; readonly path: string } | Missing;

/**
 * The setting counts first, and nothing else where it is given: a user who names a program does not want another. Then that of the
 * workspace, which may stand above the folder that is open, then that of `PATH`.
 */
export function locate({ setting, folders, searchPath, home, windows }: Surroundings): Located {
  const wanted = setting.trim();
  if (wanted !== "") {
    const expanded = wanted.replace(/^~(?=$|[\\/])/, () => home);
    const candidates = isAbsolute(expanded) ? [expanded] : folders.map((folder) => resolve(folder, expanded));
    const path = candidates.find(isFile);
    if (path === undefined) return { kind: "no such file", path: candidates[0] ?? expanded };
    return { kind: "found", path, program: programOf(path, windows) };
  }
  const places = [
    ...folders.flatMap(foldersFrom).map((folder) => join(folder, "node_modules", ".bin")),
    ...searchPath.split(delimiter).filter(isAbsolute),
  ];
  const names = windows ? ["graphc.cmd", "graphc.exe"] : ["graphc"];
  const path = places.flatMap((place) => names.map((name) => join(place, name))).find(isFile);
  return path === undefined ? { kind: "none", folders } : { kind: "found", path, program: programOf(path, windows) };
}

function programOf(path: string, windows: boolean): GraphcProgram {
  if (/\.[cm]?js$/.test(path)) return { command: "node", parameters: [path], shell: false };
  if (windows && /\.(?:cmd|bat)$/i.test(path)) return { command: quoted(path), parameters: [], shell: true };
  return { command: path, parameters: [], shell: false };
}

/** All that is given to a program; in quotes where a shell reads it. */
export function argumentsOf({ parameters, shell }: GraphcProgram, more: readonly string[]): string[] {
  return [...parameters, ...(shell ? more.map(quoted) : more)];
}

/** For the shell of Windows, whose paths have no `"`. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', "")}"`;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** A folder, and those that it is in. */
function foldersFrom(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersFrom(above)];
}

/** What is wrong, for the user. */
export function missingText(missing: Missing): string {
  switch (missing.kind) {
    case "no such file":
      return `graphc: there is no file ${missing.path}, which the setting "graphc.path" names.`;
    case "none": {
      const nearer = missing.folders.length === 0 ? "" : "in node_modules/.bin of the open folder or above it, nor ";
      return `graphc was not found ${nearer}in PATH. Without it, .graph files are coloured and nothing more.`;
    }
  }
}
