import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { near, open, variable } from "./support.js";

/** A parameter's state under one optimizer; `step` gives the parameter after step t with the gradient g. */
type Rule = () => (p: number, g: number, t: number) => number;

interface Optimizer {
  readonly call: string;
  readonly rule: Rule;
}

/** A rate as the graph sees it: the parameter is f32. */
const rateOf = Math.fround;

/** Each optimizer by the formulas of its paper, in float64. */
const optimizers: readonly Optimizer[] = [
  { call: "sgd()", rule: () => (p, g) => p - rateOf(0.01) * g },
  { call: "sgd(0.25)", rule: () => (p, g) => p - 0.25 * g },
  { call: "gradient_descent(learning_rate=0.1)", rule: () => (p, g) => p - rateOf(0.1) * g },
  {
    // Polyak (1964), as Sutskever et al. (2013) write it, with the rate outside of the velocity.
    call: "momentum(learning_rate=0.125, momentum=0.8)",
    rule: () => {
      let v = 0;
      return (p, g) => {
        v = 0.8 * v + g;
        return p - 0.125 * v;
      };
    },
  },
  {
    // Duchi, Hazan and Singer (2011), figure 1, diagonal.
    call: "adagrad(learning_rate=0.5)",
    rule: () => {
      let s = 0;
      return (p, g) => {
        s += g * g;
        return p - (0.5 * g) / (Math.sqrt(s) + 1e-7);
      };
    },
  },
  {
    // Tieleman and Hinton (2012), lecture 6.5.
    call: "rmsprop(learning_rate=0.25, decay=0.75, epsilon=1e-3)",
    rule: () => {
      let s = 0;
      return (p, g) => {
        s = 0.75 * s + 0.25 * g * g;
        return p - (0.25 * g) / (Math.sqrt(s) + 1e-3);
      };
    },
  },
  {
    // Kingma and Ba (2015), algorithm 1.
    call: "adam()",
    rule: () => {
      let [m, v] = [0, 0];
      return (p, g, t) => {
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        return p - (rateOf(1e-3) * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
      };
    },
  },
  {
    call: "adam(learning_rate=0.5, beta1=0.5, beta2=0.25, epsilon=1e-8)",
    rule: () => {
      let [m, v] = [0, 0];
      return (p, g, t) => {
        m = 0.5 * m + 0.5 * g;
        v = 0.25 * v + 0.75 * g * g;
        return p - (0.5 * (m / (1 - 0.5 ** t))) / (Math.sqrt(v / (1 - 0.25 ** t)) + 1e-8);
      };
    },
  },
  // Without memory of the past, Adam is the sign of the gradient.
  { call: "adam(learning_rate=0.375, beta1=0, beta2=0)", rule: () => (p, g) => p - (0.375 * g) / (Math.abs(g) + 1e-7) },
];

const start = [1, -2, 0.75, 0];
const curvature = [1, 0.25, -3, 2];

/** Every optimizer on a variable of its own, with the loss sum(a p ** 2 / 2 + p ** 3), whose gradient is a p + 3 p ** 2. */
function program(dtype: string): string {
  const statements = optimizers.flatMap(({ call }, i) => [
    `variable p${i}: ${dtype}[4] = [${start.join(", ")}]`,
    `loss${i} = sum(0.5 * a * p${i} ** 2 + p${i} ** 3)`,
    `update u${i} = minimize(loss${i}, ${call})`,
  ]);
  const all = optimizers.map((_, i) => `u${i}`).join(", ");
  return `import { adagrad, adam, gradient_descent, momentum, rmsprop, sgd } from "std/optimizers"
graph g {
  constant a: ${dtype}[4] = [${curvature.join(", ")}]
  ${statements.join("\n  ")}
  signature fit() does ${all} -> (loss0)
}
`;
}

function trace({ rule }: Optimizer, steps: number): readonly number[] {
  return start.map((first, i) => {
    const next = rule();
    let p = first;
    for (let t = 1; t <= steps; t++) p = next(p, (curvature[i] ?? 0) * p + 3 * p * p, t);
    return p;
  });
}

for (const target of targets) {
  for (const [dtype, tolerance] of [
    ["f64", 1e-13],
    ["f32", 2e-6],
  ] as const) {
    test(`${target}: three steps of every optimizer in ${dtype} are those of its paper`, async (t) => {
      const session = await open(t, target, program(dtype));
      for (let step = 1; step <= 3; step++) {
        await session.run("fit");
        optimizers.forEach((optimizer, i) => {
          near(t, variable(session, `p${i}`), trace(optimizer, step), tolerance, `${optimizer.call}, step ${step}`);
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
    const session = await open(t, target, program("f32").replaceAll(`[${start.join(", ")}]`, "[0, 0, 0, 0]"));
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
  update each = minimize(sum(r ** 2), sgd(learning_rate=1.0), clip=clamp(low=-1, high=2))
}
`,
    );
    await session.run(["each"]);
    t.deepEqual(variable(session, "r"), [1, -3]);
    // The norm of (3, 4, 12) is 13: half of each gradient is left.
    await session.run(["clipped"]);
    near(t, [...variable(session, "p"), ...variable(session, "q")], [1.5, 2, 6], 1e-6);
    // And 6.5 now, times 0.5: what is below the limit is left alone.
    await session.run(["clipped"], { scale: 0.5 });
    near(t, [...variable(session, "p"), ...variable(session, "q")], [0.75, 1, 3], 1e-6);
  });
}

test("slots have the parameter's type, are not trained, and are named by the parameter", async (t) => {
  const session = await open(t, "reference", program("f32"));
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
