import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { at, codesOf, folderWith, graphcHere, lineFolder, lineGraph, lineTable, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;
const quick = ["--samples", "3"];

const products = `graph products {
  dim N <= 64
  placeholder x: f32[N, 32]
  placeholder index: i64[N]
  variable w: f32[32, 16] = glorot_uniform()
  y = x @ w
  picked = gather(y, index)
  signature apply(x) -> (y)
  signature pick(x, index) -> (picked)
}
`;

native("bench tells times, work and memory of a signature on made-up values", async (t) => {
  const cwd = folderWith({ "products.graph": products });
  const ended = await graphcHere(["bench", "products.graph", "apply", "--dim", "N=8", ...quick], { cwd });
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stdout, /^apply, N = 8: on cpu \(/m);
  t.regex(ended.stdout, /^inside +[\d.]+ \w+ a run \(quartiles .* and .*, fastest .*; 3 samples of [\d,]+ runs\)$/m);
  t.regex(ended.stdout, /^called +[\d.]+ \w+ a run/m);
  // 2 m k n: every element of the product is 32 multiplications and as many additions.
  t.regex(ended.stdout, /^work +8,192 operations a run: [\d.,]+ GFLOP\/s of [\d.,]+$/m);
  t.regex(ended.stdout, /^floor .* % of peak$/m);
  t.regex(ended.stdout, /^code +\d+ kernels?, /m);
  t.regex(ended.stderr, /^x is made up: floats from 0 to 1, integers 0 or 1; --data and --feed give others$/m);
});

native("--json is one object with all of it", async (t) => {
  const cwd = folderWith({ "products.graph": products });
  const ended = await graphcHere(["bench", "products.graph", "pick", "--json", ...quick], { cwd });
  t.is(ended.code, 0, ended.stderr);
  const object = onlyObject(ended);
  t.is(at(object, "signature"), "pick");
  t.deepEqual(at(object, "dims"), { N: 64 });
  t.deepEqual(at(object, "generated"), ["x", "index"]);
  t.is(at(object, "work", "operations"), 2 * 64 * 32 * 16);
  t.is(at(object, "device_counts"), null);
  for (const part of ["inside", "called"]) {
    const [fastest, lower, seconds, upper] = ["fastest", "lower_quartile", "seconds", "upper_quartile"].map((key) =>
      Number(at(object, part, key)),
    );
    t.true(fastest > 0 && fastest <= lower && lower <= seconds && seconds <= upper, ended.stdout);
    t.is(at(object, part, "runs_per_second"), 1 / seconds);
    t.is(at(object, part, "samples"), 3);
  }
  t.true(Number(at(object, "inside", "seconds")) < Number(at(object, "called", "seconds")));
});

test.serial("what is fed decides sizes, and is not made up; a signature that trains can be measured", async (t) => {
  const cwd = lineFolder();
  const feeds = ["--feed", "x=[1, 2, 3]", "--feed", "y=[3, 5, 7]"];
  const ended = await graphcHere(
    ["bench", "line.graph", "fit", ...feeds, ...quick, "--target", "reference", "--json"],
    {
      cwd,
    },
  );
  t.is(ended.code, 0, ended.stderr);
  t.deepEqual(at(onlyObject(ended), "dims"), { N: 3 });
  t.deepEqual(at(onlyObject(ended), "generated"), []);
  t.is(at(onlyObject(ended), "work"), null, "the reference counts nothing");
});

test.serial("a default decides sizes as a feed does", async (t) => {
  const text = "graph g {\n  dim N <= 99\n  placeholder x: f32[N] = [1, 2]\n  y = x + 1\n  signature f(x) -> (y)\n}\n";
  const ended = await graphcHere(["bench", "g.graph", "f", ...quick, "--target", "reference", "--json"], {
    cwd: folderWith({ "g.graph": text }),
  });
  t.is(ended.code, 0, ended.stderr);
  t.deepEqual(at(onlyObject(ended), "dims"), { N: 2 });
  t.deepEqual(at(onlyObject(ended), "generated"), []);
  t.notRegex(ended.stderr, /bound/);
});

test.serial("on a device launches and bytes of a run are told", async (t) => {
  const ended = await graphcHere(
    ["bench", "line.graph", "fit", "--target", "gpu", "--device", "webasm", "--samples", "1", "--json"],
    { cwd: lineFolder() },
  );
  t.is(ended.code, 0, ended.stderr);
  const object = onlyObject(ended);
  t.is(at(object, "target"), "gpu");
  t.is(at(object, "device"), "webasm (WebAssembly)");
  t.true(Number(at(object, "device_counts", "launches")) > 0);
  // x and y of the train block's four rows go up.
  t.true(Number(at(object, "device_counts", "bytes_up")) >= 2 * 4 * 4);
  t.true(Number(at(object, "device_counts", "bytes_down")) >= 4, "the loss comes back");
});

test.serial("mistakes are told before anything is measured", async (t) => {
  const cwd = lineFolder();
  const bench = (...words: readonly string[]) =>
    graphcHere(["bench", "line.graph", ...words, "--target", "reference", "--json"], { cwd });
  t.deepEqual(codesOf(await bench("fti")), ["G083"]);
  t.deepEqual(codesOf(await bench("fit", "--dim", "M=3")), ["G083"]);
  t.deepEqual(codesOf(await bench("fit", "--feed", "z=1")), ["G083"]);
  t.deepEqual(codesOf(await bench("fit", "--dim", "N=65")), ["G084"]);
  t.deepEqual(codesOf(await bench("fit", "--dim", "N=1e15")), ["G084"]);
  const both = await graphcHere(["bench", "line.graph", "fit", "--feed", "x=[1, 2]", "--dim", "N=3"], { cwd });
  t.is(both.code, 2);
  t.regex(both.stderr, /--dim says N = 3, and what is fed, or stands as a default, has N = 2/);
  const none = await graphcHere(["bench", "line.graph"], { cwd });
  t.is(none.code, 2);
  t.regex(none.stderr, /missing required argument 'signature'/);
});

native("a value that a check refuses is named, with its line", async (t) => {
  const cwd = folderWith({ "products.graph": products });
  const ended = await graphcHere(["bench", "products.graph", "pick", "--feed", "index=[9, 9]", ...quick], { cwd });
  t.is(ended.code, 1);
  t.regex(ended.stderr, /error G\d+[\s\S]*products\.graph:7/);
});

test.serial(
  "--data gives the first batch: of the train block's size, of --batch, of --dim, or all rows there are",
  async (t) => {
    const cwd = lineFolder();
    const data = ["--data", "x=line.csv", "--data", "y=line.csv"];
    const reference = ["--target", "reference", ...quick];
    const run = (...rest: readonly string[]) => graphcHere(["bench", "line.graph", ...rest, ...reference], { cwd });
    const told = await run("fit", ...data);
    t.is(told.code, 0, told.stderr);
    t.regex(told.stdout, /^fit, N = 4: /m);
    t.regex(told.stderr, /^x, y are the first 4 of 16 rows of the data$/m);
    t.notRegex(told.stderr, /made up/);
    t.deepEqual(at(onlyObject(await run("evaluate", ...data, "--json")), "dims"), { N: 16 });
    t.deepEqual(at(onlyObject(await run("fit", ...data, "--batch", "5", "--json")), "dims"), { N: 5 });
    t.deepEqual(at(onlyObject(await run("fit", ...data, "--dim", "N=3", "--json")), "dims"), { N: 3 });
    t.deepEqual(at(onlyObject(await run("predict", "--data", "x=line.csv[2:4]", "--json")), "dims"), { N: 2 });
    t.deepEqual(codesOf(await run("fit", "--data", "x=line.csv", "--data", "y=line.csv[1:]", "--json")), ["G073"]);
    t.deepEqual(codesOf(await run("fit", "--data", "z=line.csv", "--json")), ["G083"]);
    t.is((await run("fit", ...data, "--feed", "x=[1]")).code, 2);
    t.is((await run("fit", "--batch", "4")).code, 2);
  },
);

native("a schedule that ends does not end the bench", async (t) => {
  const graph = lineGraph
    .replace(
      "graph line {",
      'import { cosine_decay } from "std/schedules"\nimport { sgd } from "std/optimizers"\n\ngraph line {',
    )
    .replace(/ {2}update learn \{[^}]*\}/, "  update learn = minimize(metrics.loss, sgd(cosine_decay(0.1, steps=3)))")
    .replace("steps = 40", "steps = 3");
  const cwd = folderWith({ "line.graph": graph, "line.csv": lineTable });
  const trained = await graphcHere(["train", "line.graph", "--save", "w.safetensors"], { cwd });
  t.is(trained.code, 0, trained.stderr);
  for (const weights of [[], ["--weights", "w.safetensors"]]) {
    const ended = await graphcHere(["bench", "line.graph", "fit", ...quick, ...weights], { cwd });
    t.is(ended.code, 0, ended.stderr);
  }
});

native("a check that data break fails the bench as it would a run", async (t) => {
  const cwd = folderWith({ "products.graph": products, "index.csv": "index\n0\n3\n9\n" });
  const bench = ["bench", "products.graph", "pick", "--data", "index=index.csv", "--json", ...quick];
  t.deepEqual(codesOf(await graphcHere(bench, { cwd })), ["G086"]);
});
