import test from "ava";
import { graph, graphOf, notes, problems, run } from "./support.js";

const assigned = (text: string, update: string): readonly string[] =>
  graphOf(text)
    .training.updates.get(update)
    ?.assignments.map(({ path }) => path) ?? [];

test("inside a block a read after an assignment sees the new value; elsewhere the start's", (t) => {
  const g = graphOf(
    graph(
      "variable a: f32 = 1",
      "variable b: f32 = 10",
      "sum_before = a + b",
      "update u {",
      "  a := a + 1",
      "  b := b + a",
      "  a := a * 2",
      "  seen = a + sum_before",
      "}",
    ),
  );
  const results = run(g, ["sum_before", "a", "u/seen"], { updates: ["u"] });
  t.deepEqual(
    [...results],
    [
      [":= a", [4]],
      [":= b", [12]],
      ["sum_before", [11]],
      ["a", [4]],
      ["u/seen", [15]],
    ],
  );
});

test("updates and signatures look ahead", (t) => {
  t.deepEqual(
    problems(
      graph(
        "update u {",
        "  w := w - later",
        "}",
        "signature s() does u -> (later)",
        "variable w: f32 = 0",
        "later = w + 1",
      ),
    ),
    [],
  );
});

test("only variables are assigned, with values of their type", (t) => {
  const text = graph(
    "variable w: f32[2] = zeros()",
    "placeholder x: f32",
    "y = w + 1",
    "update u {",
    "  y := w",
    "  x := 1.0",
    "  w := x",
    "  w := 0",
    "  v := w",
    "  w := cast(w, to=f64)",
    "}",
  );
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G041 6:5 `y` is the tensor f32[2], not a variable",
      "G041 7:5 `x` is the tensor f32, not a variable",
      "G023 8:10 the new value of `w` is f32, not f32[2]",
      "G012 10:5 unknown name `v`",
      "G023 11:10 the new value of `w` is f64[2], not f32[2]",
    ],
  );
});

test("a fn assigns its own variables only, in training mode, when its outputs are part of the run", (t) => {
  const text = `fn count(x: f32) -> (y: f32) {
  variable n: f32 = 0 frozen
  n := n + 1
  y = x + n
}
${graph("a = count(1.0)", "b = 2.0 * 3.0")}`;
  const g = graphOf(text);
  t.deepEqual(
    [...run(g, ["a"], { training: true })],
    [
      [":= a/count/n", [1]],
      ["a", [2]],
    ],
  );
  t.deepEqual([...run(g, ["a"])], [["a", [1]]]);
  t.deepEqual([...run(g, ["b"], { training: true })], [["b", [6]]]);
  const other = `fn f(w: f32) -> (y: f32) {\n  w := w + 1\n  y = w\n}\n${graph("variable w: f32 = 0", "y = f(w)")}`;
  t.deepEqual(
    problems(other).map((p) => p.replace(/ \(.*/, "")),
    ["G041 2:3 `w` is the tensor f32, not a variable"],
  );
});

const model = (update: string): string => `import { adam, sgd } from "std/optimizers"
${graph("placeholder x: f32[2] = [1, 2]", "variable w: f32[2] = ones()", "variable b: f32 = 0", "variable f: f32 = 1 frozen", "variable n: i64 = 3", "variable other: f32 = 1", "loss = sum(w * x * f) + b", update)}`;

test("minimize trains the non-frozen float variables that the loss reaches", (t) => {
  t.deepEqual(assigned(model("update learn = minimize(loss, sgd(0.1))"), "learn"), ["w", "b"]);
  t.deepEqual(assigned(model("update learn = minimize(loss, sgd(0.1), variables=[b])"), "learn"), ["b"]);
  const slots = graphOf(model("update learn = minimize(loss, adam())")).variables.map(
    ({ path, trainable }) => `${path}${trainable ? "" : " -"}`,
  );
  t.deepEqual(slots, [
    "w",
    "b",
    "f -",
    "n -",
    "other",
    "learn/adam/w/m -",
    "learn/adam/w/v -",
    "learn/adam/w/t -",
    "learn/adam/b/m -",
    "learn/adam/b/v -",
    "learn/adam/b/t -",
  ]);
  t.true(
    graphOf(model('update learn = minimize(loss, adam(name="fast"))')).variables.some(
      ({ path }) => path === "learn/fast/w/m",
    ),
  );
});

test("minimize moves against the gradient, clipped by the norm of all", (t) => {
  const plain = run(graphOf(model("update learn = minimize(loss, sgd(0.5))")), ["b"], { updates: ["learn"] });
  t.deepEqual(
    [...plain],
    [
      [":= w", [0.5, 0]],
      [":= b", [-0.5]],
      ["b", [-0.5]],
    ],
  );
  const clipped = run(graphOf(model("update learn = minimize(loss, sgd(1.0), clip=global_norm(0.5))")), [], {
    updates: ["learn"],
  });
  const norm = Math.sqrt(1 + 4 + 1);
  const expected = [1 - 0.5 / norm, 1 - 1 / norm, -0.5 / norm];
  const got = [...(clipped.get(":= w") ?? []), ...(clipped.get(":= b") ?? [])];
  t.true(
    got.every((x, i) => Math.abs(x - (expected[i] ?? 0)) < 1e-6),
    String(got),
  );
  const each = run(graphOf(model("update learn = minimize(loss, sgd(1.0), clip=clamp(-0.25, 0.25))")), [], {
    updates: ["learn"],
  });
  t.deepEqual(
    [...each],
    [
      [":= w", [0.75, 0.75]],
      [":= b", [-0.25]],
    ],
  );
});

test("what keeps a loss from its variables is named", (t) => {
  const text = graph(
    "placeholder x: f32[3]",
    "variable w: f32[3] = ones()",
    "variable apart: f32 = 0.0",
    "variable still: f32 = 0.0 frozen",
    "best = argmax(x * w)",
    "update learn = minimize(cast(best, to=f32), sgd(0.1))",
  );
  t.deepEqual(notes(`import { sgd } from "std/optimizers"\n${text}`), [
    "4:3 the loss has no gradient path to `w`",
    "7:10 `argmax` cuts the gradient here: argmax is piecewise constant",
    "5:3 the loss does not depend on `apart`",
    "6:3 `still` is frozen",
  ]);
});

test("minimize refuses what it cannot train", (t) => {
  const first = (update: string): string => problems(model(update))[0]?.replace(/ \(.*/, "") ?? "fine";
  t.is(
    first("update learn = minimize(f * 2, sgd(0.1))"),
    "G048 10:27 the loss reaches no variable that can be trained",
  );
  t.is(first("update learn = minimize(loss, sgd(0.1), variables=[x])"), "G041 10:54 `x` owns no variables");
  t.is(
    first("update learn = minimize(loss, sgd(0.1), variables=[n])"),
    "G051 10:54 only floats can be trained, and `n` is i64",
  );
  t.is(first("update learn = minimize(loss)"), "G030 10:18 `minimize` needs the argument `optimizer`");
  t.is(first("update learn = minimize(loss, relu(1.0))"), "G031 10:33 an optimizer is needed here, not a function");
  t.is(first("update learn = minimize(loss, sgd(rate=0.1))"), "G030 10:37 `sgd` has no parameter `rate`");
  t.is(
    first("update learn = minimize(cast(loss, to=i64), sgd(0.1))"),
    "G051 10:27 only floats have gradients, and the loss is i64",
  );
  t.is(first("update learn = loss"), "G043 10:18 `update NAME = ...` takes `minimize(loss, optimizer(...))`");
  t.is(first("y = minimize(loss, sgd(0.1))"), "G043 10:7 `minimize` makes an update, not a value");
  t.is(first("y = sgd(0.1)"), "G016 10:7 the optimizer `sgd` makes an update, not a value");
  t.is(first("update learn = minimize(losss, sgd(0.1))"), "G012 10:27 unknown name `losss`");
  t.is(first("update learn = minimize(loss, sdg(0.1))"), "G012 10:33 unknown name `sdg`");
});

test("an optimizer of one's own assigns p and its slots", (t) => {
  const text = `optimizer heavy(p, g, rate: f32 = 0.1, decay: float = 0.5) {
  variable v = zeros_like(p)
  v := decay * v + g
  p := p - rate * v
}
${graph("variable w: f32 = 2", "loss = w * w", "update learn = minimize(loss, heavy())")}`;
  t.deepEqual(
    [...run(graphOf(text), ["w"], { updates: ["learn"] })],
    [
      [":= learn/heavy/w/v", [4]],
      [":= w", [Math.fround(2 - Math.fround(0.1) * 4)]],
      ["w", [Math.fround(2 - Math.fround(0.1) * 4)]],
    ],
  );
});

test("signatures: inputs are placeholders, outputs and updates exist, and what is read is fed", (t) => {
  const text = graph(
    "placeholder x: f32",
    "placeholder d: f32 = 1",
    "variable w: f32 = 0",
    "y = x + d * w",
    "scope metrics {",
    "  loss = y * 2",
    "}",
    "update u {",
    "  w := y",
    "}",
    'title = "a"',
    "signature a(x) -> (y, metrics.loss, w, title)",
    "signature b() -> (y)",
    "signature c(y) -> (w)",
    "signature e(z) -> (w)",
    "signature f(x) -> (los, loss)",
    "signature h(x) does v -> (y)",
    "signature i(x) does y -> (y)",
    "signature j(x, x) -> (y)",
    "signature k(x) -> (metrics)",
    "signature l() does u -> (w)",
    "signature a(x) -> (y)",
  );
  t.deepEqual(problems(text), [
    "G044 14:13 the signature `b` reads `x`, which is not among its inputs (`signature b(x)`)",
    "G045 15:15 `y` is a binding, not a placeholder (the inputs of a signature are placeholders; what it gives stands after `->`)",
    "G012 16:15 unknown placeholder `z`",
    "G012 17:22 unknown name `los`",
    "G012 17:27 unknown name `loss` (did you mean `metrics.loss`?)",
    "G012 18:23 unknown update `v`",
    "G016 19:23 `y` is a binding, not an update",
    "G015 20:18 the input `x` is named twice",
    "G016 21:22 `metrics` is a scope, which has no value to fetch (name an edge of it: `metrics.NAME`)",
    "G044 22:13 the signature `l` reads `x`, which is not among its inputs (`signature l(x)`)",
    "G010 23:13 the signature `a` is declared twice",
  ]);
  const unfed = graph(
    "placeholder x: f32",
    "placeholder d: f32 = 1",
    "variable w: f32 = 0",
    "y = x + d",
    "update u {",
    "  w := y",
    "}",
    "signature b(d) -> (y)",
    "signature l() does u -> (w)",
  );
  t.deepEqual(problems(unfed), [
    "G044 9:13 the signature `b` reads `x`, which is not among its inputs (`signature b(d, x)`)",
    "G044 10:13 the signature `l` reads `x`, which is not among its inputs (`signature l(x)`)",
  ]);
});

test("training is true in a signature that does an update; the attribute overrides", (t) => {
  const g = graphOf(
    graph(
      "variable w: f32 = 0",
      "update u {",
      "  w := 1",
      "}",
      "signature a() -> (w)",
      "signature b() does u -> (w)",
      "signature c() training=true -> (w)",
      "signature d() does u training=false -> (w)",
    ),
  );
  t.deepEqual(
    g.signatures.map(({ training }) => training),
    [false, true, true, false],
  );
});
