import test from "ava";
import { Curve } from "../../cli/watch/curve.js";
import { Curves, type CurvesTold } from "../../cli/watch/curves.js";
import {
  csvText,
  extremesWithin,
  nearestIndex,
  short,
  smoothed,
  clockText as timeText,
  unitOf,
  weightOf,
  weightText,
} from "../../viewer/watch_curves.js";
import { updated, type WatchState } from "../../viewer/watch_messages.js";

test("a long curve stays small, and loses no extreme and no gap", (t) => {
  const curve = new Curve();
  const values = Array.from({ length: 100_000 }, (_, i) =>
    i === 77_777 ? Number.NaN : i === 31_415 ? -9 : (i * i) % 7,
  );
  for (const [i, value] of values.entries()) curve.add(i + 1, i / 100, value);
  const { steps, means, least, greatest, lost } = curve.columns();
  t.true(steps.length <= 2048 && steps.length > 1000);
  t.is(steps.at(-1), values.length);
  t.is(
    lost.reduce((sum, one) => sum + one, 0),
    1,
  );
  t.deepEqual([Math.min(...least.map(Number)), Math.max(...greatest.map(Number))], [-9, 4]);
  const place = steps.findIndex((step) => step >= 31_416);
  const part = values.slice(steps[place - 1], steps[place]);
  t.is(least[place], -9);
  t.is(means[place], part.reduce((sum, one) => sum + one, 0) / part.length);
});

test("what a page is told piece by piece is the whole curve", (t) => {
  let now = 0;
  const curves = new Curves(() => now);
  const told: CurvesTold = new Map();
  const facts = { name: "", status: "running", message: "", step: 0, steps: 0, seconds: 0 } as const;
  const rest = { stepsPerSecond: null, target: "", canSave: false, signature: "", samplesStep: 0, samples: null };
  let state: WatchState | undefined;
  curves.start(0);
  const tell = (): void => {
    state = updated(state, { ...facts, ...rest, curves: curves.updates(told) });
  };
  for (let step = 10; step <= 50_000; step += 10) {
    curves.report(step - 5, new Map([["loss", step - 5]]));
    now += 20;
    curves.progress(step, now / 1000, new Map([["loss", step]]));
    curves.resume(step);
    if (step % 70 === 0) tell();
  }
  curves.validation(50_000, new Map([["loss", 0.5]]));
  tell();
  t.deepEqual(curves.updates(told), [], "nothing is told twice");
  const whole = updated(undefined, { ...facts, ...rest, curves: curves.updates(new Map()) });
  t.deepEqual(state?.curves, whole.curves);
  t.deepEqual(
    whole.curves.map(({ kind, name }) => `${kind} ${name}`),
    ["training loss", "rate steps/s", "validation loss"],
  );
  const [, rate, validation] = whole.curves;
  // 10 steps in 20 ms.
  t.true(rate?.means.every((mean) => Math.abs((mean ?? 0) - 500) < 1e-6));
  t.deepEqual([validation?.steps, validation?.seconds, validation?.means], [[50_000], [100], [0.5]]);
});

test("a report inside a call has its share of the call's time, and a pause lies between two calls", (t) => {
  let now = 5000;
  const curves = new Curves(() => now);
  curves.start(100);
  curves.report(110, new Map([["loss", 1]]));
  now += 1000;
  curves.progress(120, 1, new Map([["loss", 2]]));
  now += 60_000;
  curves.resume(120);
  curves.report(130, new Map([["loss", 3]]));
  now += 1000;
  curves.progress(140, 2, new Map([["loss", 4]]));
  const [loss] = curves.updates(new Map());
  t.deepEqual(
    [loss?.steps, loss?.seconds],
    [
      [110, 120, 130, 140],
      [0.5, 1, 61.5, 62],
    ],
  );
});

test("smoothing is the average with its bias taken out, and a gap stays one", (t) => {
  const values = { means: [3, 5, null, 7], counts: [1, 1, 0, 1] };
  t.deepEqual(smoothed(values, 0), [3, 5, null, 7]);
  // (0.9 * 3 + 5) / 1.9; then (0.81 * 3 + 0.9 * 5 + 7) / 2.71.
  const [first, second, gap, third] = smoothed(values, 0.9);
  t.deepEqual([first, gap], [3, null]);
  t.true(Math.abs((second ?? 0) - 7.7 / 1.9) < 1e-12);
  t.true(Math.abs((third ?? 0) - 13.93 / 2.71) < 1e-12);
  t.deepEqual(
    [-1, 0, 4, 6, 99].map((x) => nearestIndex([1, 3, 5, 9], x)),
    [0, 0, 1, 2, 3],
  );
  t.is(nearestIndex([], 1), -1);
  t.deepEqual(
    [[3, null, -2500], [], [0, null], [-3.4e38, 5], [2e-9, null], [5e-324]].map(unitOf),
    [1, 1, 1, 1e38, 1e-9, 1e-300],
  );
  t.deepEqual([0.00012345, 1234.5, 2_880_000, -0.5, 0].map(short), ["1.234e-4", "1,235", "2.88e6", "-0.5", "0"]);
  t.deepEqual([1.24, 61, 3725].map(timeText), ["1.2 s", "1:01", "1:02:05"]);
});

test("a long curve is smoothed as all its numbers are, not as the points that are left of them", (t) => {
  const curve = new Curve();
  const values = Array.from({ length: 100_000 }, (_, i) => (i < 60_000 ? 1 : 0) + ((i * 7919) % 11) / 100 - 0.05);
  for (const [i, value] of values.entries()) curve.add(i + 1, i, value);
  const columns = curve.columns();
  t.true(columns.steps.length < values.length / 40);
  for (const weight of [0.99, 0.999, 0.9999]) {
    const drawn = smoothed(columns, weight);
    // The definition, number by number.
    let [sum, total] = [0, 0];
    const all = values.map((value) => {
      sum = sum * weight + (1 - weight) * value;
      total = total * weight + (1 - weight);
      return sum / total;
    });
    // Where the level falls a point may lie on both sides of it.
    const far = columns.steps.flatMap((step, i) =>
      Math.abs(step - 60_000) < 100 || Math.abs((drawn[i] ?? 9) - (all[step - 1] ?? 0)) < 0.02 ? [] : [step],
    );
    t.deepEqual(far, [], String(weight));
  }
});

test("the slider's way is as much on every run: each unit of it averages over ten times as many numbers", (t) => {
  t.deepEqual(
    [0, 1, 2, 5].map(weightOf).map((weight) => Number((1 / (1 - weight)).toPrecision(6))),
    [1, 10, 100, 1e5],
  );
  t.deepEqual([0, 0.4, 1, 2.5, 5].map(weightText), ["none", "0.60", "0.90", "0.9968", "0.999990"]);
});

test("a chart's data as CSV: names are quoted, and what is not finite has no number", (t) => {
  const columns = {
    steps: [1, 2],
    seconds: [0.5, 1],
    means: [null, 2],
    least: [null, 1],
    greatest: [null, 3],
    counts: [0, 2],
    lost: [1, 0],
  };
  t.is(
    csvText([{ kind: "validation", name: 'a,"b"', ...columns }]),
    'curve,name,step,seconds,mean,least,greatest,finite,not_finite\nvalidation,"a,""b""",1,0.5,,,,0,1\nvalidation,"a,""b""",2,1,2,1,3,2,0\n',
  );
});

test("a line's heights within a zoom reach to where it leaves it", (t) => {
  const xs = [0, 10, 20, 30];
  // From 5 at x = 10 the line falls to -15 at 20: at 12 it is at 1.
  t.deepEqual(extremesWithin(xs, [[7, 5, -15, 0]], 8, 12), [1, 5.4]);
  // No point within, but the line passes; a place without a point of its own is passed, a gap is not.
  t.deepEqual(extremesWithin(xs, [[0, 10, 20, 30]], 12, 14), [12, 14]);
  t.deepEqual(extremesWithin(xs, [[0, undefined, 20, 30]], 12, 14), [12, 14]);
  t.deepEqual(extremesWithin(xs, [[0, 10, null, 30]], 12, 14), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  t.deepEqual(
    extremesWithin(
      xs,
      [
        [0, 10, 20, 30],
        [-1, -1, -1, -1],
      ],
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ),
    [-1, 30],
  );
});
