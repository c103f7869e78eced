import test from "ava";
import { hostTarget, targetLevels } from "../../compiler/backends/llvm/target.js";
import type { Value } from "../../compiler/ir/node.js";
import { sub } from "../../compiler/ops/arithmetic.js";
import { randomUniform } from "../../compiler/ops/random.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, runState } from "../../compiler/ops/sources.js";
import { streamKey, uniformAt } from "../../compiler/ops/threefry.js";
import { reshape, slice } from "../../compiler/ops/views.js";
import { computationOf } from "../kernels/support.js";
import { outputsOf } from "./bound.js";
import { bindBoth, nativeIsAvailable } from "./support.js";
import { firstDifference } from "./tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

const states = [
  { seed: 0n, step: 0n, runsSinceStep: 0n },
  { seed: -1n, step: 2n ** 32n + 5n, runsSinceStep: 2n ** 33n },
  { seed: 0x0123456789abcdefn, step: 99n, runsSinceStep: 1n },
];

for (const level of targetLevels) {
  native(`random draws have the bits of Threefry on ${level}: any length, place and key`, async (t) => {
    const outputs: Record<string, Value> = {};
    for (const dtype of ["f32", "f64"] as const) {
      for (const count of [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 1025]) {
        outputs[`${dtype} ${count}`] = randomUniform(runState(), [], {
          path: "p",
          index: count,
          dtype,
          shape: [count],
        });
      }
      const whole = randomUniform(runState(), [], { path: "a/b é", index: 1, dtype, shape: [7, 13] });
      // Blocks of two words straddle the rows and the slices.
      outputs[`${dtype} rows`] = slice(whole, { start: [1, 3], limit: [7, 13], strides: [2, 3] });
      outputs[`${dtype} tail`] = slice(reshape(whole, { shape: [91] }), { start: [5], limit: [91], strides: [1] });
      const index = placeholder({ name: "i", dtype: "i64", shape: [] });
      const looped = randomUniform(runState(), [index, index], { path: "p", index: 0, dtype, shape: [19] });
      outputs[`${dtype} loop`] = looped;
      // In one kernel, the same draw outside the loops has a key of its own.
      const outside = randomUniform(runState(), [], { path: "p", index: 0, dtype, shape: [19] });
      outputs[`${dtype} in and out`] = sub(looped, outside);
    }
    const both = await bindBoth(computationOf(outputs), new Map(), hostTarget(level));
    for (const state of states) {
      for (const index of [0n, 7n, -3n, 2n ** 40n]) {
        const feeds = new Map([["i", BigInt64Array.of(index)]]);
        const expected = outputsOf(both.reference.executable.run(feeds, state));
        const actual = outputsOf(both.native.executable.run(feeds, state));
        Object.keys(outputs).forEach((name, i) => {
          const [x, y] = [actual[i], expected[i]];
          if (x === undefined || y === undefined) throw new Error(`${name} is missing`);
          t.is(firstDifference(name.startsWith("f32") ? "f32" : "f64", x, y), undefined, name);
        });
      }
    }
    both.close();
  });
}

native("a million draws have the right bits at both ends, and are not copied from one another", async (t) => {
  const count = 1_000_003;
  const attributes = { path: "large", index: 0, dtype: "f32", shape: [count] } as const;
  const draw = randomUniform(runState(), [], attributes);
  const both = await bindBoth(computationOf({ draw, total: sum(draw, { axes: [0] }) }));
  const state = { seed: 5n, step: 6n, runsSinceStep: 0n };
  const [drawn] = outputsOf(both.native.executable.run(new Map(), state));
  const key = streamKey({ ...state, path: "large", index: 0, loopIndices: [] });
  const places = [0, 1, 2, 499_999, 500_000, count - 3, count - 2, count - 1];
  t.deepEqual(
    places.map((place) => drawn?.[place]),
    places.map((place) => uniformAt(key, place, "f32")),
  );
  // 24 bits: about n^2 / 2^25 pairs of a million draws are equal.
  t.true(new Set(drawn as Float32Array).size > 0.96 * count);
  both.close();
});
