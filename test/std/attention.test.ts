import test from "ava";
import { refusal, targets } from "../runtime/programs.js";
import {
  add,
  checkStep,
  dot,
  type Matrix,
  matrix,
  numbers,
  rowsOf,
  scramble,
  times,
  type Vector,
  vector,
} from "./matrices.js";
import { fetch, momentsOf, near, open } from "./support.js";

const imports = `import { attention, learned_positions, multi_head_attention, positional_encoding, sinusoidal_positions, transformer_encoder } from "std/attention"
import { sgd } from "std/optimizers"
`;
const [batch, length, features, heads] = [2, 3, 4, 2];
const x: readonly Matrix[] = Array.from({ length: batch }, (_, n) => rowsOf(numbers(length * features, n), features));

function softmax(row: Vector): Vector {
  const e = row.map(Math.exp);
  const total = e.reduce((a, b) => a + b);
  return e.map((one) => one / total);
}

type Sees = (query: number, key: number) => boolean;

/** Vaswani et al. (2017), equation 1, of the keys that a query sees. */
function attend(query: Matrix, key: Matrix, value: Matrix, sees: Sees): Matrix {
  return query.map((q, i) => {
    const seen = key.flatMap((_, j) => (sees(i, j) ? [j] : []));
    const weights = softmax(seen.map((j) => dot(q, key[j] ?? []) / Math.sqrt(q.length)));
    return seen.reduce<Vector>(
      (sum, j, at) =>
        add(
          sum,
          (value[j] ?? []).map((v) => v * (weights[at] ?? Number.NaN)),
        ),
      (value[0] ?? []).map(() => 0),
    );
  });
}

interface Attention {
  readonly weights: (name: string) => Matrix;
  readonly bias: (name: string) => Vector;
}

/** Section 3.2.2: each head attends in its own columns of the projections. */
function multiHead({ weights, bias }: Attention, query: Matrix, key: Matrix, value: Matrix, sees: Sees): Matrix {
  const project = (rows: Matrix, name: string): Matrix => rows.map((row) => add(times(row, weights(name)), bias(name)));
  const [q, k, v] = [project(query, "query"), project(key, "key"), project(value, "value")];
  const width = features / heads;
  const part = (rows: Matrix, h: number): Matrix => rows.map((row) => row.slice(h * width, (h + 1) * width));
  const parts = Array.from({ length: heads }, (_, h) => attend(part(q, h), part(k, h), part(v, h), sees));
  return project(
    query.map((_, i) => parts.flatMap((one) => one[i] ?? [])),
    "output",
  );
}

const projections = ["query", "key", "value", "output"];
const causal: Sees = (i, j) => j <= i;
const all: Sees = () => true;

for (const target of targets) {
  test(`${target}: attention is the mean of the values, weighed by the softmax of the products`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder q: f64[2, 3]
  placeholder k: f64[4, 3]
  placeholder v: f64[4, 2]
  placeholder mask: bool[2, 4]
  plain = attention(q, k, v)
  ahead = attention(q, k, v, causal=true)
  masked = attention(q, k, v, mask=mask)
  both = attention(q, k, v, mask=mask, causal=true)
}
`,
    );
    const [q, k, v] = [rowsOf(numbers(6), 3), rowsOf(numbers(12, 1), 3), rowsOf(numbers(8, 2), 2)];
    const mask = [
      [true, false, true, true],
      [false, true, false, true],
    ];
    const values = await fetch(session, ["plain", "ahead", "masked", "both"], { q, k, v, mask });
    const sees: Sees = (i, j) => mask[i]?.[j] === true;
    near(t, values.get("plain"), attend(q, k, v, all).flat(), 1e-14);
    near(t, values.get("ahead"), attend(q, k, v, causal).flat(), 1e-14);
    near(t, values.get("masked"), attend(q, k, v, sees).flat(), 1e-14);
    near(t, values.get("both"), attend(q, k, v, (i, j) => sees(i, j) && causal(i, j)).flat(), 1e-14);
  });

  test(`${target}: multi-head attention and its gradients`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, ${length}, ${features}]
  placeholder mask: bool[N, 1, 1, ${length}]
  y = multi_head_attention(x, x, x, heads=${heads}, causal=true)
  loss = sum(y ** 3)
  dx = gradients(loss, [x])
  z = multi_head_attention(x, x, x[..., 0:3], heads=${heads}, mask=mask)
  update learn = minimize(loss, sgd(learning_rate=1.0))
  signature fit(x) does learn -> (loss)
}
`,
    );
    const own = (binding: string): Attention => ({
      weights: (name) => matrix(session, `${binding}/multi_head_attention/${name}_weights`),
      bias: (name) => vector(session, `${binding}/multi_head_attention/${name}_bias`),
    });
    const paths = (binding: string): readonly string[] =>
      projections.flatMap((name) =>
        ["weights", "bias"].map((kind) => `${binding}/multi_head_attention/${name}_${kind}`),
      );
    scramble(session, [...paths("y"), ...paths("z")]);
    const mask = [[[[true, true, false]]], [[[false, true, true]]]];
    const values = await fetch(session, ["y", "z", "dx"], { x, mask });
    const y = own("y");
    const expected = (input: readonly Matrix[]): Vector =>
      input.flatMap((rows) => multiHead(y, rows, rows, rows, causal).flat());
    near(t, values.get("y"), expected(x), 1e-14);
    const z = x.flatMap((rows, n) => {
      const cut = rows.map((row) => row.slice(0, 3));
      return multiHead(own("z"), rows, rows, cut, (_, j) => mask[n]?.[0]?.[0]?.[j] === true).flat();
    });
    near(t, values.get("z"), z, 1e-14);
    const loss = (at: number, h: number): number => {
      const moved = x.map((rows, n) =>
        rows.map((row, l) => row.map((v, i) => ((n * length + l) * features + i === at ? v + h : v))),
      );
      return expected(moved).reduce((sum, v) => sum + v ** 3, 0);
    };
    const slopes = Array.from(
      { length: batch * length * features },
      (_, at) => (loss(at, 1e-5) - loss(at, -1e-5)) / 2e-5,
    );
    near(t, values.get("dx"), slopes, 1e-8);
    await checkStep(t, session, "fit", paths("y"), { x });
  });

  for (const first of [false, true]) {
    test(`${target}: a transformer's encoder layer, norms ${first ? "before the branches" : "after the sums"}`, async (t) => {
      const session = await open(
        t,
        target,
        `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, ${length}, ${features}]
  y = transformer_encoder(x, heads=${heads}, hidden=5, norm_first=${first})
  plain = transformer_encoder(x, heads=${heads}, hidden=5, rate=0.0, norm_first=${first}, activation=gelu)
  loss = sum(plain ** 3)
  update learn = minimize(loss, sgd(learning_rate=1.0))
  signature fit(x) does learn -> (loss)
}
`,
      );
      const paths = (layer: string): readonly string[] => [
        ...[
          "scale_1",
          "shift_1",
          "scale_2",
          "shift_2",
          "inner/dense/w",
          "inner/dense/b",
          "outer/dense/w",
          "outer/dense/b",
        ].map((name) => `${layer}/transformer_encoder/${name}`),
        ...projections.flatMap((name) =>
          ["weights", "bias"].map(
            (kind) => `${layer}/transformer_encoder/attended/multi_head_attention/${name}_${kind}`,
          ),
        ),
      ];
      scramble(session, paths("y"));
      const at = (name: string): string => `y/transformer_encoder/${name}`;
      const norm = (rows: Matrix, i: number): Matrix =>
        rows.map((row) => {
          const { mean, deviation } = momentsOf(row);
          const [scale, shift] = [vector(session, at(`scale_${i}`)), vector(session, at(`shift_${i}`))];
          return row.map((v, j) => ((v - mean) / Math.sqrt(deviation ** 2 + 1e-5)) * (scale[j] ?? 0) + (shift[j] ?? 0));
        });
      const attentionOf: Attention = {
        weights: (name) => matrix(session, at(`attended/multi_head_attention/${name}_weights`)),
        bias: (name) => vector(session, at(`attended/multi_head_attention/${name}_bias`)),
      };
      const attended = (rows: Matrix): Matrix => multiHead(attentionOf, rows, rows, rows, all);
      const forward = (rows: Matrix): Matrix =>
        rows.map((row) => {
          const inner = add(times(row, matrix(session, at("inner/dense/w"))), vector(session, at("inner/dense/b")));
          return add(
            times(
              inner.map((v) => Math.max(0, v)),
              matrix(session, at("outer/dense/w")),
            ),
            vector(session, at("outer/dense/b")),
          );
        });
      const sum = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => add(row, b[i] ?? []));
      const y = x.flatMap((rows) => {
        if (first) {
          const between = sum(rows, attended(norm(rows, 1)));
          return sum(between, forward(norm(between, 2))).flat();
        }
        const between = norm(sum(rows, attended(rows)), 1);
        return norm(sum(between, forward(between)), 2).flat();
      });
      // Without training, nothing is dropped.
      near(t, (await fetch(session, ["y"], { x })).get("y"), y, 1e-13);
      await checkStep(t, session, "fit", paths("plain"), { x }, 1e-6);
    });
  }

  test(`${target}: in training weights and branches are dropped with the rate, and what is left is scaled`, async (t) => {
    const [many, width, rate] = [64, 32, 0.25];
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder x: f64[${many}, ${width}]
  seen = attention(x, x[0:20], identity_matrix(20, dtype=f64), rate=${rate})
  fixed = attention(x, x[0:20], identity_matrix(20, dtype=f64))
  y = transformer_encoder(x, heads=4, hidden=${width}, rate=${rate}, norm_first=true)
  signature train(x) training=true -> (seen, fixed, y)
  signature predict(x) -> (seen, fixed, y)
}
`,
    );
    const feeds = { x: rowsOf(numbers(many * width), width) };
    /** The quotients, 0 or `scale`, and as many of them 0 as `dropped` says, within five standard errors. */
    const checkShare = (quotients: Vector, scale: number, dropped: number, label: string): void => {
      const zeros = quotients.filter((v) => Math.abs(v) < 1e-9).length;
      t.true(
        quotients.every((v) => Math.abs(v) < 1e-9 || Math.abs(v - scale) < 1e-9),
        label,
      );
      const error = Math.sqrt((dropped * (1 - dropped)) / quotients.length);
      t.true(Math.abs(zeros / quotients.length - dropped) <= 5 * error, `${label}: ${zeros} of ${quotients.length}`);
    };
    const { seen = [], fixed = [] } = Object.fromEntries(await fetch(session, "train", feeds));
    checkShare(
      seen.map((v, i) => v / (fixed[i] ?? Number.NaN)),
      1 / (1 - rate),
      rate,
      "the weights of attention",
    );
    // With weights of 0 a branch is its bias: 1 from the attention, then 1 through both layers of the other branch.
    const set = (name: string, value: (i: number) => number): void => {
      const path = `y/transformer_encoder/${name}`;
      const { shape, data } = session.get(path);
      session.set(path, {
        dtype: "f64",
        shape,
        data: Float64Array.from({ length: data.length }, (_, at) => value(at)),
      });
    };
    const attended = "attended/multi_head_attention";
    const added = async (signature: string): Promise<Vector> => {
      const { y = [] } = Object.fromEntries(await fetch(session, signature, feeds));
      return y.map((v, i) => v - (feeds.x.flat()[i] ?? Number.NaN));
    };
    set(`${attended}/output_weights`, () => 0);
    set(`${attended}/output_bias`, () => 1);
    set("outer/dense/w", () => 0);
    checkShare(await added("train"), 1 / (1 - rate), rate, "the branch of attention");
    checkShare(await added("predict"), 1, 0, "the branch of attention in prediction");
    set(`${attended}/output_bias`, () => 0);
    set("inner/dense/w", () => 0);
    set("inner/dense/b", () => 1);
    set("outer/dense/w", (i) => (i % (width + 1) === 0 ? 1 : 0));
    checkShare(await added("train"), (1 - rate) ** -2, 1 - (1 - rate) ** 2, "the branch of the dense layers");
    checkShare(await added("predict"), 1, 0, "the branch of the dense layers in prediction");
  });

  test(`${target}: positions, sinusoidal and learned`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim L <= 8
  table = sinusoidal_positions(4, 5, dtype=f64)
  placeholder x: f64[L, 3]
  y = positional_encoding(x)
  z = learned_positions(x, length=4)
}
`,
    );
    const position = (at: number, column: number, units: number): number => {
      const angle = at / 10000 ** ((column - (column % 2)) / units);
      return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    };
    const table = (rows: number, units: number): Vector =>
      Array.from({ length: rows * units }, (_, i) => position(Math.floor(i / units), i % units, units));
    near(t, (await fetch(session, ["table"])).get("table"), table(4, 5), 1e-14);
    const rows = rowsOf(numbers(9), 3);
    const values = await fetch(session, ["y", "z"], { x: rows });
    near(t, values.get("y"), add(rows.flat(), table(3, 3)), 1e-14);
    const learned = vector(session, "z/learned_positions/table");
    t.is(learned.length, 12);
    near(t, values.get("z"), add(rows.flat(), learned.slice(0, 9)), 1e-15);
    t.deepEqual(await refusal(t, () => session.run(["z"], { x: rowsOf(numbers(15), 3) })), ["G086"]);
  });
}
