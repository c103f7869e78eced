import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import { foreignNames, renamed } from "../../dsl/elaborate/foreign.js";
import { compile, GraphError } from "../../index.js";
import { temporaryFolder } from "../runtime/programs.js";

test("what stands in the place of another library's name is a function that the manual has", (t) => {
  const manual = readFileSync("docs/std.md", "utf8");
  const known = new Set([...manual.matchAll(/^### (\w+)$/gm)].map(([, name]) => name));
  for (const [name, ours] of foreignNames) {
    t.false(known.has(name), name);
    for (const [, called] of ours.matchAll(/(?<!fn )\b(\w+)\(/g)) t.true(known.has(called), `${name}: ${called}`);
  }
  for (const [name, ours] of renamed) {
    t.false(known.has(name) || foreignNames.has(name), name);
    t.true(known.has(ours), `${name}: ${ours}`);
  }
});

test("names, methods and parameters of other libraries are answered with those of this one", async (t) => {
  const path = join(temporaryFolder(t), "model.graph");
  const hintOf = async (expression: string): Promise<string | undefined> => {
    writeFileSync(path, `graph g {\n  placeholder x: f32[2, 4]\n  y = ${expression}\n}\n`);
    const error = await t.throwsAsync(() => compile(path), { instanceOf: GraphError });
    return error instanceof GraphError ? error.diagnostics[0]?.hint : undefined;
  };
  t.is(await hintOf("True"), "write `true`");
  t.regex((await hintOf("cross_entropy(x, x)")) ?? "", /^write `sparse_softmax_cross_entropy/);
  t.regex((await hintOf("torch.relu(x)")) ?? "", /bare names/);
  t.is(await hintOf("x.relu()"), "tensors have no methods: `relu(x)`, or `x |> relu()`");
  t.is(await hintOf("x.T"), "tensors have no methods: write `transpose(x)`");
  t.is(await hintOf("x.nothing"), "`.` enters a scope");
  t.is(await hintOf("softmax(x, dim=1)"), "here it is called `axis`");
  t.is(await hintOf("cast(x, to=float64)"), "write `f64`");
});

/** What newcomers write in a graph where x is f32[N, 3], with all the problems that they are told: code, and a part of the hint. */
const slips: readonly (readonly [string, ...(readonly [string, string])[]])[] = [
  ["y = np.mean(x, axis=0)", ["G012", "bare names: `mean(...)`"]],
  ["y = np.array([1.0, 2.0])", ["G012", "a nested list is a tensor"]],
  ["y = F.cross_entropy(x, x)", ["G012", "sparse_softmax_cross_entropy(logits, label)"]],
  ["y = torch.nothing(x)", ["G012", "docs/std.md has them all"]],
  ["y = random.normal([3])", ["G012", "`random_normal(...)`"]],
  ["y = tf.dense(x)", ["G012", "`dense(...)`"]],
  ["y = x.reshape(-1, 2)", ["G016", "`reshape(x, ...)`, or `x |> reshape(...)`"]],
  ["y = x.sum()", ["G016", "`sum(x)`, or `x |> sum()`"]],
  ["placeholder z: f32[None, 3]", ["G017", "a size that feeds decide is a dim"]],
  ["placeholder z: f32[?, 3]", ["G001", "a size that feeds decide is a dim"]],
  ["y = map(lambda a: a + 1, x)", ["G002", "a function has a name"]],
  ["y = [a * 2 for a in [1, 2]]", ["G002", "work on whole tensors"]],
  ["y = x if training else x * 2", ["G002", "if condition { yield a } else { yield b }"]],
  ["y = training ? x : x * 2", ["G001", "select(condition, a, b)"]],
  ["y = zeros((3, 4))", ["G002", "square brackets"]],
  ["y = relu(*x)", ["G002", "not unpacked"]],
  ["y = x is 3", ["G002", "`==` compares"]],
  ["y = 3 in [1, 2]", ["G002", "scan x in xs"]],
  ["y = x .+ 1", ["G002", "`+` works element by element"]],
  ["y = sin.(x)", ["G002", "`sin(x)`"]],
  ["y = x' * x", ["G001", "`transpose(x)`"]],
  ['d = {"a": 1}', ["G002", "stands in `train` only"]],
  ["variable w: f32[3]", ["G002", "a first value"]],
  ["x[0] = 1.0", ["G004", "scatter(x, [0], [value])"]],
  ["x[:, 0]", ["G004", "bind it"]],
  ["print(x)", ["G004", "graphc run FILE --fetch NAME"]],
  ["assert(x)", ["G004", "require rate >= 0"]],
  ["x.append(x)", ["G004", "lists do not grow"]],
  ["x.backward()", ["G004", "gradients(loss, [w])"]],
  ["float y = 3", ["G004", "`y: f32 = ...`"]],
  ["from std.layers import dense", ["G004", 'import { dense } from "std/layers"']],
  ["import numpy as np", ["G004", "activations, losses and the like need none"]],
  ["end", ["G004", "a block ends with `}`"]],
  ['y = zeros([3], dtype="float32")', ["G031", "write `f32`"]],
  ['y = zeros([3], dtype="big")', ["G031", "without quotes: f64, f32"]],
  ["y = relu(x, activation=x)", ["G030", "a call of its own"]],
  ["y = x[:, newaxis]", ["G012", "expand_dims(x, axis)"]],
  ["opt = Adam(lr=0.001)", ["G012", "`adam(learning_rate=1e-3)`"]],
  ["y = tf.keras.layers.Dense(4)", ["G012", "`dense(x, units=10)` of std/layers"]],
  ["y = np.pi * x", ["G012", "3.141592653589793"]],
  ["y = tf.constant([1, 2])", ["G012", "a nested list is a tensor"]],
  ["y = nn.Parameter(zeros([3]))", ["G012", "`variable w: f32[3, 3] = zeros()`"]],
  ["y = placeholder(f32, [3])", ["G012", "`placeholder x: f32[N, 3]`"]],
  ["y = categorical_crossentropy(x, x)", ["G012", "`sparse_softmax_cross_entropy(logits, label)` of class numbers"]],
  ["y = nn.CrossEntropyLoss(x, x)", ["G012", "`sparse_softmax_cross_entropy(logits, label)` of class numbers"]],
  ["y = tf.keras.Dense(4)(x)", ["G002", "a layer takes its input"]],
  ["y = null", ["G012", "what may be left out"]],
  ["y = self.w", ["G012", "by their names alone"]],
  ["y = x.dtype", ["G016", "`dtype_of(x)`"]],
  ["y = x.item()", ["G016", "what a signature names"]],
  ["y = x |> print", ["G012", "graphc run FILE --fetch NAME"]],
  ["f = lambda a: a + 1", ["G002", "a function has a name"]],
  ["y = stack(x, x)", ["G031", "`stack([a, b], axis=0)`"]],
  ["y = zeros(3, 4)", ["G031", "`zeros([3, 4])`"]],
  ['y = einsum(x, "ij->i")', ["G031", "the equation stands first"]],
  ["y = {a: 1}", ["G002", "stands in `train` only"]],
  ["y: f32[N, 3]", ["G002", "a binding has a value"]],
  ["y: [N, 3] = x", ["G002", "starts with a dtype"]],
  ["y: f32[:, 3] = x", ["G002", "a size that feeds decide is a dim"]],
  ["y: f32(3) = x", ["G002", "`f32[3]`"]],
  ["y = if training then 1 else 2", ["G002", "in braces"]],
  ["y = x as f64", ["G002", "`cast(x, to=f32)`"]],
  ["y = x is not 3", ["G002", "`!=`"]],
  ["y = 3 << 2", ["G002", "`shift_left(x, n)`"]],
  ["y = \u221Ax", ["G001", "`sqrt(x)`"]],
  ["(a, b) = split(x, 3, axis=1)", ["G004", "without brackets"]],
  ["fit(x)", ["G004", "`graphc train FILE`"]],
  ["optimizer.zero_grad()", ["G004", "computed anew"]],
  ["switch x { }", ["G004", "else if b"]],
  ['""" doc """', ["G004", "`##`"]],
];

test("slips of newcomers are told once, with what is written here", async (t) => {
  const path = join(temporaryFolder(t), "model.graph");
  for (const [statement, ...wanted] of slips) {
    writeFileSync(path, `graph g {\n  dim N <= 8\n  placeholder x: f32[N, 3]\n  ${statement}\n  last = x + 1\n}\n`);
    const error = await t.throwsAsync(() => compile(path), { instanceOf: GraphError }, statement);
    const told = error instanceof GraphError ? error.diagnostics : [];
    t.deepEqual(
      told.map(({ code }) => code),
      wanted.map(([code]) => code),
      statement,
    );
    for (const [i, [, hint]] of wanted.entries())
      t.true(told[i]?.hint?.includes(hint), `${statement}: ${told[i]?.hint}`);
  }
});

/** What newcomers write where x is f32[N, 3] and w f32[3, 3], and what the fix makes of it. */
const respellings: readonly (readonly [string, string])[] = [
  ["y = np.mean(x, axis=0)", "y = mean(x, axis=0)"],
  ["y = tf.nn.softmax(x)", "y = softmax(x)"],
  ["y = tf.reduce_sum(x)", "y = sum(x)"],
  ["y = np.isnan(x)", "y = is_nan(x)"],
  ["y = x.T", "y = transpose(x)"],
  ["y = x @ w.T", "y = x @ transpose(w)"],
  ["y = x.sum()", "y = sum(x)"],
  ["y = x.sum(axis=0)", "y = sum(x, axis=0)"],
  ["y = x.reshape([-1])", "y = reshape(x, [-1])"],
  ["y = x.std()", "y = standard_deviation(x)"],
  ["y = x.shape", "y = shape(x)"],
  ["y = f32(x)", "y = cast(x, to=f32)"],
  ["y = int(x)", "y = cast(x, to=i64)"],
  ["y: float = 3.0", "y: f32 = 3.0"],
  ["y: float32[N, 3] = x", "y: f32[N, 3] = x"],
  ['y = cast(x, "f64")', "y = cast(x, f64)"],
  ["y = cast(x, dtype=f64)", "y = cast(x, to=f64)"],
  ["v = variable(zeros([3]))", "variable v = zeros([3])"],
  ["v = tf.Variable(zeros([3]))", "v = tf.Variable(zeros([3]))"],
  ["y = max(w, 2 * w)", "y = maximum(w, 2 * w)"],
  ["y = min(x, 0.5)", "y = minimum(x, 0.5)"],
  ["y = reshape(w, 1, 9)", "y = reshape(w, [1, 9])"],
  ["y = True", "y = true"],
  ["y = 1.5f", "y = 1.5"],
  ["y = x \u00F7 2", "y = x / 2"],
  ["y <- x", "y = x"],
  ["y = 2 * x  // twice", "y = 2 * x  # twice"],
  ["y = x  -- a", "y = x  # a"],
];

test("what is spelt otherwise elsewhere is respelt by its fix", async (t) => {
  const path = join(temporaryFolder(t), "model.graph");
  const textOf = (statement: string): string =>
    `graph g {\n  dim N <= 8\n  placeholder x: f32[N, 3]\n  variable w: f32[3, 3] = zeros()\n  ${statement}\n}\n`;
  const problemsOf = async (text: string): Promise<readonly Diagnostic[]> => {
    writeFileSync(path, text);
    try {
      await compile(path);
      return [];
    } catch (error) {
      if (error instanceof GraphError) return error.diagnostics;
      throw error;
    }
  };
  for (const [statement, wanted] of respellings) {
    const text = textOf(statement);
    const edits = (await problemsOf(text))[0]?.fixes?.[0]?.edits ?? [];
    const mended = [...edits]
      .sort((a, b) => b.span.start - a.span.start)
      .reduce((result, { span, text: next }) => result.slice(0, span.start) + next + result.slice(span.end), text);
    t.is(mended, textOf(wanted), statement);
    if (statement !== wanted) t.deepEqual(await problemsOf(mended), [], wanted);
  }
});
