/** A WebGL context that a browser takes away: what it held is made again on the next one. */
import test from "ava";
import { learning, walking } from "../support/models.js";
import { hasBrowser } from "./browser.js";
import { type LibraryPage, modelOf, openLibrary } from "./library.js";
import type * as lost from "./page/lost.js";

const browserTest = hasBrowser() ? test.serial : test.serial.skip;
let library: LibraryPage<typeof lost> | undefined;

test.after.always(() => library?.close());

async function opened(): Promise<LibraryPage<typeof lost>> {
  library ??= await openLibrary<typeof lost>("lost");
  return library;
}

browserTest("contexts that are lost between runs, again and again, take nothing with them", async (t) => {
  const { call } = await opened();
  const model = await modelOf(t, walking);
  const undisturbed = await call("walk", model, 9, []);
  t.deepEqual(await call("walk", model, 9, [1, 3, 8]), undisturbed);
  t.deepEqual(undisturbed.at(-1)?.["turns"], [9]);
});

browserTest("a run in which the context is lost fails, and is done again here and in a new session", async (t) => {
  const { call } = await opened();
  const model = await modelOf(t, walking);
  // After 1, 3, 5 and 6 runs.
  const [, , five, six] = await call("walk", model, 6, []);
  const { failure, kept, here, next } = await call("loseInRun", model);
  t.regex(failure, /^G124 the kernel `\w+` failed on webgl2: the device was lost/);
  t.deepEqual(kept, five);
  t.deepEqual(here, six);
  t.deepEqual(next, six);
});

browserTest("training goes on after a loss in the middle, and ends where undisturbed training ends", async (t) => {
  const { call } = await opened();
  const model = await modelOf(t, learning);
  const undisturbed = await call("trainOver", model, 60, undefined);
  t.is(undisturbed.failure, undefined);
  t.is(undisturbed.reached, 60);
  const { failure, reached, end } = await call("trainOver", model, 60, 101);
  t.regex(failure ?? "", /^G124 step \d+: (the kernel `\w+` failed on webgl2: |webgl2 was lost)/);
  t.true(reached > 2 && reached < 60, String(reached));
  t.true(failure?.startsWith(`G124 step ${reached + 1}: `), failure);
  t.deepEqual(end, undisturbed.end);
});

browserTest("more devices are open than a browser has contexts for", async (t) => {
  const { call } = await opened();
  const model = await modelOf(t, walking.replace(" + random_uniform([4])", ""));
  const [expected] = await call("openMany", model, 1);
  t.deepEqual(await call("openMany", model, 18), new Array(18).fill(expected));
});

browserTest(
  "a browser that gives no new context is told of, and what was done before is kept until it does",
  async (t) => {
    const { call } = await opened();
    const model = await modelOf(t, walking);
    const [expected] = await call("openMany", model, 1);
    const { failure, end } = await call("loseForGood", model);
    t.regex(failure, /^G122 device webgl2 is not available: .*the browser gives no WebGL 2 context/);
    t.deepEqual(end, expected);
  },
);

for (const device of ["webgl2", "webgpu"] as const) {
  browserTest(`${device}: the browser's process that renders ends while runs go on`, async (t) => {
    const model = await modelOf(t, walking);
    // A browser of its own: after that some give no new context for a while.
    const own = await openLibrary<typeof lost>("lost");
    try {
      const runs = 400;
      const { lengths: expected } = await own.call("walkOver", model, "webasm", runs);
      const going = own.call("walkOver", model, device, runs);
      while ((await own.call("progress")) % runs < 20) await new Promise((resolve) => setTimeout(resolve, 10));
      await own.endRenderer();
      const { lengths, failures } = await going;
      t.true(failures.length <= 2, failures.join("\n"));
      t.true(
        failures.every((failure) => /^G124 .*(lost|Lost)/.test(failure)),
        failures.join("\n"),
      );
      t.is(lengths.length, runs);
      for (const [i, x] of expected.entries()) {
        const found = lengths[i] ?? Number.NaN;
        t.true(Math.abs(found - x) <= 1e-6 + 1e-4 * x, `run ${i}: ${found}, not ${x}`);
      }
    } finally {
      await own.close();
    }
  });
}
