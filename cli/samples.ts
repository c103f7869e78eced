/** Times of many runs, and what they say. */

export interface Sample {
  /** Seconds of one run by the clock: the mean of the sample's runs. */
  readonly wall: number;
  /** Seconds of the processor for one run, by all threads of this process. */
  readonly cpu: number;
}

export interface Samples {
  readonly samples: readonly Sample[];
  /** Runs in each sample. */
  readonly runs: number;
}

export interface SampleOptions {
  /** How many samples are taken; without it as many as `seconds` have room for, 5 to 50. */
  readonly count?: number | undefined;
  readonly seconds?: number;
  /** What a sample takes at least, by having more runs. */
  readonly least?: number;
}

/** Samples of `work`, which does so many runs, after a warm-up that also finds how many runs a sample has. */
export async function takeSamples(
  work: (runs: number) => Promise<void>,
  { count, seconds = 3, least = 0.02 }: SampleOptions = {},
): Promise<Samples> {
  for (let runs = await runsThatFill(work, least); ; ) {
    const samples: Sample[] = [];
    const start = performance.now();
    const isEnough = (): boolean =>
      count === undefined
        ? samples.length >= 50 || (samples.length >= 5 && performance.now() - start > seconds * 1000)
        : samples.length >= count;
    while (!isEnough()) samples.push(await take(work, runs));
    // What was slow while the number of runs was sought (a collection of garbage, pages that are touched first) is seen here: then
    // the samples are short, and each is mostly the way into the code.
    const typical = { wall: median(samples.map(({ wall }) => wall)), cpu: median(samples.map(({ cpu }) => cpu)) };
    if (samples.length === 0 || fills(typical, runs, least / 2)) return { samples, runs };
    runs = more(typical, runs, least);
  }
}

/** By the processor's time, since a wait for the processor tells nothing; work that waits for a device has little of it. */
const fills = ({ wall, cpu }: Sample, runs: number, least: number): boolean =>
  cpu * runs >= least || wall * runs >= 10 * least;

const more = ({ cpu }: Sample, runs: number, least: number): number =>
  runs * Math.min(8, Math.max(2, Math.ceil(least / Math.max(1e-9, cpu * runs))));

/** How many runs take `least` seconds, found by more and more of them. */
async function runsThatFill(work: (runs: number) => Promise<void>, least: number): Promise<number> {
  for (let runs = 1; ; ) {
    const first = await take(work, runs);
    // A first run may load code and touch pages: what it takes counts only if another that follows it takes as long.
    const taken = fills(first, runs, least) ? await take(work, runs) : first;
    if (fills(taken, runs, least)) return runs;
    runs = more(taken, runs, least);
  }
}

async function take(work: (runs: number) => Promise<void>, runs: number): Promise<Sample> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work(runs);
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { wall: wall / runs, cpu: (user + system) / 1e6 / runs };
}

/** The value below which a part of them lies, between two of them where it falls there; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const low = Math.floor(position);
  const [below = Number.NaN, above = below] = sorted.slice(low, low + 2);
  return below + (above - below) * (position - low);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly fastest: number;
}

export function spreadOf(seconds: readonly number[]): Spread {
  return {
    median: median(seconds),
    lowerQuartile: quantile(seconds, 0.25),
    upperQuartile: quantile(seconds, 0.75),
    fastest: quantile(seconds, 0),
  };
}

/** Whether another process had the processor for a part of it: then the processor's time is below 95 % of the wall time. */
export function isPreempted({ wall, cpu }: Sample): boolean {
  return cpu < 0.95 * wall;
}

export interface Undisturbed {
  /** Of one run, for each sample that counts. */
  readonly seconds: readonly number[];
  /** Fewer than three samples were left alone, so that the seconds are the processor's. */
  readonly contended: boolean;
}

/** The times of the samples that were not preempted; where these are fewer than three, all samples' processor time. */
export function undisturbed(samples: readonly Sample[]): Undisturbed {
  const clean = samples.filter((sample) => !isPreempted(sample));
  const contended = clean.length < Math.min(3, samples.length);
  return { seconds: contended ? samples.map(({ cpu }) => cpu) : clean.map(({ wall }) => wall), contended };
}
