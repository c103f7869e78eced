import test from "ava";
import fc from "fast-check";
import "../../compiler/ops/table.js";
import type { Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { add, mul } from "../../compiler/ops/arithmetic.js";
import { literal } from "../../compiler/ops/build.js";
import { dynamicSlice, dynamicUpdateSlice } from "../../compiler/ops/dynamic_slices.js";
import { sigmoid, tanh } from "../../compiler/ops/exponential.js";
import { gather, scatter } from "../../compiler/ops/indexing.js";
import { tensorOf } from "../../compiler/ops/precision.js";
import { transpose } from "../../compiler/ops/views.js";
import { agree, slopes } from "../support/gradient-check.js";
import { generator } from "../support/samples.js";

const shape = [4, 3];

/** One step from a 4 x 3 tensor to another: places are drawn with repetitions. */
function step(x: Value, u: Value, [kind, a, b, c]: readonly [number, number, number, number]): Value {
  const place = (size: number, i: number): number => (a * (i + 1) + b * i * i + c) % size;
  const places = (count: number, size: number): Value =>
    literal(
      "i64",
      [count],
      Array.from({ length: count }, (_, i) => place(size, i)),
    );
  const combiner = ["set", "add", "mul", "max", "min"][kind % 5] ?? "add";
  switch (kind % 7) {
    case 0:
      return gather(x, [places(4, 4)], { axes: [0] });
    case 1:
      return transpose(gather(x, [places(3, 3)], { axes: [1] }), { permutation: [1, 0] });
    case 2:
      return scatter(x, gather(u, [places(5, 4)], { axes: [0] }), [places(5, 4)], { axes: [0], combiner });
    case 3: {
      const points = [places(6, 3), places(6, 4)];
      return scatter(x, gather(u, points, { axes: [1, 0] }), points, { axes: [1, 0], combiner });
    }
    case 4: {
      const starts = [literal("i64", [], [a % 3]), literal("i64", [], [b % 2])];
      return dynamicUpdateSlice(x, dynamicSlice(u, starts, { sizes: [2, 2] }), starts);
    }
    case 5:
      return sigmoid(add(x, u));
    default:
      return mul(tanh(x), u);
  }
}

test("first and second gradients of random chains of gathers and scatters are central differences", (t) => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 34 }), fc.nat({ max: 30 }), fc.nat({ max: 30 }), fc.nat({ max: 30 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(steps, fc.nat({ max: 1000 }), (chain, seed) => {
      // Away from zero and from each other, so that nothing ties or vanishes.
      const inputs = [0, 1].map((stream) => {
        const random = generator(seed, stream);
        return tensorOf(
          "f64",
          shape,
          Array.from({ length: elementCount(shape) }, (_, i) => 0.5 + random(i)),
        );
      });
      const build = ([x, u]: readonly Value[]): readonly Value[] => [
        chain.reduce((value, one) => step(value, u as Value, one), x as Value),
      ];
      const { first, second } = slopes(inputs, build, seed);
      if (!agree(first)) throw new Error(`first order: ${JSON.stringify(first)}`);
      if (!agree(second)) throw new Error(`second order: ${JSON.stringify(second)}`);
    }),
    { includeErrorInReport: true, numRuns: Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 60) },
  );
  t.pass();
});
