import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import {
  add,
  checkStep,
  type Matrix,
  matrix,
  multiply,
  numbers,
  rowsOf,
  scramble,
  sigmoid,
  times,
  type Vector,
  vector,
} from "./matrices.js";
import { fetch, near, open, variable } from "./support.js";

const imports =
  'import { bidirectional, gru, lstm, lstm_with_cells, simple_rnn } from "std/recurrent"\nimport { sgd } from "std/optimizers"\n';
const [batch, length, features, units] = [2, 4, 3, 2];
const x: readonly Matrix[] = Array.from({ length: batch }, (_, n) => rowsOf(numbers(length * features, n), features));
const zero: Vector = Array.from({ length: units }, () => 0);
const quarter = (z: Vector, i: number): Vector => z.slice(i * units, (i + 1) * units);

/** One cell of a layer: the state (and what else it keeps) after an input. */
type Step = (input: Vector, state: readonly Vector[]) => readonly Vector[];

/** The states of a whole sequence, forwards. */
function through(step: Step, sequence: Matrix, first: readonly Vector[]): readonly (readonly Vector[])[] {
  const states: (readonly Vector[])[] = [];
  let state = first;
  for (const input of sequence) {
    state = step(input, state);
    states.push(state);
  }
  return states;
}

interface Weights {
  readonly input: Matrix;
  readonly state: Matrix;
  readonly bias: Vector;
  readonly own: Vector;
}

/** Elman (1990). */
const simple =
  ({ input, state, bias }: Weights): Step =>
  (z, [h = []]) => [add(times(z, input), times(h, state), bias).map(Math.tanh)];

/** Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); PyTorch's order of gates. */
const longShort =
  ({ input, state, bias }: Weights): Step =>
  (z, [h = [], c = []]) => {
    const gates = add(times(z, input), times(h, state), bias);
    const [i, f, g, o] = [0, 1, 2, 3].map((at) => quarter(gates, at)) as [Vector, Vector, Vector, Vector];
    const cell = add(multiply(f.map(sigmoid), c), multiply(i.map(sigmoid), g.map(Math.tanh)));
    return [multiply(o.map(sigmoid), cell.map(Math.tanh)), cell];
  };

/** Cho et al. (2014), as PyTorch documents GRU. */
const gated =
  ({ input, state, bias, own }: Weights): Step =>
  (z, [h = []]) => {
    const a = add(times(z, input), bias);
    const b = times(h, state);
    const r = add(quarter(a, 0), quarter(b, 0)).map(sigmoid);
    const u = add(quarter(a, 1), quarter(b, 1)).map(sigmoid);
    const n = add(quarter(a, 2), multiply(r, add(quarter(b, 2), own))).map(Math.tanh);
    return [
      add(
        multiply(
          u.map((one) => 1 - one),
          n,
        ),
        multiply(u, h),
      ),
    ];
  };

const layers: readonly {
  readonly name: string;
  readonly step: (weights: Weights) => Step;
  readonly kept: number;
  readonly variables: readonly string[];
}[] = [
  { name: "simple_rnn", step: simple, kept: 1, variables: ["input_weights", "state_weights", "bias"] },
  { name: "lstm", step: longShort, kept: 2, variables: ["input_weights", "state_weights", "bias"] },
  { name: "gru", step: gated, kept: 1, variables: ["input_weights", "state_weights", "bias", "state_bias"] },
];

for (const target of targets) {
  for (const { name, step, kept, variables } of layers) {
    test(`${target}: ${name} and its gradients through time`, async (t) => {
      const session = await open(
        t,
        target,
        `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, ${length}, ${features}]
  y = ${name}(x, units=${units})
  loss = sum(y ** 2) + sum(y[:, -1] ** 3)
  dx = gradients(loss, [x])
  update learn = minimize(loss, sgd(learning_rate=1.0))
  signature fit(x) does learn -> (loss)
}
`,
      );
      const paths = variables.map((one) => `y/${name}/${one}`);
      scramble(session, paths);
      const weights: Weights = {
        input: matrix(session, `y/${name}/input_weights`),
        state: matrix(session, `y/${name}/state_weights`),
        bias: vector(session, `y/${name}/bias`),
        own: variables.includes("state_bias") ? vector(session, `y/${name}/state_bias`) : [],
      };
      const first = Array.from({ length: kept }, () => zero);
      const states = (input: readonly Matrix[]): Vector =>
        input.flatMap((one) => through(step(weights), one, first).flatMap(([h = []]) => h));
      const loss = (input: readonly Matrix[]): number =>
        input.reduce((total, one) => {
          const all = through(step(weights), one, first).map(([h = []]) => h);
          const squares = all.flat().reduce((sum, h) => sum + h * h, 0);
          return total + squares + (all[length - 1] ?? []).reduce((sum, h) => sum + h ** 3, 0);
        }, 0);
      const values = await fetch(session, ["y", "loss", "dx"], { x });
      near(t, values.get("y"), states(x), 1e-14);
      near(t, values.get("loss"), [loss(x)], 1e-14);
      const places = Array.from({ length: batch * length * features }, (_, i) => i);
      const moved = (at: number, h: number): readonly Matrix[] =>
        x.map((one, n) => one.map((row, l) => row.map((v, i) => ((n * length + l) * features + i === at ? v + h : v))));
      near(
        t,
        values.get("dx"),
        places.map((at) => (loss(moved(at, 1e-5)) - loss(moved(at, -1e-5))) / 2e-5),
        1e-8,
      );
      await checkStep(t, session, "fit", paths, { x });
    });
  }

  test(`${target}: an LSTM goes on from the state and cell of another`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder x: f64[${batch}, ${length}, ${features}]
  states, cells = lstm_with_cells(x, units=${units})
  after = lstm(x, units=${units}, state=states[:, -1], cell=cells[:, -1])
  ahead = gru(x, units=${units}, state=states[:, -1])
  plain = simple_rnn(x, units=${units}, state=0.5)
}
`,
    );
    const path = "states/lstm_with_cells";
    const weightsOf = (at: string): Weights => ({
      input: matrix(session, `${at}/input_weights`),
      state: matrix(session, `${at}/state_weights`),
      bias: vector(session, `${at}/bias`),
      own: zero,
    });
    // The forget gate starts open.
    t.deepEqual(variable(session, `${path}/bias`), [0, 0, 1, 1, 0, 0, 0, 0]);
    const values = await fetch(session, ["states", "cells", "after", "ahead", "plain"], { x });
    const encoded = x.map((one) => through(longShort(weightsOf(path)), one, [zero, zero]));
    near(
      t,
      values.get("states"),
      encoded.flatMap((all) => all.flatMap(([h = []]) => h)),
      1e-14,
    );
    near(
      t,
      values.get("cells"),
      encoded.flatMap((all) => all.flatMap(([, c = []]) => c)),
      1e-14,
    );
    const after = x.map((one, n) => through(longShort(weightsOf("after/lstm")), one, encoded[n]?.[length - 1] ?? []));
    near(
      t,
      values.get("after"),
      after.flatMap((all) => all.flatMap(([h = []]) => h)),
      1e-14,
    );
    const ahead = x.map((one, n) => through(gated(weightsOf("ahead/gru")), one, [encoded[n]?.[length - 1]?.[0] ?? []]));
    near(
      t,
      values.get("ahead"),
      ahead.flatMap((all) => all.flatMap(([h = []]) => h)),
      1e-14,
    );
    const half = x.map((one) => through(simple(weightsOf("plain/simple_rnn")), one, [[0.5, 0.5]]));
    near(
      t,
      values.get("plain"),
      half.flatMap((all) => all.flatMap(([h = []]) => h)),
      1e-14,
    );
  });

  test(`${target}: bidirectional runs one layer each way, each with weights of its own`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder x: f64[${batch}, ${length}, ${features}]
  y = bidirectional(x, layer=simple_rnn, units=${units})
}
`,
    );
    const way = (name: string): Weights => ({
      input: matrix(session, `y/bidirectional/${name}/simple_rnn/input_weights`),
      state: matrix(session, `y/bidirectional/${name}/simple_rnn/state_weights`),
      bias: zero,
      own: zero,
    });
    const y = x.flatMap((one) => {
      const there = through(simple(way("forward")), one, [zero]);
      const back = [...through(simple(way("backward")), [...one].reverse(), [zero])].reverse();
      return there.flatMap(([h = []], l) => [...h, ...(back[l]?.[0] ?? [])]);
    });
    near(t, (await fetch(session, ["y"], { x })).get("y"), y, 1e-14);
  });

  test(`${target}: a sequence of one time, and a batch of none`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 4
  placeholder x: f64[N, 1, 2]
  y = lstm(x, units=1)
  z = gru(x, units=1)
}
`,
    );
    const none = { dtype: "f64", shape: [0, 1, 2], data: new Float64Array(0) } as const;
    t.deepEqual([...(await fetch(session, ["y", "z"], { x: none })).values()], [[], []]);
    const [w] = [matrix(session, "y/lstm/input_weights")];
    const gates = add(times([1, -1], w), [0, 1, 0, 0]);
    const cell = sigmoid(gates[0] ?? 0) * Math.tanh(gates[2] ?? 0);
    near(
      t,
      (await fetch(session, ["y"], { x: [[[1, -1]]] })).get("y"),
      [sigmoid(gates[3] ?? 0) * Math.tanh(cell)],
      1e-14,
    );
  });
}

test("what a recurrent layer is wrongly given", (t) => {
  const text = (statement: string): string =>
    `${imports}graph g {\n  placeholder x: f32[2, 4, 3]\n  placeholder flat: f32[2, 3]\n  y = ${statement}\n}\n`;
  const codes = [
    ["lstm(flat, units=4)", "G025"],
    ["lstm(x)", "G030"],
    ["gru(x, units=0)", "G038"],
    ["simple_rnn(x, units=4, state=flat)", "G020"],
    ["bidirectional(x, layer=relu, units=4)", "G030"],
    ["bidirectional(x, layer=lstm, units=-1)", "G038"],
  ] as const;
  for (const [statement, code] of codes) t.is(problems(text(statement))[0]?.slice(0, 4), code, statement);
});
