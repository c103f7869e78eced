import test from "ava";
import type { RunOutcome } from "../../compiler/backends/executable.js";
import { cpuBackend } from "../../compiler/backends/llvm/backend.js";
import { hostTarget, targetLevels } from "../../compiler/backends/llvm/target.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import type { TensorData } from "../../compiler/ir/tensor.js";
import { add, div, floorDiv, mod } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal } from "../../compiler/ops/build.js";
import { checkIndex } from "../../compiler/ops/checks.js";
import { exp, log } from "../../compiler/ops/exponential.js";
import { cholesky, solve, triangularSolve } from "../../compiler/ops/linear_algebra.js";
import { tensorOf } from "../../compiler/ops/precision.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../compiler/ops/sources.js";
import { computationOf } from "../kernels/support.js";
import { startState } from "./bound.js";
import { bindBoth, nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;

/**
 * Runs `value` beside updates of variables (one in place, two swapped) on both back ends. Gives the failures' codes, native
 * first, and whether any variable changed.
 */
async function outcomesOf(
  value: Value,
  feeds: ReadonlyMap<string, TensorData>,
  level: (typeof targetLevels)[number],
  checkNumerics = false,
): Promise<{ readonly outcomes: readonly RunOutcome[]; readonly changed: boolean }> {
  const [a, b, c] = ["a", "b", "c"].map((path) => variable({ path, dtype: "f32", shape: [33] })) as [
    Value,
    Value,
    Value,
  ];
  const computation = computationOf(
    { value },
    { a: add(a, broadcastScalar(literal("f32", [], [1]), [33])), b: c, c: b },
  );
  const start = new Map(["a", "b", "c"].map((path, i) => [path, new Float32Array(33).fill(i + 1)]));
  const both = await bindBoth(computation, start, hostTarget(level), { checkNumerics });
  const outcomes = [both.native, both.reference].map((bound) => bound.executable.run(feeds, startState));
  const changed = [both.native, both.reference].some((bound) =>
    [...bound.variables].some(([path, { data }]) => data[7] !== start.get(path)?.[7]),
  );
  both.close();
  return { outcomes, changed };
}

const codes = (outcomes: readonly RunOutcome[]): readonly string[] =>
  outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.failure.code : "done"));
const messages = (outcomes: readonly RunOutcome[]): readonly string[] =>
  outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.failure.message : "done"));

for (const dtype of ["i64", "i32", "i8", "u8"] as const satisfies readonly NumericDType[]) {
  native(`an index of ${dtype} out of range fails wherever it stands, and assigns nothing`, async (t) => {
    const i = placeholder({ name: "i", dtype, shape: [37] });
    const limit = 100;
    const value = checkIndex(i, { size: [limit] });
    const inside = Array.from({ length: 37 }, (_, k) => (k * 3) % limit);
    for (const level of targetLevels) {
      const fine = await outcomesOf(value, new Map([["i", tensorOf(dtype, [37], inside).data]]), level);
      t.deepEqual([codes(fine.outcomes), fine.changed], [["done", "done"], true]);
      for (const [place, index] of [
        [0, limit],
        [36, limit],
        [32, 127],
        ...(dtype === "u8"
          ? [[35, 255]]
          : [
              [35, -1],
              [15, -128],
            ]),
      ] as const) {
        const wrong = inside.map((element, k) => (k === place ? index : element));
        const feeds = new Map([["i", tensorOf(dtype, [37], wrong).data]]);
        const { outcomes, changed } = await outcomesOf(value, feeds, level);
        t.deepEqual([codes(outcomes), changed], [["G086", "G086"], false], `${level} [${place}] = ${index}`);
        for (const message of messages(outcomes))
          t.true(message.includes(`the index ${index} is out of range`), message);
      }
    }
  });

  native(`division of ${dtype} by zero fails, and assigns nothing`, async (t) => {
    const x = placeholder({ name: "x", dtype, shape: [21] });
    const y = placeholder({ name: "y", dtype, shape: [21] });
    for (const op of [floorDiv, mod]) {
      for (const place of [undefined, 0, 16, 20]) {
        const divisors = Array.from({ length: 21 }, (_, k) => (k === place ? 0 : 3));
        const feeds = new Map([
          [
            "x",
            tensorOf(
              dtype,
              [21],
              Array.from({ length: 21 }, (_, k) => k),
            ).data,
          ],
          ["y", tensorOf(dtype, [21], divisors).data],
        ]);
        const { outcomes, changed } = await outcomesOf(op(x, y), feeds, "avx512");
        const code = place === undefined ? "done" : "G089";
        t.deepEqual([codes(outcomes), changed], [[code, code], place === undefined], `${op.opName} [${place}]`);
      }
    }
  });
}

native("a matrix that is singular, or not positive definite, fails, in any entry of a batch", async (t) => {
  const a = placeholder({ name: "a", dtype: "f64", shape: [3, 2, 2] });
  const b = placeholder({ name: "b", dtype: "f64", shape: [3, 2, 1] });
  const good = [2, 1, 1, 3];
  const batchOf = (entry: number, matrix: readonly number[]): Float64Array =>
    Float64Array.from([0, 1, 2].flatMap((k) => (k === entry ? matrix : good)));
  const triangular = { lower: true, transpose: false, unit_diagonal: false };
  const cases: readonly (readonly [Value, readonly number[]])[] = [
    [solve(a, b), [1, 2, 2, 4]],
    [triangularSolve(a, b, triangular), [1, 0, 5, 0]],
    [cholesky(a), [1, 2, 2, 1]],
  ];
  for (const [value, bad] of cases) {
    for (const entry of [undefined, 0, 2]) {
      const feeds = new Map([
        ["a", batchOf(entry ?? -1, bad)],
        ["b", Float64Array.of(1, 2, 3, 4, 5, 6)],
      ]);
      const { outcomes, changed } = await outcomesOf(value, feeds, "avx512");
      const [nativeCode, referenceCode] = codes(outcomes);
      t.is(nativeCode, referenceCode);
      t.is(nativeCode === "done", entry === undefined, `${value.node.op} ${entry} ${nativeCode}`);
      t.is(changed, entry === undefined);
    }
  }
});

native("with checkNumerics the first op that makes a NaN or an infinity of finite operands is named", async (t) => {
  const x = placeholder({ name: "x", dtype: "f32", shape: [19] });
  const logarithm = log(x);
  const cases: readonly (readonly [Value, number, string])[] = [
    [logarithm, -1, "`log` makes a NaN of finite operands"],
    [exp(logarithm), -1, "`log` makes a NaN of finite operands"],
    [logarithm, 0, "`log` makes minus infinity of finite operands"],
    [exp(x), 1e4, "`exp` makes an infinity of finite operands"],
    [div(x, add(x, x)), 0, "`div` makes a NaN of finite operands"],
    [sum(x, { axes: [0] }), 3e38, "`sum` makes an infinity of finite operands"],
  ];
  for (const [value, bad, message] of cases) {
    for (const place of [undefined, 0, 16, 18]) {
      const data = new Float32Array(19).fill(value.node.op === "sum" && place !== undefined ? bad : 1.5);
      if (place !== undefined) data[place] = bad;
      const { outcomes, changed } = await outcomesOf(value, new Map([["x", data]]), "avx512", true);
      if (place === undefined) t.deepEqual(codes(outcomes), ["done", "done"]);
      else t.deepEqual(messages(outcomes), [message, message], `${value.node.op} [${place}]`);
      t.is(changed, place === undefined);
    }
  }
});

native("a result that JavaScript cannot be shown whole is refused before code is made of it", async (t) => {
  const x = placeholder({ name: "x", dtype: "u8", shape: [] });
  const computation = computationOf({ large: broadcastScalar(x, [2 ** 32 + 64]) });
  const refused = t.throwsAsync(() => cpuBackend().compile(computation, { checkNumerics: false }));
  t.regex((await refused)?.message ?? "", /G102/);
});
