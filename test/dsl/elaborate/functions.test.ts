import test from "ava";
import { graph, graphOf, notes, problems, types, value } from "./support.js";

const dense = `fn dense[T: float, I](x: T[..., I], units: int) -> (y: T[..., units]) {
  variable w: T[I, units] = glorot_uniform()
  variable b: T[units] = zeros()
  y = x @ w + b
}
`;

const paths = (text: string): readonly string[] => graphOf(text).variables.map(({ path }) => path);

test("type, size and pack parameters are inferred at the call", (t) => {
  const text =
    dense + graph("dim N", "placeholder x: f64[N, 5, 4]", "y = dense(x, units=3)", "z = dense([1.0, 2.0], 7)");
  t.deepEqual(types(text, "y", "z", "y/dense/w", "z/dense/w"), ["f64[N, 5, 3]", "f32[7]", "f64[4, 3]", "f32[2, 7]"]);
});

test("a literal argument takes the bound dtype, or a float where one is needed", (t) => {
  const text = `fn plus[T: float](a: T[...], b: T[...]) -> (y: T[...]) {
  y = a + b
}
${graph("placeholder h: f16[2]", "u = plus([1, 2], h)", "v = plus(1, 2.5)", "w = relu([1, 2])")}`;
  t.deepEqual(types(text, "u", "v", "w"), ["f16[2]", "f32", "f32[2]"]);
});

test("what does not match a parameter is shown with both places", (t) => {
  const text =
    `fn f[T: float, I](a: T[..., I], b: T[I]) -> (y: T[...]) {
  y = a @ b
}
` +
    graph(
      "placeholder a: f32[2, 3]",
      "placeholder b: f32[4]",
      "placeholder i: i64[2, 3]",
      "x = f(a, b)",
      "y = f(i, b)",
      "z = f(b, 1.0)",
      "w = f(cast(i, to=f64), b)",
    );
  t.deepEqual(problems(text), [
    "G020 8:12 `b` of `f` is f32[4]: 4 stands where I = 3 is needed",
    "G024 9:9 `a` of `f` is a float tensor, not i64[2, 3] (`cast(i, to=f32)` converts)",
    "G025 10:12 `b` of `f` is a tensor of 1 axis, not f32",
    "G022 11:26 `b` of `f` is f32[4], where T is f64 (`cast(b, to=f64)` converts)",
  ]);
  t.deepEqual(notes(text), ["6:15 f32[4] comes from here", "8:9 I = 3 here", "1:36 `b` is declared here"]);
});

test("the pack is the same everywhere in one signature", (t) => {
  const text = graph(
    "placeholder a: f32[2, 3]",
    "placeholder b: f32[3, 3]",
    "x = squared_error(a, b)",
    "y = squared_error(a, a)",
    "z = squared_error(a, 0.0)",
  );
  t.deepEqual(
    problems(text).map((p) => p.slice(0, 9)),
    ["G020 4:24", "G020 6:24"],
  );
});

test("kinds of parameters: int, float, bool, string, dtype, shape, list, fn, axes", (t) => {
  const text =
    `fn f(n: int, r: float = 1, flag: bool = true, s: string = "a", d: dtype = f32, sh: shape = [2], l: list = [], axis: axes) -> (y) {
  y = full([n], r, dtype=d)
}
fn twice(x: f32, g: fn) -> (y: f32) {
  y = g(g(x))
}
` +
    graph(
      "a = f(3)",
      "b = f(2, 0.5, d=f64)",
      "c = twice(4.0, sqrt)",
      "d = f(2.5)",
      'e = f("3")',
      "h = f(1, flag=1)",
      "i = f(1, sh=1.0)",
      "j = twice(1.0, 2.0)",
      "k = f(1, axis=1.5)",
    );
  t.deepEqual(problems(text), [
    "G031 11:9 `n` of `f` is an int, not the float 2.5",
    "G031 12:9 `n` of `f` is an int, not a string",
    "G031 13:17 `flag` of `f` is a bool, not the int 1",
    "G031 14:15 `sh` of `f` is a shape, not the float 1.0",
    "G031 15:18 `g` of `twice` is a function, not the float 2.0",
    "G031 16:17 `axis` of `f` is an axis or a list of axes, not the float 1.5",
  ]);
  const right = `${text.split("\n").slice(0, 10).join("\n")}\n}\n`;
  t.deepEqual(types(right, "a", "b", "c"), ["f32[3]", "f64[2]", "f32"]);
  t.deepEqual(value(right, "c"), [Math.fround(Math.sqrt(2))]);
});

test("arguments: missing, too many, unknown, twice; by position or name", (t) => {
  const text =
    dense +
    graph(
      "placeholder x: f32[4]",
      "a = dense(x)",
      "b = dense(x, 3, 4)",
      "c = dense(x, unit=3)",
      "d = dense(x, 3, x=x)",
      "e = dense(units=3, x=x)",
      "f = sum()",
      "h = sum(x, axes=0)",
    );
  t.deepEqual(problems(text), [
    "G030 8:7 `dense` needs the argument `units`",
    "G030 9:19 `dense` takes at most 2 arguments, and 3 are given",
    "G030 10:16 `dense` has no parameter `unit` (did you mean `units`?)",
    "G030 11:19 the parameter `x` of `dense` is given twice",
    "G030 13:7 `sum` needs the argument `x` (sum(x, axis = all axes, keepdims = false) -> y)",
    "G030 14:14 `sum` has no parameter `axes` (did you mean `axis`?)",
  ]);
});

test("paths of owned variables: the binding, the fn, the variable", (t) => {
  const text =
    dense +
    `fn block(x: f32[..., 4]) -> (y: f32[..., 2]) {
  h = relu(dense(x, 3))
  y = dense(h, 2)
}
` +
    graph(
      "placeholder x: f32[4]",
      "a = block(x)",
      "scope s {",
      "  b = dense(x, 1) |> relu",
      "}",
      'c = dense(x, 1, name="p") + dense(x, 1, name="q")',
      "variable w: f32 = 0",
    );
  t.deepEqual(paths(text), [
    "a/block/h/dense/w",
    "a/block/h/dense/b",
    "a/block/y/dense/w",
    "a/block/y/dense/b",
    "s.b/dense/w",
    "s.b/dense/b",
    "c/p/w",
    "c/p/b",
    "c/q/w",
    "c/q/b",
    "w",
  ]);
});

test("two owners of one path are asked for names; the others stay usable", (t) => {
  const text = dense + graph("placeholder x: f32[4]", "y = dense(x, 3) + dense(x, 3)", "z = y + 1");
  t.deepEqual(problems(text), [
    'G013 8:21 two calls of `dense` would own the path `y/dense` (`dense(..., name="dense2")` gives this one a path of its own)',
  ]);
  t.deepEqual(notes(text), ["8:7 the first call"]);
  t.deepEqual(
    problems(dense + graph("placeholder x: f32[4]", 'y = dense(x, 3, name="a/b")', "z = dense(x, 3, name=4)")).map(
      (p) => p.slice(0, 9),
    ),
    ["G031 8:24", "G031 9:24"],
  );
  t.deepEqual(paths(dense + graph("placeholder x: f32[4]", "y = relu(x) + relu(x)")), []);
});

test("a call with several outputs binds as many names and stands in no expression or pipe", (t) => {
  const text =
    `fn two(x: f32) -> (a: f32, b: f32) {
  a = x
  b = x * 2
}
` +
    graph(
      "a, b = two(1.0)",
      "_, c = two(2.0)",
      "d = two(1.0)",
      "e = two(1.0) + 1",
      "f = two(1.0) |> relu",
      "g, h, i = two(1.0)",
      "j = sum(two(1.0))",
    );
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G032 8:7 `two` has 2 outputs, and 1 name is bound",
      "G032 9:7 `two` has 2 outputs, and one is needed here",
      "G032 10:7 `two` has 2 outputs, and a pipe takes one",
      "G032 11:13 `two` has 2 outputs, and 3 names are bound",
      "G032 12:11 `two` has 2 outputs, and `x` takes one",
    ],
  );
});

test("recursion, direct and mutual, is refused, called or not", (t) => {
  const mutual = `fn f(x: f32) -> (y: f32) {
  y = g(x)
}
fn g(x: f32) -> (y: f32) {
  y = f(x)
}
`;
  t.deepEqual(
    problems(mutual + graph("a = f(1.0)")).map((p) => p.replace(/ \(.*/, "")),
    ["G033 5:7 `f` calls itself: f -> g -> f"],
  );
  t.deepEqual(
    problems("fn f(x: f32) -> (y: f32) {\n  y = f(x)\n}\n").map((p) => p.slice(0, 8)),
    ["G033 2:7"],
  );
});

test("outputs are bound and of their type; an error in a body names the call", (t) => {
  const text = `fn f(x: f32[...]) -> (y: f32, z) {
  y = x
}
${graph("a, b = f([1.0, 2.0])")}`;
  t.deepEqual(problems(text), [
    "G034 1:31 the output `z` of `f` is not bound in its body (bind it: `z = ...`)",
    "G023 2:3 the output `y` is f32[2], not f32 (declare f32[2], or give it a value that is f32)",
  ]);
  t.true(
    notes(`fn f(x: f32[...]) -> (y: f32) {\n  y = x\n}\n${graph("a = f([1.0])")}`).includes("5:7 in this call of `f`"),
  );
});

test("a problem inside the standard library is shown at the user's call", (t) => {
  t.deepEqual(
    problems(graph("x = softmax([1.0], axis=3)")).map((p) => p.slice(0, 8)),
    ["G025 2:7"],
  );
});

test("variables: static shapes, initial values of constants and random ops only, checked types", (t) => {
  const text = graph(
    "dim N <= 4",
    "placeholder x: f32[3]",
    "variable a: f32[N] = zeros()",
    "variable b: f32[3] = x",
    "variable c: f32[2] = [1, 2, 3]",
    "variable d: f32[2, 2] = 1",
    "variable e = [1.5, 2]",
    "variable f: i64 = 1.5",
    "variable h: f32[2] = 2 * uniform()",
  );
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G036 4:15 a variable's shape is static, and N in f32[N] is not",
      "G037 5:24 an initial value is made of random ops and constants only, and this reads `x`",
      "G023 6:24 the initial value is f32[3], not f32[2]",
      "G028 9:21 1.5 is a decimal, and i64 is needed here",
    ],
  );
  const right = graph(
    "variable d: f32[2, 2] = 1",
    "variable e = [1.5, 2]",
    "variable h: f32[2] = 2 * ones()",
    "variable k: i32[1] = [7] frozen",
    "y = h + 0",
  );
  t.deepEqual(types(right, "d", "e", "h"), ["f32[2, 2]", "f32[2]", "f32[2]"]);
  t.deepEqual(
    graphOf(right).variables.map(({ trainable }) => trainable),
    [true, true, true, false],
  );
  t.deepEqual(value(right, "y"), [2, 2]);
});

test("a random draw depends on its binding and its number there, not on other edits", (t) => {
  const draws = (text: string, name: string): readonly number[] => value(text, name);
  const one = graph("seed 7", "x = random_uniform([2])");
  const two = graph(
    "seed 7",
    "other = random_uniform([5])",
    "x = random_uniform([2])",
    "y = random_uniform([2]) - random_uniform([2])",
  );
  t.deepEqual(draws(one, "x"), draws(two, "x"));
  t.notDeepEqual(draws(two, "y"), [0, 0]);
});

test("training is a compile-time bool: each mode has its own edges, with shared variables", (t) => {
  const g = graphOf(dense + graph("placeholder x: f32[4]", "h = dropout(dense(x, 2), rate=0.5)", "flag = training"));
  t.not(g.inference.names.get("h"), g.training.names.get("h"));
  t.is(g.inference.names.get("h"), g.inference.names.get("h/dense/y"));
  t.is(g.inference.names.get("h/dense/y"), g.training.names.get("h/dense/y"));
  t.is(g.variables.length, 2);
});

test("functions that call functions 2 ** 40 times are stopped", (t) => {
  const levels = Array.from(
    { length: 40 },
    (_, i) => `fn f${i}(x: f32) -> (y: f32) {\n  y = ${i === 0 ? "x" : `f${i - 1}(x) + f${i - 1}(x)`}\n}\n`,
  );
  t.true(problems(`${levels.join("")}${graph("y = f39(1.0)")}`).some((p) => p.startsWith("G102")));
});

test("an uncalled fn is checked as far as its body alone shows", (t) => {
  const text = `fn f[T: float, I](x: T[..., I], n: int) -> (y: T[..., n], z: T) {
  variable w: T[I, n] = zeros()
  a = x @ w
  y = a + b
  d = relu(a, a)
  c = sofmax(y)
}
`;
  t.deepEqual(problems(text), [
    "G034 1:59 the output `z` of `f` is not bound in its body (bind it: `z = ...`)",
    "G012 4:11 unknown name `b`",
    "G030 5:15 `relu` takes 1 argument, and 2 are given",
    "G012 6:7 unknown name `sofmax` (did you mean `softmax`?)",
  ]);
  t.deepEqual(
    problems("fn f[T: flaot](x: T) -> (y: T) {\n  y = x\n}\n").map((p) => p.replace(/;.*/, "")),
    ["G012 1:9 `flaot` is no bound of a type parameter (`T: float`"],
  );
});

test("the names in a declaration's types are declared, called or not", (t) => {
  const text = `fn f(x: f32[N, 2], y: f31) -> (z: f32[N]) {
  z = x[:, 0]
}
`;
  const expected = [
    "G017 1:13 the size `N` is not declared (`fn f[N](...)` declares a size that is inferred at the call)",
    "G012 1:23 unknown dtype `f31` (did you mean `f32`?)",
    "G017 1:39 the size `N` is not declared (`fn f[N](...)` declares a size that is inferred at the call)",
  ];
  t.deepEqual(problems(text), expected);
  t.deepEqual(problems(text + graph("placeholder x: f32[3, 2]", "y = f(x, 1.0)")), expected);
});

test("sizes that grow without end are stopped", (t) => {
  const doubling = Array.from({ length: 40 }, (_, i) => `n${i + 1} = (n${i} + M) * (n${i} + 1)`);
  const dividing = Array.from({ length: 40 }, (_, i) => `n${i + 1} = n${i} // (n${i} + 1)`);
  for (const lines of [doubling, dividing]) {
    t.deepEqual(
      problems(graph("dim M", "dim N", "n0 = N", ...lines)).map((p) => p.slice(0, 4)),
      ["G102"],
    );
  }
});
