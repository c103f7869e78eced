import { createRequire } from "node:module";
import type * as Levenshtein from "fastest-levenshtein";

/** Loaded when the first name is misspelt: as a module of the older kind it takes long. */
export function levenshtein(): typeof Levenshtein {
  return createRequire(import.meta.url)("fastest-levenshtein");
}

/**
 * Paths that have the name among their parts, as `h/hidden/y` has `hidden`: those that end with it first, then the shortest. What is
 * made in a scope or a call has such a path, and its text says the last part alone.
 */
export function pathsWith(name: string, paths: Iterable<string>): readonly string[] {
  const parts = (path: string): string => `/${path.replaceAll(".", "/")}/`;
  const wanted = parts(name);
  const rank = (path: string): number => (parts(path).endsWith(wanted) ? 0 : 1);
  return [...paths]
    .filter((path) => path !== name && parts(path).includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || a.length - b.length);
}

/**
 * The candidate closest to a misspelt name, or undefined when none is close: at most a third of the
 * letters differ, and never all of them: `v` is no slip of `x`.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const { distance } = levenshtein();
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(name, candidate);
    if (edits < fewest && edits < Math.max(name.length, candidate.length)) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}
