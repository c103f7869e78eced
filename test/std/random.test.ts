import test from "ava";
import { targets } from "../runtime/programs.js";
import { fetch, momentsOf, open } from "./support.js";

const count = 40_000;

/** A draw with its mean, deviation and range from the formulas of its distribution. */
const draws: readonly {
  readonly text: string;
  readonly mean: number;
  readonly deviation: number;
  readonly within: readonly [number, number];
}[] = [
  { text: "random_normal([N], mean=2.0, standard_deviation=3.0)", mean: 2, deviation: 3, within: [-16, 20] },
  { text: "random_normal([N], dtype=f64)", mean: 0, deviation: 1, within: [-8.5, 8.5] },
  { text: "random_truncated_normal([N], mean=-1.0)", mean: -1, deviation: 0.8796256610342398, within: [-3, 1] },
  { text: "random_exponential([N], rate=4.0)", mean: 0.25, deviation: 0.25, within: [1e-12, 8] },
  { text: "random_exponential([N], dtype=f64)", mean: 1, deviation: 1, within: [1e-18, 40] },
  {
    text: "random_gumbel([N], location=1.0, scale=2.0)",
    mean: 1 + 2 * 0.5772156649015329,
    deviation: (2 * Math.PI) / Math.sqrt(6),
    within: [-8, 40],
  },
  { text: "random_integers(-3, 5, [N])", mean: 0.5, deviation: Math.sqrt(63 / 12), within: [-3, 4] },
  { text: "random_integers(0, 256, [N], dtype=u8)", mean: 127.5, deviation: Math.sqrt(65535 / 12), within: [0, 255] },
  {
    text: "random_integers(-128, 128, [N], dtype=i8)",
    mean: -0.5,
    deviation: Math.sqrt(65535 / 12),
    within: [-128, 127],
  },
  { text: "random_bernoulli([N], 0.3)", mean: 0.3, deviation: Math.sqrt(0.21), within: [0, 1] },
];

const program = `graph g {
  seed 11
${draws.map(({ text }, i) => `  d${i} = ${text.replaceAll("[N]", `[${count}]`)}`).join("\n")}
  placeholder p: f32[3] = [0, 0.5, 1]
  biased = random_bernoulli([10000, 3], p)
  placeholder logits: f32[5] = [0, 1, 2, -inf, 3]
  picked = random_categorical(broadcast_to(logits, [${count}, 5]))
  columns = random_categorical(broadcast_to(reshape(logits, [5, 1]), [5, 7]), axis=0)
  order = random_permutation(1000)
  one = random_permutation(1)
  none = random_permutation(0)
  nothing = random_integers(0, 3, [0])
  pair = random_normal([50]) - random_normal([50])
  x: f64[3, 2] = [[1, 2], [3, 4], [5, 6]]
  shuffled = random_shuffle(x, axis=1)
  slope = gradients(sum(shuffled * [1.0, 10.0]), [x])
}
`;

const ascending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

for (const target of targets) {
  test(`${target}: random draws have the mean, deviation and range of their distribution`, async (t) => {
    const session = await open(t, target, program);
    const found = await fetch(
      session,
      draws.map((_, i) => `d${i}`),
    );
    draws.forEach(({ text, mean, deviation, within: [least, greatest] }, i) => {
      const moments = momentsOf(found.get(`d${i}`) ?? []);
      // Five standard errors of the mean; of the deviation 3 %, which a kurtosis up to 9 keeps to with 3 to spare.
      t.true(Math.abs(moments.mean - mean) < (5 * deviation) / Math.sqrt(count), `${text}: mean ${moments.mean}`);
      t.true(Math.abs(moments.deviation / deviation - 1) < 0.03, `${text}: deviation ${moments.deviation}`);
      t.true(moments.least >= least && moments.greatest <= greatest, `${text}: ${moments.least}, ${moments.greatest}`);
      if (text.includes("integers")) t.deepEqual([moments.least, moments.greatest], [least, greatest], text);
    });
  });

  test(`${target}: bernoulli takes a probability for each element, categorical the softmax of its logits`, async (t) => {
    const session = await open(t, target, program);
    const found = await fetch(session, ["biased", "picked", "columns"]);
    const biased = found.get("biased") ?? [];
    const share = (column: number): number => momentsOf(biased.filter((_, i) => i % 3 === column)).mean;
    t.deepEqual([share(0), share(2)], [0, 1]);
    t.true(Math.abs(share(1) - 0.5) < 0.025);
    const picked = found.get("picked") ?? [];
    const weights = [0, 1, 2, Number.NEGATIVE_INFINITY, 3].map(Math.exp);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, k) => {
      const p = weight / total;
      const frequency = picked.filter((pick) => pick === k).length / count;
      t.true(Math.abs(frequency - p) <= 5 * Math.sqrt((p * (1 - p)) / count), `${k}: ${frequency}, not ${p}`);
    });
    t.is(found.get("columns")?.length, 7);
  });

  test(`${target}: permutations hold each number once, in an order of each run; shuffles move slices`, async (t) => {
    const session = await open(t, target, program);
    const names = ["order", "one", "none", "nothing", "pair", "shuffled", "slope"];
    const found = await fetch(session, names);
    const order = found.get("order") ?? [];
    t.deepEqual(
      ascending(order),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    t.notDeepEqual(ascending(order), order);
    t.deepEqual([found.get("one"), found.get("none"), found.get("nothing")], [[0], [], []]);
    t.true(momentsOf(found.get("pair") ?? []).deviation > 0.7, "two draws of one binding differ");
    const kept = found.get("shuffled")?.[0] === 1;
    t.deepEqual(found.get("shuffled"), kept ? [1, 2, 3, 4, 5, 6] : [2, 1, 4, 3, 6, 5]);
    t.deepEqual(found.get("slope"), kept ? [1, 10, 1, 10, 1, 10] : [10, 1, 10, 1, 10, 1]);
    const next = (await fetch(session, ["order"])).get("order") ?? [];
    t.notDeepEqual(next, order);
    t.deepEqual(ascending(next), ascending(order));
  });
}

test("permutations of three have each order as often", async (t) => {
  const lines = Array.from({ length: 600 }, (_, i) => `  p${i} = random_permutation(3)`);
  const stacked = `  all = stack([${lines.map((_, i) => `p${i}`).join(", ")}])`;
  const session = await open(t, "reference", `graph g {\n${lines.join("\n")}\n${stacked}\n}\n`);
  const all = (await fetch(session, ["all"])).get("all") ?? [];
  const times = new Map<string, number>();
  for (let i = 0; i < all.length; i += 3) {
    const order = all.slice(i, i + 3).join(" ");
    times.set(order, (times.get(order) ?? 0) + 1);
  }
  t.is(times.size, 6);
  // The mean is 100 and the deviation 9.1.
  for (const [order, n] of times) t.true(Math.abs(n - 100) < 46, `${order}: ${n}`);
});

test("both back ends draw the same bits, and the same floats to rounding", async (t) => {
  const names = [...draws.map((_, i) => `d${i}`), "biased", "picked", "columns", "order", "shuffled"];
  const [left, right] = await Promise.all(
    targets.slice(0, 2).map(async (target) => fetch(await open(t, target, program), names)),
  );
  for (const name of names) {
    const [a, b] = [left?.get(name) ?? [], right?.get(name) ?? []];
    const text = draws[Number(name.slice(1))]?.text ?? name;
    t.true(a.length > 0 && a.length === b.length, text);
    const exact = /integers|bernoulli|^[^r]/.test(text);
    const apart = a.filter(
      (x, i) => Math.abs(x - (b[i] ?? Number.NaN)) > (exact ? 0 : 2e-5 * Math.max(1, Math.abs(x))),
    );
    t.deepEqual(apart, [], text);
  }
});
