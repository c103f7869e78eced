import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { compile, idx, readData, Session, type TargetName } from "../../index.js";

const examples = join(import.meta.dirname, "..", "..", "examples");
const graphOf = (name: string): string => join(examples, name, `${name}.graph`);
const native = probe().available;
const targets: readonly TargetName[] = native ? ["reference", "cpu"] : ["reference"];

/** Whole training runs take the reference evaluator minutes: they are done natively. */
const nativeTest = native ? test : test.skip;
if (!native) console.log("examples: native code cannot be made here, so the long training runs are skipped");

/** What an example prints, line by line. */
async function printed(name: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(examples, name, "run.js")]);
  return stdout.trimEnd().split("\n");
}

async function open(t: ExecutionContext, name: string, target?: TargetName): Promise<Session> {
  const session = new Session(await compile(graphOf(name), { target }));
  t.teardown(() => session.close());
  return session;
}

function close(t: ExecutionContext, found: number | undefined, expected: number, tolerance: number): void {
  t.true(Math.abs((found ?? Number.NaN) - expected) <= tolerance, `${found} is not within ${tolerance} of ${expected}`);
}

test("hello prints its constant", async (t) => {
  t.deepEqual(await printed("hello"), ["Hello, graph!"]);
});

/** The loss of examples/lstm_by_hand from its formulas, element by element: gates of f, i, g and o over [x, h], 5 by 3 weights each. */
function lstmLoss(w: readonly number[], b: readonly number[]): number {
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  let h = [0, 0, 0];
  let c = [0, 0, 0];
  for (const x of [
    [1, 0.5],
    [-0.5, 2],
    [0.25, -1],
    [1.5, 0],
  ]) {
    const seen = [...x, ...h];
    const z = (gate: number, unit: number): number =>
      seen.reduce((sum, value, i) => sum + value * (w[(gate * 5 + i) * 3 + unit] ?? 0), b[gate * 3 + unit] ?? 0);
    c = c.map((old, j) => sigmoid(z(0, j)) * old + sigmoid(z(1, j)) * Math.tanh(z(2, j)));
    h = c.map((memory, j) => sigmoid(z(3, j)) * Math.tanh(memory));
  }
  return [0.5, -0.5, 0.25].reduce((sum, wanted, j) => sum + ((h[j] ?? 0) - wanted) ** 2, 0);
}

for (const target of targets) {
  test(`${target}: one neuron computes AND, OR and NAND; two layers, by hand and trained, compute XOR`, async (t) => {
    const session = await open(t, "neuron", target);
    const gates = await session.run("gates");
    const row = (name: string): readonly number[] => [...(gates[name]?.data ?? [])].map(Number);
    t.deepEqual(row("and_gate"), [0, 0, 0, 1]);
    t.deepEqual(row("or_gate"), [0, 1, 1, 1]);
    t.deepEqual(row("nand_gate"), [1, 1, 1, 0]);
    t.deepEqual(row("xor_by_hand"), [0, 1, 1, 0]);
    await session.train();
    const { xor_learned } = await session.run("xor");
    t.deepEqual([...(xor_learned?.data ?? [])].map(Number), [0, 1, 1, 0]);
  });

  test(`${target}: the activations are their formulas in float64`, async (t) => {
    const x = [-3, -1, -0.5, 0, 0.5, 1, 3];
    const session = await open(t, "activations", target);
    const found = await session.run("all_of_them", { x });
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    const total = x.reduce((sum, v) => sum + Math.exp(v), 0);
    // Phi(3), Phi(1) and Phi(0.5), from tables of the normal distribution function.
    const phi = new Map([
      [3, 0.9986501019683699],
      [1, 0.8413447460685429],
      [0.5, 0.6914624612740131],
      [0, 0.5],
    ]);
    const normal = (v: number): number => (v < 0 ? 1 - (phi.get(-v) ?? Number.NaN) : (phi.get(v) ?? Number.NaN));
    const formulas: Readonly<Record<string, (v: number) => number>> = {
      step_y: (v) => (v >= 0 ? 1 : 0),
      sigmoid_y: sigmoid,
      tanh_y: Math.tanh,
      relu_y: (v) => Math.max(v, 0),
      leaky_relu_y: (v) => (v >= 0 ? v : 0.01 * v),
      elu_y: (v) => (v > 0 ? v : Math.expm1(v)),
      softplus_y: (v) => Math.log1p(Math.exp(v)),
      softmax_y: (v) => Math.exp(v) / total,
      gelu_y: (v) => v * normal(v),
      swish_y: (v) => v * sigmoid(v),
    };
    t.deepEqual(Object.keys(found), Object.keys(formulas));
    for (const [name, formula] of Object.entries(formulas)) {
      x.forEach((v, i) => {
        close(t, Number(found[name]?.data[i]), formula(v), 1e-6);
      });
    }
  });

  test(`${target}: the delta rule by hand equals the derived gradient`, async (t) => {
    const session = await open(t, "backpropagation", target);
    const { difference } = await session.run("compare");
    t.true(Number(difference?.data[0]) < 1e-6);
    const report = await session.train({ steps: 200 });
    t.true((report.metrics["difference"] ?? 1) < 1e-6);
  });

  test(`${target}: least squares, four ways`, async (t) => {
    const session = await open(t, "least_squares", target);
    const lines = await session.run("fit");
    for (const name of ["by_inverse", "by_solve", "by_lstsq", "by_polyfit"]) {
      close(t, Number(lines[name]?.data[0]), 0.87493126, 1e-8);
      close(t, Number(lines[name]?.data[1]), -26.79078617, 1e-8);
    }
  });

  test(`${target}: linear regression follows gradient descent in float32`, async (t) => {
    const session = await open(t, "linear_regression", target);
    const report = await session.train({ steps: 500 });
    const x = [32, 64, 96, 118, 126, 144, 152.5, 158];
    const y = [18, 24, 61.5, 49, 52, 105, 130.3, 125];
    let w = Math.fround(1.26818371);
    let b = Math.fround(-155.01182556);
    for (let step = 0; step < 500; step++) {
      const errors = x.map((value, i) => w * value + b - (y[i] ?? 0));
      const dw = errors.reduce((sum, error, i) => sum + error * (x[i] ?? 0), 0) / 4;
      const db = errors.reduce((sum, error) => sum + error, 0) / 4;
      w = Math.fround(w - 1e-5 * dw);
      b = Math.fround(b - 1e-5 * db);
    }
    close(t, report.metrics["W"], w, 1e-4);
    close(t, report.metrics["b"], b, 1e-3);
  });
}

for (const target of targets) {
  test(`${target}: Newton's method finds the roots that Math.sqrt and Math.cbrt find`, async (t) => {
    const session = await open(t, "newton", target);
    const values = [2, 9, 0.25, 1e6, 0, -8, 1e-6, 123.456, -1e-3, Number.NaN];
    const { square_roots, square_steps, cube_roots, cube_steps } = await session.run("roots", { values });
    values.forEach((a, i) => {
      for (const [found, exact] of [
        [Number(square_roots?.data[i]), Math.sqrt(a)],
        [Number(cube_roots?.data[i]), Math.cbrt(a)],
      ] as const) {
        if (Number.isNaN(exact)) t.true(Number.isNaN(found), `${found} is a root of ${a}`);
        else close(t, found, exact, 2e-15 * Math.abs(exact));
      }
      t.is(Number(square_steps?.data[i]) > 0, a > 0);
      t.is(Number(cube_steps?.data[i]) > 0, Math.abs(a) > 0);
    });
    const none = await session.run("roots", { values: new Float64Array(0) });
    t.deepEqual(none["square_roots"]?.shape, [0]);
  });
}

/** How many steps of z -> z * z + c, from 0, leave |z| within 2: the definition, with nothing spared. */
function escapeTime(x: number, y: number, limit: number): number {
  let [a, b, n] = [0, 0, 0];
  while (a * a + b * b <= 4 && n < limit) {
    [a, b] = [a * a - b * b + x, 2 * a * b + y];
    n++;
  }
  return n;
}

for (const target of targets) {
  test(`${target}: the points of the Mandelbrot set stay, and the others leave after as many steps as they do by definition`, async (t) => {
    const session = await open(t, "mandelbrot", target);
    const run = async (real: readonly number[], imaginary: readonly number[], limit: number): Promise<number[]> => {
      const { counts } = await session.run("escape", { real, imaginary, limit });
      t.deepEqual(counts?.shape, [imaginary.length, real.length]);
      return [...(counts?.data ?? [])].map(Number);
    };
    // -2, -1, 0, 1/4 and i belong to the set. From 1: 1, 2, 5; from 2: 2, 6; from 3: 3; from 2i: 2i, -4 + 2i.
    t.deepEqual(await run([-2, -1, 0, 0.25, 1, 2, 3], [0], 500), [500, 500, 500, 500, 3, 2, 1]);
    t.deepEqual(await run([0], [1, 2], 100), [100, 2]);
    // Near the cusp 1/4 the count grows as pi / sqrt(c - 1/4) (Boll, 1991).
    const [cusp = 0] = await run([0.2501], [0], 1000);
    t.true(Math.abs(cusp * Math.sqrt(1e-4) - Math.PI) < 0.1, `${cusp}`);
    // No point of this grid lies so near the boundary that the rounding of a fused multiply-add decides.
    const real = Array.from({ length: 29 }, (_, i) => -2.1 + i / 10);
    const imaginary = Array.from({ length: 13 }, (_, i) => 1.2 - i / 5);
    const expected = imaginary.flatMap((y) => real.map((x) => escapeTime(x, y, 60)));
    t.deepEqual(await run(real, imaginary, 60), expected);
    t.deepEqual(await run([], [0], 10), []);
  });
}

for (const target of targets) {
  test(`${target}: the LSTM in a scan has the gradients of the one unrolled by hand, and both those of its formulas`, async (t) => {
    const session = await open(t, "lstm_by_hand", target);
    const numbers = async (names: readonly string[]): Promise<readonly (readonly number[])[]> => {
      const found = await session.run(names);
      return names.map((name) => [...(found[name]?.data ?? [])].map(Number));
    };
    const [w = [], b = [], [loss = Number.NaN] = [], [same = Number.NaN] = []] = await numbers([
      "w",
      "b",
      "by_scan.loss",
      "unrolled.loss",
    ]);
    close(t, loss, lstmLoss(w, b), 1e-14);
    close(t, same, lstmLoss(w, b), 1e-14);
    for (const [gradient, at] of [
      ["dw", (d: number, i: number): number => lstmLoss(w.with(i, (w[i] ?? 0) + d), b)],
      ["db", (d: number, i: number): number => lstmLoss(w, b.with(i, (b[i] ?? 0) + d))],
    ] as const) {
      const [scanned = [], unrolled = []] = await numbers([`by_scan.${gradient}`, `unrolled.${gradient}`]);
      t.is(scanned.length, gradient === "dw" ? w.length : b.length);
      scanned.forEach((slope, i) => {
        close(t, slope, unrolled[i] ?? Number.NaN, 1e-12);
        close(t, slope, (at(1e-5, i) - at(-1e-5, i)) / 2e-5, 1e-9);
      });
      t.true(scanned.some((slope) => Math.abs(slope) > 0.01));
    }
    const report = await session.train();
    t.true((report.metrics["by_scan.loss"] ?? 1) < 1e-12);
    t.true((report.metrics["difference"] ?? 1) < 1e-12);
  });
}

nativeTest("linear regression ends where the published run ended", async (t) => {
  const session = await open(t, "linear_regression", "cpu");
  const report = await session.train();
  t.is(report.steps, 2_500_001);
  // Each 100,000th, and the last one.
  t.is(report.history.length, 26);
  close(t, report.metrics["W"], 0.87797, 1e-4);
  close(t, report.metrics["b"], -27.17693, 1e-4);
  close(t, report.metrics["cost"], 355.9598, 1e-4);
});

const digits = [
  { name: "mnist_softmax", accuracy: "accuracy", least: 0.91 },
  { name: "mnist_dnn", accuracy: "metrics.accuracy", least: 0.975 },
] as const;

for (const { name, accuracy, least } of digits) {
  nativeTest(`${name} learns the digits`, async (t) => {
    const data = join(examples, name, "data");
    t.true(existsSync(data), "the MNIST files are laid out by make setup");
    const session = await open(t, name, "cpu");
    await session.train();
    const image = idx(join(data, "t10k-images-idx3-ubyte"));
    const label = idx(join(data, "t10k-labels-idx1-ubyte"));
    const means = await session.evaluate("evaluate", { image, label });
    t.true((means[accuracy] ?? 0) >= least, `test accuracy ${means[accuracy]}`);
    const labels = await readData(label.slice(0, 10));
    t.deepEqual([...labels.data].map(Number), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const { digit } = await session.run("predict", { image: await readData(image.slice(0, 10)) });
    const right = [...(digit?.data ?? [])].filter((value, i) => Number(value) === Number(labels.data[i])).length;
    t.true(right >= 9);
  });
}
