import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { differenceOf } from "../../cli/diff.js";
import { loadGraph } from "../../dsl/load.js";
import { at, codesOf, folderWith, graphcHere, onlyObject } from "./support.js";

const network = `import { dense } from "std/layers"
import { adam } from "std/optimizers"

graph network {
  dim N <= 32
  placeholder x: f32[N, 20]
  placeholder wanted: f32[N, 5]
  hidden = dropout(relu(dense(x, units=30)), rate=0.2)
  y = dense(hidden, units=5)
  p = softmax(y)
  loss = mean(square(y - wanted))
  update learn = minimize(loss, adam(learning_rate=1e-3))
  signature predict(x) -> (p)
  signature fit(x, wanted) does learn -> (loss)
}
`;

/** The differences between the network and what replacing texts in it makes of it. */
async function edited(...replacements: readonly (readonly [string, string])[]) {
  let text = network;
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`no ${from}`);
    text = text.replace(from, to);
  }
  const cwd = folderWith({ "a.graph": network, "b.graph": text });
  const json = onlyObject(await graphcHere(["diff", "a.graph", "b.graph", "--json"], { cwd }));
  const { stdout, code } = await graphcHere(["diff", "a.graph", "b.graph"], { cwd });
  return { json, text: stdout, code };
}

test.serial("an activation of another kind is one change, with both places and the op's type", async (t) => {
  const { json, text, code } = await edited(["relu(dense", "tanh(dense"]);
  t.is(code, 0);
  t.deepEqual(at(json, "ops"), [
    {
      change: "changed",
      names: ["hidden"],
      before: {
        what: "relu()",
        type: "f32[N, 30]",
        ops: 2,
        place: {
          file: "a.graph",
          line: 8,
          column: 20,
          text: "hidden = dropout(relu(dense(x, units=30)), rate=0.2)",
        },
      },
      after: {
        what: "tanh",
        type: "f32[N, 30]",
        ops: 1,
        place: {
          file: "b.graph",
          line: 8,
          column: 20,
          text: "hidden = dropout(tanh(dense(x, units=30)), rate=0.2)",
        },
      },
      details: [],
    },
  ]);
  t.deepEqual(at(json, "variables"), []);
  t.is(at(json, "checkpoint", "fits"), true);
  t.regex(text, /^ {2}~ hidden: relu\(\) -> tanh, f32\[N, 30\]\n {6}a\.graph:8 .*\n {6}b\.graph:8 /m);
});

test.serial("calls of two functions with an op in common are one change", async (t) => {
  const { json } = await edited(["relu(dense", "leaky_relu(dense"]);
  t.is((at(json, "ops") as readonly unknown[]).length, 1);
  t.is(at(json, "ops", 0, "before", "what"), "relu()");
  t.is(at(json, "ops", 0, "after", "what"), "leaky_relu()");
});

test.serial("a layer that comes or goes is told as calls, and not as what reads it", async (t) => {
  const added = await edited(["  y = dense(hidden", "  more = tanh(dense(hidden, units=30))\n  y = dense(more"]);
  const ops = at(added.json, "ops") as readonly unknown[];
  t.deepEqual(
    ops.map((op) => [at(op, "change"), at(op, "names"), at(op, "after", "what"), at(op, "after", "type")]),
    [
      ["added", ["more"], "dense()", "f32[N, 30]"],
      ["added", ["more"], "tanh", "f32[N, 30]"],
      ["added", ["learn"], "in adam()", ""],
    ],
  );
  t.deepEqual(
    (at(added.json, "variables") as readonly unknown[]).map((one) => at(one, "name")),
    ["w", "b"]
      .flatMap((name) => [
        `more/dense/${name}`,
        ...["m", "v", "t"].map((slot) => `learn/adam/more/dense/${name}/${slot}`),
      ])
      .sort((a, b) => Number(a.includes("adam")) - Number(b.includes("adam"))),
  );
  // In one training mode alone.
  const gone = await edited(["dropout(relu(dense(x, units=30)), rate=0.2)", "relu(dense(x, units=30))"]);
  t.deepEqual(at(gone.json, "ops", 0, "change"), "removed");
  t.deepEqual(at(gone.json, "ops", 0, "before", "what"), "dropout()");
  t.is((at(gone.json, "ops") as readonly unknown[]).length, 1);
});

test.serial("another width is told of variables and statements, with a checkpoint that does not fit", async (t) => {
  const { json, text } = await edited(["units=30", "units=40"]);
  t.is((at(json, "ops") as readonly unknown[]).length, 1);
  t.deepEqual(at(json, "ops", 0, "details"), [{ name: "units", before: "30", after: "40" }]);
  t.deepEqual(at(json, "ops", 0, "before", "type"), "f32[N, 30]");
  t.regex(text, /^ {2}~ hidden: dense\(\): units 30 -> 40$/m);
  t.deepEqual(at(json, "variables", 0), { name: "hidden/dense/w", before: "f32[20, 30]", after: "f32[20, 40]" });
  t.deepEqual(at(json, "shapes", 0, "names"), ["hidden"]);
  t.is(at(json, "shapes", 0, "before", "type"), "f32[N, 30]");
  t.is(at(json, "shapes", 0, "after", "type"), "f32[N, 40]");
  t.is(at(json, "checkpoint", "fits"), false);
  t.deepEqual(at(json, "checkpoint", "changed", 0), {
    name: "hidden/dense/w",
    before: "f32[20, 30]",
    after: "f32[20, 40]",
  });
  t.regex(text, /^ {2}~ learn\/adam\/hidden\/dense\/w\/\{m, v\}: f32\[20, 30\] {2}-> {2}f32\[20, 40\]$/m);
});

test.serial("what has another name is told as that, its slots too", async (t) => {
  const { json, text } = await edited(["hidden =", "first ="], ["dense(hidden", "dense(first"]);
  t.deepEqual(at(json, "ops"), []);
  t.deepEqual(at(json, "variables"), []);
  t.deepEqual(at(json, "renamed", "edges"), [{ before: "hidden", after: "first" }]);
  t.deepEqual(at(json, "renamed", "inputs", 0), { before: "hidden/dense/w", after: "first/dense/w" });
  t.is((at(json, "renamed", "inputs") as readonly unknown[]).length, 8);
  t.is(at(json, "checkpoint", "fits"), false);
  t.regex(text, /^ {2}hidden\/dense\/\{w, b\}: is called first\/dense\/\{w, b\} in b\.graph$/m);
});

test.serial("numbers, attributes and settings are changes of what has them", async (t) => {
  const rate = await edited(["1e-3", "1e-2"]);
  t.deepEqual(at(rate.json, "ops", 0, "names"), ["learn"]);
  t.deepEqual(at(rate.json, "ops", 0, "details"), [{ name: "learning_rate", before: "1e-3", after: "1e-2" }]);
  const axis = await edited(["softmax(y)", "softmax(y, axis=0)"]);
  t.is(at(axis.json, "ops", 0, "after", "what"), "softmax()");
  t.deepEqual(at(axis.json, "ops", 0, "details"), [{ name: "axis", before: "-1", after: "0" }]);
  t.is((at(axis.json, "ops") as readonly unknown[]).length, 1);
  const own = differences(plain("  y = sum(x * 2)\n"), plain("  y = sum(x * 3)\n"));
  t.deepEqual(own.ops[0]?.details, [{ name: "operand 2", before: "2", after: "3" }]);
  const optimizer = await edited(["{ adam }", "{ sgd }"], ["adam(", "sgd("]);
  t.is(at(optimizer.json, "ops", 0, "before", "what"), "adam()");
  t.is(at(optimizer.json, "ops", 0, "after", "what"), "sgd()");
  const signature = await edited(["predict(x) -> (p)", "predict(x) -> (p, y)"], ["<= 32", "<= 64"]);
  t.deepEqual(at(signature.json, "signatures"), [
    {
      name: "predict",
      before: "(x: f32[N, 20]) -> (p: f32[N, 5])",
      after: "(x: f32[N, 20]) -> (p: f32[N, 5], y: f32[N, 5])",
    },
  ]);
  t.deepEqual(at(signature.json, "settings"), [{ name: "dim N", before: "<= 32", after: "<= 64" }]);
});

test.serial("comments, lines and a function around are no differences of ops", async (t) => {
  const same = await edited(["  y =", "  # then\n\n  y ="]);
  t.is(same.text, "the graphs are the same\n\na checkpoint of a.graph fits b.graph\n");
  const extracted = await edited(
    ["graph network", "fn scaled(a) -> (b) {\n  b = relu(a)\n}\n\ngraph network"],
    ["relu(dense", "scaled(dense"],
  );
  t.deepEqual(at(extracted.json, "ops"), []);
});

const plain = (body: string): string => `graph g {\n  placeholder x: f32[4]\n  placeholder z: f32[4]\n${body}}\n`;

function differences(before: string, after: string) {
  const cwd = folderWith({ "a.graph": before, "b.graph": after });
  const [a, b] = ["a.graph", "b.graph"].map((name) => loadGraph(join(cwd, name), { allowPaths: [] }).graph);
  if (a === undefined || b === undefined) throw new Error("no graph");
  return differenceOf(a, b);
}

test("data of training are written as in the text", (t) => {
  const trained = (rows: string): string => `graph g {
  dim N
  placeholder x: f32[N]
  variable w: f32 = 1
  loss = mean((x * w - 1) ** 2)
  update learn { w := w - 0.1 * loss }
  signature fit(x) does learn -> (loss)
  signature check(x) -> (loss)
  train {
    run = fit
    data = { x = idx("images")[0:55000] }
    batch = 10
    steps = 10
    validate = { run = check, data = { x = ${rows} } }
  }
}
`;
  const { settings } = differences(trained('idx("images")[55000:60000]'), trained('csv("t.csv", column="a")[5:]'));
  const [before, after] = ['idx("images")[55000:60000]', 'csv("t.csv", column="a")[5:]'];
  t.deepEqual(settings, [{ name: "train validate x", before, after }]);
});

test("an op that reads something else says what", (t) => {
  const { ops } = differences(
    plain("  a = exp(x)\n  b = x + z\n  y = sin(a) * b\n"),
    plain("  a = exp(x)\n  b = x + z\n  y = sin(b) * b\n"),
  );
  t.deepEqual(
    ops.map(({ names, details }) => ({ names, details })),
    [{ names: ["y"], details: [{ name: "operand", before: "a", after: "b" }] }],
  );
});

test("what differs in a loop's body is told of its line", (t) => {
  const loop = (step: string): string =>
    `graph g {\n  xs = [1.0, 2.0]\n  last = scan x in xs with h = 0.0 {\n    next h = ${step}\n  }\n  y = last\n}\n`;
  t.deepEqual(differences(loop("h + x"), loop("h + x")).ops, []);
  const { ops } = differences(loop("h + x"), loop("h * x"));
  t.deepEqual(
    ops.map(({ before, after }) => [before?.what, after?.what, after?.place?.line]),
    [["add", "mul", 4]],
  );
});

test("variables: what they begin with, whether they are trained, and what an update leaves out", (t) => {
  const update = (lines: string, w = "variable w: f32 = 1\n  variable v: f32 = uniform(low=0, high=1)\n"): string =>
    plain(`  ${w}  y = x * w + v\n  update u {\n${lines}  }\n`);
  const both = "    w := w + 1\n    v := v + 1\n";
  const first = differences(update(both), update("    w := w + 1\n"));
  t.deepEqual(first.updates, [{ name: "u", before: "assigns v", after: undefined }]);
  const second = differences(
    update(both),
    update(both, "variable w: f32 = 2\n  variable v: f32 = uniform(low=0, high=3)\n"),
  );
  t.deepEqual(second.initial.map(({ names, before, after }) => [names[0], before?.what, after?.what]).slice(0, 1), [
    ["w", "1", "2"],
  ]);
  t.true(second.initial.some(({ names }) => names[0] === "v"));
  t.deepEqual(second.variables, []);
});

test("all of a graph came or went beside an empty one, and graphs with nothing in common have no pairs", (t) => {
  const some = plain("  y = exp(x) + z\n");
  const came = differences("graph g {\n}\n", some);
  t.deepEqual(
    came.ops.map(({ before, after }) => [before, after?.what]),
    [
      [undefined, "exp"],
      [undefined, "add"],
    ],
  );
  t.deepEqual(
    came.placeholders.map(({ name, before }) => [name, before]),
    [
      ["x", undefined],
      ["z", undefined],
    ],
  );
  const other = differences(some, "graph h {\n  variable n: i64 = 3\n  k = n % 2\n}\n");
  t.true(other.ops.every(({ before, after }) => before === undefined || after === undefined));
  t.false(other.checkpoint.fits);
});

test.serial("a graph with a loop is the same as itself, and files are refused as everywhere", async (t) => {
  const file =
    "graph g {\n  xs = [1.0, 2.0]\n  last = scan x in xs with h = 0.0 {\n    next h = h + x\n  }\n  y = last\n}\n";
  const cwd = folderWith({ "a.graph": file, "b.graph": file });
  const ended = await graphcHere(["diff", "a.graph", "b.graph"], { cwd });
  t.is(ended.stdout, "the graphs are the same\n\na checkpoint of a.graph fits b.graph\n");
  const missing = await graphcHere(["diff", "a.graph", join("c", "d.graph"), "--json"], { cwd });
  t.deepEqual(codesOf(missing), ["G064"]);
});

test("each example is the same as itself, read again", (t) => {
  const root = fileURLToPath(new URL("../../../examples/", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".graph"));
  const read = () => files.flatMap((file) => loadGraph(join(root, file), { allowPaths: [] }).graph ?? []);
  const [first, second] = [read(), read()];
  t.true(first.length > 20);
  for (const [i, graph] of first.entries()) {
    const { counts, checkpoint, total, renamed, reshaped, affected, ...lists } = differenceOf(
      graph,
      second[i] ?? graph,
    );
    t.deepEqual({ reshaped, affected }, { reshaped: 0, affected: 0 }, graph.name);
    t.deepEqual(Object.values({ ...lists, ...renamed, counts }).flat(), [], graph.name);
    t.true(checkpoint.fits && total.before === total.after);
  }
});

test("where ops are placed, and the file that a function stands in", (t) => {
  const placed = (device: string): string => plain(`  y = exp(x) on "${device}"\n`);
  const { ops } = differences(placed("cpu"), placed("gpu"));
  t.deepEqual(
    ops.map(({ after, details }) => [after?.what, details]),
    [["exp", [{ name: "placed on", before: "cpu", after: "gpu" }]]],
  );
  const fn = "fn twice(x: f32[4]) -> (y: f32[4]) {\n  y = x + x\n}\n";
  const cwd = folderWith({
    "a.graph": `${fn}${plain("  y = twice(x)\n")}`,
    "lib.graph": fn,
    "b.graph": `import { twice } from "lib"\n${plain("  y = twice(x)\n")}`,
  });
  const [a, b] = ["a.graph", "b.graph"].map((name) => loadGraph(join(cwd, name), { allowPaths: [] }).graph);
  if (a === undefined || b === undefined) throw new Error("no graph");
  const { ops: none, affected } = differenceOf(a, b);
  t.deepEqual({ none, affected }, { none: [], affected: 0 });
});

test("of thousands of ops the one that differs is found", (t) => {
  const chain = (changed: number): string => {
    const lines = Array.from({ length: 2000 }, (_, i) => `  v${i + 1} = tanh(v${i}) * ${i === changed ? 0.25 : 0.5}\n`);
    return `graph g {\n  placeholder v0: f32[8]\n${lines.join("")}}\n`;
  };
  const { ops, affected } = differences(chain(-1), chain(3));
  t.deepEqual(
    ops.map(({ names, details }) => ({ names, details })),
    [{ names: ["v4"], details: [{ name: "operand 2", before: "0.5", after: "0.25" }] }],
  );
  t.is(affected, 2 * 1996);
});

test.serial("of a call's arguments those that a run computes are passed over", async (t) => {
  // The variable that an optimizer is given unasked has another shape: that is told among the variables.
  const wider = await edited(["units=30", "units=31"]);
  const names = (json: unknown): readonly unknown[] => {
    const ops = at(json, "ops");
    if (!Array.isArray(ops)) throw new Error("no ops");
    return ops.flatMap((op) => at(op, "details")).map((detail) => at(detail, "name"));
  };
  t.deepEqual(
    names(wider.json).filter((name) => name !== "units"),
    [],
  );
  const both = await edited(["units=30", "units=31"], ["1e-3", "3e-3"]);
  t.deepEqual([...new Set(names(both.json))], ["units", "learning_rate"]);
});

test.serial(
  "another optimizer is one change without a type of one variable, and f64 tells of dtypes alone",
  async (t) => {
    const other = await edited(["{ adam }", "{ sgd }"], ["adam(learning_rate=1e-3)", "sgd(learning_rate=1e-3)"]);
    t.regex(other.text, /^ {2}~ learn: adam\(\) -> sgd\(\)$/m);
    t.is((at(other.json, "ops") as readonly unknown[]).length, 1);
    // What 1 - 0.9 is in f64, and conversions that Adam needs no more, follow from the dtype.
    const wide = await edited(["x: f32", "x: f64"], ["wanted: f32", "wanted: f64"]);
    t.deepEqual(at(wide.json, "ops"), []);
    t.is(at(wide.json, "checkpoint", "fits"), false);
  },
);
