import test from "ava";
import { graph, graphOf, problems, run, types, value } from "./support.js";

test("literals alone: integers are i64, decimals f32, lists by their elements", (t) => {
  const text = graph(
    "a = 1",
    "b = 1.5",
    "c = true",
    "d = [1, 2]",
    "e = [[1, 2.5]]",
    "f = []",
    "g = [[], []]",
    "h = -3",
  );
  t.deepEqual(types(text, "a", "b", "c", "d", "e", "f", "g", "h"), [
    "i64",
    "f32",
    "bool",
    "i64[2]",
    "f32[1, 2]",
    "f32[0]",
    "f32[2, 0]",
    "i64",
  ]);
});

test("a literal takes the other operand's dtype", (t) => {
  const text = graph(
    "placeholder h: f16[3]",
    "placeholder d: f64",
    "placeholder i: u8[2]",
    "a = h * 2",
    "b = 1 + d",
    "c = i + 255",
    "e = [1, 2] * d",
    "f = maximum(h, 0)",
    "k = select(h > 0, 1, h)",
  );
  t.deepEqual(types(text, "a", "b", "c", "e", "f", "k"), ["f16[3]", "f64", "u8[2]", "f64[2]", "f16[3]", "f16[3]"]);
});

test("a literal that does not fit its dtype is refused", (t) => {
  t.deepEqual(
    problems(
      graph(
        "placeholder i: u8[2]",
        "a = i + 256",
        "b = i * 0.5",
        "c = i - -1",
        "placeholder h: f16",
        "d = h + 70000",
        "x: f32 = 1e300",
        "y: bool = 1",
      ),
    ),
    [
      "G028 3:11 256 does not fit u8 (u8 holds 0 to 255)",
      "G028 4:11 0.5 is a decimal, and u8 is needed here (a decimal takes a float's dtype only; `cast(…, to=f32)` converts the other operand)",
      "G028 5:11 -1 does not fit u8 (u8 holds 0 to 255)",
      "G028 7:11 70000 is beyond the range of f16",
      "G028 8:12 1e+300 is beyond the range of f32",
      "G028 9:13 `1` is an integer, and bool is needed here (`true` and `false` are the bools)",
    ],
  );
});

test("no implicit conversion between tensors: the error shows the cast", (t) => {
  const text = graph("placeholder a: f32[3]", "placeholder b: i64[3]", "y = a + b", "z = b * a");
  t.deepEqual(problems(text), [
    "G022 4:9 the dtypes f32 and i64 differ (no conversion is implicit: `cast(b, to=f32)`)",
    "G022 5:9 the dtypes i64 and f32 differ (no conversion is implicit: `cast(b, to=f32)`)",
  ]);
});

test("precedence and arithmetic are Python's", (t) => {
  t.deepEqual(value(graph("x = -2 ** 2"), "x"), [-4]);
  t.deepEqual(value(graph("x = 7 // -2"), "x"), [-4]);
  t.deepEqual(value(graph("x = -7 % 3"), "x"), [2]);
  t.deepEqual(value(graph("placeholder a: f32[2] = [7.5, -7.5]", "x = a // 2 + a % 2"), "x"), [4.5, -3.5]);
  t.deepEqual(value(graph("placeholder a: i64[2] = [7, -7]", "x = a // 2 * 10 + a % 2"), "x"), [31, -39]);
  t.deepEqual(value(graph("x = 2 ** 3 ** 2"), "x"), [512]);
  t.deepEqual(value(graph("x = 2 ** -1"), "x"), [0.5]);
  t.deepEqual(value(graph("x = 1 < 2 and not 3 < 2 or false"), "x"), [1]);
});

test("compile-time arithmetic: division by zero, overflow, integers do not divide", (t) => {
  t.deepEqual(problems(graph("a = 1 // 0", "b = 9223372036854775807 + 1", "c = 4 / 2", "d = 3 ** 100")), [
    "G089 2:9 `//` divides an integer by zero (a divisor is not 0; floats divide by 0, and give inf or nan)",
    "G028 3:27 the result does not fit i64",
    "G024 4:9 `/` divides floats only (`//` divides integers and rounds down; a decimal, as in `1.0 / 2`, divides exactly)",
    "G028 5:9 the result does not fit i64",
  ]);
  t.deepEqual(value(graph("a = -9223372036854775808 + 1"), "a"), [Number(-(2n ** 63n - 1n))]);
});

test("operators refuse dtypes that they do not have", (t) => {
  const text = graph(
    "placeholder i: i64[3]",
    "placeholder p: bool[3]",
    "a = i / 2",
    "b = p + p",
    "c = i and i",
    "d = not i",
    "e = -p",
    "f = p < p",
  );
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G024 4:9 `/` divides floats, not i64",
      "G024 5:9 `+` is for numbers, not for bool",
      "G024 6:9 `and` joins bools, not i64",
      "G024 7:7 `not` is for bools, not for i64",
      "G024 8:7 `-` is for numbers, not for bool",
      "G024 9:9 `<` is for numbers, not for bool",
    ],
  );
});

test("broadcasting is NumPy's", (t) => {
  const text = graph(
    "placeholder a: f32[3, 1]",
    "placeholder b: f32[4]",
    "placeholder c: f32",
    "placeholder z: f32[0]",
    "placeholder one: f32[1]",
    "x = a + b",
    "y = a * c",
    "w = b - b",
    "v = z + one",
    "u = z * c",
  );
  t.deepEqual(types(text, "x", "y", "w", "v", "u"), ["f32[3, 4]", "f32[3, 1]", "f32[4]", "f32[0]", "f32[0]"]);
  const sums = graph("a = [[1.0], [2.0]]", "b = [10.0, 20.0, 30.0]", "x = a + b");
  t.deepEqual(value(sums, "x"), [11, 21, 31, 12, 22, 32]);
});

test("symbolic sizes are equal only as the same polynomial; a literal 1 broadcasts", (t) => {
  const text = graph(
    "dim N",
    "placeholder a: f32[N, 4]",
    "placeholder b: f32[1, 4]",
    "placeholder c: f32[2 * N // 2, 4]",
    "x = a + b",
    "y = a + c",
  );
  t.deepEqual(types(text, "x", "y"), ["f32[N, 4]", "f32[N, 4]"]);
  t.is(graphOf(text).constraints.length, 0);
});

test("what stays undecided becomes a constraint with the same diagnostic", (t) => {
  const g = graphOf(
    graph(
      "dim N",
      "dim M",
      "placeholder a: f32[N]",
      "placeholder b: f32[M]",
      "placeholder c: f32[3]",
      "x = a + b",
      "y = a * c",
    ),
  );
  t.deepEqual(
    g.constraints.map(({ diagnostic }) => diagnostic.message),
    ["N = {left} and M = {right} differ", "N = {left} and 3 differ"],
  );
  t.is(g.constraints[0]?.diagnostic.code, "G020");
  t.true(g.constraints[0]?.diagnostic.notes.some((note) => note.message === "the dim N is declared here"));
  t.deepEqual(run(g, ["y"], { dims: { N: 3, M: 3 }, feeds: { a: [1, 2, 3], c: [4, 5, 6] } }).get("y"), [4, 10, 18]);
  t.throws(() => run(g, ["y"], { dims: { N: 4, M: 4 }, feeds: { a: [1, 2, 3, 4], c: [4, 5, 6] } }), {
    message: /N = 4 and 3 differ/,
  });
});

test("a literal under cast takes a float's dtype at once, with all its digits", (t) => {
  t.deepEqual(value(graph("x = cast(0.1, to=f64)"), "x"), [0.1]);
  t.deepEqual(value(graph("x = cast([1, 0.1], to=f64)"), "x"), [1, 0.1]);
  t.deepEqual(value(graph("x = cast(2.7, to=i64)"), "x"), [2]);
  t.deepEqual(value(graph("x = cast(300, to=u8)"), "x"), [44]);
  t.deepEqual(value(graph("x = cast(true, to=f64)"), "x"), [1]);
  t.deepEqual(problems(graph("x = cast(1e300, to=f32)")), ["G028 2:12 1e+300 is beyond the range of f32"]);
});

test("select by what the compiler knows chooses dtypes, shapes and literals", (t) => {
  const choose = (condition: string): string =>
    graph(
      `b = ones(select(${condition}, shape([1.0, 2.0]), shape([1.0, 2.0, 3.0])), dtype=select(${condition}, f64, f32))`,
      `c = b * select(${condition}, 0.1, 2)`,
      `d = select(${condition}, 1, 0.5)`,
      `e = select(${condition}, b, 0)`,
    );
  t.deepEqual(types(choose("f32 == f32"), "b", "c", "d", "e"), ["f64[2]", "f64[2]", "f32", "f64[2]"]);
  t.deepEqual(types(choose("f32 == f64"), "b", "c", "d", "e"), ["f32[3]", "f32[3]", "f32", "f32[3]"]);
  t.deepEqual(value(choose("true"), "c"), [0.1, 0.1]);
  t.deepEqual(value(choose("false"), "c"), [2, 2, 2]);
});
