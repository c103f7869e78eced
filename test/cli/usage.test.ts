import test from "ava";
import { Console } from "../../cli/console.js";
import { report } from "../../cli/failure.js";
import { at, capture, graphc, graphcHere, onlyObject } from "./support.js";

const commands = [
  "check",
  "fmt",
  "compile",
  "train",
  "run",
  "bench",
  "inspect",
  "explain",
  "diff",
  "viz",
  "types",
  "build",
  "lsp",
  "doctor",
];

test("help lists the commands of this version and no others", async (t) => {
  const { code, stdout, stderr } = await graphc(["help"]);
  t.is(code, 0);
  t.is(stderr, "");
  const listed = [...stdout.matchAll(/^ {2}(\w+)(?: \[| \.|$)/gm)].map((match) => match[1]);
  t.deepEqual(listed, [...commands, "help"]);
});

for (const command of commands) {
  test.serial(`help ${command} shows an example`, async (t) => {
    const { code, stdout } = await graphcHere([command, "--help"]);
    t.is(code, 0);
    t.regex(stdout, new RegExp(`^ {2}\\$ graphc ${command}\\b`, "m"));
    t.true(stdout.includes("--json") && stdout.includes("--quiet") && stdout.includes("--no-color"));
    // What is not there yet is absent, so that no flag does nothing.
    t.false(stdout.includes("--threads"));
  });
}

test("the version is one line", async (t) => {
  t.deepEqual(await graphc(["--version"]), { code: 0, stdout: "graphc 0.1.0\n", stderr: "" });
});

test("no command prints the help as a usage error", async (t) => {
  const { code, stdout, stderr } = await graphc([]);
  t.is(code, 2);
  t.is(stdout, "");
  t.true(stderr.includes("Commands:"));
});

const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a mistyped command", ["trian", "x.graph"], /unknown command 'trian'; did you mean train\?[\s\S]*graphc help/],
  [
    "a mistyped option",
    ["train", "x.graph", "--stepz", "1"],
    /'--stepz'; did you mean --steps\?[\s\S]*graphc train --help/,
  ],
  ["an option with more words", ["train", "x.graph", "--batch-size", "1"], /'--batch-size'; did you mean --batch\?/],
  ["an option in one word", ["train", "x.graph", "--batchsize", "1"], /'--batchsize'; did you mean --batch\?/],
  ["what the file says elsewhere", ["train", "x.graph", "--lr=1"], /the learning rate stands in the \.graph file/],
  ["a target of others", ["train", "x.graph", "--target", "cuda"], /cpu, gpu, reference\. Did you mean gpu\?/],
  [
    "a device of others",
    ["train", "x.graph", "--device", "cuda"],
    /webgpu, headlessgl, webasm and cpu; pages have webgl2, too\. A graphics card is reached by webgpu/,
  ],
  ["an option before the command", ["--quiet", "check", "a.graph"], /options stand behind the command/],
  ["help of no command", ["help", "nothing"], /there is no command 'nothing'/],
  ["a signature before the file", ["run", "predict", "a.graph"], /the file stands first: graphc run a\.graph predict/],
  ["a missing file name", ["check"], /missing required argument 'file'/],
  ["too many arguments", ["compile", "a.graph", "b.graph"], /too many arguments/],
  [
    "an unknown stage",
    ["inspect", "a.graph", "--stage", "spirv"],
    /ast, graph, gradients, optimized, kernels, llvm, asm, gpu/,
  ],
  ["machine code of devices", ["inspect", "a.graph", "--stage", "asm", "--target", "gpu"], /--stage gpu has/],
  ["launches of the processor", ["inspect", "a.graph", "--stage", "gpu", "--target", "cpu"], /gives them nothing/],
  ["no stage", ["inspect", "a.graph"], /--stage/],
  ["an unknown target", ["train", "a.graph", "--target", "tpu"], /cpu, gpu, reference/],
  ["a negative dim", ["inspect", "a.graph", "--stage", "kernels", "--dim", "N=-1"], /'--dim <N=SIZE>'.*'N=-1'/],
  ["a dim without a size", ["compile", "a.graph", "--dim", "N="], /'--dim/],
  ["a dim given twice", ["compile", "a.graph", "--dim", "N=1", "--dim", "N=2"], /"N" is given twice/],
  ["a huge count", ["train", "a.graph", "--steps", "1e99"], /below 2\^53/],
  ["a fraction of a step", ["train", "a.graph", "--steps", "1.5"], /whole number/],
  ["an empty batch", ["train", "a.graph", "--batch", "0"], /at least 1/],
  ["a seed beyond 64 bits", ["train", "a.graph", "--seed", "18446744073709551616"], /64 bits/],
  ["steps and epochs", ["train", "a.graph", "--steps", "1", "--epochs", "1"], /cannot be used with/],
  ["seed and resume", ["train", "a.graph", "--seed", "1", "--resume", "a.safetensors"], /cannot be used with/],
  ["a feed without a value", ["run", "a.graph", "s", "--feed", "x"], /NAME=VALUE/],
  ["a feed without a name", ["run", "a.graph", "s", "--feed", "=1"], /NAME=VALUE/],
  ["nothing to run", ["run", "a.graph"], /Name a signature/],
  ["a signature and names", ["run", "a.graph", "s", "--fetch", "x"], /exclude each other/],
  ["feeds and data", ["run", "a.graph", "s", "--feed", "x=1", "--data", "x=a.npy"], /exclude each other/],
];

for (const [what, parameters, message] of mistakes) {
  test.serial(`${what} is a usage error`, async (t) => {
    const { code, stdout, stderr } = await graphcHere(parameters);
    t.is(code, 2);
    t.is(stdout, "");
    t.regex(stderr, /^error: /);
    t.regex(stderr, message);
    t.false(stderr.includes("    at "));
  });
}

test("a usage error with --json is one object", async (t) => {
  const ended = await graphc(["train", "x.graph", "--stepz", "--json"]);
  t.is(ended.code, 2);
  t.is(ended.stderr, "");
  t.deepEqual(at(onlyObject(ended), "diagnostics"), []);
  t.is(at(onlyObject(ended), "error", "kind"), "usage");
});

test.serial("a defect says so, what to report, and exits with 70", async (t) => {
  const said = async (json: boolean) => {
    return capture(async () => report(new Console({ json }), new TypeError("x is not a function"), "train"));
  };
  const text = await said(false);
  t.is(text.code, 70);
  t.is(text.stdout, "");
  t.regex(text.stderr, /^internal error: this is a defect of graphc/);
  t.true(text.stderr.includes("TypeError: x is not a function"));
  t.regex(text.stderr, /report it[\s\S]*graphc 0\.1\.0, Node \d+/);
  t.false(text.stderr.includes("    at "));
  const json = await said(true);
  t.is(json.code, 70);
  t.is(at(onlyObject(json), "error", "kind"), "defect");
});
