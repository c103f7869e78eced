import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { compile, Session } from "../../index.js";
import { profileReport } from "../../runtime/profile/report.js";
import { profileFile } from "../../runtime/profile/trace.js";
import { folderWith, lineFolder } from "../cli/support.js";

const targets = probe().available ? (["cpu", "reference"] as const) : (["reference"] as const);
const native = probe().available ? test : test.skip;

for (const target of targets) {
  test(`each kernel is counted and timed on ${target}, and the results stay the same`, async (t) => {
    const file = join(lineFolder(), "line.graph");
    const trained = async (profile: boolean) => {
      await using session = new Session(await compile(file, { target, profile }));
      const start = performance.now();
      const { metrics } = await session.train({ steps: 40 });
      const seconds = (performance.now() - start) / 1000;
      return { metrics, seconds, profiles: await session.profile(), w: session.get("w") };
    };
    const plain = await trained(false);
    const profiled = await trained(true);
    t.deepEqual(plain.profiles, []);
    t.deepEqual(profiled.metrics, plain.metrics);
    t.deepEqual(profiled.w, plain.w);
    t.is(profiled.profiles.length, 1);
    const [profile] = profiled.profiles;
    if (profile === undefined) return;
    t.is(profile.dims.get("N"), 4);
    const sum = profile.kernels.reduce((total, { seconds }) => total + seconds, 0);
    t.true(sum > 0 && sum <= profile.seconds, `${sum} of ${profile.seconds}`);
    t.true(profile.seconds < profiled.seconds, `${profile.seconds} of ${profiled.seconds}`);
    t.true(profile.secondsPerMeasurement > 0 && profile.secondsPerMeasurement < 1e-4);
    for (const { name, calls } of profile.kernels) t.is(calls, 40, name);
    t.is(profile.events.length, 40 * profile.kernels.length);
    // One after another, in the order of the kernels, and together as long as what was summed up.
    let end = 0;
    for (const [i, { kernel, start, seconds }] of profile.events.entries()) {
      t.is(kernel, i % profile.kernels.length);
      t.true(start >= end - 1e-9 && seconds >= 0);
      end = start + seconds;
    }
    const eventSum = profile.events.reduce((total, { seconds }) => total + seconds, 0);
    t.true(Math.abs(eventSum - sum) < 1e-9 + 1e-6 * sum);
  });
}

native("a kernel in a loop is called once an iteration, and its work is that of one", async (t) => {
  const folder = folderWith({
    "loop.graph": `graph loop {
  placeholder xs: f32[25, 8, 8]
  variable w: f32[8, 8] = zeros([8, 8])
  h0 = zeros([8, 8]) + w
  last = scan x in xs with h = h0 {
    next h = h @ x
  }
  signature go(xs) -> (last)
}
`,
  });
  const program = await compile(join(folder, "loop.graph"), { target: "cpu", profile: true });
  await using session = new Session(program);
  for (let run = 0; run < 3; run++) await session.run("go", { xs: new Float32Array(25 * 64) });
  const [profile] = await session.profile();
  t.is(profile?.entries, 3);
  const product = profile?.kernels.find(({ work }) => work?.operations === 2 * 8 * 8 * 8);
  t.is(
    product?.calls,
    3 * 25,
    JSON.stringify(profile?.kernels.map(({ name, calls, work }) => ({ name, calls, work }))),
  );
});

native("more calls than there is room for are still counted", async (t) => {
  const file = join(lineFolder(), "line.graph");
  await using session = new Session(await compile(file, { target: "cpu", profile: true }));
  await session.train({ steps: 60_000 });
  const [profile] = await session.profile();
  t.is(profile?.kernels[0]?.calls, 60_000);
  t.is(profile?.events.length, 50_000);
});

test("a trace has a process a computation, complete events, and memory as a counter", async (t) => {
  const file = join(lineFolder(), "line.graph");
  await using session = new Session(await compile(file, { target: "reference", profile: true }));
  await session.run("predict", { x: [1, 2, 3] });
  await session.train({ steps: 2 });
  const profiles = await session.profile();
  const machine = { gigaflops: { f32: 100, f64: 50 }, gigabytesPerSecond: 10 };
  const report = profileReport(profiles, { target: "reference", device: "d", machine, placeOf: () => undefined });
  const { traceEvents, graphc } = profileFile(profiles, report);
  t.deepEqual(
    traceEvents.flatMap((event) => (event.ph === "M" && event.name === "process_name" ? [event.args.name] : [])),
    ["predict (N = 3)", "learn, metrics.loss, w, b (N = 4)"],
  );
  const complete = traceEvents.flatMap((event) => (event.ph === "X" ? [event] : []));
  t.is(
    complete.length,
    profiles.reduce((sum, { events }) => sum + events.length, 0),
  );
  t.is(Math.min(...complete.map(({ ts }) => ts)), 0);
  // The training began when the prediction was over.
  const ends = complete.filter(({ pid }) => pid === 1).map(({ ts, dur }) => ts + dur);
  t.true(Math.max(...ends) <= Math.min(...complete.filter(({ pid }) => pid === 2).map(({ ts }) => ts)));
  t.true(traceEvents.some((event) => event.ph === "C" && event.args.bytes > 0));
  t.deepEqual(JSON.parse(JSON.stringify(graphc)), graphc);
});
