import test from "ava";
import type { Executable, LoopRequest, RunState, StorageBlock } from "../../../compiler/backends/executable.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import { shuffleKey, shuffleRows } from "../../../compiler/backends/shuffle.js";
import type { Computation } from "../../../compiler/ir/graph.js";
import type { Value } from "../../../compiler/ir/node.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";
import { add, mul } from "../../../compiler/ops/arithmetic.js";
import { literal } from "../../../compiler/ops/build.js";
import { checkIndex } from "../../../compiler/ops/checks.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { placeholder, runState, variable } from "../../../compiler/ops/sources.js";
import { slice } from "../../../compiler/ops/views.js";

const backend = referenceBackend();
const state: RunState = { seed: 42n, step: 10n, runsSinceStep: 0n };

// total := 2 total + sum(x); the labels are checked; also fetched: sum(x) and the step.
const x = placeholder({ name: "x", dtype: "f32", shape: [2, 3] });
const label = placeholder({ name: "label", dtype: "u8", shape: [2] });
const total = variable({ path: "total", dtype: "f64", shape: [] });
const checked = checkIndex(label, { size: [10] });
const batchSum = sum(cast(x, { to: "f64" }), { axes: [0, 1] });
const next = add(mul(literal("f64", [], [2]), total), add(batchSum, sum(cast(checked, { to: "f64" }), { axes: [0] })));
const step = slice(runState(), { start: [1], limit: [2], strides: [1] });
const span = { file: "g.graph", start: 3, end: 4 };

async function executable(
  outputs: readonly Value[] = [batchSum, x, step],
): Promise<{ executable: Executable; total: StorageBlock }> {
  const sources = new SourceTable();
  sources.add(checked.node, span);
  const computation: Computation = {
    name: "fit",
    placeholders: [
      { name: "x", type: x.type },
      { name: "label", type: label.type },
    ],
    variables: [{ name: "total", type: total.type }],
    outputs: outputs.map((value, i) => ({ name: `y${i}`, value })),
    assignments: [{ path: "total", value: next }],
    sources,
  };
  const compiled = await backend.compile(computation, { checkNumerics: false });
  const block = backend.memory.allocate("f64", 1);
  return { executable: compiled.bind(new Map([["total", block]])), total: block };
}

const rows = 7;
const column = Float32Array.from({ length: rows * 3 }, (_, i) => i);
const block = (data: TensorData): StorageBlock => ({ data, free: () => {} });
const rowSum = (row: number): number => 9 * row + 3;

function request(changes: Partial<LoopRequest> = {}): LoopRequest {
  return {
    columns: new Map([
      ["x", block(column)],
      ["label", block(new Uint8Array(rows))],
    ]),
    feeds: new Map(),
    rows,
    batch: 2,
    shuffle: false,
    state,
    epoch: 0n,
    position: 0,
    steps: 5,
    stopAtEpochEnd: false,
    every: 0,
    advance: true,
    signal: undefined,
    ...changes,
  };
}

test("a run gives its outputs and assigns its variables", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  variableBlock.data[0] = 5;
  const outcome = program.run(
    new Map<string, TensorData>([
      ["x", Float32Array.of(1, 2, 3, 4, 5, 6)],
      ["label", Uint8Array.of(0, 9)],
    ]),
    state,
  );
  t.deepEqual(outcome, {
    kind: "done",
    outputs: [Float64Array.of(21), Float32Array.of(1, 2, 3, 4, 5, 6), BigInt64Array.of(10n)],
  });
  t.is(variableBlock.data[0], 5 * 2 + 21 + 9);
});

test("a check that fails reports its place and assigns nothing", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  variableBlock.data[0] = 5;
  const outcome = program.run(
    new Map<string, TensorData>([
      ["x", new Float32Array(6)],
      ["label", Uint8Array.of(0, 10)],
    ]),
    state,
  );
  t.is(outcome.kind, "failed");
  if (outcome.kind !== "failed") return;
  t.is(outcome.failure.code, "G086");
  t.deepEqual(outcome.failure.spans, [span]);
  t.is(variableBlock.data[0], 5);
});

test("a loop goes through the rows in order, drops the remainder, counts steps and reports", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  const outcome = await program.loop(request({ every: 2 }));
  // Three batches an epoch (row 6 is dropped), then two of the next epoch.
  const sums = [0, 2, 4, 0, 2].map((row) => rowSum(row) + rowSum(row + 1));
  t.is(
    variableBlock.data[0],
    sums.reduce((value, batch) => 2 * value + batch, 0),
  );
  t.deepEqual(outcome, {
    steps: 5,
    epoch: 1n,
    position: 4,
    // The outputs of one element: the sum, and the step before the update.
    reports: [
      { step: 12n, values: [sums[1] as number, 11] },
      { step: 14n, values: [sums[3] as number, 13] },
    ],
    last: [sums[4] as number, 14],
    sums: [0, 0],
    failure: undefined,
  });
});

test("a shuffled loop sees each row once an epoch, in the order that all back ends share", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  const outcome = await program.loop(request({ shuffle: true, epoch: 3n, steps: 4, batch: 2 }));
  let expected = 0;
  for (const [epoch, positions] of [
    [3n, [0, 2, 4]],
    [4n, [0]],
  ] as const) {
    const order = new Int32Array(rows);
    shuffleRows(order, shuffleKey(42n, epoch));
    t.deepEqual([...order].sort(), [0, 1, 2, 3, 4, 5, 6]);
    for (const position of positions) {
      expected = 2 * expected + rowSum(order[position] as number) + rowSum(order[position + 1] as number);
    }
  }
  t.is(variableBlock.data[0], expected);
  t.deepEqual([outcome.epoch, outcome.position], [4n, 2]);
});

test("an evaluation sums the outputs, keeps the step, assigns nothing and ends with the rows", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  const outcome = await program.loop(request({ advance: false, stopAtEpochEnd: true, steps: 100 }));
  t.is(outcome.steps, 3);
  t.deepEqual([outcome.epoch, outcome.position], [0n, 6]);
  const whole = [0, 1, 2, 3, 4, 5].reduce((value, row) => value + rowSum(row), 0);
  t.deepEqual(outcome.sums, [2 * whole, 2 * 3 * 10]);
  t.is(variableBlock.data[0], 0);
});

test("a loop that is split goes on as if it had not been", async (t) => {
  const whole = await executable();
  await whole.executable.loop(request({ shuffle: true, steps: 5 }));
  const parts = await executable();
  const first = await parts.executable.loop(request({ shuffle: true, steps: 2 }));
  await parts.executable.loop(
    request({ shuffle: true, steps: 3, state: { ...state, step: 12n }, epoch: first.epoch, position: first.position }),
  );
  t.is(parts.total.data[0], whole.total.data[0]);
});

test("a failing step ends the loop with the state of the step before", async (t) => {
  const { executable: program, total: variableBlock } = await executable();
  const labels = new Uint8Array(rows);
  labels[3] = 77;
  const columns = new Map([
    ["x", block(column)],
    ["label", block(labels)],
  ]);
  const outcome = await program.loop(request({ columns }));
  t.is(outcome.steps, 1);
  t.is(outcome.failure?.stepsDone, 1);
  t.regex(outcome.failure?.message ?? "", /index 77 is out of range/);
  t.is(variableBlock.data[0], rowSum(0) + rowSum(1));
});

test("an aborted loop ends after the current step and lets others have their turn", async (t) => {
  const { executable: program } = await executable();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  const outcome = await program.loop(request({ steps: 1e9, signal: controller.signal }));
  t.true(outcome.steps > 0 && outcome.steps < 1e9);
  program.close();
  t.throws(() => program.run(new Map(), state), { message: /after it was closed/ });
});

test("what is known of a compiled computation", async (t) => {
  const { executable: program } = await executable();
  t.like(program.info, { target: "reference", assigned: ["total"], codeBytes: 0, cached: false });
  t.deepEqual(
    program.info.outputs.map(({ dtype, shape }) => [dtype, shape]),
    [
      ["f64", []],
      ["f32", [2, 3]],
      ["i64", [1]],
    ],
  );
  t.true(program.info.arenaBytes > 0 && program.info.peakBytes >= program.info.arenaBytes + 8);
});

test("a computation that needs more memory than there is is refused before anything is allocated", async (t) => {
  const huge = placeholder({ name: "x", dtype: "f32", shape: [2 ** 20, 2 ** 25] });
  const computation: Computation = {
    name: "huge",
    placeholders: [{ name: "x", type: huge.type }],
    variables: [],
    outputs: [{ name: "y", value: add(huge, huge) }],
    assignments: [],
    sources: new SourceTable(),
  };
  await t.throwsAsync(backend.compile(computation, { checkNumerics: false }), { message: /`huge` needs .* GB/ });
});
