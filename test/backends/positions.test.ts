/** Positions that lie outside, at their most extreme, on native code: the run fails and nothing is touched. */
import test from "ava";
import fc from "fast-check";
import { hostTarget, targetLevels } from "../../compiler/backends/llvm/target.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import { printKernels } from "../../compiler/kernels/printer.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, floorDiv } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal } from "../../compiler/ops/build.js";
import { wrapIndex } from "../../compiler/ops/checks.js";
import { dynamicSlice, dynamicUpdateSlice } from "../../compiler/ops/dynamic_slices.js";
import { gather, scatter } from "../../compiler/ops/indexing.js";
import { tensorOf } from "../../compiler/ops/precision.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../compiler/ops/sources.js";
import { iota } from "../../compiler/ops/structure.js";
import { interpretKernels } from "../kernels/interpreter.js";
import { avx512, computationOf, contextOf } from "../kernels/support.js";
import { startState } from "./bound.js";
import { randomGraph } from "./graphs.js";
import { bindBoth, nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;
const extremes: Readonly<Record<"i64" | "i32" | "i8" | "u8", readonly bigint[]>> = {
  i64: [-1n, 10n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 61n), 2n ** 61n + 3n],
  i32: [-1n, 10n, 2n ** 31n - 1n, -(2n ** 31n)],
  i8: [-1n, 10n, 127n, -128n],
  u8: [10n, 255n],
};
const count = 21;

/** Reads and writes of a table of 10 rows at 21 positions: along rows, at single elements, and beside other positions. */
function uses(dtype: NumericDType): {
  readonly outputs: Record<string, Value>;
  readonly assignments: Record<string, Value>;
} {
  const table = variable({ path: "table", dtype: "f32", shape: [10, 19] });
  const flat = variable({ path: "flat", dtype: "f32", shape: [10] });
  const ids = placeholder({ name: "ids", dtype, shape: [count] });
  const rows = placeholder({ name: "rows", dtype: "f32", shape: [count, 19] });
  const one = broadcastScalar(literal("f32", [], [1]), [count]);
  const counting = floorDiv(
    iota({ dtype, shape: [count], axis: 0 }),
    broadcastScalar(literal(dtype, [], [2]), [count]),
  );
  const places = dtype === "u8" ? ids : wrapIndex(ids, { size: [10] });
  return {
    outputs: {
      rows: gather(table, [ids], { axes: [0] }),
      column: gather(table, [ids], { axes: [1] }),
      elements: gather(flat, [ids], { axes: [0] }),
      wrapped: gather(flat, [places], { axes: [0] }),
      diagonal: gather(table, [ids, counting], { axes: [0, 1] }),
      total: sum(gather(table, [ids], { axes: [0] }), { axes: [1] }),
    },
    assignments: {
      table: scatter(table, rows, [ids], { axes: [0], combiner: "add" }),
      flat: scatter(flat, one, [ids], { axes: [0], combiner: "add" }),
    },
  };
}

for (const dtype of ["i64", "i32", "i8", "u8"] as const) {
  native(`positions of ${dtype} that lie outside fail the run and touch nothing`, async (t) => {
    const { outputs, assignments } = uses(dtype);
    const start = new Map([
      ["table", Float32Array.from({ length: 190 }, (_, i) => i)],
      ["flat", Float32Array.from({ length: 10 }, (_, i) => i)],
    ]);
    const rows = new Float32Array(count * 19).fill(0.5);
    const inside = Array.from({ length: count }, (_, i) => BigInt((i * 7) % 10));
    for (const level of targetLevels) {
      // One by one in one dtype, together in all.
      const single = dtype === "i64" ? Object.entries(outputs) : [];
      for (const [name, part] of [
        ...single.map(([key, value]) => [key, computationOf({ [key]: value })] as const),
        ["updates", computationOf({}, assignments)] as const,
        ["all", computationOf(outputs, assignments)] as const,
      ]) {
        const both = await bindBoth(part, start, hostTarget(level));
        const run = (ids: readonly bigint[]): readonly string[] => {
          const feeds = new Map([
            ["ids", tensorOf(dtype, [count], ids).data],
            ["rows", rows],
          ]);
          const known = new Map(part.placeholders.map((p) => [p.name, feeds.get(p.name) ?? rows]));
          return [both.native, both.reference].map((bound) => {
            const outcome = bound.executable.run(known, startState);
            return outcome.kind === "failed" ? outcome.failure.code : "done";
          });
        };
        const contents = (): readonly number[] =>
          [...both.native.variables.values()].flatMap(({ data }) => Array.from(data, Number));
        const before = contents();
        for (const place of [0, 15, 20]) {
          for (const wrong of extremes[dtype]) {
            if (name === "column" && wrong === 10n) continue;
            if (name === "wrapped" && wrong === -1n) continue;
            const outcome = run(inside.map((index, i) => (i === place ? wrong : index)));
            t.deepEqual(outcome, ["G086", "G086"], `${level} ${name} [${place}] = ${wrong}`);
            t.deepEqual(contents(), before);
          }
        }
        t.deepEqual(run(inside), ["done", "done"], name);
        both.close();
      }
    }
  });
}

native("positions that nothing is read at are not looked at", async (t) => {
  const ids = placeholder({ name: "ids", dtype: "i64", shape: [5] });
  const empty = variable({ path: "empty", dtype: "f32", shape: [3, 0] });
  const table = variable({ path: "table", dtype: "f32", shape: [3, 4] });
  const feeds = new Map([["ids", BigInt64Array.from([0n, 1n, 9n, -4n, 2n])]]);
  for (const [value, code] of [
    [gather(empty, [ids], { axes: [0] }), "done"],
    [sum(gather(empty, [ids], { axes: [0] }), { axes: [1] }), "done"],
    [sum(gather(table, [ids], { axes: [0] }), { axes: [0, 1] }), "G086"],
  ] as const) {
    const both = await bindBoth(computationOf({ value }));
    const outcomes = [both.native, both.reference].map((bound) => bound.executable.run(feeds, startState));
    t.deepEqual(
      outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.failure.code : "done")),
      [code, code],
    );
    both.close();
  }
});

native("a box that is not wholly inside fails the run, wherever it starts", async (t) => {
  const x = variable({ path: "x", dtype: "f32", shape: [8, 9] });
  const at = placeholder({ name: "at", dtype: "i64", shape: [] });
  const zero = literal("i64", [], [0]);
  const box = dynamicSlice(x, [at, zero], { sizes: [3, 9] });
  const moved = dynamicUpdateSlice(x, add(box, box), [zero, at]);
  const computation = computationOf({ box }, { x: dynamicUpdateSlice(x, box, [at, zero]) });
  for (const level of targetLevels) {
    const start = new Map([["x", Float32Array.from({ length: 72 }, (_, i) => i)]]);
    const both = await bindBoth(computation, start, hostTarget(level));
    for (const [index, code] of [
      [0n, "done"],
      [5n, "done"],
      [6n, "G086"],
      [-1n, "G086"],
      [2n ** 63n - 1n, "G086"],
      [-(2n ** 63n), "G086"],
    ] as const) {
      const outcomes = [both.native, both.reference].map((bound) =>
        bound.executable.run(new Map([["at", BigInt64Array.of(index)]]), startState),
      );
      t.deepEqual(
        outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.failure.code : "done")),
        [code, code],
        `${level} ${index}`,
      );
    }
    both.close();
  }
  t.deepEqual(moved.type.shape, [8, 9]);
});

test("programs of random graphs whose positions lie anywhere are verified, and keep to their buffers", (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5039 }), { minLength: 40, maxLength: 200, size: "max" }), (numbers) => {
      const { computation } = randomGraph(numbers, true);
      const program = buildKernels(computation, avx512, { checkNumerics: false });
      const problems = verifyKernels(program).map(({ message }) => message);
      if (problems.length > 0) throw new Error(`${problems.join("\n")}\n${printKernels(program)}`);
      // The interpreter throws where a kernel leaves its buffers.
      interpretKernels(program, contextOf(computation));
    }),
    { includeErrorInReport: true, numRuns: Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 100) },
  );
  t.pass();
});
