import { createRequire } from "node:module";
import type * as Levenshtein from "fastest-levenshtein";

/** Loaded when the first name is misspelt: as a module of the older kind it takes long. */
export function levenshtein(): typeof Levenshtein {
  return createRequire(import.meta.url)("fastest-levenshtein");
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
