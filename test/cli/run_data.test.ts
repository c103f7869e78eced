import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadData } from "../../runtime/data/load.js";
import { parseDataArgument } from "../../runtime/data/references.js";
import { openSafetensors } from "../../runtime/files/safetensors.js";
import { at, codesOf, folderWith, graphcHere, lineFolder, onlyObject, untrained } from "./support.js";

const reference = ["--target", "reference"];

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
  t.is(text.stderr, `means over 16 rows\n${untrained}`);
  const none = await graphcHere(["run", "line.graph", "predict", "--data", "x=line.csv", ...reference], { cwd });
  t.is(none.code, 2);
  t.regex(none.stderr, /`predict` has none/);
});

const rowsGraph = `graph rows {
  dim N
  placeholder x: f32[N]
  variable w: f32[2] = [3, -1]
  pairs = reshape(x, [N, 1]) * reshape(w, [1, 2])
  positive = x > 0
  total = mean(x)
  table = reshape(x, [N, 1]) * reshape(x, [1, N])
  signature predict(x) -> (pairs, positive, total)
}
`;
const rowsTable = `x\n${Array.from({ length: 11 }, (_, i) => i - 4.5).join("\n")}\n`;

for (const batch of [1, 4, 10, 11, 500]) {
  test.serial(`-o with --data writes the rows of all batches of ${batch}, as one run gives them`, async (t) => {
    const cwd = folderWith({ "rows.graph": rowsGraph, "x.csv": rowsTable });
    const files = ["-o", "pairs=pairs.npy", "-o", "positive=positive.csv", "-o", "total=total.npy"];
    const data = ["--data", "x=x.csv", "--batch", String(batch)];
    const ended = await graphcHere(["run", "rows.graph", "predict", ...data, ...files, ...reference], { cwd });
    t.is(ended.code, 0, ended.stderr);
    t.deepEqual(
      [ended.stdout, ended.stderr],
      ["", "means over 11 rows\nwrote pairs to pairs.npy\nwrote positive to positive.csv\nwrote total to total.npy\n"],
    );
    const xs = Array.from({ length: 11 }, (_, i) => i - 4.5);
    const pairs = await loadData(parseDataArgument(join(cwd, "pairs.npy")), { origin: "user" });
    t.deepEqual([pairs.dtype, pairs.shape], ["f32", [11, 2]]);
    t.deepEqual(
      [...pairs.data],
      xs.flatMap((x) => [3 * x, -x]),
    );
    t.is(
      readFileSync(join(cwd, "positive.csv"), "utf8"),
      `positive\n${xs.map((x) => (x > 0 ? "1\n" : "0\n")).join("")}`,
    );
    const total = await loadData(parseDataArgument(join(cwd, "total.npy")), { origin: "user" });
    t.deepEqual([total.dtype, total.shape], ["f64", []]);
    t.true(Math.abs(Number(total.data[0]) - 0.5) < 1e-6);
    const single = ["--feed", "x=x.csv", "-o", "pairs=single.npy"];
    await graphcHere(["run", "rows.graph", "predict", ...single, ...reference], { cwd });
    t.deepEqual(readFileSync(join(cwd, "pairs.npy")), readFileSync(join(cwd, "single.npy")));
  });
}

test.serial("-o with --data: no rows give a file of none, and means alone go to standard output", async (t) => {
  const cwd = folderWith({ "rows.graph": rowsGraph, "x.csv": rowsTable });
  const run = (...rest: readonly string[]) =>
    graphcHere(["run", "rows.graph", "predict", "--json", ...rest, ...reference], { cwd });
  t.is((await run("--data", "x=x.csv[3:3]", "-o", "pairs=none.npy")).code, 0);
  const none = await loadData(parseDataArgument(join(cwd, "none.npy")), { origin: "user" });
  t.deepEqual([none.dtype, none.shape], ["f32", [0, 2]]);
  // A last batch of one row: its `positive` has one element, and is no mean for that.
  const some = await run("--data", "x=x.csv", "--batch", "10", "-o", "pairs=pairs.safetensors");
  t.deepEqual(Object.keys(onlyObject(some)), ["total"]);
  const { header } = await openSafetensors(join(cwd, "pairs.safetensors"));
  t.deepEqual(header.tensors.get("pairs")?.shape, [11, 2]);
});

const unwritable: readonly (readonly [string, readonly string[], string])[] = [
  ["a variable, which has no rows", ["--fetch", "w,pairs", "-o", "w=w.npy"], "G025"],
  ["a table whose rows depend on the batch", ["--fetch", "table,pairs", "-o", "table=t.npy"], "G025"],
  ["a name that is no result", ["predict", "-o", "pair=p.npy"], "G083"],
  ["a format that is not known", ["predict", "-o", "total=t.docx"], "G071"],
  ["a folder in the way", ["predict", "-o", "total=taken"], "G071"],
  ["a file in place of a folder", ["predict", "-o", "total=x.csv/t.npy"], "G092"],
];

for (const [what, parameters, code] of unwritable) {
  test.serial(`-o with --data refuses ${what} with ${code}, and leaves nothing`, async (t) => {
    const cwd = folderWith({ "rows.graph": rowsGraph, "x.csv": rowsTable });
    const run = ["run", "rows.graph", ...parameters, "--data", "x=x.csv", "-o", "pairs=pairs.npy", "--json"];
    const ended = await graphcHere([...run, ...reference], { cwd });
    t.is(ended.code, 1, ended.stdout);
    t.deepEqual(codesOf(ended), [code]);
    t.deepEqual(readdirSync(cwd).sort(), ["rows.graph", "x.csv"]);
  });
}

test.serial("a run over data that fails in a later batch leaves the file that was there", async (t) => {
  const text = `graph g {
  dim N
  placeholder i: i64[N]
  y = gather(constant([1.5, 2.5]), i)
}
`;
  const cwd = folderWith({ "g.graph": text, "i.csv": "i\n0\n1\n0\n7\n", "y.csv": "the old content" });
  const run = ["run", "g.graph", "--fetch", "y", "--data", "i=i.csv", "--batch", "1", "-o", "y=y.csv", "--json"];
  const ended = await graphcHere([...run, ...reference], { cwd });
  t.is(ended.code, 1, ended.stdout);
  t.deepEqual(readdirSync(cwd).sort(), ["g.graph", "i.csv", "y.csv"]);
  t.is(readFileSync(join(cwd, "y.csv"), "utf8"), "the old content");
});
