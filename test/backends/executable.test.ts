import test from "ava";
import fc from "fast-check";
import type { LoopOutcome } from "../../compiler/backends/executable.js";
import { nativeEntryCount } from "../../compiler/backends/llvm/library.js";
import { memoryCounts } from "../../compiler/backends/llvm/memory.js";
import { shuffleKey, shuffleRows } from "../../compiler/backends/shuffle.js";
import type { TensorData } from "../../compiler/ir/tensor.js";
import type { Bound } from "./bound.js";
import { columnsOf, evaluationStep, requestFor, state, trainingStep, wholeLoop, width } from "./loops.js";
import { bindBoth, nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;
/** Counts of the whole process: no other test may run meanwhile. */
const alone = nativeIsAvailable ? test.serial : test.serial.skip;

function fillWith(data: TensorData, value: number): void {
  if (data instanceof BigInt64Array) data.fill(BigInt(value));
  else data.fill(value);
}

function variablesOf(bound: Bound): readonly unknown[] {
  return [...bound.variables].map(([path, { data }]) => [path, [...data]]);
}

native("loops of any rows, batch, steps, place and reports do what the reference's loops do", async (t) => {
  const bounds = new Map<number, Awaited<ReturnType<typeof bindBoth>>>();
  for (const batch of [1, 2, 5, 17]) bounds.set(batch, await bindBoth(trainingStep(batch)));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 2, 5, 17),
      fc.record({
        extra: fc.nat({ max: 40 }),
        steps: fc.nat({ max: 60 }),
        every: fc.nat({ max: 7 }),
        shuffle: fc.boolean(),
        stopAtEpochEnd: fc.boolean(),
        epoch: fc.bigInt({ min: 0n, max: 2n ** 40n }),
        place: fc.nat(),
        seed: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        step: fc.bigInt({ min: 0n, max: 2n ** 50n }),
        runsSinceStep: fc.bigInt({ min: 0n, max: 3n }),
        bad: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
      }),
      async (batch, { extra, place, seed, step, runsSinceStep, bad, ...changes }) => {
        const both = bounds.get(batch);
        if (both === undefined) throw new Error("no executable");
        const rows = batch + extra;
        const results: unknown[] = [];
        for (const bound of [both.native, both.reference]) {
          for (const { data } of bound.variables.values()) fillWith(data, 1);
          const columns = columnsOf(bound, rows, bad === undefined ? -1 : bad % rows);
          const outcome = await bound.executable.loop(
            requestFor(columns, { ...changes, batch, position: place % rows, state: { seed, step, runsSinceStep } }),
          );
          const { failure } = outcome;
          results.push({
            ...outcome,
            failure: failure === undefined ? undefined : [failure.code, failure.spans, failure.stepsDone],
            variables: variablesOf(bound),
          });
          for (const block of columns.values()) block.free();
        }
        t.deepEqual(results[0], results[1]);
      },
    ),
    { includeErrorInReport: true, numRuns: 150 },
  );
  for (const both of bounds.values()) both.close();
});

native("evaluations of any rows and batch sum what the reference sums", async (t) => {
  for (const batch of [1, 3, 8]) {
    const both = await bindBoth(evaluationStep(batch));
    for (const rows of [batch, batch + 1, 4 * batch, 4 * batch + 2]) {
      const outcomes: LoopOutcome[] = [];
      for (const bound of [both.native, both.reference]) {
        const columns = columnsOf(bound, rows);
        outcomes.push(
          await bound.executable.loop(
            requestFor(columns, { batch, steps: 100, advance: false, stopAtEpochEnd: true, every: 1 }),
          ),
        );
      }
      t.deepEqual(outcomes[0], outcomes[1], `${rows} rows by ${batch}`);
      t.is(outcomes[0]?.steps, Math.floor(rows / batch));
      t.deepEqual(outcomes[0]?.reports, []);
    }
    both.close();
  }
});

native("batches come in the order of shuffleRows, bit by bit, over epochs", async (t) => {
  const batch = 4;
  const rows = 23;
  const both = await bindBoth(trainingStep(batch));
  const columns = columnsOf(both.native, rows);
  const x = columns.get("x")?.data;
  if (x === undefined || x instanceof BigInt64Array) throw new Error("no column");
  for (const seed of [0n, 42n, -1n, 2n ** 63n - 1n]) {
    const outcome = await both.native.executable.loop(
      requestFor(columns, { batch, steps: 12, shuffle: true, every: 1, epoch: 6n, state: { ...state, seed } }),
    );
    const expected: number[][] = [];
    for (const epoch of [6n, 7n, 8n]) {
      const order = new Int32Array(rows);
      shuffleRows(order, shuffleKey(seed, epoch));
      for (let place = 0; place + batch <= rows; place += batch) {
        const chosen = [...order.subarray(place, place + batch)];
        const values = chosen.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]);
        expected.push([values.reduce((sum, value) => sum + value, 0), values[0] as number]);
      }
    }
    t.deepEqual(
      outcome.reports.map(({ values }) => [values[0], values[3]]),
      expected.slice(0, 12),
    );
  }
  both.close();
});

alone("a hundred thousand steps are one call, and allocate nothing", async (t) => {
  const both = await bindBoth(trainingStep(2));
  const columns = columnsOf(both.native, 9);
  const request = requestFor(columns, { batch: 2, shuffle: true, steps: 100_000, every: 1000 });
  const expected = await wholeLoop(both.reference, { ...request, columns: columnsOf(both.reference, 9), steps: 100 });
  t.is(expected.steps, 100);
  await both.native.executable.loop({ ...request, steps: 1 });
  const entries = nativeEntryCount();
  const { total, live } = memoryCounts();
  const outcome = await both.native.executable.loop(request);
  t.is(nativeEntryCount() - entries, 1);
  t.is(memoryCounts().total, total);
  // What earlier tests let go of may be collected meanwhile.
  t.true(memoryCounts().live <= live);
  t.is(outcome.steps, 100_000);
  t.is(outcome.reports.length, 100);
  t.deepEqual([outcome.epoch, outcome.position], [25_000n, 0]);
  both.close();
});

native("when the room for reports is full the loop ends early, and can go on", async (t) => {
  const both = await bindBoth(trainingStep(1));
  const columns = columnsOf(both.native, 7);
  const request = requestFor(columns, { steps: 10_000, every: 1 });
  const first = await both.native.executable.loop(request);
  t.true(first.steps > 0 && first.steps < 10_000);
  t.is(first.reports.length, first.steps);
  for (const { data } of both.native.variables.values()) fillWith(data, 0);
  const whole = await wholeLoop(both.native, request);
  const expected = await both.reference.executable.loop({ ...request, columns: columnsOf(both.reference, 7) });
  t.deepEqual(whole, expected);
  t.deepEqual(variablesOf(both.native), variablesOf(both.reference));
  both.close();
});

alone("a hundred thousand runs keep the memory flat", async (t) => {
  const both = await bindBoth(trainingStep(2));
  const feeds = new Map<string, TensorData>([
    ["x", Int32Array.of(1, 2, 3, 4, 5, 6)],
    ["label", Uint8Array.of(1, 2)],
    ["rate", Float32Array.of(1)],
  ]);
  const { executable } = both.native;
  for (let i = 0; i < 1000; i++) executable.run(feeds, state);
  const { total } = memoryCounts();
  const before = process.memoryUsage();
  for (let i = 0; i < 100_000; i++) executable.run(feeds, state);
  const after = process.memoryUsage();
  t.is(memoryCounts().total, total);
  t.true(after.rss - before.rss < 64 * 2 ** 20, `${(after.rss - before.rss) / 2 ** 20} MiB more`);
  both.close();
});

native("an aborted loop ends after its step, before or while it runs", async (t) => {
  const both = await bindBoth(trainingStep(1));
  const columns = columnsOf(both.native, 5);
  const aborted = await both.native.executable.loop(requestFor(columns, { steps: 1000, signal: AbortSignal.abort() }));
  t.is(aborted.steps, 1);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 30);
  const running = both.native.executable.loop(requestFor(columns, { steps: 2 ** 40, signal: controller.signal }));
  await t.throwsAsync(both.native.executable.loop(requestFor(columns, {})), { message: /while it runs/ });
  t.throws(() => both.native.executable.run(new Map(), state), { message: /while it runs/ });
  t.throws(() => both.native.executable.close(), { message: /while it runs/ });
  const outcome = await running;
  t.true(outcome.steps > 0 && outcome.steps < 2 ** 40);
  t.is(outcome.position, outcome.steps % 5);
  // The request to stop is gone with its loop.
  t.is((await both.native.executable.loop(requestFor(columns, { steps: 10 }))).steps, 10);
  both.close();
  t.throws(() => both.native.executable.run(new Map(), state), { message: /after it was closed/ });
});

native("requests that would read beyond their columns are refused", async (t) => {
  const both = await bindBoth(trainingStep(4));
  for (const bound of [both.native, both.reference]) {
    const columns = columnsOf(bound, 9);
    const refused = (changes: object, message: RegExp) =>
      t.throwsAsync(bound.executable.loop(requestFor(columns, { batch: 4, ...changes })), { message });
    await refused({ batch: 0 }, /batches of 0/);
    await refused({ batch: 10 }, /batches of 10/);
    await refused({ batch: 3 }, /takes 4 rows/);
    await refused({ rows: 90 }, /27 elements, not 270/);
    await refused({ position: -1 }, /-1 position/);
    await refused({ steps: 1.5 }, /1.5 steps/);
    await refused({ steps: Number.NaN }, /NaN steps/);
    // Fewer rows than a batch are left: they are dropped, or the loop has nothing to do.
    const wrapped = await bound.executable.loop(requestFor(columns, { batch: 4, position: 6, steps: 1 }));
    t.deepEqual([wrapped.steps, wrapped.epoch, wrapped.position], [1, 1n, 4]);
    const ended = await bound.executable.loop(requestFor(columns, { batch: 4, position: 8, stopAtEpochEnd: true }));
    t.deepEqual([ended.steps, ended.epoch, ended.position, ended.failure], [0, 0n, 8, undefined]);
  }
  both.close();
});
