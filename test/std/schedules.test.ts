import test from "ava";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import { problems } from "../dsl/elaborate/support.js";
import { refusal, targets } from "../runtime/programs.js";
import { near, open, variable } from "./support.js";

const steps = 12;

/** Each schedule by its formula, in float64, at the steps 0 to 11. */
const schedules: readonly { readonly call: string; readonly at: (t: number) => number }[] = [
  { call: "step_decay(0.5, every=5, factor=0.25)", at: (t) => 0.5 * 0.25 ** Math.floor(t / 5) },
  { call: "step_decay(0.5, every=1)", at: (t) => 0.5 * 0.1 ** t },
  { call: "piecewise_constant([3, 3, 7], [4.0, 3.0, 2.0, 1.0])", at: (t) => (t < 3 ? 4 : t < 7 ? 2 : 1) },
  { call: "exponential_decay(2.0, every=4, factor=0.5)", at: (t) => 2 * 0.5 ** (t / 4) },
  { call: "inverse_time_decay(2.0, decay=0.5)", at: (t) => 2 / (1 + 0.5 * t) },
  { call: "polynomial_decay(1.0, steps=12)", at: (t) => 1 - t / 12 },
  { call: "polynomial_decay(1.0, steps=16, final=0.25, power=2.0)", at: (t) => 0.25 + 0.75 * (1 - t / 16) ** 2 },
  { call: "polynomial_decay(1.0, steps=4, final=0.5, hold=true)", at: (t) => Math.max(1 - t / 8, 0.5) },
  { call: "cosine_decay(0.5, steps=12)", at: (t) => 0.25 * (1 + Math.cos((Math.PI * t) / 12)) },
  { call: "cosine_decay(1.0, steps=1, final=0.25, hold=true)", at: (t) => (t === 0 ? 1 : 0.25) },
  { call: "warm_up(0.5, steps=4)", at: (t) => 0.5 * Math.min(1, (t + 1) / 4) },
  {
    call: "warm_up(exponential_decay(1.0, every=2, factor=0.5), steps=3)",
    at: (t) => 0.5 ** (t / 2) * Math.min(1, (t + 1) / 3),
  },
  // PyTorch's OneCycleLR(max_lr=1, total_steps=12, pct_start=0.5): up to step 5, down to step 11.
  {
    call: "one_cycle(1.0, steps=12, rise=0.5)",
    at: (t) => {
      const between = (from: number, to: number, share: number): number =>
        to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
      return t <= 5 ? between(1 / 25, 1, t / 5) : between(1, 1 / 25 / 1e4, (t - 5) / 6);
    },
  },
];
const names = [...new Set(schedules.flatMap(({ call }) => call.match(/\w+(?=\()/g) ?? []))];
const program = `import { sgd } from "std/optimizers"
import { ${names.join(", ")} } from "std/schedules"
graph g {
  variable w: f32 = 1
  ${schedules.map(({ call }, i) => `rate${i} = ${call}`).join("\n  ")}
  update learn = minimize(w, sgd(learning_rate=rate4))
  signature fit() does learn -> (${schedules.map((_, i) => `rate${i}`).join(", ")})
}
`;

for (const target of targets) {
  test(`${target}: every schedule follows its formula, step by step`, async (t) => {
    const session = await open(t, target, program);
    for (let step = 0; step < steps; step++) {
      const rates = await session.run("fit");
      schedules.forEach(({ call, at }, i) => {
        near(t, Array.from(rates[`rate${i}`]?.data ?? [], Number), [at(step)], 1e-7, `${call} at ${step}`);
      });
    }
    // The step that the optimizer took is the one of the schedule: 1 - sum of 2 / (1 + t / 2).
    const harmonic = Array.from({ length: steps }, (_, i) => 2 / (1 + 0.5 * i)).reduce((a, b) => a + b);
    near(t, variable(session, "w"), [1 - harmonic], 1e-5);
  });

  test(`${target}: a run beyond the end of a schedule fails, and assigns nothing`, async (t) => {
    const session = await open(
      t,
      target,
      `import { sgd } from "std/optimizers"
import { cosine_decay } from "std/schedules"
graph g {
  variable w: f32 = 1
  update learn = minimize(w, sgd(learning_rate=cosine_decay(1.0, steps=2)))
  signature fit() does learn -> (w)
}
`,
    );
    await session.run("fit");
    await session.run("fit");
    const before = variable(session, "w");
    const failure = await t.throwsAsync(() => session.run("fit"), {
      instanceOf: GraphError,
      message: /step 3: the schedule ends after 2 steps; with `hold=true`/,
    });
    t.regex(failure?.message ?? "", /G086/);
    const [user] = failure?.diagnostics[0]?.notes ?? [];
    const text = `sgd(learning_rate=cosine_decay(1.0, steps=2))`;
    t.deepEqual(
      [user?.message, (user?.span?.end ?? 0) - (user?.span?.start ?? 0)],
      ["`sgd` takes its rate from it", text.length],
    );
    t.deepEqual(variable(session, "w"), before);
    t.is(session.step, 2);
  });
}

test("a schedule may count steps of its own", async (t) => {
  const session = await open(
    t,
    "reference",
    `import { step_decay } from "std/schedules"
graph g {
  placeholder t: i64 = 7
  rate = step_decay(1.0, every=3, factor=0.5, step=t)
}
`,
  );
  t.deepEqual(Array.from((await session.run(["rate"]))["rate"]?.data ?? [], Number), [0.25]);
});

test("a schedule that ends before training does is found before anything runs", (t) => {
  const text = (call: string, trained: number): string => `import { sgd } from "std/optimizers"
import { one_cycle, cosine_decay } from "std/schedules"
graph g {
  variable w: f32 = 1
  unused = cosine_decay(1.0, steps=1)
  update learn = minimize(w, sgd(learning_rate=${call}))
  signature fit() does learn -> (w)
  train {
    run = fit
    steps = ${trained}
  }
}
`;
  t.deepEqual(problems(text("one_cycle(1.0, steps=100)", 100)), []);
  t.deepEqual(problems(text("one_cycle(1.0, steps=100, hold=true)", 101)), []);
  t.deepEqual(problems(text("one_cycle(1.0, steps=100)", 101)), [
    "G046 10:13 train does 101 steps, and a schedule of its rates ends after 100 (give both the same number of steps, or let the schedule stay at its last rate: `hold=true`)",
  ]);
});

test("a schedule that ends before the steps or epochs of an option is refused before the first step", async (t) => {
  const session = await open(
    t,
    "reference",
    `import { sgd } from "std/optimizers"
import { cosine_decay, warm_up } from "std/schedules"
graph g {
  dim N <= 8
  placeholder x: f32[N]
  variable w: f32 = 1.0
  loss = mean(w * x)
  update learn = minimize(loss, sgd(learning_rate=warm_up(cosine_decay(1.0, steps=6), steps=2)))
  signature fit(x) does learn -> (loss)
}
`,
  );
  const data = { x: Float32Array.from([1, 2, 3, 4]) };
  for (const length of [{ steps: 7 }, { epochs: 4 }]) {
    t.deepEqual(await refusal(t, () => session.train({ run: "fit", data, batch: 2, ...length })), ["G046"]);
    t.is(session.step, 0);
  }
  t.is((await session.train({ run: "fit", data, batch: 2, epochs: 3 })).steps, 6);
  t.deepEqual(await refusal(t, () => session.train({ run: "fit", data, batch: 2, steps: 7 })), ["G046"]);
});
