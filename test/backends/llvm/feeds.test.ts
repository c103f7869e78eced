import test from "ava";
import "../../../compiler/ops/table.js";
import { placeOfFeed } from "../../../compiler/backends/llvm/feeds.js";
import { nativeCalls } from "../../../compiler/backends/llvm/native.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";
import { mul } from "../../../compiler/ops/arithmetic.js";
import { matmul } from "../../../compiler/ops/build.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { input } from "../../kernels/models.js";
import { computationOf } from "../../kernels/support.js";
import { outputsOf, startState } from "../bound.js";
import { bindBoth, nativeIsAvailable } from "../support.js";
import { exact, firstDifference } from "../tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

native("a large feed is read where it lies; one that is small, shared or another kind of array is copied", (t) => {
  const count = 40_000;
  const copy = new Float32Array(count);
  const data = Float32Array.from({ length: count + 3 }, (_, i) => i).subarray(3);
  const place = placeOfFeed(data, copy);
  if (place === undefined) return t.fail("it is copied");
  t.deepEqual([...new Float32Array(nativeCalls().view(place, 12))], [3, 4, 5]);
  t.is(placeOfFeed(data.subarray(0, 100), copy.subarray(0, 100)), undefined);
  t.is(placeOfFeed(data.subarray(1), copy), undefined);
  t.is(placeOfFeed(new Float32Array(new SharedArrayBuffer(4 * count)), copy), undefined);
  t.is(placeOfFeed(new Int32Array(count), copy), undefined);
  // What `slice` gives of a Buffer is no copy.
  t.is(placeOfFeed(Buffer.alloc(4 * count), new Uint8Array(4 * count)), undefined);
});

native(
  "feeds that are read where they lie: not aligned, twice the same array, up to its end, another value in the next run",
  async (t) => {
    const [a, b] = [input("a", [300, 101]), input("b", [300, 101])];
    const computation = computationOf({
      same: a,
      product: matmul(a, input("w", [101, 33])),
      squares: sum(mul(a, b), { axes: [1] }),
    });
    const both = await bindBoth(computation);
    const whole = new Float32Array(1 + 300 * 101);
    const data = whole.subarray(1);
    const w = Float32Array.from({ length: 101 * 33 }, (_, i) => Math.cos(i));
    const feeds = new Map<string, TensorData>([
      ["a", data],
      ["b", data],
      ["w", w],
    ]);
    const results: (readonly TensorData[])[] = [];
    for (const factor of [1, 2]) {
      for (const i of data.keys()) data[i] = factor * Math.sin(i);
      const expected = outputsOf(both.reference.executable.run(feeds, startState));
      const actual = outputsOf(both.native.executable.run(feeds, startState));
      for (const [i, { name }] of computation.outputs.entries()) {
        const [x, y] = [actual[i], expected[i]];
        if (x === undefined || y === undefined) return t.fail(name);
        t.is(firstDifference("f32", x, y, { ...exact, absolute: 1e-4 }), undefined, name);
      }
      results.push(actual);
    }
    // What a run gave is a copy: the next feeds do not change it, nor does it change them.
    const [first, second] = results.map(([same]) => same as Float32Array);
    t.is(first?.[1], Math.fround(Math.sin(1)));
    second?.fill(7);
    t.is(data[1], Math.fround(2 * Math.sin(1)));
    both.close();
  },
);
