import test from "ava";
import type { Binding, Expression, GraphDeclaration, Statement } from "../../dsl/ast.js";
import { GraphParser } from "../../dsl/grammar.js";
import { makeLexer } from "../../dsl/lex.js";
import { parse } from "../../dsl/parse.js";
import { pathOf } from "../../dsl/paths.js";

const listing = `## A two-layer perceptron for MNIST, and the step that trains it.
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

const fragments = `optimizer adam(p, g, learning_rate: f32 = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7) {
  variable m = zeros_like(p)
  variable v = zeros_like(p)
  variable t: i64 = 0
  t := t + 1
  m := beta1 * m + (1 - beta1) * g
  v := beta2 * v + (1 - beta2) * g ** 2
  k = cast(t, to=f32)
  p := p - learning_rate * (m / (1 - beta1 ** k)) / (sqrt(v / (1 - beta2 ** k)) + epsilon)
}
graph g {
placeholder rate: f32 = 0.5                          # a default: feeding it is optional
constant k: f32[2, 2] = [[1, 2], [3, 4]]
variable mean_x: f32[32] = zeros() frozen            # not trainable
greeting = "Hello, graph!"                           # a string constant can be fetched
dw, db = gradients(loss, [w, b])
update learn_by_hand {                               # a named, atomic group of assignments: TensorFlow's train op
  w := w - rate * dw
  b := b - rate * db
}
last, states = scan(reverse=false, checkpoint=true) x in xs with h = h0 {   # over axis 0; carries first, then stacked yields
  s = tanh(x @ wx + h @ wh)
  next h = s
  yield s
}
root, n = while abs(x ** 2 - 2) > tol and i < 50 with x = 1.0, i = 0 {
  next x = x - (x ** 2 - 2) / (2 * x)
  next i = i + 1
}
y = if big { yield a * 2 } else { yield a }
z = y[..., 0:32:2]
q = last |> layer_norm() |> dense(units=10) |> softmax(axis=-1)
}
`;

function graphOf(text: string): GraphDeclaration {
  const { ast, diagnostics } = parse(text, "x.graph");
  const graph = ast.items.find((item) => item.kind === "graph");
  if (diagnostics.length > 0 || graph === undefined) throw new Error(diagnostics.map((d) => d.message).join("\n"));
  return graph;
}

function statements(...lines: string[]): readonly Statement[] {
  return graphOf(`graph g {\n${lines.join("\n")}\n}\n`).body.statements;
}

function binding(text: string): Binding {
  const [first] = statements(text);
  if (first?.kind !== "binding") throw new Error("not a binding");
  return first;
}

/** The tree of an expression with all its brackets. */
function shape(text: string): string {
  const { value } = binding(`y = ${text}`);
  if (value.kind === "scan" || value.kind === "while" || value.kind === "if") throw new Error("a region");
  return show(value);
}

function show(e: Expression): string {
  switch (e.kind) {
    case "binary":
      return `(${show(e.left)} ${e.operator} ${show(e.right)})`;
    case "unary":
      return `(${e.operator} ${show(e.operand)})`;
    case "pipe":
      return `(${show(e.input)} |> ${show(e.call)})`;
    case "call":
      return `${e.callee.text}(${e.arguments.map((a) => `${a.name === undefined ? "" : `${a.name.name}=`}${show(a.value)}`).join(", ")})`;
    case "index":
      return `${show(e.target)}[${e.items.length}]`;
    case "list":
      return `[${e.items.map(show).join(", ")}]`;
    case "record":
      return `{${e.fields.map((f) => `${f.name.text}=${show(f.value)}`).join(", ")}}`;
    case "integer":
    case "float":
    case "reference":
      return e.text;
    case "boolean":
      return String(e.value);
    case "string":
      return JSON.stringify(e.value);
    case "ellipsis":
      return "...";
  }
}

test("chevrotain finds no ambiguity and no conflict in the grammar", (t) => {
  t.notThrows(() => makeLexer({ validate: true }));
  t.notThrows(() => new GraphParser({ validate: true }));
});

test("the whole file of the language's description", (t) => {
  const { ast, diagnostics, source } = parse(listing, "mnist.graph");
  t.deepEqual(diagnostics, []);
  t.deepEqual(
    ast.items.map((item) => item.kind),
    ["import", "fn", "graph"],
  );
  t.is(ast.doc?.text, "A two-layer perceptron for MNIST, and the step that trains it.");
  const [, fn, graph] = ast.items;
  if (fn?.kind !== "fn" || graph?.kind !== "graph") return t.fail();
  t.is(fn.doc?.text, "A fully connected layer. Each call owns its own `w` and `b`.");
  t.deepEqual(
    fn.typeParameters.map((p) => [p.name.name, p.bound?.name]),
    [
      ["T", "float"],
      ["I", undefined],
    ],
  );
  t.deepEqual(
    fn.parameters.map((p) => p.name.name),
    ["x", "units"],
  );
  t.deepEqual(
    graph.body.statements.map((s) => s.kind),
    [
      "seed",
      "dim",
      "placeholder",
      "placeholder",
      "binding",
      "binding",
      "binding",
      "binding",
      "scope",
      "update",
      "signature",
      "signature",
      "signature",
      "train",
    ],
  );
  const fit = graph.body.statements[12];
  if (fit?.kind !== "signature") return t.fail();
  t.deepEqual(
    fit.inputs.map((p) => p.text),
    ["image", "label"],
  );
  t.deepEqual(
    fit.does.map((p) => p.text),
    ["learn"],
  );
  t.deepEqual(
    fit.outputs.map((p) => p.text),
    ["metrics.loss", "metrics.accuracy"],
  );
  const train = graph.body.statements[13];
  if (train?.kind !== "train") return t.fail();
  t.deepEqual(
    train.fields.map((f) => f.name.text),
    ["run", "data", "validate", "batch", "shuffle", "epochs", "checkpoint", "summary"],
  );
  t.is(source.comments.filter((c) => !c.ownLine).length, 3);
});

test("the fragments of the language's description", (t) => {
  const { ast, diagnostics } = parse(fragments, "x.graph");
  t.deepEqual(diagnostics, []);
  const [optimizer, graph] = ast.items;
  if (optimizer?.kind !== "optimizer" || graph?.kind !== "graph") return t.fail();
  t.deepEqual(
    optimizer.body.statements.map((s) => s.kind),
    ["variable", "variable", "variable", "assignment", "assignment", "assignment", "binding", "assignment"],
  );
  const { statements: all } = graph.body;
  const variable = all[2];
  t.true(variable?.kind === "variable" && variable.frozen);
  const scan = all[6];
  if (scan?.kind !== "binding" || scan.value.kind !== "scan") return t.fail();
  t.deepEqual(
    scan.targets.map((x) => x.name.name),
    ["last", "states"],
  );
  t.deepEqual(
    scan.value.options.map((o) => o.name?.name),
    ["reverse", "checkpoint"],
  );
  t.deepEqual(
    scan.value.sequences.map((q) => q.name.name),
    ["x"],
  );
  t.deepEqual(
    scan.value.carries.map((c) => c.name.name),
    ["h"],
  );
  t.deepEqual(
    scan.value.body.statements.map((s) => s.kind),
    ["binding", "next", "yield"],
  );
  const loop = all[7];
  if (loop?.kind !== "binding" || loop.value.kind !== "while") return t.fail();
  t.is(show(loop.value.condition), "((abs(((x ** 2) - 2)) > tol) and (i < 50))");
  const choice = all[8];
  t.true(choice?.kind === "binding" && choice.value.kind === "if" && choice.value.branches.length === 1);
});

test("precedence is Python's", (t) => {
  // The right column is what Python 3's ast module gives for the same text.
  const rows: readonly (readonly [string, string])[] = [
    ["a + b * c", "(a + (b * c))"],
    ["a - b - c", "((a - b) - c)"],
    ["a ** b ** c", "(a ** (b ** c))"],
    ["-a ** 2", "(- (a ** 2))"],
    ["2 ** -a", "(2 ** (- a))"],
    ["2 ** -a ** b * c", "((2 ** (- (a ** b))) * c)"],
    ["-a * b", "((- a) * b)"],
    ["a @ b // c % d", "(((a @ b) // c) % d)"],
    ["not a == b", "(not (a == b))"],
    ["not a and b or c", "(((not a) and b) or c)"],
    ["a or b and not c", "(a or (b and (not c)))"],
    ["a < b and c >= d", "((a < b) and (c >= d))"],
    ["- - +a", "(- (- (+ a)))"],
    ["-x[0] ** y[1:2]", "(- (x[1] ** y[1]))"],
    ["(a + b) * c", "((a + b) * c)"],
    ["a + b |> f(c) |> g", "(((a + b) |> f(c)) |> g())"],
  ];
  for (const [text, expected] of rows) t.is(shape(text), expected, text);
});

test("statement words are names where a name stands", (t) => {
  t.deepEqual(
    statements(
      "seed = 1",
      "scope = seed",
      "train, yield = f(next=scope, seed=3, constant=true, not=1)",
      "update u = dim(in=2)",
      "with: f32 = metrics.update.true",
    ).map((s) => s.kind),
    ["binding", "binding", "binding", "update", "binding"],
  );
  const [statement] = statements("y = scan in in with with with = with { next with = in }");
  t.true(
    statement?.kind === "binding" &&
      statement.value.kind === "scan" &&
      statement.value.carries[0]?.name.name === "with",
  );
});

test("literals", (t) => {
  t.is(shape("[1_000, 1e-3, 0.5, inf, -nan, true, [...], {}]"), "[1_000, 1e-3, 0.5, inf, (- nan), true, [...], {}]");
  t.is(shape('"a\\"b\\\\\\n\\u{1F600}"'), JSON.stringify('a"b\\\n\u{1F600}'));
  t.is(shape("-9223372036854775808"), "(- 9223372036854775808)");
  const { value } = binding("y = 1_000_000");
  t.true(value.kind === "integer" && value.value === 1_000_000n);
});

test("slices, paths, types", (t) => {
  const { value } = binding("y = z[..., 0:32:2, :, i, ::2, 1:]");
  if (value.kind !== "index") return t.fail();
  t.deepEqual(
    value.items.map((i) => i.kind),
    ["ellipsis", "slice", "slice", "reference", "slice", "slice"],
  );
  const path = binding("y = learn / adam / hidden.dense / w").value;
  t.is(path.kind === "binary" ? pathOf(path)?.text : undefined, "learn/adam/hidden.dense/w");
  const other = binding("y = a / 2").value;
  t.is(other.kind === "binary" ? pathOf(other) : null, undefined);
  const [placeholder] = statements("placeholder x: T[..., N // 2, 28 * 28] = 1");
  t.true(
    placeholder?.kind === "placeholder" &&
      placeholder.type.kind === "named-type" &&
      placeholder.type.dims?.length === 3,
  );
  const { ast, ok } = parse("fn f(xs: list[f32[N]], ys: list, n: int = 1,) -> (a: f32, b,) {\n}\n", "x.graph");
  t.true(ok && ast.items[0]?.kind === "fn" && ast.items[0].parameters[0]?.type?.kind === "list-type");
});

test("a bracket on the next line is not a call or an index; an operator there goes on", (t) => {
  t.is(statements("y = a", "  + b").length, 1);
  t.is(statements("y = a", "  |> f(1)").length, 1);
  t.is(parse("graph g {\n  y = f\n  (1)\n}\n", "x.graph").diagnostics[0]?.code, "G004");
});

test("a right file is read however it is laid out", (t) => {
  t.is(statements("y = f(", "a = 1,", "b = [", "c, d, e],", "g=z[a +", "b: 3])", "h = f(a +", "b, c=3)").length, 2);
});

test("else if", (t) => {
  const { value } = binding("y = if a { yield 1 } else if b { yield 2 } else { yield 3 }");
  t.true(value.kind === "if" && value.branches.length === 2);
});

test("spans reach from the first to the last character, brackets included", (t) => {
  const text = "graph g {\n  y = (a + b) * c\n}\n";
  const [statement] = graphOf(text).body.statements;
  if (statement?.kind !== "binding" || statement.value.kind !== "binary") return t.fail();
  const { value } = statement;
  t.is(text.slice(value.span.start, value.span.end), "(a + b) * c");
  t.is(text.slice(value.left.span.start, value.left.span.end), "a + b");
  t.is(text.slice(value.operatorSpan.start, value.operatorSpan.end), "*");
  t.is(text.slice(statement.span.start, statement.span.end), "y = (a + b) * c");
});

test("documentation belongs to what follows", (t) => {
  const { ast, diagnostics } = parse(
    "## The file.\n\n## The graph,\n## in two lines.\ngraph g {\n  ## An edge.\n  y = 1\n  ## A field's.\n  train {\n    ## Rows.\n    batch = 3\n  }\n}\n",
    "x.graph",
  );
  t.deepEqual(diagnostics, []);
  t.is(ast.doc?.text, "The file.");
  const [graph] = ast.items;
  if (graph?.kind !== "graph") return t.fail();
  t.is(graph.doc?.text, "The graph,\nin two lines.");
  const [edge, train] = graph.body.statements;
  t.is(edge?.kind === "binding" ? edge.doc?.text : "", "An edge.");
  t.is(train?.kind === "train" ? train.fields[0]?.doc?.text : "", "Rows.");
});

test("a name like __proto__ is a name", (t) => {
  const { ok, diagnostics } = parse(
    "graph __proto__ {\n  constructor = f(__proto__=1, toString=2)\n  __proto__, valueOf = g({ __proto__ = 1, hasOwnProperty = 2 })\n}\n",
    "x.graph",
  );
  t.deepEqual(diagnostics, []);
  t.true(ok);
});
