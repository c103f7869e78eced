import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Session, type TrainOptions } from "../../index.js";
import { compileText, refusal, temporaryFolder } from "./programs.js";

/** Its validation falls to zero at step 20 and rises from there. */
const valley = `
graph valley {
  dim N <= 8
  placeholder x: f32[N]
  variable n: i64 = 0
  height = abs(cast(n, to=f32) - 20) + 0 * mean(x)
  update walk {
    n := n + 1
  }
  signature fit(x) does walk -> (height)
  signature evaluate(x) -> (height)
}
`;
const x = Float32Array.from({ length: 8 }, (_, i) => i);

function options(more: TrainOptions = {}): TrainOptions {
  const watched = { metric: "height", mode: "min" } as const;
  return {
    run: "fit",
    data: { x },
    batch: 2,
    validate: { run: "evaluate", data: { x } },
    earlyStopping: { ...watched, patience: 4, minDelta: 0 },
    ...more,
  };
}

test("a place that cannot be written to is refused before the first step", async (t) => {
  await using session = new Session(await compileText(t, valley));
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "old");
  mkdirSync(join(folder, "folder"));
  const run = options({ epochs: 1 });
  t.deepEqual(await refusal(t, () => session.train({ ...run, save: join(folder, "folder") })), ["G064"]);
  t.deepEqual(await refusal(t, () => session.train({ ...run, save: join(folder, "file", "x") })), ["G092"]);
  t.deepEqual(await refusal(t, () => session.train({ ...run, save: "" })), ["G092"]);
  const checkpoint = { every: 2, to: join(folder, "file", "x-{step}"), keep: 1 };
  t.deepEqual(await refusal(t, () => session.train({ ...run, checkpoint })), ["G092"]);
  const best = { metric: "height", mode: "min", to: join(folder, "file", "x") } as const;
  t.deepEqual(await refusal(t, () => session.train({ ...run, best })), ["G092"]);
  t.is(session.step, 0);
  t.deepEqual(readdirSync(folder).sort(), ["file", "folder"]);
  await session.train({ ...run, save: join(folder, "new", "deep", "x") });
  t.true(existsSync(join(folder, "new", "deep", "x")));
});

test("a run that is interrupted before its first step leaves the file that is there", async (t) => {
  const folder = temporaryFolder(t);
  const save = join(folder, "trained.safetensors");
  const program = await compileText(t, valley);
  await using trained = new Session(program);
  await trained.train(options({ epochs: 2, save }));
  const before = readFileSync(save);
  await using session = new Session(program);
  const report = await session.train(options({ epochs: 2, save, signal: AbortSignal.abort() }));
  t.is(report.stopped, "interrupted");
  t.deepEqual(report.checkpoints, []);
  t.deepEqual(readFileSync(save), before);
});

test("a resumed run keeps the best file and stops early where the uninterrupted one does", async (t) => {
  const program = await compileText(t, valley);
  const folder = temporaryFolder(t);
  const best = (name: string) => ({ metric: "height", mode: "min", to: join(folder, `best-${name}`) }) as const;
  const save = (name: string): string => join(folder, name);
  await using whole = new Session(program);
  const report = await whole.train(options({ epochs: 50, best: best("whole"), save: save("whole") }));
  t.is(report.stopped, "early");
  t.is(report.steps, 36);
  // Past the best: what comes later must neither replace it nor start to count anew.
  for (const steps of [10, 20, 26]) {
    await using part = new Session(program);
    await part.train(options({ steps, best: best("part"), save: save("part") }));
    await using rest = new Session(program);
    const resume = save("part");
    const ended = await rest.train(options({ epochs: 50, best: best("part"), save: save("rest"), resume }));
    t.is(ended.stopped, "early");
    t.is(ended.steps, 36, `resumed at ${steps}`);
    t.deepEqual(readFileSync(best("part").to), readFileSync(best("whole").to));
    t.deepEqual(readFileSync(save("rest")), readFileSync(save("whole")));
  }
});

test("a run that is interrupted while it validates does so again when it goes on", async (t) => {
  const program = await compileText(t, valley);
  const folder = temporaryFolder(t);
  const [whole, part, rest] = ["whole", "part", "rest"].map((name) => join(folder, name));
  await using straight = new Session(program);
  const expected = await straight.train(options({ epochs: 6, save: whole }));
  await using stopped = new Session(program);
  const controller = new AbortController();
  // Progress is told after each call of the target, and so before the validation that follows.
  const onEvent: TrainOptions["onEvent"] = (event) => {
    if (event.kind === "progress" && event.step === 12) controller.abort();
  };
  const first = await stopped.train(options({ epochs: 6, save: part, signal: controller.signal, onEvent }));
  t.is(first.steps, 12);
  t.is(first.validation.length, 2);
  await using resumed = new Session(program);
  const second = await resumed.train(options({ epochs: 6, save: rest, resume: part }));
  t.deepEqual([...first.validation, ...second.validation], expected.validation);
  t.deepEqual(readFileSync(rest ?? ""), readFileSync(whole ?? ""));
});
