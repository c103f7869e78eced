import type { Session } from "../../index.js";
import { type Corpus, noiseTable, pairsOf } from "./corpus.js";

const batch = 128;

/** The mean loss of the steps up to one, since the last such mean. */
export interface Loss {
  readonly step: number;
  readonly loss: number;
}

export interface Learned {
  readonly pairs: number;
  readonly batch: number;
  readonly losses: readonly Loss[];
}

interface Options {
  readonly steps: number;
  /** How many steps a mean of the loss is over: a multiple of 10, since each tenth step is asked for its loss. */
  readonly every: number;
  readonly onReport?: (loss: Loss) => void;
}

/** Trains the vectors on the pairs of a text. */
export async function learn(session: Session, corpus: Corpus, { steps, every, onReport }: Options): Promise<Learned> {
  const noise = noiseTable(corpus.counts);
  session.set("noise", { dtype: "i32", shape: [noise.length], data: noise });
  const pairs = pairsOf(corpus);
  const losses: Loss[] = [];
  let sum = 0;
  await session.train({
    run: "fit",
    data: { word: pairs.word, near: pairs.near },
    batch,
    shuffle: true,
    steps,
    every: 10,
    onReport: ({ step, metrics }) => {
      sum += metrics["loss"] ?? Number.NaN;
      if (step % every !== 0) return;
      const loss = { step, loss: (10 * sum) / every };
      sum = 0;
      losses.push(loss);
      onReport?.(loss);
    },
  });
  return { pairs: pairs.word.length, batch, losses };
}

export interface Neighbour {
  readonly word: string;
  readonly cosine: number;
}

/** For each of some frequent words the eight others whose vectors point most in its direction. */
export async function neighbours(
  session: Session,
  { words }: Corpus,
  asked: readonly string[],
): Promise<readonly (readonly Neighbour[])[]> {
  const query = Int32Array.from(asked, (word) => words.indexOf(word));
  const { neighbour, cosine } = await session.run("nearest", { query });
  return asked.map((_, i) =>
    Array.from({ length: 8 }, (_, j) => ({
      word: words[Number(neighbour?.data[9 * i + 1 + j])] ?? "",
      cosine: Number(cosine?.data[9 * i + 1 + j]),
    })),
  );
}
