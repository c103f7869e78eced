import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { besidePublished } from "../../examples/alexnet/published.js";
import { compile, Session } from "../../index.js";

const file = join(import.meta.dirname, "..", "..", "examples", "alexnet", "alexnet.graph");

/** The reference evaluator would take minutes for a single image. */
const nativeTest = probe().available ? test : test.skip;

/** An image, or what a layer made of it: size x size places with channels each. */
interface Field {
  readonly size: number;
  readonly channels: number;
  readonly at: (row: number, column: number, channel: number) => number;
}

type Numbers = Float32Array;

/** The data of a tensor of f32. */
function floats(tensor: { readonly data: unknown } | undefined): Numbers {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("not a tensor of f32");
  return tensor.data;
}

function field(data: Numbers, size: number, channels: number): Field {
  return {
    size,
    channels,
    at: (row, column, channel) => data[(row * size + column) * channels + channel] ?? Number.NaN,
  };
}

/** One element of relu of a convolution with a square window, by its definition. */
function convolved(x: Field, w: Numbers, b: Numbers, window: number, stride: number, padding: number) {
  return (row: number, column: number, unit: number): number => {
    let sum = Number(b[unit]);
    for (let down = 0; down < window; down++) {
      for (let across = 0; across < window; across++) {
        const r = row * stride - padding + down;
        const c = column * stride - padding + across;
        if (r < 0 || c < 0 || r >= x.size || c >= x.size) continue;
        for (let i = 0; i < x.channels; i++) {
          sum += x.at(r, c, i) * Number(w[((down * window + across) * x.channels + i) * b.length + unit]);
        }
      }
    }
    return Math.max(sum, 0);
  };
}

/** One element of the largest of 3 x 3 places, 2 apart. */
function pooled(x: Field) {
  return (row: number, column: number, channel: number): number =>
    Math.max(
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => x.at(2 * row + Math.floor(i / 3), 2 * column + (i % 3), channel)),
    );
}

nativeTest("each layer makes of the one before what its definition says", async (t) => {
  await using session = new Session(await compile(file, { target: "cpu" }));
  const image = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);
  const names = ["c1", "p1", "c2", "p2", "c3", "c4", "c5", "p5", "d6", "d7", "logits"];
  const found = await session.run(names, { image });
  const dataOf = (name: string): Numbers => floats(found[name]);
  const weights = (path: string): readonly [Numbers, Numbers] => [
    floats(session.get(`${path}/w`)),
    floats(session.get(`${path}/b`)),
  ];

  const input = field(image, 224, 3);
  const sizes = { c1: 55, p1: 27, c2: 27, p2: 13, c3: 13, c4: 13, c5: 13, p5: 6 };
  const units = { c1: 64, p1: 64, c2: 192, p2: 192, c3: 384, c4: 256, c5: 256, p5: 256 };
  const of = (name: keyof typeof sizes): Field => field(dataOf(name), sizes[name], units[name]);
  const definitions = {
    c1: convolved(input, ...weights("c1/conv2d"), 11, 4, 2),
    p1: pooled(of("c1")),
    c2: convolved(of("p1"), ...weights("c2/conv2d"), 5, 1, 2),
    p2: pooled(of("c2")),
    c3: convolved(of("p2"), ...weights("c3/conv2d"), 3, 1, 1),
    c4: convolved(of("c3"), ...weights("c4/conv2d"), 3, 1, 1),
    c5: convolved(of("c4"), ...weights("c5/conv2d"), 3, 1, 1),
    p5: pooled(of("c5")),
  } as const;
  for (const name of ["c1", "p1", "c2", "p2", "c3", "c4", "c5", "p5"] as const) {
    const size = sizes[name];
    t.deepEqual(found[name]?.shape, [1, size, size, units[name]]);
    const scale = dataOf(name).reduce((largest, value) => Math.max(largest, value), 0);
    t.true(scale > 0);
    // Corners and edges, where windows hang over, and places all over.
    for (let i = 0; i < 64; i++) {
      const row = i < 8 ? (i % 2) * (size - 1) : (i * 7) % size;
      const column = i < 8 ? (Math.floor(i / 2) % 2) * (size - 1) : (i * 11) % size;
      const unit = (i * 37) % units[name];
      const expected = definitions[name](row, column, unit);
      const actual = of(name).at(row, column, unit);
      t.true(
        Math.abs(actual - expected) <= 2e-5 * scale,
        `${name} at ${row}, ${column}, ${unit}: ${actual}, ${expected}`,
      );
    }
  }

  for (const [name, before, path] of [
    ["d6", "p5", "d6/dense"],
    ["d7", "d6", "d7/dense"],
    ["logits", "d7", "logits/dense"],
  ] as const) {
    const x = dataOf(before);
    const [w, b] = weights(path);
    const y = dataOf(name);
    t.is(y.length, b.length);
    for (let unit = 0; unit < b.length; unit += 61) {
      let sum = Number(b[unit]);
      for (let i = 0; i < x.length; i++) sum += Number(x[i]) * Number(w[i * b.length + unit]);
      const expected = name === "logits" ? sum : Math.max(sum, 0);
      t.true(Math.abs(Number(y[unit]) - expected) <= 1e-5 * (1 + Math.abs(expected)), `${name} ${unit}`);
    }
  }
});

nativeTest("a step takes the loss down by rate * |gradient| ** 2", async (t) => {
  await using session = new Session(await compile(file, { target: "cpu" }));
  const layers = [
    "c1/conv2d",
    "c2/conv2d",
    "c3/conv2d",
    "c4/conv2d",
    "c5/conv2d",
    "d6/dense",
    "d7/dense",
    "logits/dense",
  ];
  const paths = layers.flatMap((layer) => [`${layer}/w`, `${layer}/b`]);
  const values = (): readonly Numbers[] => paths.map((path) => floats(session.get(path)));
  const image = Float32Array.from({ length: 2 * 224 * 224 * 3 }, (_, i) => Math.sin(i * i * 0.37));
  const label = Int32Array.of(3, 997);
  const lossNow = async (): Promise<number> =>
    Number((await session.run("evaluate", { image, label }))["loss"]?.data[0]);

  const first = await lossNow();
  const before = values();
  t.is(
    before.reduce((sum, { length }) => sum + length, 0),
    61_100_840,
  );
  const rate = 0.0002;
  const { loss } = await session.run("fit", { image, label, rate });
  t.true(Math.abs(Number(loss?.data[0]) - first) < 1e-5);
  let moved = 0;
  for (const [i, after] of values().entries()) {
    let square = 0;
    const old = before[i];
    for (let j = 0; j < after.length; j++) square += ((after[j] ?? 0) - (old?.[j] ?? 0)) ** 2;
    t.true(square > 0, `${paths[i]} has moved`);
    moved += square;
  }
  const ratio = (first - (await lossNow())) / (moved / rate);
  t.true(Math.abs(ratio - 1) < 0.05, `the loss fell ${ratio} times as far as the gradient says`);
});

test("the times stand among the published ones by how long a step takes", (t) => {
  const rows = besidePublished({ forward: 50, step: 200.4 }).map((line) => line.split(/ *\| *| {2,}/).slice(0, 4));
  t.is(rows.length, 15);
  t.deepEqual(rows[9], ["graphc, fp32, one core", "200", "50", "150"]);
  t.deepEqual(rows[8]?.[0], "cudaconvnet2");
  t.deepEqual(rows.at(-1), ["Caffe-CLGreenTea", "1,442", "210", "1,232"]);
});
