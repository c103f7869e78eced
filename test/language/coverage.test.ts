import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { catalogue } from "../../compiler/ir/codes/catalogue.js";
import { dtypes, floatDTypes } from "../../compiler/ir/dtype.js";
import { nodesBelow } from "../../compiler/ir/node.js";
import { opNamed, ops } from "../../compiler/ops/table.js";
import { intrinsics } from "../../dsl/elaborate/intrinsics/table.js";
import { shippedStdFolder } from "../../dsl/standard.js";
import { checksOf } from "./harness/expected.js";
import { testFiles } from "./harness/folder.js";
import { directivesOf, loadTest, pathOf } from "./harness/load.js";

/** What the files of this folder must cover: every op's value, every gradient, every error that a file can give. */

const files = testFiles().map(loadTest);

/** The ops under edges of a name: what a check of it has computed. */
function opsUnder(pick: (file: (typeof files)[number]) => readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const file of files) {
    const { graph } = file;
    if (graph === undefined) continue;
    const values = pick(file).flatMap((path) => graph.inference.names.get(path) ?? []);
    for (const { op } of nodesBelow(values)) found.add(op);
  }
  return found;
}

test("there are at least 300 files", (t) => {
  t.true(files.length >= 300, `${files.length}`);
});

test("every op has a value in some file", (t) => {
  const found = opsUnder((file) => checksOf(file).map(({ path }) => path));
  t.deepEqual(
    // A region's parameter is no value by itself.
    [...ops.keys()].filter((op) => op !== "parameter" && !found.has(op)),
    [],
  );
});

test("every differentiable op has a gradient in some file", (t) => {
  const found = opsUnder((file) => {
    const { graph } = file;
    return graph === undefined ? [] : directivesOf(file, "gradient").map(({ of }) => pathOf(graph, of));
  });
  // What has no operand of a float dtype has nothing to differentiate in.
  const takesFloats = (op: string): boolean =>
    opNamed(op).operands.some(({ dtypes }) => dtypes.some((dtype) => dtype === "f64" || dtype === "f32"));
  const differentiable = [...ops.values()].filter(({ opName, differentiable: is }) => is && takesFloats(opName));
  t.deepEqual(
    differentiable.map(({ opName }) => opName).filter((op) => !found.has(op)),
    [],
  );
});

/** The text without comments: what it calls, by name or as an argument. */
function calls(text: string, name: string): boolean {
  const code = text.replaceAll(/#.*/g, "");
  return new RegExp(`(?<![\\w.])${name}(?=\\(| *[,)])`).test(code);
}

const operators: ReadonlySet<string> = new Set(["floor_div"]);

/** Functions that the library has for itself: what they are part of is tested. */
const parts: ReadonlySet<string> = new Set(["logcumsumexp_of_rows"]);

/** The functions that expressions are made of: all that are built in, and those of the library that are no layers. */
function functionNames(): readonly string[] {
  const library = ["math", "activations", "losses", "linear_algebra"].flatMap((name) =>
    [...readFileSync(join(shippedStdFolder, `${name}.graph`), "utf8").matchAll(/^fn (\w+)/gm)].map(
      ([, fn]) => fn ?? "",
    ),
  );
  return [...intrinsics.keys(), ...library].filter((name) => !operators.has(name) && !parts.has(name));
}

test("every built-in function, and every one of mathematics in the library, has a value in some file", (t) => {
  const tested = files.filter((file) => directivesOf(file, "expect").length > 0).map(({ text }) => text);
  t.deepEqual(
    functionNames().filter((name) => name !== "minimize" && !tested.some((text) => calls(text, name))),
    [],
  );
});

/** What has no gradient though it may be given floats. */
const constantWhereDefined: ReadonlySet<string> = new Set([
  // Of shapes and types alone.
  ...["shape", "size", "rank", "dtype_of", "known", "fan_in", "fan_out", "zeros_like", "ones_like", "full", "iota"],
  ...["arange", "linspace", "eye", "identity_matrix", "global_step", "random_uniform", "check_index", "one_hot"],
  // Steps and positions.
  ...["step", "trunc", "is_nan", "is_inf", "matrix_rank", "minimize"],
]);

test("every function that is differentiable has a gradient in some file", (t) => {
  const tested = files.filter((file) => directivesOf(file, "gradient").length > 0).map(({ text }) => text);
  const differentiable = (name: string): boolean => {
    const op = ops.get(name.replace(/^bitwise_/, ""));
    return op === undefined ? !constantWhereDefined.has(name) : op.differentiable && !constantWhereDefined.has(name);
  };
  t.deepEqual(
    functionNames().filter((name) => differentiable(name) && !tested.some((text) => calls(text, name))),
    [],
  );
});

/** Codes that no file of this folder gives, and why. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ...["G070", "G071", "G072", "G073", "G074", "G075", "G076", "G077", "G078", "G079"].map(
    (code) => [code, "of data files: test/runtime/data"] as const,
  ),
  ...["G090", "G091", "G092", "G093", "G094"].map((code) => [code, "of checkpoints: test/runtime"] as const),
  ["G047", "an evaluation over data of a signature with `does`"],
  ["G064", "a file that cannot be read"],
  ["G088", "a closed session"],
  ["G100", "a file of more than 4 MiB"],
  ["G111", "a loss that turns NaN in training"],
  ["G120", "a machine without LLVM"],
  ["G122", "a device that does not work on the machine: test/backends/gpu"],
  ["G121", "an op that a device has no kernel for: test/backends/gpu"],
  ["G123", "a value that a run has left on a device: test/backends/gpu"],
  ["G124", "a device that fails in a run: test/backends/gpu"],
]);

test("every code that no file gives is expected by another test", (t) => {
  const tests = join(import.meta.dirname, "..");
  const texts = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.js") && !name.endsWith("coverage.test.js"))
    .map((name) => readFileSync(join(tests, name), "utf8"));
  t.deepEqual(
    [...elsewhere.keys()].filter((code) => !texts.some((text) => text.includes(code))),
    [],
  );
});

test("every dtype is that of a value and, of floats, of a gradient in some file", (t) => {
  const dtypesOf = (pick: (file: (typeof files)[number]) => readonly string[]): ReadonlySet<string> =>
    new Set(
      files.flatMap((file) => pick(file).flatMap((path) => file.graph?.inference.names.get(path)?.type.dtype ?? [])),
    );
  const values = dtypesOf((file) => checksOf(file).map(({ path }) => path));
  const gradients = dtypesOf(({ graph, directives }) =>
    directives.flatMap((one) => (one.kind === "gradient" && graph !== undefined ? [pathOf(graph, one.of)] : [])),
  );
  t.deepEqual(
    dtypes.filter((dtype) => dtype !== "string" && !values.has(dtype)),
    [],
  );
  t.deepEqual(
    floatDTypes.filter((dtype) => !gradients.has(dtype)),
    [],
  );
});

test("every code is given by some file, or it is said why not", (t) => {
  const given = new Set(
    files.flatMap((file) =>
      file.directives.flatMap((one) =>
        one.kind === "error" || one.kind === "warning" || one.kind === "fails" ? [one.code] : [],
      ),
    ),
  );
  const codes: readonly string[] = catalogue.map(({ code }) => code);
  t.deepEqual(
    codes.filter((code) => !given.has(code) && !elsewhere.has(code)),
    [],
    "no file gives these",
  );
  t.deepEqual(
    [...elsewhere.keys()].filter((code) => given.has(code) || !codes.includes(code)),
    [],
    "these are given",
  );
});
