import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { differentiateValues } from "../../../compiler/autodiff/differentiate.js";
import { type CpuTarget, hostTarget, targetLevels } from "../../../compiler/backends/llvm/target.js";
import type { Value } from "../../../compiler/ir/node.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { elementCount, type TensorData } from "../../../compiler/ir/tensor.js";
import { staticShape } from "../../../compiler/ir/type.js";
import { add, maximum, mul } from "../../../compiler/ops/arithmetic.js";
import { zerosLike } from "../../../compiler/ops/build.js";
import { type ConvolutionAttributes, convolution } from "../../../compiler/ops/convolution.js";
import { gradients } from "../../../compiler/ops/pseudo.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { placeholder } from "../../../compiler/ops/sources.js";
import { broadcastInDim } from "../../../compiler/ops/views.js";
import { computationOf } from "../../kernels/support.js";
import { outputsOf, startState } from "../bound.js";
import { bindBoth, nativeIsAvailable } from "../support.js";
import { exact, firstDifference } from "../tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

/** Whole numbers so small that every sum is exact in f32, in whatever order. */
function content(shape: readonly number[], salt: number): Float32Array {
  return Float32Array.from({ length: elementCount(shape) }, (_, i) => (((i + salt) * 7919) % 7) - 3);
}

interface Case {
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly attributes: ConvolutionAttributes & { readonly low: readonly number[]; readonly high: readonly number[] };
}

const axis = fc.record({
  window: fc.constantFrom(1, 2, 3, 4),
  stride: fc.constantFrom(1, 1, 2, 3),
  holes: fc.constantFrom(1, 1, 1, 2),
  dilation: fc.constantFrom(1, 1, 2),
  reversed: fc.boolean(),
  low: fc.integer({ min: -1, max: 3 }),
  high: fc.integer({ min: -1, max: 3 }),
  further: fc.integer({ min: 0, max: 11 }),
});

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.constantFrom(1, 1, 2, 3),
    groups: fc.constantFrom(1, 1, 1, 2, 3),
    byBatch: fc.boolean(),
    taken: fc.constantFrom(1, 1, 2, 3, 5, 16),
    made: fc.constantFrom(1, 2, 3, 7, 16, 19, 33),
    axes: fc.array(axis, { minLength: 1, maxLength: 3 }),
  })
  .map(({ batch, groups, byBatch, taken, made, axes }) => {
    // Long enough for the window to fit; three dimensions stay small.
    const sizes = axes.map(({ window, holes, dilation, low, high, further }) => {
      const reach = (window - 1) * dilation + 1 - low - high;
      return Math.max(1, Math.ceil((reach - 1) / holes) + 1) + Math.floor(further / axes.length);
    });
    return {
      lhs: [byBatch ? batch * groups : batch, ...sizes, byBatch ? taken : taken * groups],
      rhs: [...axes.map(({ window }) => window), taken, made * groups],
      attributes: {
        strides: axes.map(({ stride }) => stride),
        low: axes.map(({ low }) => low),
        high: axes.map(({ high }) => high),
        lhs_dilation: axes.map(({ holes }) => holes),
        rhs_dilation: axes.map(({ dilation }) => dilation),
        reversal: axes.flatMap(({ reversed }, i) => (reversed ? [i] : [])),
        feature_groups: byBatch ? 1 : groups,
        batch_groups: byBatch ? groups : 1,
      },
    };
  });

/** All indices of a shape, in row-major order. */
function* indices(shape: readonly number[]): Generator<readonly number[]> {
  const [first, ...rest] = shape;
  if (first === undefined) yield [];
  else for (let i = 0; i < first; i++) for (const inner of indices(rest)) yield [i, ...inner];
}

function flat(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((at, i, axis) => at * (shape[axis] as number) + i, 0);
}

/** Each product of an input element and a weight goes to the one result that it belongs to, if there is one. */
function stamped(
  { lhs, rhs, attributes }: Case,
  out: readonly number[],
  visit: (x: number, w: number, y: number) => void,
): void {
  const count = attributes.strides.length;
  const [taken, made] = rhs.slice(-2) as [number, number];
  for (const at of indices(lhs)) {
    for (const tap of indices(rhs.slice(0, count))) {
      const place = attributes.strides.map((stride, i) => {
        const window = rhs[i] as number;
        const k = attributes.reversal.includes(i) ? window - 1 - (tap[i] as number) : (tap[i] as number);
        const holes = attributes.lhs_dilation[i] as number;
        const from =
          (at[i + 1] as number) * holes + (attributes.low[i] as number) - k * (attributes.rhs_dilation[i] as number);
        return from / stride;
      });
      if (place.some((p, i) => !Number.isInteger(p) || p < 0 || p >= (out[i + 1] as number))) continue;
      const channel = at[count + 1] as number;
      const n = (at[0] as number) % (out[0] as number);
      for (let o = 0; o < made; o++) {
        const inFeature = Math.floor(channel / taken) === Math.floor(o / (made / attributes.feature_groups));
        const inBatch =
          Math.floor((at[0] as number) / (out[0] as number)) === Math.floor(o / (made / attributes.batch_groups));
        if (!inFeature || !inBatch) continue;
        visit(flat(lhs, at), flat(rhs, [...tap, channel % taken, o]), flat(out, [n, ...place, o]));
      }
    }
  }
}

/** y = conv(x, w); relu(y + b); and the gradients of sum(y * y') in x and in w, where y' is a feed: naive, and as a graph. */
function built(
  given: Case,
  number: number,
): {
  readonly outputs: Record<string, Value>;
  readonly feeds: Map<string, TensorData>;
  readonly expected: Map<string, TensorData>;
} {
  const { lhs, rhs, attributes } = given;
  const feed = (name: string, shape: readonly number[]): Value =>
    placeholder({ name: `${name}${number}`, dtype: "f32", shape });
  const x = feed("x", lhs);
  const w = feed("w", rhs);
  const y = convolution(x, w, attributes);
  const shape = staticShape(y.type);
  const seed = feed("s", shape);
  const b = feed("b", shape.slice(-1));
  const spread = broadcastInDim(b, { shape, axes: [shape.length - 1] });
  const loss = sum(mul(y, seed), { axes: shape.map((_, i) => i) });
  const gradientNodes = gradients.apply([loss, x, w], {});
  const { rewritten } = differentiateValues(gradientNodes, new SourceTable());
  const [dx, dw] = gradientNodes.map(rewritten);
  const data = [lhs, rhs, shape, shape.slice(-1)].map((size, i) => content(size, number + i)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [xs, ws, ss, bs] = data;
  const ys = new Float32Array(elementCount(shape));
  const dxs = new Float32Array(xs.length);
  const dws = new Float32Array(ws.length);
  stamped(given, shape, (i, k, o) => {
    ys[o] = (ys[o] as number) + (xs[i] as number) * (ws[k] as number);
    dxs[i] = (dxs[i] as number) + (ss[o] as number) * (ws[k] as number);
    dws[k] = (dws[k] as number) + (ss[o] as number) * (xs[i] as number);
  });
  const made = shape.at(-1) ?? 1;
  const rectified = ys.map((value, i) => Math.max(0, value + (bs[i % made] as number)));
  const names = ["y", "r", "dx", "dw"].map((name) => `${name}${number}`);
  return {
    outputs: Object.fromEntries(
      [y, maximum(add(y, spread), zerosLike(y)), dx as Value, dw as Value].map((value, i) => [names[i], value]),
    ),
    feeds: new Map(["x", "w", "s", "b"].map((name, i) => [`${name}${number}`, data[i] as Float32Array])),
    expected: new Map([ys, rectified, dxs, dws].map((values, i) => [names[i] as string, values])),
  };
}

async function check(t: ExecutionContext, samples: readonly Case[], target: CpuTarget): Promise<void> {
  const parts = samples.map(built);
  const outputs = Object.assign({}, ...parts.map((part) => part.outputs)) as Record<string, Value>;
  const feeds = new Map(parts.flatMap((part) => [...part.feeds]));
  const both = await bindBoth(computationOf(outputs), new Map(), target);
  for (const back of [both.reference, both.native]) {
    const results = outputsOf(back.executable.run(feeds, startState));
    Object.keys(outputs).forEach((name, i) => {
      const part = parts.findIndex((candidate) => candidate.expected.has(name));
      const wanted = parts[part]?.expected.get(name);
      if (wanted === undefined) throw new Error(`${name} is missing`);
      const difference = firstDifference("f32", results[i] as TensorData, wanted, { ...exact, zeroSigns: false });
      t.is(difference, undefined, `${name} of ${JSON.stringify(samples[part])}`);
    });
  }
  both.close();
}

const runs = Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 12);
for (const level of targetLevels) {
  native(
    `convolutions of any geometry and their gradients, on the reference and on ${level}, are their definition`,
    async (t) => {
      await check(t, fc.sample(cases, { numRuns: runs, seed: 20 + targetLevels.indexOf(level) }), hostTarget(level));
    },
  );
}

const plain = { reversal: [], feature_groups: 1, batch_groups: 1 };
const flat2 = { strides: [1, 1], low: [0, 0], high: [0, 0], lhs_dilation: [1, 1], rhs_dilation: [1, 1], ...plain };
const larger: readonly Case[] = [
  { lhs: [5, 11, 12, 20], rhs: [3, 3, 20, 40], attributes: flat2 },
  { lhs: [3, 10, 21, 9], rhs: [3, 2, 9, 33], attributes: { ...flat2, low: [1, 1], high: [1, 0], strides: [2, 1] } },
  { lhs: [4, 13, 9, 40], rhs: [2, 3, 20, 34], attributes: { ...flat2, feature_groups: 2, rhs_dilation: [2, 1] } },
  {
    lhs: [2, 7, 8, 18],
    rhs: [4, 4, 18, 17],
    attributes: { ...flat2, low: [3, 2], high: [2, 3], lhs_dilation: [2, 3] },
  },
];

native("convolutions larger than the caches: panels, blocks, and sums that wait between turns", async (t) => {
  for (const level of ["avx2", "avx512"] as const)
    await check(t, larger, { ...hostTarget(level), l1Bytes: 4096, l2Bytes: 16_384, l3Bytes: 65_536 });
});
