import test from "ava";
import { emitMath, type MathName } from "../../../compiler/backends/llvm/math/emit.js";
import { compileLaneFunctions, type LaneFunction, nativeIsAvailable, testTargets } from "./harness.js";

const native = nativeIsAvailable ? test : test.skip;

const names = ["exp", "tanh", "sigmoid", "erf"] as const satisfies readonly MathName[];

/** Lanes that fill a register of 512 bits, where AVX-512 scales by powers of two itself, and lanes that do not. */
const functions: readonly LaneFunction[] = names.flatMap((name) =>
  (
    [
      ["f32", 16, 4],
      ["f64", 8, 2],
    ] as const
  ).flatMap(([dtype, full, part]) =>
    [full, part].map((lanes) => ({
      name: `${name}.${dtype}.${lanes === full ? "full" : "part"}`,
      lanes,
      inputs: [dtype],
      output: dtype,
      emit: (b, operands) => emitMath(b, name, operands),
    })),
  ),
);

const ends = {
  f32: [88.7228, 88.73, 90, 103, 104, 110, 150, 1e4, 1e30, 3.4e38],
  f64: [709.7, 709.79, 711, 744, 745, 746, 760, 800, 1e6, 1e300],
} as const;

/** Around 0, all over the range, across both ends of it, and far outside; infinities and NaN. */
function points(dtype: "f32" | "f64"): readonly number[] {
  const [end] = ends[dtype];
  const steps = Array.from({ length: 4001 }, (_, i) => (i / 2000 - 1) * end);
  const across = Array.from({ length: 401 }, (_, i) => end + (i - 200) / 400);
  const some = [...steps, ...across, ...across.map((x) => -x), ...ends[dtype], ...ends[dtype].map((x) => -x)];
  const all = [
    ...some,
    0,
    -0,
    1e-30,
    -1e-30,
    0.6249999,
    0.625,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ];
  while (all.length % 16 !== 0) all.push(1);
  return all;
}

native("a full register gives what a part of one gives, out of range too", async (t) => {
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    for (const name of names) {
      for (const dtype of ["f32", "f64"] as const) {
        const x = dtype === "f32" ? Float32Array.from(points(dtype)) : Float64Array.from(points(dtype));
        const full = applied.apply(`${name}.${dtype}.full`, [x]);
        const part = applied.apply(`${name}.${dtype}.part`, [x]);
        const differing = Array.from(x).flatMap((at, i) =>
          Object.is(full[i], part[i]) ? [] : [`${target.level} ${name}(${at}): ${full[i]} and ${part[i]}`],
        );
        t.deepEqual(differing, []);
      }
    }
    applied.unload();
  }
});
