import { setTimeout as wait } from "node:timers/promises";
import test from "ava";
import { type CompileFileOptions, Session } from "../../index.js";
import { compileText, targets } from "./programs.js";

const places: readonly CompileFileOptions[] = [
  ...targets.map((target) => ({ target })),
  { target: "gpu", device: "webasm" },
];

/** `search` ends only where `limit` is positive; `fit` counts its steps and meets an endless one at the fourth. */
const searching = `
graph searching {
  placeholder limit: f32
  variable best: f32 = 7
  variable steps: i64 = 0
  found = while x < limit or limit <= 0 with x = 0.0 {
    next x = x + 1
  }
  update keep { best := best + found }
  signature search(limit) does keep -> (best)

  turns = steps + 1
  counted = while n < turns or turns == 4 with n = cast(0, i64) {
    next n = n + 1
  }
  update count { steps := counted }
  signature fit() does count -> (counted)
}
`;

for (const place of places) {
  test(`${place.target}: an endless while is left when the signal is aborted, nothing is assigned, and the session goes on`, async (t) => {
    await using session = new Session(await compileText(t, searching, place));
    const controller = new AbortController();
    const endless = session.run("search", { limit: 0 }, { signal: controller.signal });
    let ended = false;
    endless.catch(() => {
      ended = true;
    });
    // The event loop turns while the code runs: otherwise nobody could abort it.
    await wait(30);
    t.false(ended);
    controller.abort(new Error("enough"));
    await t.throwsAsync(endless, { message: "enough" });
    t.deepEqual([...(await session.read("best")).data], [7]);
    t.is(session.step, 0);
    const { best } = await session.run("search", { limit: 5 });
    t.deepEqual([...(best?.data ?? [])], [12]);
  });

  test(`${place.target}: training that meets an endless while ends with the state before that step`, async (t) => {
    await using session = new Session(await compileText(t, searching, place));
    const controller = new AbortController();
    const report = await session.train({
      run: "fit",
      steps: 10,
      every: 1,
      signal: controller.signal,
      // The steps after the first take microseconds, up to the one that does not end.
      onReport: ({ step }) => {
        if (step === 1) setTimeout(() => controller.abort(), 200);
      },
    });
    t.is(report.stopped, "interrupted");
    t.is(session.step, 3);
    t.deepEqual([...(await session.read("steps")).data], [3n]);
  });
}

for (const place of places) {
  test(`${place.target}: a run whose signal is aborted already does not begin`, async (t) => {
    await using session = new Session(await compileText(t, searching, place));
    const reason = new Error("too late");
    await t.throwsAsync(session.run("search", { limit: 3 }, { signal: AbortSignal.abort(reason) }), { is: reason });
    const waiting = new AbortController();
    const first = session.run("search", { limit: 3 });
    const second = session.run("search", { limit: 3 }, { signal: waiting.signal });
    waiting.abort(reason);
    await first;
    await t.throwsAsync(second, { is: reason });
    t.deepEqual([...(await session.read("best")).data], [10]);
  });
}
