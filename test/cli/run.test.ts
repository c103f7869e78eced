import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import {
  at,
  codesOf,
  folderWith,
  graphc,
  graphcHere,
  lineFolder,
  lineGraph,
  onlyObject,
  untrained,
} from "./support.js";

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
  t.deepEqual(csv, {
    code: 0,
    stdout: "",
    stderr: "the folder out is not there: it will be made\nwrote x to out/x.npy\n",
  });
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

test.serial("a run on variables that nobody has trained says so, and only then", async (t) => {
  const cwd = lineFolder();
  const run = async (...rest: readonly string[]) =>
    (await graphcHere(["run", "line.graph", ...rest, ...reference], { cwd })).stderr;
  const feed = ["--feed", "x=[1]"];
  t.is(await run("predict", ...feed), untrained);
  t.is(
    await run("--fetch", "b"),
    untrained.replace("w and 1 other variable have their initial values", "b has its initial value"),
  );
  t.is(await run("predict", ...feed, "--quiet"), "");
  t.is(await run("predict", ...feed, "--json"), "");
  t.is(await run("--fetch", "x", ...feed), "");
  await graphcHere(["train", "line.graph", "--save", "line.safetensors", ...reference], { cwd });
  t.is(await run("predict", ...feed, "--weights", "line.safetensors"), "");
});

test.serial("variables that no update of the graph trains are no remark", async (t) => {
  const cwd = folderWith({ "fixed.graph": "graph fixed {\n  variable w: f32[2] = [3, -1]\n  y = w * 2\n}\n" });
  t.is((await graphcHere(["run", "fixed.graph", "--fetch", "y", ...reference], { cwd })).stderr, "");
});

test.serial("columns of a table are chosen by name, for --feed and for --data", async (t) => {
  const text = `graph g {
  dim N
  placeholder x: f32[N, 2]
  placeholder y: f32[N]
  sums = sum(x, axis=1) + y
  loss = mean(sums)
}
`;
  const cwd = folderWith({ "g.graph": text, "t.csv": "a,b,c d\n1,10,100\n2,20,200\n3,30,300\n" });
  const run = (...rest: readonly string[]) => graphcHere(["run", "g.graph", ...rest, ...reference], { cwd });
  const fed = await run("--fetch", "sums", "--feed", "x=t.csv[1:]:c d,a", "--feed", "y=t.csv[1:]:b");
  t.is(fed.stdout, "sums: f32[2]\n[222.0, 333.0]\n", fed.stderr);
  const mean = await run("--fetch", "loss", "--data", "x=t.csv:c d,a", "--data", "y=t.csv:b");
  t.is(mean.stdout, "222\n", mean.stderr);
  const slip = await run("--fetch", "loss", "--data", "x=t.csv:cd,a", "--data", "y=t.csv:b");
  t.is(slip.code, 1);
  t.regex(slip.stderr, /G079: ".*t\.csv" has no column "cd"\n.*hint: did you mean "c d"\? It has "a", "b", "c d"/);
  const none = await run("--fetch", "loss", "--data", "x=t.csv:a,b", "--data", "y=t.csv");
  t.regex(none.stderr, /which is meant\?\n.*name one of "a", "b", "c d": .*`NAME=PATH:COLUMN`/);
});

const refusals: readonly (readonly [string, readonly string[], string, number])[] = [
  ["an unknown signature", ["predcit"], "G083", 1],
  ["an unknown name", ["--fetch", "metrics.los"], "G083", 1],
  ["a placeholder that is not fed", ["predict"], "G080", 1],
  ["an unknown placeholder", ["predict", "--feed", "__proto__=1"], "G083", 1],
  ["a feed of the wrong rank", ["predict", "--feed", "x=1"], "G081", 1],
  ["a ragged feed", ["predict", "--feed", "x=[1,[2]]"], "G081", 1],
  ["a string", ["predict", "--feed", 'x="text"'], "G082", 1],
  ["a number beyond f64", ["predict", "--feed", "x=1e400"], "G082", 1],
  ["a number beyond f32", ["predict", "--feed", "x=[1, -3.5e38]"], "G082", 1],
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
    [
      "w.csv",
      /it is text that begins with "a,b"\n {2}= hint: weights and checkpoints are safetensors files, .*; Python writes one of arrays with `safetensors\.numpy\.save_file/,
    ],
    ["w.pt", /it is a zip archive, .*\n {2}= hint: .*; PyTorch writes one with `safetensors\.torch\.save_file/],
  ] as const) {
    const { code, stderr } = await graphcHere(["run", "line.graph", "predict", "--weights", file, ...reference], {
      cwd,
    });
    t.is(code, 1);
    t.regex(stderr, /error G091: "w\.\w+" is no safetensors file: /);
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

test.serial(
  "all that is wrong with what is fed is told at once: names, and files that are missing, with the nearest",
  async (t) => {
    const cwd = lineFolder();
    const run = (...rest: readonly string[]) =>
      graphcHere(["run", "line.graph", "evaluate", ...rest, ...reference], { cwd });
    const data = await run("--data", "xx=nowhere.npy", "--data", "y=lime.csv", "--json");
    t.deepEqual(codesOf(data), ["G083", "G070", "G070"]);
    t.regex(data.stdout, /did you mean \\"line\.csv\\"\?/);
    t.deepEqual(codesOf(await run("--feed", "xx=[1]", "--feed", "y=nowhere.npy", "--json")), ["G083", "G070"]);
    const bare = ["train", "line.graph", "--data", "xx=nowhere.npy", "--json", ...reference];
    t.deepEqual(codesOf(await graphcHere(bare, { cwd: folderWith({ "line.graph": lineGraph }) })), [
      "G083",
      "G070",
      "G070",
      "G070",
    ]);
  },
);

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

test.serial("a result takes the place of an older one, of no other file", async (t) => {
  const cwd = folderWith({ "line.graph": lineGraph, "line.csv": "x\n1\n", "notes.npy": "my notes", empty: "" });
  const run = (...words: readonly string[]) => graphcHere(["run", "line.graph", ...words, ...reference], { cwd });
  const home = lineFolder();
  const trained = await graphcHere(["train", "line.graph", "--save", "model.safetensors", ...reference], { cwd: home });
  t.is(trained.code, 0, trained.stderr);
  const model = readFileSync(join(home, "model.safetensors"));
  writeFileSync(join(cwd, "model.safetensors"), model);
  const feed = ["--fetch", "x", "--feed", "x=[1]", "-o"];
  for (const [path, found] of [
    ["model.safetensors", "the file there is no result but a checkpoint, and would be lost"],
    ["notes.npy", 'the file there is no result but text that begins with "my notes", and would be lost'],
  ] as const) {
    const refused = await run(...feed, `x=${path}`);
    t.is(refused.code, 1);
    t.true(refused.stderr.includes(`error G092: cannot save "${path}": ${found}`), refused.stderr);
  }
  t.deepEqual(readFileSync(join(cwd, "model.safetensors")), model);
  for (const words of [
    ["--fetch", "x", "--feed", "x=line.csv", "-o", "x=line.csv"],
    ["evaluate", "--data", "x=line.csv", "--data", "y=line.csv", "-o", "metrics.loss=line.csv"],
  ]) {
    const read = await run(...words);
    t.is(read.code, 2);
    t.regex(read.stderr, /"line\.csv" is read, and would be overwritten/);
  }
  for (const path of ["a.npy", "a.safetensors", "a.csv"])
    for (const value of ["[1]", "[1, 2]"])
      t.is((await run("--fetch", "x", "--feed", `x=${value}`, "-o", `x=${path}`)).code, 0);
});

test.serial("a number beyond a dtype's range is refused as such", async (t) => {
  const run = (value: string) =>
    graphcHere(["run", "line.graph", "--fetch", "x", "--feed", `x=${value}`, ...reference], { cwd: lineFolder() });
  const refused = await run("[1, 1e400]");
  t.regex(refused.stderr, /G082: `x` was fed 1e400, which is outside of the range of f32/);
  t.regex(refused.stderr, /f32 goes up to 3\.4028235e38; `inf` feeds an infinity/);
  t.is((await run("[3.4028235e38, inf, -inf]")).code, 0);
});

test.serial("what a run refuses comes with how to mend it", async (t) => {
  const text = `graph g {
  dim N <= 8
  placeholder a: f32[2, 2] = zeros([2, 2])
  placeholder k: i64 = 0
  placeholder rows: f32[N, 3]
  placeholder one: f32[3]
  inverse = inverse(a)
  root = cholesky(a)
  share = 7 // k
}
`;
  const cwd = folderWith({
    "g.graph": text,
    "bad.csv": "a,b,c\n1,2\n",
    "words.csv": "a,b,c\n1,2,x\n",
    "open.csv": '"a,b\n',
  });
  const cases: readonly (readonly [readonly string[], string, RegExp])[] = [
    [["inverse"], "G087", /pinv\(a\)/],
    [["root"], "G087", /1e-6 \* eye\(n\)/],
    [["share"], "G089", /maximum\(divisor, 1\)/],
    [["rows", "--feed", "rows=[1, 2, 3]"], "G081", /a single row stands in a list of its own, of shape \[1, 3\]/],
    [["rows", "--feed", "rows=[[1, 2]]"], "G081", /a size that feeds decide is a dim/],
    [["one", "--feed", "one=[[1, 2, 3]]"], "G081", /`placeholder one: f32\[N, 3\]`/],
    [["one", "--feed", "one=[[[1]]]"], "G081", /`placeholder one: f32\[1, 1, 1\]` takes this one/],
    [["rows", "--feed", "rows=bad.csv:a,b,c"], "G076", /as many fields as the first/],
    [["rows", "--feed", "rows=words.csv:a,b,c"], "G076", /chooses the columns/],
    [["rows", "--feed", "rows=open.csv"], "G076", /ends with its quote/],
  ];
  for (const [words, code, hint] of cases) {
    const ended = await graphcHere(["run", "g.graph", "--fetch", ...words, "--json", ...reference], { cwd });
    t.deepEqual(codesOf(ended), [code], words.join(" "));
    t.regex(String(at(onlyObject(ended), "diagnostics", 0, "hint")), hint, words.join(" "));
  }
});
