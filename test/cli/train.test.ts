import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { compile, Session } from "../../index.js";
import {
  at,
  codesOf,
  folderWith,
  graphc,
  graphcHere,
  lineFolder,
  lineGraph,
  lineTable,
  onlyObject,
  start,
} from "./support.js";

const reference = ["--target", "reference"];
/** A checkpoint without tensors. */
const oldCheckpoint = "\x02\0\0\0\0\0\0\0{}";

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

test.serial("a last step that was not due is reported once, in the lines, in history and by onReport", async (t) => {
  const cwd = lineFolder();
  const flags = ["--steps", "7", "--every", "3", ...reference];
  const steps = [3, 6, 7];
  const told = await graphcHere(["train", "line.graph", ...flags], { cwd });
  t.deepEqual(
    [...told.stdout.matchAll(/^step (\d+) /gm)].map((match) => Number(match[1])),
    steps,
  );
  const value = onlyObject(await graphcHere(["train", "line.graph", ...flags, "--json"], { cwd }));
  const history = at(value, "history");
  if (!Array.isArray(history)) throw new Error("no history");
  t.deepEqual(
    history.map((row) => at(row, "step")),
    steps,
  );
  for (const name of ["metrics.loss", "w", "b"]) t.is(at(history, 2, name), at(value, "metrics", name));
  const session = new Session(await compile(join(cwd, "line.graph"), { target: "reference" }));
  const reported: number[] = [];
  const onReport = ({ step }: { readonly step: number }) => reported.push(step);
  await session.train({ steps: 7, every: 3, onReport });
  t.deepEqual(reported, steps);
  // One that was due is not told twice, and what goes on after it has its own.
  const further = await session.train({ steps: 12, every: 4, onReport });
  t.deepEqual(reported, [...steps, 8, 12]);
  t.deepEqual(
    further.history.map(({ step }) => step),
    [8, 12],
  );
  await session.close();
});

test.serial("the last step stands before its validation, and is reported where none was due", async (t) => {
  const validated = lineGraph.replace(
    "    report =",
    '    validate = { run = evaluate, data = { x = csv("line.csv"), y = csv("line.csv") } }\n    report =',
  );
  const cwd = folderWith({ "line.graph": validated, "line.csv": lineTable });
  const { stdout } = await graphcHere(["train", "line.graph", "--epochs", "1", ...reference], { cwd });
  t.regex(stdout, /^step 4 .*\nepoch 1 validation .*\n$/);
  const alone = await graphcHere(["train", "line.graph", "--steps", "3", "--every", "9", ...reference], { cwd });
  t.regex(alone.stdout, /^step 3 .*\n$/);
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

test.serial(
  "--data names other rows; training that turns NaN ends with 1, and the file that was there stays",
  async (t) => {
    const cwd = folderWith({
      "line.graph": lineGraph.replace("= 0.1", "= 1e30"),
      "other.csv": "x,y\n1,2\n3,4\n5,6\n7,8\n",
      "w.safetensors": oldCheckpoint,
    });
    const data = ["--data", "x=other.csv[0:4]", "--data", "y=other.csv[0:4]"];
    const lost = await graphcHere(["train", "line.graph", ...data, ...reference, "--save", "w.safetensors"], { cwd });
    t.is(lost.code, 1);
    t.regex(
      lost.stderr,
      /error G111: training is lost: after step \d+ `w` and 1 other variable have elements that are NaN/,
    );
    t.regex(lost.stderr, /note: `metrics\.loss` is (NaN|infinite) at step \d+\n/);
    t.regex(lost.stderr, /was not saved, since it is of no use; files that were there are as before/);
    t.is(readFileSync(join(cwd, "w.safetensors"), "utf8"), oldCheckpoint);
    const json = await graphcHere(["train", "line.graph", ...data, ...reference, "--json"], { cwd });
    t.is(json.code, 1);
    t.deepEqual(codesOf(json), ["G111"]);
    const checked = await graphcHere(["train", "line.graph", ...data, ...reference, "--check-numerics", "--json"], {
      cwd,
    });
    t.is(checked.code, 1);
    t.deepEqual(codesOf(checked), ["G110"]);
    t.is(typeof at(onlyObject(checked), "diagnostics", 0, "line"), "number");
  },
);

test.serial("a loss that is infinite in the end is an error, and its state takes no file's place", async (t) => {
  const cwd = folderWith({ "line.graph": lineGraph.replace("= 0.1", "= 9"), "w.safetensors": oldCheckpoint });
  writeFileSync(join(cwd, "line.csv"), lineTable);
  const ended = await graphcHere(["train", "line.graph", "--steps", "25", "--save", "w.safetensors", ...reference], {
    cwd,
  });
  t.is(ended.code, 1);
  t.regex(
    ended.stderr,
    /error G111: training ends with a loss that is not finite: `metrics\.loss` is infinite at step 25/,
  );
  t.is(readFileSync(join(cwd, "w.safetensors"), "utf8"), oldCheckpoint);
});

test.serial("what is reported may be NaN as long as the variables are finite", async (t) => {
  const odd = lineGraph
    .replace("loss = mean", "odd = mean(p * 0) / 0\n    loss = mean")
    .replace("of = [", "of = [metrics.odd, ");
  const ended = await graphcHere(["train", "line.graph", "--save", "w.safetensors", ...reference], {
    cwd: folderWith({ "line.graph": odd, "line.csv": lineTable }),
  });
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stderr, /warning G111: `metrics\.odd` is NaN at step \d+/);
  t.regex(ended.stderr, /saved w\.safetensors at step 40/);
});

test.serial(
  "without `report` ten lines tell how it goes, the last before what is saved; what is not saved is told of",
  async (t) => {
    const quiet = lineGraph.replace(/ *report = .*\n/, "").replace("steps = 40", "steps = 97");
    const cwd = folderWith({ "line.graph": quiet, "line.csv": lineTable });
    const saved = await graphcHere(["train", "line.graph", "--save", "new/w.safetensors", ...reference], { cwd });
    const steps = [...saved.stdout.matchAll(/^step +(\d+) {2}metrics\.loss /gm)].map((match) => Number(match[1]));
    t.deepEqual(steps, [10, 20, 30, 40, 50, 60, 70, 80, 90, 97]);
    t.regex(saved.stderr, /^the folder new is not there: it will be made\n/);
    t.false(saved.stderr.includes("not kept"));
    const lost = await graphcHere(["train", "line.graph", ...reference], { cwd });
    t.is(lost.stderr.match(/note: what was trained is not kept; --save PATH/g)?.length, 1);
    const events: string[] = [];
    const session = new Session(await compile(join(cwd, "line.graph"), { target: "reference" }));
    await session.train({ save: join(cwd, "w.safetensors"), onEvent: ({ kind }) => events.push(kind) });
    t.deepEqual(events.slice(-2), ["stop", "checkpoint"]);
    t.deepEqual(
      (await session.train({ every: 0, steps: 120 })).history.map(({ step }) => step),
      [120],
    );
    await session.close();
  },
);

for (const [what, flags, reason] of [
  [
    "a file system that takes none",
    ["--save", "/proc/x/w"],
    /cannot save "\/proc\/x\/w": nothing can be made in "\/proc": the file system there takes no new files \(ENOENT\)/,
  ],
  [
    "a folder there",
    ["--events", "/proc/x"],
    /cannot write to "\/proc\/x": nothing can be made in "\/proc": the file system there takes no new files \(ENOENT\)/,
  ],
  ["events below a file", ["--events", "line.csv/x"], /cannot write to "line\.csv\/x": "line\.csv" is not a folder/],
  [
    "a trace below a file",
    ["--profile", "line.csv/x.json"],
    /cannot save "line\.csv\/x\.json": "line\.csv" is not a folder/,
  ],
] as const) {
  test.serial(`${what} is refused before the first step`, async (t) => {
    const ended = await graphcHere(["train", "line.graph", ...flags, ...reference], { cwd: lineFolder() });
    t.is(ended.code, 1);
    t.regex(ended.stderr, /^error G092: /);
    t.regex(ended.stderr, reason);
    t.is(ended.stdout, "");
  });
}

for (const [what, output, place, message] of [
  ["another graph by a checkpoint", ["--save", "other.graph"], "other.graph", /a name that ends in \.graph is that/],
  ["a graph that is not there", ["--save", "new.GRAPH"], undefined, /cannot save "new\.GRAPH": a name that ends/],
  ["a link to a graph", ["--save", "link.safetensors"], "other.graph", /a name that ends in \.graph is that/],
  ["a table by a checkpoint", ["--save", "line.csv"], "line.csv", /no checkpoint but text that begins with "x,y"/],
  ["short text by a checkpoint", ["--save", "short"], "short", /no checkpoint but text that begins with "hi"/],
  ["other JSON by a trace", ["--profile", "p.json"], "p.json", /is no trace but text that begins with "\{"/],
] as const) {
  test.serial(`${what} is not written over`, async (t) => {
    const files = { "other.graph": lineGraph, "line.csv": lineTable, short: "hi", "p.json": '{\n"name": 1 }\n' };
    const cwd = folderWith({ "line.graph": lineGraph, ...files });
    symlinkSync("other.graph", join(cwd, "link.safetensors"));
    const before = place === undefined ? "" : readFileSync(join(cwd, place), "utf8");
    const ended = await graphcHere(["train", "line.graph", ...output, ...reference], { cwd });
    t.is(ended.code, 1);
    t.regex(ended.stderr, /^error G092: cannot save /);
    t.regex(ended.stderr, message);
    t.regex(ended.stderr, /hint: name (a|another) file/);
    t.is(ended.stdout, "");
    if (place === undefined) t.false(existsSync(join(cwd, "new.GRAPH")));
    else t.is(readFileSync(join(cwd, place), "utf8"), before);
  });
}

test.serial(
  "a checkpoint of the train block is refused at its line; an empty file, a checkpoint and a trace are replaced",
  async (t) => {
    const text = lineGraph.replace(/( *)steps = 40/, '$1steps = 40\n$1checkpoint = { every = 20, to = "line.csv" }');
    const cwd = folderWith({ "line.graph": lineGraph, "kept.graph": text, "line.csv": lineTable, empty: "" });
    const train = (file: string, ...flags: string[]) =>
      graphcHere(["train", file, "--steps", "2", ...flags, ...reference], { cwd });
    const refused = await train("kept.graph");
    t.is(refused.code, 1);
    t.regex(
      refused.stderr,
      /error G092: cannot save ".*line\.csv": the file there is no checkpoint[\s\S]*--> kept\.graph:\d+/,
    );
    t.is(readFileSync(join(cwd, "line.csv"), "utf8"), lineTable);
    for (let i = 0; i < 2; i++) {
      const ended = await train("line.graph", "--save", "empty", "--profile", "trace.json");
      t.is(ended.code, 0, ended.stderr);
    }
    const session = new Session(await compile(join(cwd, "line.graph"), { target: "reference" }));
    await t.throwsAsync(session.save(join(cwd, "kept.graph")), { message: /a name that ends in \.graph/ });
    await t.throwsAsync(session.save(join(cwd, "line.csv")), { message: /no checkpoint but text/ });
    await session.close();
    t.is(readFileSync(join(cwd, "kept.graph"), "utf8"), text);
  },
);

test.serial("the file that is trained is not written over", async (t) => {
  const cwd = lineFolder();
  const ended = await graphcHere(["train", "line.graph", "--save", "./line.graph", ...reference], { cwd });
  t.is(ended.code, 2);
  t.regex(ended.stderr, /"\.\/line\.graph" is read, and would be overwritten/);
  t.is(readFileSync(join(cwd, "line.graph"), "utf8"), lineGraph);
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
