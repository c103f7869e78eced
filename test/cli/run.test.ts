import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { at, codesOf, folderWith, graphc, graphcHere, lineFolder, lineGraph, onlyObject } from "./support.js";

// What runs is the same on every target; the reference back end is there on every machine.
const reference = ["--target", "reference"];

test.serial("a single string or scalar is printed as it is", async (t) => {
  const cwd = folderWith({ "hello.graph": 'graph hello {\n  greeting = "Hello, graph!"\n  n = 6 * 7\n}\n' });
  t.is((await graphc(["run", "hello.graph", "--fetch", "greeting", ...reference], { cwd })).stdout, "Hello, graph!\n");
  t.is((await graphcHere(["run", "hello.graph", "--fetch", "n", ...reference], { cwd })).stdout, "42\n");
  const both = await graphcHere(["run", "hello.graph", "--fetch", "greeting,n", ...reference], { cwd });
  t.is(both.code, 0);
  t.deepEqual(both.stdout.trim().split("\n").sort(), ['greeting = "Hello, graph!"', "n = 42"]);
  const json = onlyObject(
    await graphcHere(["run", "hello.graph", "--fetch", "greeting", "--json", ...reference], { cwd }),
  );
  t.deepEqual(json, { greeting: { dtype: "string", shape: [], data: ["Hello, graph!"] } });
});

test.serial("feeds are literals or files, and results can be written to files", async (t) => {
  const cwd = lineFolder();
  const literal = await graphcHere(
    ["run", "line.graph", "predict", "--feed", "x=[0, 1.5, -inf, nan]", "--json", ...reference],
    { cwd },
  );
  t.is(literal.code, 0);
  t.deepEqual(at(onlyObject(literal), "p", "shape"), [4]);
  const csv = await graphcHere(
    ["run", "line.graph", "--fetch", "x", "--feed", "x=line.csv[2:5]", "-o", "x=out/x.npy", ...reference],
    { cwd },
  );
  t.deepEqual(csv, { code: 0, stdout: "", stderr: "wrote x to out/x.npy\n" });
  const npy = readFileSync(join(cwd, "out/x.npy"));
  t.is(npy.subarray(1, 6).toString(), "NUMPY");
  t.deepEqual([npy.readFloatLE(npy.length - 12), npy.readFloatLE(npy.length - 4)], [-0.75, -0.5]);
  const back = await graphcHere(["run", "line.graph", "--fetch", "x", "--feed", "x=out/x.npy", ...reference], { cwd });
  t.is(back.stdout, "x: f32[3]\n[-0.750, -0.625, -0.500]\n");
});

test.serial("NaN and the infinities are strings in JSON, and i64 keeps its digits", async (t) => {
  const cwd = folderWith({
    "odd.graph":
      "graph odd {\n  placeholder x: f32[4]\n  placeholder n: i64\n  y = x + 0\n  m = n + 0\n  z = x > 0\n  signature all(x, n) -> (y, m, z)\n}\n",
  });
  const feeds = ["--feed", "x=[nan, inf, -inf, 1]", "--feed", "n=9223372036854775806"];
  const ended = await graphcHere(["run", "odd.graph", "all", ...feeds, "--json", ...reference], { cwd });
  t.is(ended.code, 0, ended.stdout);
  t.deepEqual(at(onlyObject(ended), "y", "data"), ["NaN", "Infinity", "-Infinity", 1]);
  t.deepEqual(at(onlyObject(ended), "z", "data"), [false, true, false, true]);
  t.true(ended.stdout.includes('"data":[9223372036854775806]'));
});

test.serial("--data evaluates all rows in batches and prints means weighted by rows", async (t) => {
  // 16 rows in batches of 5: the last has one row. With w = b = 0 the loss is the mean of y squared.
  const cwd = lineFolder();
  const data = ["--data", "x=line.csv", "--data", "y=line.csv", "--batch", "5"];
  const expected = Array.from({ length: 16 }, (_, i) => ((i / 8 - 1) * 2 + 1) ** 2).reduce((a, b) => a + b) / 16;
  const ended = await graphcHere(["run", "line.graph", "evaluate", ...data, "--json", ...reference], { cwd });
  t.is(ended.code, 0);
  t.true(Math.abs(Number(at(onlyObject(ended), "metrics.loss", "data", 0)) - expected) < 1e-6);
  const text = await graphcHere(["run", "line.graph", "evaluate", ...data, ...reference], { cwd });
  t.is(text.stdout, `${expected}\n`);
  t.is(text.stderr, "means over 16 rows\n");
  const none = await graphcHere(["run", "line.graph", "predict", "--data", "x=line.csv", ...reference], { cwd });
  t.is(none.code, 2);
  t.regex(none.stderr, /`predict` has none/);
});

const refusals: readonly (readonly [string, readonly string[], string, number])[] = [
  ["an unknown signature", ["predcit"], "G083", 1],
  ["an unknown name", ["--fetch", "metrics.los"], "G083", 1],
  ["a placeholder that is not fed", ["predict"], "G080", 1],
  ["an unknown placeholder", ["predict", "--feed", "__proto__=1"], "G083", 1],
  ["a feed of the wrong rank", ["predict", "--feed", "x=1"], "G081", 1],
  ["a ragged feed", ["predict", "--feed", "x=[1,[2]]"], "G081", 1],
  ["a string", ["predict", "--feed", 'x="text"'], "G082", 1],
  ["a file that is not there", ["predict", "--feed", "x=nope.npy"], "G070", 1],
  ["rows beyond the file's", ["predict", "--feed", "x=line.csv[0:99]"], "G075", 1],
  ["too many rows", ["predict", "--feed", `x=[${Array.from({ length: 65 }, () => 0).join()}]`], "G084", 1],
  ["two sizes of a dim", ["evaluate", "--feed", "x=[1,2]", "--feed", "y=[1]"], "G085", 1],
  ["weights that are not there", ["predict", "--feed", "x=[1]", "--weights", "nope.safetensors"], "G064", 1],
  ["weights that are a table", ["predict", "--feed", "x=[1]", "--weights", "line.csv"], "G091", 1],
  ["an unknown result to write", ["predict", "--feed", "x=[1]", "-o", "q=q.npy"], "G083", 1],
  ["a file format that is not known", ["predict", "--feed", "x=[1]", "-o", "p=p.docx"], "G071", 1],
];

for (const [what, parameters, code, exit] of refusals) {
  test.serial(`${what} is refused with ${code}`, async (t) => {
    const ended = await graphcHere(["run", "line.graph", ...parameters, "--json", ...reference], { cwd: lineFolder() });
    t.is(ended.code, exit);
    t.is(codesOf(ended)[0], code);
  });
}

test.serial("weights of another format: what writes them as safetensors", async (t) => {
  const cwd = folderWith({ "line.graph": lineGraph, "w.csv": "a,b\n1,2\n3,4\n", "w.pt": "PK\u0003\u0004, and more" });
  for (const [file, hint] of [
    ["w.csv", /= hint: Python writes one of arrays with `safetensors\.numpy\.save_file/],
    ["w.pt", /= hint: PyTorch writes one with `safetensors\.torch\.save_file/],
  ] as const) {
    const { code, stderr } = await graphcHere(["run", "line.graph", "predict", "--weights", file, ...reference], {
      cwd,
    });
    t.is(code, 1);
    t.regex(stderr, /error G091: "w\.\w+" is not a valid safetensors file/);
    t.regex(stderr, hint);
  }
});

test.serial("a placeholder may be called __proto__", async (t) => {
  const cwd = folderWith({ "p.graph": "graph p {\n  placeholder __proto__: f32[2]\n  y = __proto__ * 2\n}\n" });
  const ended = await graphcHere(
    ["run", "p.graph", "--fetch", "y,__proto__", "--feed", "__proto__=[1, 2]", "--json", ...reference],
    { cwd },
  );
  t.is(ended.code, 0, ended.stdout);
  t.is(
    ended.stdout.trim(),
    '{"y":{"dtype":"f32","shape":[2],"data":[2,4]},"__proto__":{"dtype":"f32","shape":[2],"data":[1,2]}}',
  );
});

test.serial("a library cannot run", async (t) => {
  const cwd = folderWith({ "lib.graph": "fn f(x: f32) -> (y: f32) {\n  y = x\n}\n" });
  const ended = await graphcHere(["run", "lib.graph", "s", "--json"], { cwd });
  t.is(ended.code, 1);
  t.deepEqual(codesOf(ended), ["G065"]);
});

test.serial("--allow-path lets an import leave the folder, and nothing else does", async (t) => {
  const cwd = folderWith({
    "lib/f.graph": "fn f(x: f32) -> (y: f32) {\n  y = 2 * x\n}\n",
    "main/m.graph": 'import { f } from "../lib/f.graph"\n\ngraph m {\n  y = f(21.0)\n}\n',
  });
  const refused = await graphcHere(["run", "main/m.graph", "--fetch", "y", "--json", ...reference], { cwd });
  t.is(refused.code, 1);
  t.deepEqual(codesOf(refused), ["G063"]);
  const allowed = await graphcHere(["run", "main/m.graph", "--fetch", "y", "--allow-path", "lib", ...reference], {
    cwd,
  });
  t.is(allowed.stdout, "42.0\n");
});

test.serial("--seed chooses the random numbers", async (t) => {
  const cwd = folderWith({
    "r.graph": "graph r {\n  seed 1\n  variable w: f32[3] = normal(standard_deviation=1.0)\n}\n",
  });
  const draw = async (...flags: readonly string[]): Promise<string> =>
    (await graphcHere(["run", "r.graph", "--fetch", "w", ...flags, ...reference], { cwd })).stdout;
  const [own, one, two] = [await draw(), await draw("--seed", "1"), await draw("--seed", "2")];
  t.regex(own, /^w: f32\[3\]/);
  t.is(own, one);
  t.not(one, two);
});
