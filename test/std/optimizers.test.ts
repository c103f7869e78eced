import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { optimizerProgram, optimizerStart, optimizers, optimizerTrace } from "./optimizer_rules.js";
import { near, open, variable } from "./support.js";

for (const target of targets) {
  for (const [dtype, steps, tolerance] of [
    ["f64", [1, 2, 3, 100], 1e-11],
    ["f32", [1, 2, 3], 2e-6],
  ] as const) {
    test(`${target}: steps ${steps.join(", ")} of every optimizer in ${dtype} are those of its paper`, async (t) => {
      const session = await open(t, target, optimizerProgram(dtype));
      for (let step = 1; step <= Math.max(...steps); step++) {
        await session.run("fit");
        if (!steps.some((one) => one === step)) continue;
        optimizers.forEach((optimizer, i) => {
          near(
            t,
            variable(session, `p${i}`),
            optimizerTrace(optimizer, step),
            tolerance,
            `${optimizer.call}, step ${step}`,
          );
        });
      }
    });
  }

  test(`${target}: the rate may be fed and may depend on the step`, async (t) => {
    const session = await open(
      t,
      target,
      `import { adam, sgd } from "std/optimizers"
graph g {
  placeholder rate: f32 = 0.5
  variable p: f64[2] = [1, 2]
  variable q: f32 = 1
  update learn = minimize(sum(p), sgd(learning_rate=rate))
  update other = minimize(q, adam(rate * 2))
}
`,
    );
    await session.run(["learn", "other"]);
    await session.run(["learn", "other"], { rate: 0.25 });
    near(t, variable(session, "p"), [0.25, 1.25], 1e-15);
    near(t, variable(session, "q"), [1 - 1 - 0.5], 1e-6);
  });

  test(`${target}: a gradient of 0 moves nothing, also where the second moment is 0`, async (t) => {
    const session = await open(
      t,
      target,
      optimizerProgram("f32").replaceAll(`[${optimizerStart.join(", ")}]`, "[0, 0, 0, 0]"),
    );
    await session.run("fit");
    for (const i of optimizers.keys()) t.deepEqual(variable(session, `p${i}`), [0, 0, 0, 0], optimizers[i]?.call);
  });

  test(`${target}: clipping brings the norm of all gradients together down to the limit`, async (t) => {
    const session = await open(
      t,
      target,
      `import { sgd } from "std/optimizers"
graph g {
  variable p: f64[2] = [3, 4]
  variable q: f32 = 12
  variable r: f64[2] = [3, -4]
  placeholder scale: f64 = 1
  joint = 0.5 * sum(p ** 2) * scale + 0.5 * cast(q * q, to=f64) * scale
  update clipped = minimize(joint, sgd(learning_rate=1.0), clip=global_norm(6.5))
  update each = minimize(sum(r ** 2), sgd(learning_rate=1.0), clip=clip_by_value(low=-1, high=2))
  variable u: f64[2] = [3, 4]
  variable v: f64[2] = [0.3, -0.4]
  update own = minimize(0.5 * sum(u ** 2) + 0.5 * sum(v ** 2), sgd(learning_rate=1.0), clip=clip_by_norm(1.0))
  variable z: f64[2] = [3, 4]
  update together = minimize(0.5 * sum(z ** 2), sgd(learning_rate=1.0), clip=clip_by_global_norm(limit=2.5))
}
`,
    );
    await session.run(["each"]);
    t.deepEqual(variable(session, "r"), [1, -3]);
    // Each gradient by its own norm: 5 is brought down to 1, 0.5 is left alone.
    await session.run(["own", "together"]);
    near(t, [...variable(session, "u"), ...variable(session, "v")], [2.4, 3.2, 0, 0], 1e-15);
    near(t, variable(session, "z"), [1.5, 2], 1e-15);
    // The norm of (3, 4, 12) is 13: half of each gradient is left.
    await session.run(["clipped"]);
    near(t, [...variable(session, "p"), ...variable(session, "q")], [1.5, 2, 6], 1e-6);
    // And 6.5 now, times 0.5: what is below the limit is left alone.
    await session.run(["clipped"], { scale: 0.5 });
    near(t, [...variable(session, "p"), ...variable(session, "q")], [0.75, 1, 3], 1e-6);
  });
}

test("slots have the parameter's type, are not trained, and are named by the parameter", async (t) => {
  const session = await open(t, "reference", optimizerProgram("f32"));
  await session.run("fit");
  t.deepEqual(
    ["m", "v", "t"].map((slot) => session.get(`u6/adam/p6/${slot}`)).map(({ dtype, shape }) => [dtype, shape]),
    [
      ["f32", [4]],
      ["f32", [4]],
      ["i64", []],
    ],
  );
});

test("settings of the wrong kind, and names that an optimizer has not", (t) => {
  const text = (call: string): string =>
    `import { adam } from "std/optimizers"\ngraph g {\n  variable p: f32 = 1\n  update u = minimize(p ** 2, ${call})\n}\n`;
  t.deepEqual(problems(text("adam(beta1=p)")), [
    "G031 4:42 `beta1` of `adam` is a float, not the tensor f32 (`beta1` must be known when the graph is compiled)",
  ]);
  t.is(problems(text("adam(learning_rate=[0.1, 0.2])"))[0]?.slice(0, 4), "G025");
  t.is(problems(text("adam(rate=0.1)"))[0]?.slice(0, 4), "G030");
});
