import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadGraphFromText } from "../../../dsl/load.js";
import { shippedStdFolder } from "../../../dsl/standard.js";
import { languageFolder, root, testFiles } from "../../language/harness/folder.js";
import { notes, problems } from "./support.js";

/** Functions that no call could make right. The header is line 1, the body begins in line 2. */
const wrong: readonly (readonly [header: string, body: string, problem: string])[] = [
  ["f[T: float, I](x: T[I], w: T[I, 3]) -> (y: T[4])", "y = x @ w", "G023 2:1 the output `y` is f32[3], not f32[4]"],
  ["f(x: f32[3], y: f32[4]) -> (z: f32[3])", "z = x + y", "G020 2:7 the sizes 3 and 4 do not broadcast"],
  ["f[I](x: f32[I]) -> (y: f32[I, I])", "y = 2 * x", "G023 2:1 the output `y` is f32[I], not f32[I, I]"],
  ["f[I](x: f32[I], scale: float) -> (y: i64[I])", "y = x * scale", "G023 2:1 the output `y` is f32[I], not i64[I]"],
  ["f[T: int](x: T[...]) -> (y: T[...])", "y = exp(x)", "G024 2:9"],
  ["f[T: number](x: T[..., 3, 2], w: T[4]) -> (y: T[...])", "y = x @ w", "G021 2:7"],
  ["f(x: f32[2, 3], flag: bool) -> (y: f32)", "y = sum(x, axis=0, keepdims=flag)", "G023 2:1"],
  ["f(x: f32[2, 3], units: int) -> (y: f32[units])", "y = concatenate([x, zeros([2, units])], axis=1)", "G023 2:1"],
  ["f(x: f32[2, 3]) -> (y: f32)", "y = f32", "G016"],
  ["f(x: f32[2]) -> (y: f32[2])", "y = relu(x, x)", "G030 2:13"],
  ["f(x: f32[2, 2]) -> (y: f32[2, 2])", "y = dropout(x, x)", "G031 2:16"],
  ["f[I](x: f32[I]) -> (y: f32[I])", "y = if sum(x) > 0.0 { yield x } else { yield sum(x) }", "G054 2:46"],
  ["f(xs: f32[8, 3]) -> (y: f32[3])", "y = scan x in xs with s = 0.0 {\nnext s = s + x\n}", "G053 3:10"],
  ["f(x: f32[...]) -> (y: f32[...])", "y = reshape(reshape(x, [3, 4]), [5])", "G027 2:5"],
];

test("what would be wrong in every call is found without one", (t) => {
  for (const [header, body, problem] of wrong) {
    const found = problems(`fn ${header} {\n${body}\n}\n`);
    t.is(found.length, 1, `${header}: ${found.join("; ") || "nothing"}`);
    t.true(found[0]?.startsWith(problem), `${header}: ${found[0]}`);
  }
});

test("where each choice is wrong in its own way, the one that is shown is named", (t) => {
  // Only bools are joined, and only floats are divided.
  const text = "fn f[T](x: T[...]) -> (y: bool[...]) {\n  a = x / 2.0\n  y = a and a\n}\n";
  t.deepEqual(
    problems(text).map((problem) => problem.slice(0, 8)),
    ["G024 3:9"],
  );
  t.deepEqual(notes(text), ["1:4 where T is f32 and `...` has 1 axis; no other choice fits either"]);
});

test("an optimizer alone: the parameter and its gradient are of one type", (t) => {
  const optimizer = (body: string): string => `optimizer o(p, g, rate: f32 = 0.1) {\n${body}\n}\n`;
  t.deepEqual(
    problems(optimizer("variable m = zeros_like(p)\nm := m + g\np := p - cast(rate, to=dtype_of(p)) * m")),
    [],
  );
  t.deepEqual(
    problems(optimizer("p := p - cast(g, to=i64)")).map((problem) => problem.slice(0, 8)),
    ["G022 2:8"],
  );
});

/** Functions that some call fits, however few. */
const right: readonly (readonly [header: string, body: string])[] = [
  // A matrix only.
  ["f[T](x: T[...]) -> (y: T[...])", "y = transpose(transpose(x, [1, 0]), [1, 0])"],
  // Bytes only.
  ["f[T](x: T[...]) -> (y: u8[...])", "y = x"],
  ["f[T: float](x: T[...]) -> (y: bf16[...])", "y = x"],
  // Where N is 12.
  ["f[N](x: f32[N]) -> (y: f32[3, 4])", "y = reshape(x, [3, 4])"],
  ["f[N, M](x: f32[N], y: f32[M]) -> (z: f32[N])", "z = x + y"],
  ["f[N](x: f32[N]) -> (y: f32[N // 2])", "a, b = split(x, 2)\ny = a + b"],
  ["f(x: f32[2, 3], axis: int, k: int) -> (y: f32[...])", "a, b = top_k(x, k, axis=axis)\ny = a"],
  ["f(x: f32[2, 3], axis: axes) -> (y: f32[3])", "y = sum(x, axis=axis)"],
  ["f(x: f32[2, 3], flag: bool) -> (y: f32[1, 3])", "y = sum(x, axis=0, keepdims=flag)"],
  ["f(x: f32[2], n: int, s: float) -> (y: f32[2])", "y = dropout(x, rate=select(n > 1, s / n, 1 / sqrt(n)))"],
  ["f(x: f32[2], g: fn) -> (y: f32[5])", "y = g(x)"],
  ["f(x: f32[2], names: string) -> (y: f32[2])", 'y = x\nrequire names == "a", "no"'],
  ["f(x: f32[2], rate: float) -> (y: f32[2])", 'require rate > 0, "above 0"\ny = x * rate'],
  ["f[N](x: f32[N]) -> (y: f32[N])", "variable w: f32[N] = x\ny = w * x"],
  ["f[M, N](a: f32[M, N]) -> (y: f32)", "u, s, v = svd(a)\ny = sum(s)"],
  ["f(x: f32[3], n: int) -> (y: f32)", "y = x[n]"],
  ["f(xs: list) -> (y: f32)", "y = sum(xs[0] + xs[1])"],
  ["f(shape: shape) -> (y: f32[2, 2])", "y = zeros(shape)"],
];

test("what some call fits is no error", (t) => {
  for (const [header, body] of right) t.deepEqual(problems(`fn ${header} {\n${body}\n}\n`), [], header);
});

test("each function of the standard library is sound by itself", (t) => {
  for (const file of readdirSync(shippedStdFolder).filter((name) => name.endsWith(".graph"))) {
    const text = readFileSync(join(shippedStdFolder, file), "utf8");
    t.deepEqual(loadGraphFromText(text, file).diagnostics, [], file);
  }
});

test("the functions of the tests in the language and of the examples are sound by themselves", (t) => {
  const examples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" });
  const files = [
    ...testFiles().map((file) => join(languageFolder, file)),
    ...examples.filter((file) => file.endsWith(".graph")).map((file) => join(root, "examples", file)),
  ];
  let count = 0;
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const start = text.search(/^graph /m);
    const sound = !loadGraphFromText(text, file).diagnostics.some(({ severity }) => severity === "error");
    if (!sound || !/^(fn|optimizer) /m.test(text)) continue;
    count += 1;
    const library = start < 0 ? text : text.slice(0, start) + text.slice(text.indexOf("\n}", start) + 2);
    const errors = loadGraphFromText(library, file).diagnostics.filter(({ severity }) => severity === "error");
    t.deepEqual(errors, [], file);
  }
  t.true(count >= 10, `${count}`);
});
