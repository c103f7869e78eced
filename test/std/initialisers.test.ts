import test, { type ExecutionContext } from "ava";
import { graphOf, problems, value } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { momentsOf, near, open, variable } from "./support.js";

const phi2 = Math.exp(-2) / Math.sqrt(2 * Math.PI);
/** P(|z| <= 2), from tables of the normal distribution. */
const within2 = 0.9544997361036416;
/** The deviation of a standard normal cut off at two deviations. */
const cut = Math.sqrt(1 - (4 * phi2) / within2);

interface Expected {
  readonly call: string;
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly greatest: number;
}

const uniform = (call: string, low: number, high: number): Expected => ({
  call,
  mean: (low + high) / 2,
  deviation: (high - low) / Math.sqrt(12),
  least: low,
  greatest: high,
});
const bell = (call: string, mean: number, deviation: number, reach: number): Expected => ({
  call,
  mean,
  deviation,
  least: mean - reach,
  greatest: mean + reach,
});

const [rows, columns] = [160, 90];
const normalReach = Number.POSITIVE_INFINITY;
const scaled = (call: string, variance: number): Expected =>
  bell(call, 0, Math.sqrt(variance), (2 * Math.sqrt(variance)) / cut);
const bounded = (call: string, variance: number): Expected =>
  uniform(call, -Math.sqrt(3 * variance), Math.sqrt(3 * variance));

const initialisers: readonly Expected[] = [
  uniform("uniform()", -0.05, 0.05),
  uniform("uniform(low=2, high=5)", 2, 5),
  bell("normal()", 0, 1, normalReach),
  bell("normal(mean=3, standard_deviation=0.5)", 3, 0.5, normalReach),
  bell("truncated_normal()", 0, cut, 2),
  bell("truncated_normal(mean=-1, standard_deviation=3)", -1, 3 * cut, 6),
  bounded("glorot_uniform()", 2 / (rows + columns)),
  scaled("glorot_normal()", 2 / (rows + columns)),
  bounded("he_uniform()", 2 / rows),
  scaled("he_normal()", 2 / rows),
  bounded("lecun_uniform()", 1 / rows),
  scaled("lecun_normal()", 1 / rows),
];

function program(dtype: string, shape: readonly number[]): string {
  const statements = initialisers.map(({ call }, i) => `variable v${i}: ${dtype}[${shape.join(", ")}] = ${call}`);
  return `graph g {\n  seed 11\n  ${statements.join("\n  ")}\n}\n`;
}

/** Five standard errors of the mean, and of the deviation (of a normal; less for what has lighter tails). */
function follows(t: ExecutionContext, sample: readonly number[], expected: Expected, rounding: number): void {
  const { call, mean, deviation, least, greatest } = expected;
  const found = momentsOf(sample);
  const error = deviation / Math.sqrt(sample.length);
  t.true(Math.abs(found.mean - mean) < 5 * error, `${call}: mean ${found.mean}`);
  t.true(Math.abs(found.deviation - deviation) < 5 * error, `${call}: deviation ${found.deviation}, not ${deviation}`);
  const slack = rounding * Math.max(Math.abs(least), Math.abs(greatest));
  t.true(
    found.least >= least - slack && found.greatest <= greatest + slack,
    `${call}: ${found.least}, ${found.greatest}`,
  );
  // A bounded range is used to its ends.
  if (greatest - least > 100) return;
  t.true(
    found.least < least + 0.01 * (greatest - least) && found.greatest > greatest - 0.01 * (greatest - least),
    call,
  );
}

for (const target of targets) {
  for (const [dtype, rounding] of [
    ["f32", 1e-7],
    ["f64", 1e-15],
  ] as const) {
    test(`${target}: ${dtype} initialisers have the mean, deviation and range of their distributions`, async (t) => {
      const session = await open(t, target, program(dtype, [rows, columns]));
      initialisers.forEach((expected, i) => follows(t, variable(session, `v${i}`), expected, rounding));
    });
  }
}

test("f16 and bf16 variables are drawn with more bits and then rounded", (t) => {
  for (const [dtype, rounding] of [
    ["f16", 1e-3],
    ["bf16", 8e-3],
  ] as const) {
    const graph = program(dtype, [50, 40]);
    for (const i of [1, 2, 4]) {
      const sample = value(graph, `v${i}`);
      t.is(sample.length, 2000);
      follows(t, sample, initialisers[i] as Expected, rounding);
    }
  }
});

test("a normal sample has the quartiles and tails of the normal distribution", (t) => {
  const sample = [...value("graph g {\n  seed 5\n  variable v: f64[20000] = normal()\n}\n", "v")].sort((a, b) => a - b);
  // The z of these probabilities, from tables; the error of a quantile is sqrt(p (1 - p) / n) over the density there.
  for (const [p, z] of [
    [0.001, -3.0902323061678],
    [0.025, -1.95996398454],
    [0.25, -0.67448975019608],
    [0.5, 0],
    [0.75, 0.67448975019608],
    [0.975, 1.95996398454],
    [0.999, 3.0902323061678],
  ] as const) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const error = Math.sqrt((p * (1 - p)) / sample.length) / density;
    t.true(Math.abs((sample[Math.round(p * sample.length)] ?? Number.NaN) - z) < 5 * error, `quantile ${p}`);
  }
});

test("fan-in and fan-out of ranks 0 to 4, and of weights without elements", (t) => {
  const limit = (shape: readonly number[], call: string): number =>
    Math.max(
      ...value(`graph g {\n  variable v: f64[${shape.join(", ")}] = ${call}\n}\n`.replace("[]", ""), "v").map(Math.abs),
    );
  const fans: readonly (readonly [readonly number[], number, number])[] = [
    [[], 1, 1],
    [[4000], 4000, 4000],
    [[400, 10], 400, 10],
    [[10, 400], 10, 400],
    [[5, 40, 20], 200, 100],
    [[3, 3, 40, 20], 360, 180],
  ];
  for (const [shape, fanIn, fanOut] of fans) {
    const most = (variance: number): number => Math.sqrt(3 * variance);
    const rank0 = shape.length === 0;
    for (const [call, variance] of [
      ["glorot_uniform()", 2 / (fanIn + fanOut)],
      ["he_uniform()", 2 / fanIn],
      ["lecun_uniform()", 1 / fanIn],
    ] as const) {
      const found = limit(shape, call);
      t.true(found <= most(variance), `${call} of [${shape}]: ${found}`);
      if (!rank0) t.true(found > 0.99 * most(variance), `${call} of [${shape}]: ${found}`);
    }
  }
  for (const { call } of initialisers) {
    t.deepEqual(value(`graph g {\n  variable v: f32[0, 3] = ${call}\n}\n`, "v"), []);
    t.deepEqual(value(`graph g {\n  variable v: f32[0, 0] = ${call}\n}\n`, "v"), []);
  }
});

test("zeros, ones and constant, of any dtype", (t) => {
  const text =
    "graph g {\n  variable a: i64[2] = zeros()\n  variable b: f16[2, 1] = ones()\n  variable c: f64 = constant(0.1)\n  variable d: bool[1] = zeros()\n}\n";
  t.deepEqual(value(text, "a"), [0, 0]);
  t.deepEqual(value(text, "b"), [1, 1]);
  t.deepEqual(value(text, "c"), [0.1]);
  t.deepEqual(value(text, "d"), [0]);
});

test("draws differ between variables and between elements, and an unrelated edit changes none", (t) => {
  const text = "graph g {\n  seed 3\n  variable a: f32[50] = normal()\n  variable b: f32[50] = normal()\n}\n";
  const [a, b] = [value(text, "a"), value(text, "b")];
  t.is(new Set([...a, ...b]).size, 100);
  const edited = text.replace("variable b", "variable other: f32[3] = uniform()\n  variable b");
  t.deepEqual([value(edited, "a"), value(edited, "b")], [a, b]);
  t.notDeepEqual(value(text.replace("seed 3", "seed 4"), "a"), a);
});

if (targets.length > 1) {
  test("both targets draw the same: uniforms to the bit, normals to rounding", async (t) => {
    // More elements than the reference evaluator draws for every target.
    const text = program("f32", [rows, columns]);
    const [reference, native] = await Promise.all(targets.map((target) => open(t, target, text)));
    if (reference === undefined || native === undefined) return t.fail("two targets");
    initialisers.forEach(({ call }, i) => {
      const [a, b] = [variable(reference, `v${i}`), variable(native, `v${i}`)];
      if (call.includes("uniform")) t.deepEqual(b, a, call);
      else near(t, b, a, 2e-6, call);
    });
  });
}

test("what an initialiser needs and lacks is said", (t) => {
  t.deepEqual(problems("graph g {\n  x = normal()\n}\n"), [
    "G030 2:7 `normal` needs the argument `shape` (a variable gives it the shape that is declared: `variable w: f32[3, 4] = normal()`)",
  ]);
  const refused = problems("graph g {\n  variable n: i64[3] = normal()\n  variable m: u8[3] = glorot_uniform()\n}\n");
  t.deepEqual(
    refused.map((line) => line.slice(0, 8)),
    ["G024 2:2", "G024 3:2"],
  );
  t.is(graphOf("graph g {\n  x = normal(shape=[3])\n}\n").variables.length, 0);
});
