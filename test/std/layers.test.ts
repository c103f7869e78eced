import { join } from "node:path";
import test from "ava";
import { Session } from "../../index.js";
import { notes, problems, types } from "../dsl/elaborate/support.js";
import { compileText, targets, temporaryFolder } from "../runtime/programs.js";
import { fetch, momentsOf, near, open, variable } from "./support.js";

const imports =
  'import { dense, flatten, prelu, radial_basis, residual } from "std/layers"\nimport { layer_norm } from "std/normalisation"\n';

for (const target of targets) {
  for (const dtype of ["f64", "f32"] as const) {
    test(`${target}: ${dtype} dense is x @ w + b, and its gradients are those of the product`, async (t) => {
      const session = await open(
        t,
        target,
        `${imports}graph g {
  dim N <= 8
  placeholder x: ${dtype}[N, 2]
  y = dense(x, units=3)
  loss = sum(y ** 2) * 0.5
  dx = gradients(loss, [x])
}
`,
      );
      const w = [1, 2, 3, -1, 0.5, 4];
      const array = dtype === "f64" ? Float64Array : Float32Array;
      session.set("y/dense/w", { dtype, shape: [2, 3], data: array.from(w) });
      t.deepEqual(variable(session, "y/dense/b"), [0, 0, 0]);
      session.set("y/dense/b", { dtype, shape: [3], data: array.from([10, 20, 30]) });
      const values = await fetch(session, ["y", "dx"], {
        x: [
          [1, 2],
          [0, -1],
        ],
      });
      const y = [9, 23, 41, 11, 19.5, 26];
      t.deepEqual(values.get("y"), y);
      // dx = y @ transpose(w), by hand.
      const rows = [y.slice(0, 3), y.slice(3)];
      const dot = (a: readonly number[], b: readonly number[]): number =>
        a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
      const dx = rows.flatMap((row) => [dot(row, w.slice(0, 3)), dot(row, w.slice(3))]);
      t.deepEqual(values.get("dx"), dx);
      const empty = { dtype, shape: [0, 2], data: new array(0) };
      t.deepEqual((await fetch(session, ["y"], { x: empty })).get("y"), []);
    });
  }

  test(`${target}: dense without a bias owns its weights alone`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder x: f64[1, 2]
  y = dense(x, units=2, bias=false)
}
`,
    );
    session.set("y/dense/w", { dtype: "f64", shape: [2, 2], data: Float64Array.from([1, 2, 3, 4]) });
    t.deepEqual((await fetch(session, ["y"], { x: [[10, 1]] })).get("y"), [13, 24]);
    t.deepEqual(
      session.program.graph.variables.map(({ path }) => path),
      ["y/dense/w"],
    );
  });

  test(`${target}: layer_norm gives rows of mean 0 and variance 1, then scale and shift`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {\n  dim N <= 8\n  placeholder x: f64[N, 4]\n  y = layer_norm(x)\n  exact = layer_norm(x, epsilon=0.0)\n}\n`,
    );
    const x = [
      [1, 2, 3, 6],
      [1e6, 1e6 + 1, 1e6, 1e6 + 1],
      [5, 5, 5, 5],
    ];
    const normal = (epsilon: number): readonly number[] =>
      x.flatMap((row) => {
        const { mean, deviation } = momentsOf(row);
        return row.map((v) => (v - mean) / Math.sqrt(deviation ** 2 + epsilon));
      });
    near(t, (await fetch(session, ["y"], { x })).get("y"), normal(1e-5), 1e-14);
    near(t, (await fetch(session, ["exact"], { x })).get("exact")?.slice(0, 8), normal(0).slice(0, 8), 1e-14);
    session.set("y/layer_norm/scale", { dtype: "f64", shape: [4], data: Float64Array.of(2, 2, 2, 2) });
    session.set("y/layer_norm/shift", { dtype: "f64", shape: [4], data: Float64Array.of(1, 1, 1, 1) });
    near(
      t,
      (await fetch(session, ["y"], { x })).get("y"),
      normal(1e-5).map((v) => 2 * v + 1),
      1e-14,
    );
  });
}

test("flatten keeps the first axis and joins the rest, of any dtype", (t) => {
  const text = `${imports}graph g {
  dim N <= 8
  placeholder a: u8[N, 28, 28]
  placeholder b: f32[5]
  placeholder c: bool[2, 1, 3, N]
  x = flatten(a)
  y = flatten(b)
  z = flatten(c)
}
`;
  t.deepEqual(types(text, "x", "y", "z"), ["u8[N, 784]", "f32[5, 1]", "bool[2, 3*N]"]);
  t.deepEqual(
    problems(`${imports}graph g {\n  placeholder a: f32\n  x = flatten(a)\n}\n`).map((line) => line.slice(0, 8)),
    ["G025 5:7"],
  );
});

test("two dense layers in one binding ask for a name, and have paths of their own with it", (t) => {
  const text = (second: string): string =>
    `${imports}graph g {\n  placeholder x: f32[2, 3]\n  y = dense(relu(dense(x, units=4)), units=5${second})\n}\n`;
  t.deepEqual(problems(text("")), [
    'G013 5:7 two calls of `dense` would own the path `y/dense` (`dense(..., name="dense2")` gives this one a path of its own)',
  ]);
  t.deepEqual(notes(text("")), ["5:18 the first call"]);
  t.deepEqual(types(text(', name="out"'), "y", "y/dense/w", "y/out/w"), ["f32[2, 5]", "f32[3, 4]", "f32[4, 5]"]);
});

test("weights declared outside are shared, and their gradient is the sum over the uses", async (t) => {
  const session = await open(
    t,
    "reference",
    `fn twice(x: f64[...], w: f64) -> (y: f64[...]) {
  y = w * x
}
graph g {
  variable w: f64 = 3
  placeholder x: f64[2] = [1, 2]
  first = twice(x, w)
  second = twice(first, w)
  dw = gradients(sum(second), [w])
}
`,
  );
  const values = await fetch(session, ["second", "dw"]);
  t.deepEqual(values.get("second"), [9, 18]);
  t.deepEqual(values.get("dw"), [18]);
});

test("a layer without its units, with the wrong rank or kind", (t) => {
  const problem = (call: string, type = "f32[2, 3]"): string | undefined =>
    problems(`${imports}graph g {\n  placeholder x: ${type}\n  y = ${call}\n}\n`)[0];
  t.is(problem("dense(x)"), "G030 5:7 `dense` needs the argument `units`");
  t.is(problem("dense(x, units=2.5)"), "G031 5:22 `units` of `dense` is an int, not the float 2.5");
  t.is(problem("dense(x, units=3)", "f32")?.slice(0, 8), "G025 5:1");
  t.is(problem("dense(x, units=3)", "i64[2, 3]")?.slice(0, 8), "G024 5:1");
  t.is(problem("dense(x, units=-3)"), "G038 5:22 `dense`: units must be at least 1");
});

const program = `graph g {
  seed 9
  placeholder x: f32[40000]
  variable n: i64 = 0
  y = dropout(x, rate=0.2)
  twice = dropout(x, rate=0.5) + 10 * dropout(x, rate=0.5)
  none = dropout(x, rate=0.0)
  dy = gradients(y, [x])
  update count { n := n + 1 }
  signature predict(x) -> (y, twice)
  signature fit(x) does count -> (y, dy, twice, none)
  signature sample(x) training=true -> (y)
  signature quiet(x) does count training=false -> (y)
}
`;
const ones = { dtype: "f32", shape: [40000], data: new Float32Array(40000).fill(1) } as const;

for (const target of targets) {
  test(`${target}: in training, dropout zeroes its share, keeps the mean, and passes gradients where it kept`, async (t) => {
    const session = await open(t, target, program);
    const values = await fetch(session, "fit", { x: ones });
    const y = values.get("y") ?? [];
    t.deepEqual([...new Set(y)].sort(), [0, 1.25]);
    // Five standard errors of a share of 0.2.
    const zeros = y.filter((v) => v === 0).length / y.length;
    t.true(Math.abs(zeros - 0.2) < 5 * Math.sqrt((0.2 * 0.8) / y.length), `${zeros}`);
    t.deepEqual(values.get("dy"), y);
    t.true(values.get("none")?.every((v) => v === 1));
    // Two calls in one binding draw independently: a quarter of the elements for each of the four outcomes.
    const outcomes = values.get("twice") ?? [];
    for (const outcome of [0, 2, 20, 22]) {
      const share = outcomes.filter((v) => v === outcome).length / outcomes.length;
      t.true(Math.abs(share - 0.25) < 5 * Math.sqrt((0.25 * 0.75) / y.length), `${outcome}: ${share}`);
    }
  });

  test(`${target}: outside training dropout is the identity, and the attribute of a signature decides`, async (t) => {
    const session = await open(t, target, program);
    const kept = async (signature: string): Promise<boolean> =>
      ((await fetch(session, signature, { x: ones })).get("y") ?? []).every((v) => v === 1);
    t.true(await kept("predict"));
    t.true(await kept("quiet"));
    t.false(await kept("sample"));
    t.false(await kept("fit"));
  });

  test(`${target}: dropout differs in each step, and a resumed run draws what the uninterrupted one does`, async (t) => {
    const compiled = await compileText(t, program, { target });
    const path = join(temporaryFolder(t), "state.safetensors");
    await using session = new Session(compiled);
    const draw = async (from: Session): Promise<readonly number[]> =>
      (await fetch(from, "fit", { x: ones })).get("y") ?? [];
    const first = await draw(session);
    await session.save(path);
    const second = await draw(session);
    t.notDeepEqual(second, first);
    await using resumed = new Session(compiled, { weights: path });
    t.deepEqual(await draw(resumed), second);
    await using afresh = new Session(compiled);
    t.deepEqual(await draw(afresh), first);
  });
}

if (targets.length > 1) {
  test("both targets drop the same elements", async (t) => {
    const drawn = await Promise.all(
      targets.map(async (target) => (await fetch(await open(t, target, program), "fit", { x: ones })).get("y")),
    );
    t.deepEqual(drawn[1], drawn[0]);
  });
}

for (const target of targets) {
  test(`${target}: residual adds what a function of the same shape gives`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}fn block(x: f64[..., 2]) -> (y: f64[..., 2]) {
  y = tanh(dense(x, units=2))
}
graph g {
  placeholder x: f64[3, 2]
  y = residual(x, layer=block)
}
`,
    );
    const path = "y/residual/difference/block/y/dense/w";
    session.set(path, { dtype: "f64", shape: [2, 2], data: Float64Array.of(1, 0.5, -1, 2) });
    const x = [
      [1, 2],
      [0, 0],
      [-1, 0.25],
    ];
    const y = x.flatMap(([a = 0, b = 0]) => [a + Math.tanh(a - b), b + Math.tanh(0.5 * a + 2 * b)]);
    near(t, (await fetch(session, ["y"], { x })).get("y"), y, 1e-15);
  });

  test(`${target}: radial basis functions of the distance to each centre`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {\n  placeholder x: f64[2, 2]\n  y = radial_basis(x, units=3, width=0.5)\n  dx = gradients(y, [x])\n}\n`,
    );
    const centres = variable(session, "y/radial_basis/centres");
    t.true(centres.every((c) => c >= -1 && c <= 1));
    t.deepEqual(variable(session, "y/radial_basis/widths"), [0.5, 0.5, 0.5]);
    const x = [
      [0.5, -0.25],
      [1, 0],
    ];
    const widths = [0.5, 1, 2];
    session.set("y/radial_basis/widths", { dtype: "f64", shape: [3], data: Float64Array.from(widths) });
    const bump = (row: readonly number[], unit: number): number => {
      const [dx, dy] = [(row[0] ?? 0) - (centres[2 * unit] ?? 0), (row[1] ?? 0) - (centres[2 * unit + 1] ?? 0)];
      return Math.exp(-(dx * dx + dy * dy) / (2 * (widths[unit] ?? 0) ** 2));
    };
    const values = await fetch(session, ["y", "dx"], { x });
    near(
      t,
      values.get("y"),
      x.flatMap((row) => [0, 1, 2].map((unit) => bump(row, unit))),
      1e-14,
    );
    near(
      t,
      values.get("dx"),
      x.flatMap((row) =>
        [0, 1].map((axis) =>
          [0, 1, 2].reduce(
            (sum, unit) =>
              sum - (bump(row, unit) * ((row[axis] ?? 0) - (centres[2 * unit + axis] ?? 0))) / (widths[unit] ?? 0) ** 2,
            0,
          ),
        ),
      ),
      1e-13,
    );
  });
}

test("prelu learns a slope for each channel", async (t) => {
  const session = await open(
    t,
    "reference",
    `${imports}import { sgd } from "std/optimizers"
graph g {
  placeholder x: f64[2, 2]
  y = prelu(x)
  update learn = minimize(sum(y), sgd(learning_rate=1.0))
  signature fit(x) does learn -> (y)
}
`,
  );
  const x = [
    [1, -2],
    [-4, 0],
  ];
  near(t, (await fetch(session, ["y"], { x })).get("y"), [1, -0.5, -1, 0], 0);
  // The slope of a slope is the sum of what it multiplies: -4 and -2.
  await session.run("fit", { x });
  near(t, variable(session, "y/prelu/slope"), [4.25, 2.25], 0);
});

test("a residual that changes the shape, and other wrong layers", (t) => {
  const text = (statement: string): string =>
    `${imports}fn half(x: f32[..., 4]) -> (y: f32[..., 1]) {
  y = dense(x, units=1)
}
graph g {
  placeholder x: f32[2, 4]
  placeholder s: f32
  y = ${statement}
}
`;
  const codes = [
    ["residual(x, layer=half)", "G023"],
    ["dense(x)", "G030"],
    ["dense(s, units=2)", "G025"],
    ["radial_basis(x, units=2, width=0.0)", "G038"],
    ["radial_basis(x)", "G030"],
  ] as const;
  for (const [statement, code] of codes) t.is(problems(text(statement))[0]?.slice(0, 4), code, statement);
});
