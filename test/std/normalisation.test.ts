import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { checkStep, type Matrix, numbers, rowsOf, scramble, type Vector, vector } from "./matrices.js";
import { fetch, momentsOf, near, open, variable } from "./support.js";

const imports =
  'import { batch_norm, group_norm, instance_norm, rms_norm } from "std/normalisation"\nimport { sgd } from "std/optimizers"\n';
const [batch, places, channels] = [3, 4, 6];
const count = batch * places * channels;
const x: Vector = numbers(count).map((v, i) => 3 * v + i / 10);
/** [3, 2, 2, 6], as it is fed. */
const fed = rowsOf(x, 2 * channels).map((row) => rowsOf(row, channels));
const images = [0, 1, 2].map((n) => [fed[2 * n] as Matrix, fed[2 * n + 1] as Matrix]);

interface Place {
  readonly example: number;
  readonly channel: number;
}

/** Each element by the moments of those that share its group. */
function normalised(group: (place: Place) => string, epsilon: number, scale: Vector, shift: Vector): Vector {
  const place = (i: number): Place => ({ example: Math.floor(i / (places * channels)), channel: i % channels });
  const groups = new Map<string, number[]>();
  x.forEach((v, i) => {
    const key = group(place(i));
    groups.set(key, [...(groups.get(key) ?? []), v]);
  });
  return x.map((v, i) => {
    const { mean, deviation } = momentsOf(groups.get(group(place(i))) ?? []);
    const standard = (v - mean) / Math.sqrt(deviation ** 2 + epsilon);
    return standard * (scale[i % channels] ?? Number.NaN) + (shift[i % channels] ?? Number.NaN);
  });
}

const layers: readonly { readonly call: string; readonly group: (place: Place) => string }[] = [
  { call: "group_norm(x, groups=3)", group: ({ example, channel }) => `${example} ${Math.floor(channel / 2)}` },
  { call: "group_norm(x, groups=1)", group: ({ example }) => `${example}` },
  { call: "instance_norm(x)", group: ({ example, channel }) => `${example} ${channel}` },
];

for (const target of targets) {
  test(`${target}: group and instance norm, and their gradients`, async (t) => {
    for (const { call, group } of layers) {
      const name = call.slice(0, call.indexOf("("));
      const session = await open(
        t,
        target,
        `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, 2, 2, ${channels}]
  y = ${call}
  loss = sum(y ** 3)
  dx = gradients(loss, [x])
  update learn = minimize(loss, sgd(learning_rate=1.0))
  signature fit(x) does learn -> (loss)
}
`,
      );
      const paths = [`y/${name}/scale`, `y/${name}/shift`];
      t.deepEqual(
        paths.map((path) => variable(session, path)),
        [Array(channels).fill(1), Array(channels).fill(0)],
      );
      scramble(session, paths);
      const [scale, shift] = paths.map((path) => vector(session, path)) as [Vector, Vector];
      near(
        t,
        (await fetch(session, ["y"], { x: images })).get("y"),
        normalised(group, 1e-5, scale, shift),
        1e-13,
        call,
      );
      await checkStep(t, session, "fit", paths, { x: images });
    }
  });

  test(`${target}: batch norm trains on the batch, follows it, and predicts from what it has followed`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, 2, 2, ${channels}]
  variable gain: f64 = 1
  y = batch_norm(gain * x)
  loss = sum(y ** 3)
  update learn = minimize(loss, sgd(learning_rate=0.0))
  signature fit(x) does learn -> (y)
  signature predict(x) -> (y)
}
`,
    );
    const path = (name: string): string => `y/batch_norm/${name}`;
    scramble(session, [path("scale"), path("shift")]);
    const [scale, shift] = [vector(session, path("scale")), vector(session, path("shift"))];
    const trained = Array.from((await session.run("fit", { x: images }))["y"]?.data ?? [], Number);
    near(
      t,
      trained,
      normalised(({ channel }) => `${channel}`, 1e-5, scale, shift),
      1e-13,
    );
    // PyTorch: a tenth of the way from 0 and 1 to the mean and to the variance of the sample.
    const moments = Array.from({ length: channels }, (_, c) => momentsOf(x.filter((_, i) => i % channels === c)));
    const n = batch * places;
    const means = moments.map(({ mean }) => 0.1 * mean);
    const variances = moments.map(({ deviation }) => 0.9 + 0.1 * deviation ** 2 * (n / (n - 1)));
    near(t, variable(session, path("running_mean")), means, 1e-14);
    near(t, variable(session, path("running_variance")), variances, 1e-14);
    const predicted = Array.from((await session.run("predict", { x: images }))["y"]?.data ?? [], Number);
    const expected = x.map((v, i) => {
      const c = i % channels;
      const [mean, variance, a, b] = [means[c], variances[c], scale[c], shift[c]] as [number, number, number, number];
      return ((v - mean) / Math.sqrt(variance + 1e-5)) * a + b;
    });
    near(t, predicted, expected, 1e-13);
    // To predict moves nothing, and neither does a second look.
    near(t, variable(session, path("running_mean")), means, 1e-14);
    await session.run("fit", { x: images });
    near(
      t,
      variable(session, path("running_mean")),
      moments.map(({ mean }) => 0.19 * mean),
      1e-14,
    );
  });

  test(`${target}: batch norm of one row has variance 0, not NaN`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, 2]
  y = batch_norm(x, momentum=1)
  signature train(x) training=true -> (y)
}
`,
    );
    t.deepEqual(Array.from((await session.run("train", { x: [[3, 4]] }))["y"]?.data ?? [], Number), [0, 0]);
    t.deepEqual(variable(session, "y/batch_norm/running_mean"), [3, 4]);
    t.deepEqual(variable(session, "y/batch_norm/running_variance"), [0, 0]);
  });

  test(`${target}: rms norm divides by the root of the mean square`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {\n  placeholder x: f64[2, 3]\n  y = rms_norm(x)\n  exact = rms_norm(x, epsilon=0.0)\n}\n`,
    );
    const rows = [
      [1, 2, 2],
      [-3, 0, 4],
    ];
    const rms = (epsilon: number): Vector =>
      rows.flatMap((row) => row.map((v) => v / Math.sqrt(row.reduce((sum, u) => sum + u * u, 0) / 3 + epsilon)));
    const values = await fetch(session, ["y", "exact"], { x: rows });
    near(t, values.get("y"), rms(1e-6), 1e-15);
    near(t, values.get("exact"), rms(0), 1e-15);
  });

  test(`${target}: spatial dropout drops whole channels of an example, and keeps the mean`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  x = ones([40, 3, 2, 50])
  y = spatial_dropout(x, rate=0.25)
  signature train() training=true -> (y)
  signature predict() -> (y)
}
`,
    );
    const y = Array.from((await session.run("train"))["y"]?.data ?? [], Number);
    const first = y.filter((_, i) => Math.floor(i / 50) % 6 === 0);
    t.deepEqual(
      y.every((v, i) => v === y[Math.floor(i / 300) * 300 + (i % 50)]),
      true,
    );
    t.deepEqual([...new Set(first)].sort(), [0, Math.fround(4 / 3)]);
    // 2000 draws: the share that is dropped lies within four deviations.
    const dropped = first.filter((v) => v === 0).length / 2000;
    t.true(Math.abs(dropped - 0.25) < 4 * Math.sqrt((0.25 * 0.75) / 2000), `${dropped}`);
    t.true(Array.from((await session.run("predict"))["y"]?.data ?? [], Number).every((v) => v === 1));
  });
}

test("groups that do not divide, and other wrong settings", (t) => {
  const text = (statement: string): string =>
    `${imports}graph g {\n  placeholder x: f32[2, 4, 6]\n  y = ${statement}\n}\n`;
  t.deepEqual(problems(text("group_norm(x, groups=4)")), [
    "G038 5:28 `group_norm`: the channels of x must divide into groups",
  ]);
  const wrong = [
    "group_norm(x)",
    "batch_norm(x, momentum=2.0)",
    "rms_norm(x, epsilon=-1.0)",
    "spatial_dropout(x, rate=1.0)",
  ];
  for (const statement of wrong) t.is(problems(text(statement))[0]?.slice(0, 4), "G038", statement);
});
