import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { at, codesOf, folderWith, graphc, graphcHere, lineFolder, lineGraph, onlyObject, start } from "./support.js";

const reference = ["--target", "reference"];

test("a file with train data trains without flags, a line a report", async (t) => {
  const { code, stdout, stderr } = await graphc(["train", "line.graph"], { cwd: lineFolder() });
  t.is(code, 0, stderr);
  const lines = stdout.trim().split("\n");
  t.is(lines.length, 4);
  lines.forEach((line, i) => t.regex(line, new RegExp(`^step ${(i + 1) * 10}  metrics\\.loss \\S+ +w \\S+ +b \\S+$`)));
  t.regex(stderr, /line: 40 steps on (cpu|reference) \(.+\), compiled in/);
  t.regex(stderr, /done: 40 steps in/);
  // No bar without a terminal.
  t.false([..."\r\u001B"].some((sign) => (stdout + stderr).includes(sign)));
});

test.serial("--json prints the contract's object; flags override the file", async (t) => {
  const flags = ["--steps", "6", "--every", "2", "--report", "w", "--batch", "8", "--seed", "3"];
  const ended = await graphcHere(["train", "line.graph", ...flags, "--json", ...reference], { cwd: lineFolder() });
  t.is(ended.code, 0, ended.stderr);
  const value = onlyObject(ended);
  t.like(value, { steps: 6, target: "reference", threads: 1, stopped: "done" });
  for (const name of ["seconds", "compile_seconds"]) t.is(typeof at(value, name), "number");
  t.is(typeof at(value, "device"), "string");
  t.deepEqual(
    [0, 1, 2].map((i) => at(value, "history", i, "step")),
    [2, 4, 6],
  );
  t.is(at(value, "history", 2, "w"), at(value, "metrics", "w"));
});

test("--quiet prints nothing, and --json --quiet the object alone", async (t) => {
  const cwd = lineFolder();
  t.deepEqual(await graphc(["train", "line.graph", "--quiet", ...reference], { cwd }), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  const ended = await graphc(["train", "line.graph", "--quiet", "--json", ...reference], { cwd });
  t.is(ended.stderr, "");
  t.is(at(onlyObject(ended), "steps"), 40);
});

test.serial("a resumed run ends as the uninterrupted one; --steps is a total", async (t) => {
  const cwd = lineFolder();
  const train = (...flags: readonly string[]) => graphcHere(["train", "line.graph", ...flags, ...reference], { cwd });
  t.is((await train("--steps", "30", "--save", "whole.safetensors")).code, 0);
  t.is((await train("--steps", "13", "--save", "part.safetensors")).code, 0);
  const resumed = await train("--steps", "30", "--resume", "part.safetensors", "--save", "resumed.safetensors");
  t.regex(resumed.stderr, /from step 13 to 30/);
  t.deepEqual(readFileSync(join(cwd, "resumed.safetensors")), readFileSync(join(cwd, "whole.safetensors")));
  const again = await train("--steps", "30", "--resume", "resumed.safetensors");
  t.regex(again.stderr, /nothing to do: step 30 is reached/);
  const weights = ["--weights", "whole.safetensors", "--fetch", "w", ...reference];
  t.is((await graphcHere(["run", "line.graph", ...weights], { cwd })).code, 0);
});

test.serial("--data names other rows; a diverging loss is said to", async (t) => {
  const cwd = folderWith({
    "line.graph": lineGraph.replace("= 0.1", "= 1e30"),
    "other.csv": "x,y\n1,2\n3,4\n5,6\n7,8\n",
  });
  const data = ["--data", "x=other.csv[0:4]", "--data", "y=other.csv[0:4]"];
  const lost = await graphcHere(["train", "line.graph", ...data, ...reference, "--json"], { cwd });
  t.is(lost.code, 0);
  t.is(at(onlyObject(lost), "metrics", "metrics.loss"), "NaN");
  t.regex(lost.stderr, /G111/);
  const checked = await graphcHere(["train", "line.graph", ...data, ...reference, "--check-numerics", "--json"], {
    cwd,
  });
  t.is(checked.code, 1);
  t.deepEqual(codesOf(checked), ["G110"]);
  t.is(typeof at(onlyObject(checked), "diagnostics", 0, "line"), "number");
});

test.serial("a step that fails ends with 1, and what was done before it is saved", async (t) => {
  const graph = `graph g {
  dim N <= 4
  placeholder label: i64[N]
  variable w: f32[4] = zeros()
  loss = mean(sparse_softmax_cross_entropy(reshape(w, [1, 4]) + zeros([size(label), 1]), label))
  update learn { w := w - 0.1 * gradients(loss, [w]) }
  signature fit(label) does learn -> (loss)
  train {
    run = fit
    data = { label = csv("l.csv") }
    batch = 1
    shuffle = false
  }
}
`;
  const cwd = folderWith({ "g.graph": graph, "l.csv": "label\n0\n3\n9\n1\n" });
  const ended = await graphcHere(["train", "g.graph", "--save", "w.safetensors", ...reference], { cwd });
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /error G086: step 3: /);
  t.regex(ended.stderr, /the state after step 2 is saved in w\.safetensors/);
  const weights = ["--weights", "w.safetensors", "--fetch", "w", ...reference];
  t.is((await graphcHere(["run", "g.graph", ...weights], { cwd })).code, 0);
});

const refusals: readonly (readonly [string, readonly string[], string])[] = [
  ["a data file that is not there", ["--data", "x=nope"], "G070"],
  ["an unknown placeholder", ["--data", "imag=line.csv"], "G083"],
  ["columns of two lengths", ["--data", "x=line.csv[0:3]"], "G073"],
  ["a range that is none", ["--data", "x=line.csv[5:2]"], "G075"],
  ["a data folder that is not there", ["--data-dir", "nope"], "G070"],
  ["a report of what is no scalar", ["--report", "p"], "G025"],
  ["a name that is not there", ["--report", "metrics.los"], "G083"],
  ["a batch beyond the bound", ["--batch", "65", "--data", "x=long.csv", "--data", "y=long.csv"], "G084"],
  ["a checkpoint that is not there", ["--resume", "nope.safetensors"], "G064"],
  ["a checkpoint that is none", ["--resume", "line.csv"], "G091"],
  ["a place that cannot be written", ["--save", "line.csv/w.safetensors"], "G092"],
];

for (const [what, flags, code] of refusals) {
  test.serial(`${what} is refused with ${code}`, async (t) => {
    const long = `x,y\n${Array.from({ length: 70 }, (_, i) => `${i},${i}`).join("\n")}\n`;
    const cwd = folderWith({ "line.graph": lineGraph, "line.csv": "x,y\n1,2\n3,4\n5,6\n7,8\n", "long.csv": long });
    const ended = await graphcHere(["train", "line.graph", ...flags, "--json", ...reference], { cwd });
    t.is(ended.code, 1);
    t.deepEqual(codesOf(ended), [code]);
  });
}

test.serial("a graph without a train block says what to add", async (t) => {
  const cwd = folderWith({ "g.graph": "graph g {\n  x = 1\n}\n" });
  const ended = await graphcHere(["train", "g.graph"], { cwd });
  t.is(ended.code, 1);
  t.regex(ended.stderr, /error G048: `g` has no `train` block/);
});

const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
for (const signal of signals) {
  test(`${signal} ends after the step, saves, and says how to go on`, async (t) => {
    const cwd = lineFolder();
    const flags = ["--steps", "100_000_000", "--every", "1000", "--save", "kept.safetensors"];
    const { child, ended } = start(["train", "line.graph", ...flags, ...reference], { cwd });
    child.stdout?.once("data", () => child.kill(signal));
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
    const step = /ended at step ([\d,]+) as asked/.exec(stderr)?.[1];
    const again = ["graphc train line.graph", ...flags, ...reference, "--resume kept.safetensors"].join(" ");
    t.true(stderr.endsWith(`go on with: ${again}\n`), stderr);
    t.truthy(step);
    const steps = Number(step?.replaceAll(",", ""));
    const resumed = await graphc(
      ["train", "line.graph", "--steps", String(steps + 5), "--resume", "kept.safetensors", "--json", ...reference],
      { cwd },
    );
    t.is(at(onlyObject(resumed), "steps"), steps + 5);
  });
}

test("the second Ctrl-C ends at once", async (t) => {
  // Steps of the reference back end on a large matrix: the first signal waits for the end of one, the second does not.
  const cwd = folderWith({
    "slow.graph":
      "graph slow {\n  variable w: f32[600, 600] = ones()\n  update u {\n    w := w @ w @ w @ w * 1e-9\n  }\n  signature s() does u -> ()\n  train {\n    run = s\n    steps = 1000000\n  }\n}\n",
  });
  const { child, ended } = start(["train", "slow.graph", "--save", "slow.safetensors", ...reference], { cwd });
  let sent = 0;
  child.stderr?.on("data", (text: string) => {
    if (sent === 0 && /steps on reference/.test(text)) sent = Number(child.kill("SIGINT"));
    else if (sent === 1 && /ending after this step/.test(text)) sent += Number(child.kill("SIGINT"));
  });
  const { code } = await ended;
  t.true(code === "SIGINT" || code === 0, String(code));
  // The second signal may come when the file has just been renamed.
  if (code === 0) t.true(existsSync(join(cwd, "slow.safetensors")));
});

test("a closed pipe ends training in good order and without a word of pipes", async (t) => {
  const cwd = lineFolder();
  const { child, ended } = start(
    ["train", "line.graph", "--steps", "100_000_000", "--every", "100", "--save", "kept.safetensors", ...reference],
    { cwd },
  );
  child.stdout?.once("data", () => child.stdout?.destroy());
  const { code, stderr } = await ended;
  t.is(code, 0, stderr);
  t.false(/EPIPE/.test(stderr));
  t.true(existsSync(join(cwd, "kept.safetensors")));
});
