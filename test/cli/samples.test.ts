import test from "ava";
import { isPreempted, median, quantile, spreadOf, takeSamples, undisturbed } from "../../cli/samples.js";

/** Keeps the processor for so long. */
const spin = (milliseconds: number): void => {
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user + process.cpuUsage(before).system < 1000 * milliseconds);
};

test("quantiles lie between the sorted values, by their distance (R's type 7)", (t) => {
  // quantile(c(7, 1, 3, 10), c(0, .25, .5, .75, 1)) of R 4.2 gives 1, 2.5, 5, 7.75, 10.
  t.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((part) => quantile([7, 1, 3, 10], part)),
    [1, 2.5, 5, 7.75, 10],
  );
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1]), 2.5);
  t.is(quantile([5], 0.25), 5);
  t.is(median([]), Number.NaN);
});

test("a spread has the median, the quartiles and the fastest", (t) => {
  t.deepEqual(spreadOf([5, 1, 2, 3, 4]), { median: 3, lowerQuartile: 2, upperQuartile: 4, fastest: 1 });
});

test("a sample whose processor time is below 95 % of the wall time was preempted", (t) => {
  const samples = [1, 0.94, 0.95, 3].map((cpu) => ({ wall: 1, cpu }));
  t.deepEqual(samples.map(isPreempted), [false, true, false, false]);
});

test("preempted samples do not count, and with fewer than three others the processor's time does", (t) => {
  const clean = [1, 2, 3].map((wall) => ({ wall, cpu: wall }));
  const preempted = [10, 20].map((wall) => ({ wall, cpu: 4 }));
  t.deepEqual(undisturbed([...clean, ...preempted]), { seconds: [1, 2, 3], contended: false });
  t.deepEqual(undisturbed([...clean.slice(1), ...preempted]), { seconds: [2, 3, 4, 4], contended: true });
  t.deepEqual(undisturbed(clean.slice(2)), { seconds: [3], contended: false });
  t.deepEqual(undisturbed([]), { seconds: [], contended: false });
});

test("short work is done often enough to fill a sample, long work once", async (t) => {
  const calls: number[] = [];
  const short = await takeSamples(
    async (runs) => {
      calls.push(runs);
      spin(0.05 * runs);
    },
    { count: 3, least: 0.005 },
  );
  t.is(short.samples.length, 3);
  t.true(short.runs > 1, String(short.runs));
  t.deepEqual(calls.slice(-3), [short.runs, short.runs, short.runs]);
  for (const { wall } of short.samples) t.true(wall >= 0.05e-3, String(wall));
  const long = await takeSamples(async (runs) => spin(6 * runs), { count: 2, least: 0.005 });
  t.is(long.runs, 1);
});

test("a first run that takes long says nothing of how many runs fill a sample", async (t) => {
  let calls = 0;
  const { runs } = await takeSamples(
    async (count) => {
      calls++;
      spin(calls === 1 ? 8 : 0.05 * count);
    },
    { count: 3, least: 0.005 },
  );
  t.true(runs > 1, String(runs));
});

test("slow runs in a row while the number of runs is sought are noticed by the samples", async (t) => {
  let calls = 0;
  const { runs, samples } = await takeSamples(
    async (count) => {
      calls++;
      spin(calls <= 2 ? 8 : 0.05 * count);
    },
    { count: 3, least: 0.005 },
  );
  t.is(samples.length, 3);
  t.true(runs > 1, String(runs));
});

test("without a count samples end with the time, and are five at least", async (t) => {
  const { samples } = await takeSamples(async () => undefined, { seconds: 0, least: 0 });
  t.is(samples.length, 5);
});
