import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** What stands in the folder of a project. */
const marks = ["package.json", ".git"];

/**
 * The project that a folder is a part of: the nearest folder around it, or itself, with a package.json or .git. Undefined without one;
 * the user's home and the root of the file system are none, whatever lies in them.
 */
export function projectOf(folder: string): string | undefined {
  const home = resolve(homedir());
  for (let place = resolve(folder); place !== home && dirname(place) !== place; place = dirname(place)) {
    if (marks.some((mark) => existsSync(join(place, mark)))) return place;
  }
  return undefined;
}
