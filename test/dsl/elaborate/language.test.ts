import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import fc from "fast-check";
import { catalogue } from "../../../compiler/ir/codes/catalogue.js";
import { typeText } from "../../../compiler/ir/type.js";
import { preludeFiles } from "../../../dsl/imports.js";
import { loadGraph, loadGraphFromText } from "../../../dsl/load.js";
import { shippedStdFolder } from "../../../dsl/standard.js";
import { load } from "./support.js";

/** The whole-file example of the language's design. */
const mnist = `## A two-layer perceptron for MNIST, and the step that trains it.
import { adam } from "std/optimizers"

## A fully connected layer. Each call owns its own \`w\` and \`b\`.
fn dense[T: float, I](x: T[..., I], units: int) -> (y: T[..., units]) {
  variable w: T[I, units] = glorot_uniform()
  variable b: T[units]    = zeros()
  y = x @ w + b
}

graph mnist {
  seed 42
  dim N <= 1024                        # batch: symbolic, with a bound for the memory plan

  placeholder image: u8[N, 28, 28]
  placeholder label: u8[N]

  pixels = reshape(cast(image, to=f32) / 255, [N, 28 * 28])
  hidden = dropout(relu(dense(pixels, units=128)), rate=0.2)
  logits: f32[N, 10] = dense(hidden, units=10)     # an optional type is checked, never trusted
  probs  = softmax(logits, axis=-1)

  scope metrics {
    loss     = mean(sparse_softmax_cross_entropy(logits, label))
    accuracy = mean(cast(argmax(logits, axis=-1) == cast(label, to=i64), to=f32))
  }

  update learn = minimize(metrics.loss, adam(learning_rate=1e-3))

  signature predict(image) -> (probs)
  signature evaluate(image, label) -> (metrics.loss, metrics.accuracy)
  signature fit(image, label) does learn -> (metrics.loss, metrics.accuracy)

  train {
    run        = fit
    data       = { image = idx("train-images-idx3-ubyte")[0:55000], label = idx("train-labels-idx1-ubyte")[0:55000] }
    validate   = { run = evaluate, data = { image = idx("train-images-idx3-ubyte")[55000:60000],
                                            label = idx("train-labels-idx1-ubyte")[55000:60000] } }   # after each epoch
    batch      = 32
    shuffle    = true
    epochs     = 5
    checkpoint = { every = 500, to = "ckpt/mnist-{step}.safetensors", keep = 3 }
    summary    = { every = 50, of = [metrics.loss, metrics.accuracy] }
  }
}
`;

test("the whole file of the design is typed as written", (t) => {
  const { graph: g, diagnostics, files } = load(mnist);
  t.deepEqual(diagnostics, []);
  if (g === undefined) return t.fail("no graph");
  t.is(g.name, "mnist");
  t.is(g.seed, 42n);
  t.deepEqual(
    g.dims.map(({ name, bound }) => [name, bound]),
    [["N", 1024]],
  );
  const trained = ["hidden/dense/w", "hidden/dense/b", "logits/dense/w", "logits/dense/b"];
  t.deepEqual(
    g.variables.filter(({ trainable }) => trainable).map(({ path }) => path),
    trained,
  );
  const slots = trained.flatMap((path) => ["m", "v", "t"].map((slot) => `learn/adam/${path}/${slot}`));
  t.deepEqual(
    g.variables.filter(({ trainable }) => !trainable).map(({ path }) => path),
    slots,
  );
  const types = [
    "pixels",
    "hidden",
    "logits",
    "probs",
    "metrics.loss",
    "metrics.accuracy",
    "hidden/dense/y",
    "hidden/dropout/keep",
  ].map((name) => {
    const edge = g.inference.names.get(name);
    return edge === undefined ? "nothing" : typeText(edge.type);
  });
  t.deepEqual(types, [
    "f32[N, 784]",
    "f32[N, 128]",
    "f32[N, 10]",
    "f32[N, 10]",
    "f32",
    "f32",
    "f32[N, 128]",
    "bool[N, 128]",
  ]);
  t.deepEqual(
    g.signatures.map(({ name, inputs, updates, training, outputs }) => [name, inputs, updates, training, outputs]),
    [
      ["predict", ["image"], [], false, ["probs"]],
      ["evaluate", ["image", "label"], [], false, ["metrics.loss", "metrics.accuracy"]],
      ["fit", ["image", "label"], ["learn"], true, ["metrics.loss", "metrics.accuracy"]],
    ],
  );
  t.is(g.train?.run, "fit");
  t.deepEqual(g.train?.validate?.data.get("image")?.reference, {
    kind: "idx",
    path: "train-images-idx3-ubyte",
    rows: { start: 55000, stop: 60000 },
  });
  t.deepEqual(g.constraints, []);
  t.true(files.has("main.graph") && files.has("<std>/optimizers.graph"));
});

test("two loads of one text give the same edges", (t) => {
  const [a, b] = [load(mnist).graph, load(mnist).graph];
  t.is(
    a?.training.updates.get("learn")?.assignments.at(-1)?.value,
    b?.training.updates.get("learn")?.assignments.at(-1)?.value,
  );
  t.is(a?.inference.names.get("metrics.loss"), b?.inference.names.get("metrics.loss"));
});

/** Codes that a later stage gives: the differentiation pass, or control flow, which this version does not compile. */
const later = new Set(["G050", "G047", "G052"]);

test("the example of each code gives that code first among its problems", (t) => {
  for (const { code, example } of catalogue) {
    if (example.startsWith("$ ") || later.has(code)) continue;
    const readFile = (path: string): string => (path === "self.graph" ? example : readFileSync(path, "utf8"));
    const { diagnostics, graph: g } = loadGraphFromText(example, "self.graph", { readFile, unused: true });
    t.true(
      diagnostics.some((d) => d.code === code),
      `${code}: ${diagnostics.map((d) => d.code).join(" ")}`,
    );
    t.is(
      g === undefined,
      diagnostics.some((d) => d.severity === "error"),
    );
  }
});

test("every file of the standard library checks by itself", (t) => {
  for (const name of [...preludeFiles, "layers", "optimizers"]) {
    t.deepEqual(loadGraph(`${shippedStdFolder}/${name}.graph`).diagnostics, [], name);
  }
});

test("every example is typed", (t) => {
  const folder = fileURLToPath(new URL("../../../../examples", import.meta.url));
  for (const name of [
    "hello",
    "neuron",
    "activations",
    "backpropagation",
    "least_squares",
    "linear_regression",
    "mnist_softmax",
    "mnist_dnn",
  ]) {
    const { graph: g, diagnostics } = loadGraph(`${folder}/${name}/${name}.graph`);
    t.deepEqual(diagnostics, [], name);
    t.truthy(g);
  }
});

test("a file that cannot be read is a diagnostic", (t) => {
  t.deepEqual(
    loadGraph("/nowhere/at/all.graph").diagnostics.map(({ code }) => code),
    ["G064"],
  );
  t.deepEqual(
    loadGraph("/").diagnostics.map(({ code }) => code),
    ["G064"],
  );
});

/** Words and signs that mutations put where they do not belong. */
const splinters = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "=",
  ":=",
  ":",
  ",",
  ".",
  "...",
  "@",
  "**",
  "-1",
  "0",
  "1.5",
  "true",
  '"s"',
  "f32",
  "i64",
  "N",
  "[N]",
  "x",
  "dense",
  "relu",
  "adam",
  "metrics",
  "training",
  "gradients",
  "minimize",
  "shape(",
  "axis=7",
  'name="a"',
  "frozen",
  "scan",
  "|> ",
  "\n",
  "__proto__",
  "99999999999999999999",
];

test("mutated programs never throw, and always say what is wrong or give a graph", (t) => {
  const tokens = mnist.match(/\w+|\s+|[^\w\s]+/g) ?? [];
  const position = fc.nat(tokens.length - 1);
  const edit = fc.oneof(
    fc.record({ kind: fc.constant("drop" as const), at: position }),
    fc.record({ kind: fc.constant("swap" as const), at: position, with: position }),
    fc.record({ kind: fc.constant("put" as const), at: position, text: fc.constantFrom(...splinters) }),
    fc.record({ kind: fc.constant("replace" as const), at: position, text: fc.constantFrom(...splinters) }),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = [...tokens];
      for (const one of edits) {
        if (one.kind === "drop") text[one.at] = " ";
        else if (one.kind === "put") text[one.at] = `${text[one.at]} ${one.text}`;
        else if (one.kind === "replace") text[one.at] = one.text;
        else [text[one.at], text[one.with]] = [text[one.with] ?? "", text[one.at] ?? ""];
      }
      const { graph: g, diagnostics } = load(text.join(""));
      return (
        (g === undefined) === diagnostics.some((d) => d.severity === "error") || text.join("").indexOf("graph") < 0
      );
    }),
    { numRuns: 150 },
  );
  t.pass();
});
