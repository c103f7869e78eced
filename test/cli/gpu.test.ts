import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { temporaryFolder } from "../runtime/programs.js";
import { graphcHere } from "./support.js";

const text = `graph line {
  placeholder x: f32[8] = [1, 2, 3, 4, 5, 6, 7, 8]
  variable w: f32 = 0.0
  loss = mean((w * x - 2 * x) ** 2)
  dw = gradients(loss, w)
  sums = cumsum(x)
  update learn {
    w := w - 0.01 * dw
  }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    steps = 30
  }
}
`;

test.serial("train on a device names it, and tells what it was asked for", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const trained = await graphcHere(["train", file, "--target", "gpu", "--device", "webasm", "--json"]);
  t.is(trained.code, 0, trained.stderr);
  const report = JSON.parse(trained.stdout);
  t.is(report.target, "gpu");
  t.is(report.device, "webasm (WebAssembly)");
  t.true(report.metrics.loss < 1e-3);
  t.true(report.device_counts.launches >= 30);
  t.is(report.device_counts.launches % 30, 0);
});

test.serial("run names the device that it used, beside the results", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const ran = await graphcHere(["run", file, "--fetch", "loss", "--target", "gpu", "--device", "webasm"]);
  t.is(ran.code, 0, ran.stderr);
  t.is(ran.stdout, "102.0\n");
  t.is(ran.stderr.split("\n").at(-2), "computed on webasm (WebAssembly)");
  const quiet = await graphcHere(["run", file, "--fetch", "loss", "--target", "gpu", "--device", "webasm", "--quiet"]);
  t.false(quiet.stderr.includes("computed on"));
});

test.serial("a profile of a device has its launches, what moved, and says what a time is", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "line.graph");
  writeFileSync(file, text);
  const options = ["--target", "gpu", "--device", "webasm"];
  const shown = await graphcHere(["train", file, ...options, "--profile", join(folder, "p.json")]);
  t.is(shown.code, 0, shown.stderr);
  t.regex(shown.stdout, /^\S+ +gpu +30 +[\d.]+ .* \S*line\.graph:\d+$/m);
  t.regex(
    shown.stdout,
    /^moved: to the device [\d.]+ .?B in \d+ transfers of .+, from it [\d.]+ .?B in 1\d transfers of .+$/m,
  );
  t.regex(
    shown.stdout,
    /on webasm \(WebAssembly\): a kernel's time on the gpu is from its launch until the device says that it is done/,
  );
  const { traceEvents, graphc } = JSON.parse(readFileSync(join(folder, "p.json"), "utf8"));
  const [computation] = graphc.computations;
  const launched = computation.kernels.filter(({ kind }: { kind: string }) => kind === "nest");
  t.true(launched.length > 0);
  for (const { calls, seconds } of launched) {
    t.is(calls, 30);
    t.true(seconds > 0);
  }
  // The mean of eight squares: each is a product and a difference or two, whatever else its kernel does.
  t.true(launched.some(({ operations }: { operations: number }) => operations >= 24));
  t.true(computation.seconds >= launched.reduce((sum: number, { seconds }: { seconds: number }) => sum + seconds, 0));
  const calls = computation.kernels.reduce((sum: number, kernel: { calls: number }) => sum + kernel.calls, 0);
  t.is(traceEvents.filter(({ ph }: { ph: string }) => ph === "X").length, calls);
  // The loss comes back; w and x are there from the start.
  t.true(computation.moved_bytes.down >= 4);
});

test.serial("an array that kernels cannot index is refused by its name and line", async (t) => {
  const file = join(temporaryFolder(t), "large.graph");
  writeFileSync(
    file,
    `graph large {
  dim N
  placeholder x: f32[N]
  y = x * x + 1
  z = outer_sum(x)
  signature fed(x) -> (y)
  signature made(x) -> (z)
}
fn outer_sum[N](x: f32[N]) -> (s) {
  s = reshape(x, [N, 1]) + reshape(x, [1, N])
}
`,
  );
  const compiled = (signature: string, size: number) =>
    graphcHere([
      "compile",
      file,
      "--signature",
      signature,
      "--dim",
      `N=${size}`,
      "--target",
      "gpu",
      "--device",
      "webasm",
    ]);
  const fed = await compiled("fed", 20_000_000);
  t.regex(
    fed.stderr,
    /error G102: `x`, f32\[20000000\], has 20,000,000 elements, and kernels of the target gpu index 16,777,216\n +--> .*large\.graph:[34]:/,
  );
  t.regex(fed.stderr, /hint: compute it on the processor: `on "cpu"` at the end of its statement, or --target cpu;/);
  const made = await compiled("made", 5_000);
  t.regex(made.stderr, /error G102: `\w+`, f32\[5000, 5000\], has 25,000,000 elements, .*\n +--> .*large\.graph:\d+:/);
  t.is((await compiled("made", 4_096)).code, 0);
});

test.serial("what runs on the processor is said, and the kernels can be read", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const ran = await graphcHere(["run", file, "--fetch", "sums", "--target", "gpu", "--device", "cpu"]);
  t.is(ran.code, 0, ran.stderr);
  t.regex(ran.stderr, /warning G121: `\w+` runs on the cpu: there is no kernel of/);
  t.regex(ran.stdout, /1\.0, +3\.0/);
  const shown = await graphcHere(["inspect", file, "--stage", "gpu", "--signature", "fit"]);
  t.is(shown.code, 0, shown.stderr);
  t.regex(shown.stdout, /this\.thread\.x/);
  t.regex(shown.stdout, /assign "w"/);
});

test.serial("a device of another target, and one that is not there, are errors", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const other = await graphcHere(["run", file, "--fetch", "loss", "--device", "webasm"]);
  t.is(other.code, 2);
  t.regex(other.stderr, /--device goes with --target gpu/);
  const both = await graphcHere(["run", file, "--fetch", "loss", "--target", "reference", "--device", "webasm"]);
  t.is(both.code, 2);
  t.regex(both.stderr, /--device does not go with --target reference/);
  const missing = await graphcHere(["run", file, "--fetch", "loss", "--target", "gpu", "--device", "webgl2"]);
  t.not(missing.code, 0);
  t.regex(missing.stderr, /G122: device webgl2 is not available/);
});

test.serial(
  "a file that places something runs on both sides, and inspect shows what is sent between them",
  async (t) => {
    const file = join(temporaryFolder(t), "mixed.graph");
    const text =
      'graph mixed {\n  placeholder x: f32[4] = [0, 1, 2, 3]\n  h = exp(x) on "gpu"\n  y = cumsum(h)\n  signature go(x) -> (y)\n}\n';
    writeFileSync(file, text);
    const run = async (...flags: readonly string[]): Promise<string> => {
      const ended = await graphcHere(["run", file, "go", ...flags]);
      t.is(ended.code, 0, ended.stderr);
      // 1, 1 + e, 1 + e + e ** 2, ...
      t.regex(ended.stdout, /1\.00000\d+, +3\.71828\d+, +11\.1073\d+, +31\.1928\d+/);
      return ended.stderr;
    };
    t.is(await run("--device", "webasm"), "computed on webasm (WebAssembly)\n");
    t.regex(await run("--target", "reference"), /warning G126: the target reference computes all in one place/);
    for (const stage of ["kernels", "gpu"]) {
      const shown = await graphcHere(["inspect", file, "--stage", stage, "--signature", "go"]);
      const lines = shown.stdout.split("\n").map((line) => line.trim());
      t.deepEqual(
        lines.filter((line) => /^(?:up|down|device|cpu) /.test(line)).map((line) => line.replace(/ \{$/, "")),
        [
          `up "x" f32[4]: 16 bytes  # a feed, ${file}:2`,
          'device ("x") -> ("h")',
          `down "h" f32[4]: 16 bytes  # exp, ${file}:3`,
          'cpu ("h") -> ("y")',
        ],
      );
      t.true(lines.includes("# a run sends 16 bytes up and 16 bytes down"), shown.stdout);
    }
    const alone = await graphcHere(["inspect", file, "--stage", "kernels", "--signature", "go", "--target", "cpu"]);
    t.regex(alone.stdout, /^kernels go \{/);
  },
);

test.serial("inspect hints at few ops for which numbers leave the device and come back", async (t) => {
  const file = join(temporaryFolder(t), "detour.graph");
  const shown = async (middle: string): Promise<string> => {
    const body = `a = exp(x) on "gpu"\n  b = ${middle}\n  c = tanh(b) on "gpu"`;
    writeFileSync(file, `graph detour {\n  placeholder x: f32[4]\n  ${body}\n  signature go(x) -> (c)\n}\n`);
    return (await graphcHere(["inspect", file, "--stage", "gpu"])).stdout;
  };
  // 16 bytes down and 16 up.
  t.true((await shown("a + 1")).includes('# the device waits for add: `on "gpu"` there would save 32 bytes\n'));
  t.false((await shown('a + 1 on "gpu"')).includes("the device waits"));
  t.false((await shown('cumsum(a) on "gpu"')).includes("would save"), "a device has no cumsum");
});
