import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { GraphError, Session, type TargetName, type TrainOptions } from "../../index.js";
import { compileText, refusal, targets, temporaryFolder } from "./programs.js";

/** A noisy line, learned with dropout-like noise in the step, so that every part of the random state matters. */
const line = `
graph line {
  seed 11
  dim N <= 64
  placeholder x: f32[N]
  placeholder y: f32[N]
  variable w: f32 = 0.5
  variable b: f32 = 0
  jitter = random_uniform(shape(x)) - 0.5
  loss = mean((w * (x + 0.01 * jitter) + b - y) ** 2)
  dw, db = gradients(loss, [w, b])
  update learn {
    w := w - 0.1 * dw
    b := b - 0.1 * db
  }
  error = mean(abs(w * x + b - y))
  signature fit(x, y) does learn -> (loss)
  signature evaluate(x, y) -> (error)
}
`;

const rows = 50;
const x = Float32Array.from({ length: rows }, (_, i) => i / rows);
const y = x.map((value) => 3 * value - 1);

function options(more: TrainOptions = {}): TrainOptions {
  return { run: "fit", data: { x, y }, batch: 8, shuffle: true, steps: 60, ...more };
}

for (const target of targets) {
  test(`${target}: trains, reports at multiples of every, and drops the remainder`, async (t) => {
    await using session = new Session(await compileText(t, line, { target }));
    const seen: number[] = [];
    const report = await session.train(options({ every: 20, onReport: ({ step }) => seen.push(step) }));
    t.deepEqual(seen, [20, 40, 60]);
    t.is(report.steps, 60);
    t.is(report.stopped, "done");
    // Six batches of eight an epoch.
    t.deepEqual({ epoch: session.progress.epoch, row: session.progress.row }, { epoch: 10, row: 0 });
    t.true((report.metrics["loss"] ?? 9) < (report.history[0]?.["loss"] ?? 0));
  });

  test(`${target}: a resumed run equals the uninterrupted one, byte for byte`, async (t) => {
    const program = await compileText(t, line, { target });
    const folder = temporaryFolder(t);
    const [whole, part, resumed] = ["whole", "part", "resumed"].map((name) => join(folder, `${name}.safetensors`)) as [
      string,
      string,
      string,
    ];
    await using one = new Session(program);
    await one.train(options({ save: whole }));
    await using two = new Session(program);
    await two.train(options({ steps: 23, save: part }));
    await using three = new Session(program, { seed: 999 });
    await three.train(options({ resume: part, save: resumed }));
    t.deepEqual(readFileSync(resumed), readFileSync(whole));
  });

  test(`${target}: keeps the remainder when asked to`, async (t) => {
    await using session = new Session(await compileText(t, line, { target }));
    const report = await session.train(options({ steps: undefined, epochs: 2, remainder: "keep" }));
    t.is(report.steps, 14);
    t.deepEqual({ epoch: session.progress.epoch, row: session.progress.row }, { epoch: 2, row: 0 });
  });

  test(`${target}: validates after each epoch, keeps the best, and stops early`, async (t) => {
    await using session = new Session(await compileText(t, line, { target }));
    const best = join(temporaryFolder(t), "best.safetensors");
    const report = await session.train(
      options({
        steps: undefined,
        epochs: 400,
        validate: { run: "evaluate", data: { x, y } },
        best: { metric: "error", mode: "min", to: best },
        earlyStopping: { metric: "error", mode: "min", patience: 3, minDelta: 1e-4 },
      }),
    );
    t.is(report.stopped, "early");
    t.true(existsSync(best));
    t.true(report.validation.length > 3);
    // The validation mean is over all 50 rows, the last batch of two among them.
    const { error } = await session.evaluate("evaluate", { x, y }, { batch: 8 });
    t.true(Math.abs((error ?? 0) - (report.validation.at(-1)?.["error"] ?? 9)) < 1e-6);
  });

  test(`${target}: an abort ends it after the current step, and what is done is saved`, async (t) => {
    await using session = new Session(await compileText(t, line, { target }));
    const controller = new AbortController();
    const save = join(temporaryFolder(t), "stopped.safetensors");
    const report = await session.train(
      options({
        steps: 2_000_000_000,
        save,
        every: 1000,
        onReport: () => controller.abort(),
        signal: controller.signal,
      }),
    );
    t.is(report.stopped, "interrupted");
    t.true(report.steps >= 1000 && report.steps < 2_000_000_000);
    t.true(existsSync(save));
  });

  test(`${target}: a loss that is no longer finite is named with its step and line`, async (t) => {
    const text = `
graph bad {
  variable w: f32 = 4
  shrunk = w - 1
  loss = log(shrunk)
  update learn { w := w - 1 }
  signature fit() does learn -> (loss)
}`;
    await using session = new Session(await compileText(t, text, { target, checkNumerics: true }));
    const error = await t.throwsAsync(() => session.train({ run: "fit", steps: 10 }));
    t.regex(error?.message ?? "", /G110/);
    t.regex(error?.message ?? "", /step 4/);
    // Three steps were done; the fourth assigned nothing.
    t.is(session.step, 3);
    t.deepEqual([...session.get("w").data], [1]);
  });

  test(`${target}: when a step fails, the state after the last whole step is saved and said to be`, async (t) => {
    const text = `
graph rows {
  dim N <= 8
  placeholder id: i64[N]
  variable table: f32[3] = zeros()
  picked = gather(table, check_index(id, size=3))
  loss = sum((picked - 1.0) ** 2)
  update learn { table := table - 0.5 * gradients(loss, [table]) }
  signature fit(id) does learn -> (loss)
}`;
    const id = BigInt64Array.of(0n, 1n, 2n, 3n);
    const folder = temporaryFolder(t);
    const program = await compileText(t, text, { target });
    const fail = async (id: BigInt64Array, options: Partial<TrainOptions>): Promise<string> => {
      await using session = new Session(program);
      const plan = { run: "fit", data: { id }, batch: 1, shuffle: false, steps: 8, ...options };
      const error = await t.throwsAsync(() => session.train(plan), { instanceOf: GraphError });
      const [diagnostic, ...others] = error instanceof GraphError ? error.diagnostics : [];
      t.deepEqual(others, []);
      t.is(diagnostic?.code, "G086");
      return diagnostic?.notes.map(({ message }) => message).join("; ") ?? "";
    };
    const save = join(folder, "kept.safetensors");
    t.true((await fail(id, { save })).includes(`the state after step 3 is saved in ${save}`));
    const checkpoint = { every: 2, to: join(folder, "at-{step}.safetensors"), keep: 5 };
    t.true((await fail(id, { checkpoint })).includes(join(folder, "at-3.safetensors")));
    t.regex(await fail(id, {}), /state after step 3 is in no file/);
    const early = join(folder, "none.safetensors");
    t.regex(await fail(BigInt64Array.of(3n, 1n), { save: early }), /no step was done/);
    t.false(existsSync(early));
    // Both files are whole, of step 3, and training goes on from them.
    for (const resume of [save, join(folder, "at-3.safetensors")]) {
      await using session = new Session(program);
      await session.restore(resume);
      t.is(session.step, 3);
      t.deepEqual([...session.get("table").data], [1, 1, 1]);
      const good = BigInt64Array.of(0n, 1n, 2n, 0n);
      const report = await session.train({
        run: "fit",
        data: { id: good },
        batch: 1,
        shuffle: false,
        resume,
        steps: 4,
      });
      t.is(report.steps, 4);
    }
  });
}

test("refuses plans that make no sense", async (t) => {
  await using session = new Session(await compileText(t, line));
  t.deepEqual(await refusal(t, () => session.train(options({ batch: 51 }))), ["G046"]);
  t.deepEqual(await refusal(t, () => session.train(options({ batch: 0 }))), ["G046"]);
  t.deepEqual(await refusal(t, () => session.train(options({ run: "evaluate" }))), ["G048"]);
  t.deepEqual(await refusal(t, () => session.train(options({ data: { x, y: y.slice(1) } }))), ["G073"]);
  t.deepEqual(await refusal(t, () => session.train(options({ data: { x, z: y } }))), ["G083"]);
  t.is(session.step, 0);
});

test("keeps as many checkpoints as it is told", async (t) => {
  await using session = new Session(await compileText(t, line));
  const folder = temporaryFolder(t);
  await session.train(options({ checkpoint: { every: 10, to: join(folder, "line-{step}.safetensors"), keep: 2 } }));
  t.deepEqual(readdirSync(folder).sort(), ["line-50.safetensors", "line-60.safetensors"]);
});

/** A counter whose file says where its checkpoints go. */
function counter(to: string): string {
  return `
graph counter {
  variable n: i64 = 0
  update count {
    n := n + 1
  }
  signature fit() does count -> (n)
  train {
    run = fit
    steps = 10
    checkpoint = { every = 5, to = ${JSON.stringify(to)} }
  }
}
`;
}

test("a file's checkpoints go into its own folder, wherever the process runs", async (t) => {
  const program = await compileText(t, counter("kept/n-{step}.safetensors"));
  const folder = dirname(program.graph.file);
  await using session = new Session(program);
  await session.train();
  t.deepEqual(readdirSync(join(folder, "kept")).sort(), ["n-10.safetensors", "n-5.safetensors"]);
});

test("a file's checkpoints may not leave its folder, unless the caller allows the place", async (t) => {
  const elsewhere = temporaryFolder(t);
  for (const to of ["../n-{step}.safetensors", join(elsewhere, "n-{step}.safetensors")]) {
    await using session = new Session(await compileText(t, counter(to)));
    t.deepEqual(await refusal(t, () => session.train()), ["G063"]);
    t.is(session.step, 0);
  }
  await using session = new Session(await compileText(t, counter(join(elsewhere, "n-{step}.safetensors"))));
  await session.train({ allow: [elsewhere] });
  t.deepEqual(readdirSync(elsewhere).sort(), ["n-10.safetensors", "n-5.safetensors"]);
});

/** Trains in a process of its own, which is killed in mid-epoch; the resumed run's file equals the uninterrupted one's. */
async function killAndResume(t: ExecutionContext, target: TargetName): Promise<void> {
  const folder = temporaryFolder(t);
  const file = join(folder, "line.graph");
  writeFileSync(file, line);
  const index = new URL("../../index.js", import.meta.url).href;
  const script = join(folder, "child.mjs");
  writeFileSync(
    script,
    `import { compile, Session } from ${JSON.stringify(index)};
const [, , steps, save, template, resume] = process.argv;
const x = Float32Array.from({ length: ${rows} }, (_, i) => i / ${rows});
const y = x.map((value) => 3 * value - 1);
const session = new Session(await compile(${JSON.stringify(file)}, { target: ${JSON.stringify(target)} }));
await session.train({ run: "fit", data: { x, y }, batch: 8, shuffle: true, steps: Number(steps), save,
  resume: resume || undefined, checkpoint: { every: 7, to: template, keep: 3 },
  onEvent: (event) => event.kind === "checkpoint" && console.log(event.step) });
`,
  );
  const template = join(folder, "ckpt-{step}.safetensors");
  const run = (steps: number, save: string, resume: string) =>
    spawn(process.execPath, [script, String(steps), save, template, resume], { stdio: ["ignore", "pipe", "inherit"] });
  const killed = run(1_000_000_000, join(folder, "never.safetensors"), "");
  // The eighth checkpoint is at step 56: two steps into an epoch of six.
  let printed = "";
  killed.stdout.on("data", (data) => {
    printed += String(data);
  });
  for (let i = 0; i < 600 && printed.split("\n").length < 9; i++) await pause(50);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const left = readdirSync(folder).filter((name) => /^ckpt-\d+\.safetensors$/.test(name));
  t.true(left.length >= 1, printed);
  const step = Math.max(...left.map((name) => Number(/\d+/.exec(name)?.[0])));
  const total = step + 40;
  const resumed = join(folder, "resumed.safetensors");
  const [code] = await once(run(total, resumed, join(folder, `ckpt-${step}.safetensors`)), "exit");
  t.is(code, 0);
  const whole = join(folder, "whole.safetensors");
  await once(run(total, whole, ""), "exit");
  t.deepEqual(readFileSync(resumed), readFileSync(whole));
}

for (const target of targets)
  test(`${target}: killed in mid-epoch and resumed, the end is the same`, killAndResume, target);
