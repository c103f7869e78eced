/** Training steps that show which rows they saw, and requests for their loops. */
import type { LoopOutcome, LoopRequest, RunState, StorageBlock } from "../../compiler/backends/executable.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { add, mul } from "../../compiler/ops/arithmetic.js";
import { literal } from "../../compiler/ops/build.js";
import { checkIndex } from "../../compiler/ops/checks.js";
import { cast } from "../../compiler/ops/conversion.js";
import { randomUniform } from "../../compiler/ops/random.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, runState, variable } from "../../compiler/ops/sources.js";
import { reshape, slice } from "../../compiler/ops/views.js";
import type { Bound } from "./bound.js";
import { copyInto } from "./bound.js";

export const state: RunState = { seed: 42n, step: 10n, runsSinceStep: 2n };

/** Values of one row of `x`. */
export const width = 3;
/** Labels below this pass the check. */
export const classes = 10;

/** total := 3 total + sum(x) + sum(label), all in i64 and wrapping: any row out of its turn shows in it. */
export function trainingStep(batch: number): Computation {
  const x = placeholder({ name: "x", dtype: "i32", shape: [batch, width] });
  const label = placeholder({ name: "label", dtype: "u8", shape: [batch] });
  const rate = placeholder({ name: "rate", dtype: "f32", shape: [] });
  const total = variable({ path: "total", dtype: "i64", shape: [] });
  const drawn = variable({ path: "drawn", dtype: "f32", shape: [5] });
  const checked = checkIndex(label, { size: [classes] });
  const rowSum = sum(cast(x, { to: "i64" }), { axes: [0, 1] });
  const labelSum = sum(cast(checked, { to: "i64" }), { axes: [0] });
  const next = add(mul(literal("i64", [], [3]), total), add(rowSum, labelSum));
  const uniform = randomUniform(runState(), [], { path: "noise", index: 0, dtype: "f32", shape: [5] });
  const sources = new SourceTable();
  sources.add(checked.node, { file: "fit.graph", start: 3, end: 4 });
  return {
    name: "fit",
    placeholders: [x, label, rate].map((value) => ({ name: String(value.node.attributes["name"]), type: value.type })),
    variables: [total, drawn].map((value) => ({ name: String(value.node.attributes["path"]), type: value.type })),
    outputs: [
      { name: "sum", value: rowSum },
      { name: "step", value: slice(runState(), { start: [1], limit: [2], strides: [1] }) },
      { name: "total", value: next },
      { name: "first", value: reshape(slice(x, { start: [0, 0], limit: [1, 1], strides: [1, 1] }), { shape: [] }) },
      { name: "labels", value: label },
      { name: "rate", value: rate },
      { name: "before", value: total },
      { name: "draw", value: slice(uniform, { start: [4], limit: [5], strides: [1] }) },
    ],
    assignments: [
      { path: "total", value: next },
      { path: "drawn", value: uniform },
    ],
    sources,
  };
}

/** The same outputs without assignments. */
export function evaluationStep(batch: number): Computation {
  const step = trainingStep(batch);
  const total = step.variables.filter(({ name }) => name === "total");
  return { ...step, name: "evaluate", variables: total, assignments: [] };
}

/** The columns in an executable's own memory; label 77 at `badRow`. */
export function columnsOf(bound: Bound, rows: number, badRow = -1): ReadonlyMap<string, StorageBlock> {
  const x = bound.allocate("i32", rows * width);
  copyInto(
    x.data,
    Int32Array.from({ length: rows * width }, (_, i) => ((i * 7919) % 1009) - 500),
  );
  const label = bound.allocate("u8", rows);
  copyInto(
    label.data,
    Uint8Array.from({ length: rows }, (_, row) => (row === badRow ? 77 : row % classes)),
  );
  return new Map([
    ["x", x],
    ["label", label],
  ]);
}

export function requestFor(columns: ReadonlyMap<string, StorageBlock>, changes: Partial<LoopRequest>): LoopRequest {
  return {
    columns,
    feeds: new Map([["rate", Float32Array.of(0.25)]]),
    rows: (columns.get("label")?.data.length ?? 0) as number,
    batch: 1,
    shuffle: false,
    state,
    epoch: 0n,
    position: 0,
    steps: 1,
    stopAtEpochEnd: false,
    every: 0,
    advance: true,
    signal: undefined,
    ...changes,
  };
}

/** Goes on where a loop ended before its time (its report room was full), and joins the outcomes. */
export async function wholeLoop(bound: Bound, request: LoopRequest): Promise<LoopOutcome> {
  const first = await bound.executable.loop(request);
  const isFull = first.reports.length >= 4096 && first.steps < request.steps && first.failure === undefined;
  if (!isFull) return first;
  const rest = await wholeLoop(bound, {
    ...request,
    state: { ...request.state, step: request.state.step + BigInt(first.steps), runsSinceStep: 0n },
    epoch: first.epoch,
    position: first.position,
    steps: request.steps - first.steps,
  });
  return { ...rest, steps: first.steps + rest.steps, reports: [...first.reports, ...rest.reports] };
}
