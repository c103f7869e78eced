import test from "ava";
import { graph, graphOf, problems, types, value } from "./support.js";

test("`@` is numpy.matmul", (t) => {
  const text = graph(
    "placeholder m: f32[3, 4]",
    "placeholder n: f32[4, 5]",
    "placeholder v: f32[4]",
    "placeholder s: f32[2, 1, 3, 4]",
    "placeholder u: f32[7, 4, 5]",
    "a = m @ n",
    "b = m @ v",
    "c = v @ n",
    "d = v @ v",
    "e = s @ n",
    "f = s @ u",
    "g = v @ u",
    "h = m @ u",
    "i = s @ v",
  );
  t.deepEqual(types(text, "a", "b", "c", "d", "e", "f", "g", "h", "i"), [
    "f32[3, 5]",
    "f32[3]",
    "f32[5]",
    "f32",
    "f32[2, 1, 3, 5]",
    "f32[2, 7, 3, 5]",
    "f32[7, 5]",
    "f32[7, 3, 5]",
    "f32[2, 1, 3]",
  ]);
  const product = graph(
    "a = [[1.0, 2.0], [3.0, 4.0]]",
    "b = [[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]]]",
    "x = a @ b",
    "y = [1.0, 1.0] @ b",
  );
  t.deepEqual(value(product, "x"), [1, 2, 3, 4, 2, 4, 6, 8]);
  t.deepEqual(value(product, "y"), [1, 1, 2, 2]);
});

test("`@` names both sides", (t) => {
  t.deepEqual(
    problems(graph("placeholder a: f32[3, 784]", "placeholder w: f32[10, 784]", "y = a @ w", "z = a @ 2.0")),
    [
      "G021 4:9 inner dimensions 784 and 10 differ (`transpose(w)` would be f32[784, 10], which fits)",
      "G025 5:9 a matrix product needs two tensors, not a scalar (`*` multiplies by a scalar)",
    ],
  );
});

test("indices and slices are NumPy's, with negative ones, steps and `...`", (t) => {
  const text = graph(
    "placeholder z: f32[3, 4, 5]",
    "a = z[0]",
    "b = z[..., -1]",
    "c = z[1:3, ..., 0:5:2]",
    "d = z[:, 2]",
    "e = z[::-1, 0, 4:1:-2]",
    "f = z[2:2]",
  );
  t.deepEqual(types(text, "a", "b", "c", "d", "e", "f"), [
    "f32[4, 5]",
    "f32[3, 4]",
    "f32[2, 4, 3]",
    "f32[3, 5]",
    "f32[3, 2]",
    "f32[0, 4, 5]",
  ]);
  const row = (index: string): readonly number[] =>
    value(graph("placeholder x: i64[6] = [0, 1, 2, 3, 4, 5]", `y = x[${index}]`), "y");
  t.deepEqual(row("-2"), [4]);
  t.deepEqual(row("::-1"), [5, 4, 3, 2, 1, 0]);
  t.deepEqual(row("4:1:-2"), [4, 2]);
  t.deepEqual(row("1:-1:3"), [1, 4]);
  t.deepEqual(row("-3:"), [3, 4, 5]);
  t.deepEqual(row("6:"), []);
});

test("an index out of range, too many of them, a step of 0", (t) => {
  t.deepEqual(
    problems(
      graph(
        "placeholder x: f32[3]",
        "a = x[3]",
        "b = x[0, 1]",
        "c = x[0:4]",
        "d = x[::0]",
        "e = x[2:1]",
        "f = x[..., ...]",
        "h = x[-4]",
        "i = x[1.0]",
      ),
    ).map((p) => p.replace(/ \(.*/, "")),
    [
      "G026 3:9 the index 3 is out of range: axis 0 of f32[3] has 3 elements",
      "G025 4:7 f32[3] has 1 axis, and 2 are indexed",
      "G026 5:11 the bound of the slice is out of range: axis 0 of f32[3] has 3 elements",
      "G026 6:11 a step of 0 leads nowhere",
      "G026 7:9 the slice ends before it starts",
      "G026 8:14 `...` stands once in an index",
      "G026 9:9 the index -4 is out of range: axis 0 of f32[3] has 3 elements",
      "G031 10:9 an index is an int, not the float 1.0",
    ],
  );
});

test("a slice may end behind the last element, and the hint says so", (t) => {
  const [problem = ""] = problems(graph("placeholder x: f32[3]", "c = x[0:4]"));
  t.regex(problem, /the bounds are 0 to 3, or -3 to -1 from the end/);
});

test("shapes are compile-time values: dims in sizes, -1 once", (t) => {
  const text = graph(
    "dim N",
    "placeholder x: f32[N, 28, 28]",
    "a = reshape(x, [N, 28 * 28])",
    "b = reshape(x, [-1, 7])",
    "c = reshape(x, [N // 2 * 2, -1])",
    "d = reshape(x, shape(a))",
    "n = size(x, 0) * 2",
    "e = iota([n])",
    "s = shape(x)[1:]",
    "f = full(s, 1.0)",
  );
  t.deepEqual(types(text, "a", "b", "d", "e", "f"), [
    "f32[N, 784]",
    "f32[112*N, 7]",
    "f32[N, 784]",
    "i64[2*N]",
    "f32[28, 28]",
  ]);
  t.deepEqual(
    problems(
      graph(
        "placeholder x: f32[3, 4]",
        "a = reshape(x, [-1, -1])",
        "b = reshape(x, [5, -1])",
        "c = reshape(x, [13])",
        "d = reshape(x, [2.0])",
      ),
    ),
    [
      "G027 3:18 `-1` stands once in a shape",
      "G027 4:18 `-1` in [5, -1] has no size: f32[3, 4] has 12 elements, and the rest holds 5",
      "G027 5:7 f32[3, 4] has 12 elements, and [13] holds 13 (a reshape keeps all elements; one size may be `-1`, which stands for what is left)",
      "G031 6:19 a size is an int, not the float 2.0",
    ],
  );
});

test("a dim is a number of the graph, too", (t) => {
  const text = graph(
    "dim N",
    "placeholder x: f32[N] = [1, 2, 3, 6]",
    "average = sum(x) / N",
    "less = 1 - N",
    "e = 1.0 / N",
  );
  t.deepEqual(value(text, "average", { dims: { N: 4 } }), [3]);
  t.deepEqual(value(text, "less", { dims: { N: 4 } }), [-3]);
  t.deepEqual(value(text, "e", { dims: { N: 4 } }), [0.25]);
});

test("lists of tensors stack; lists that are not rectangular are refused", (t) => {
  t.deepEqual(value(graph("a = sum([1.0, 2.0])", "b = 5.0 * a", "x = [a, b]"), "x"), [3, 15]);
  t.deepEqual(types(graph("placeholder s: f64", "x = [[1.0, 2], [0.5, s]] * s"), "x"), ["f64[2, 2]"]);
  t.deepEqual(problems(graph("x = [[1, 2], [3]]", "y = [1, [2]]", "z = [[1], 2]", 'w = [1, "a"]', "v = w")), [
    "G029 2:16 the list is not rectangular: this row has 1 elements, the first 2",
    "G029 3:11 the list is not rectangular: a list stands where its neighbours are numbers",
    "G029 4:13 the list is not rectangular: a number stands where its neighbours are lists",
  ]);
});

test("intrinsics take axes as an int, a list or none, from either end", (t) => {
  const text = graph(
    "placeholder x: f32[2, 3, 4]",
    "a = sum(x)",
    "b = max(x, axis=-1)",
    "c = min(x, [0, -1], keepdims=true)",
    "d = argmax(x)",
    "e = argmin(x, axis=1, keepdims=true)",
    "f = mean(x, axis=[1, 2])",
    "g = transpose(x)",
    "h = transpose(x, [1, 0, 2])",
    "i = concatenate([x, x], axis=-1)",
    "j = stack([x, x], axis=-1)",
    "k = pad(x, low=1, high=[0, 0, 2])",
    "l = broadcast_to(x, [5, 2, 3, 4])",
  );
  t.deepEqual(types(text, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"), [
    "f32",
    "f32[2, 3]",
    "f32[1, 3, 1]",
    "i64",
    "i64[2, 1, 4]",
    "f32[2]",
    "f32[4, 3, 2]",
    "f32[3, 2, 4]",
    "f32[2, 3, 8]",
    "f32[2, 3, 4, 2]",
    "f32[3, 4, 7]",
    "f32[5, 2, 3, 4]",
  ]);
  t.deepEqual(
    problems(graph("placeholder x: f32[2]", "a = sum(x, axis=1)", "b = sum(x, axis=[0, -1])", "c = sum(1.0, axis=0)")),
    [
      "G025 3:19 f32[2] has no axis 1 (its axes are 0 to 0, or -1 to -1 from the end)",
      "G025 4:19 `sum` is given one axis twice",
      "G025 5:21 f32 has no axis 0 (a scalar has no axes)",
    ],
  );
});

test("gradients bind as many names as there are xs; a literal that is differentiated by is an input", (t) => {
  const text = graph("x = 2.0", "y = x ** 2.0", "dx = gradients(y, [x])", "ddx = gradients(dx, [x])");
  t.deepEqual(value(text, "dx"), [4]);
  t.deepEqual(value(text, "ddx"), [2]);
  t.deepEqual(
    graphOf(text).placeholders.map(({ name }) => name),
    ["x"],
  );
  t.deepEqual(
    problems(
      graph(
        "x = 2.0",
        "y = x * x",
        "a, b = gradients(y, [x])",
        "n = 3",
        "d = gradients(y, [n])",
        "e = gradients(n, [x])",
      ),
    ),
    [
      "G032 4:10 the value is one output, and 2 names are bound",
      "G051 6:21 only floats have gradients, not i64 (declare what is learnt as a float, such as f32; a cast from integers has no slope)",
      "G051 7:17 only floats have gradients, not i64 (declare what is learnt as a float, such as f32; a cast from integers has no slope)",
    ],
  );
});
