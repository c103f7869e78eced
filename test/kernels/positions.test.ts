import test, { type ExecutionContext } from "ava";
import "../../compiler/ops/table.js";
import { differentiate } from "../../compiler/autodiff/differentiate.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Kernel, KernelProgram, ScalarExpr, Statement } from "../../compiler/kernels/form.js";
import { printKernels } from "../../compiler/kernels/printer.js";
import { loopsIn } from "../../compiler/kernels/rewrite.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, mul, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal, zerosLike } from "../../compiler/ops/build.js";
import { dotGeneral } from "../../compiler/ops/contraction.js";
import { dynamicUpdateSlice } from "../../compiler/ops/dynamic_slices.js";
import { tanh } from "../../compiler/ops/exponential.js";
import { gather, scatter } from "../../compiler/ops/indexing.js";
import { gradients } from "../../compiler/ops/pseudo.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../compiler/ops/sources.js";
import { iota } from "../../compiler/ops/structure.js";
import { reshape } from "../../compiler/ops/views.js";
import { pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { build, computationOf, contextOf, disagreements } from "./support.js";

const table = variable({ path: "table", dtype: "f32", shape: [50, 24] });
const ids = placeholder({ name: "ids", dtype: "i64", shape: [6] });
const rows = placeholder({ name: "rows", dtype: "f32", shape: [6, 24] });
const at = { axes: [0] };
const f32 = (value: number, shape: readonly number[]): Value => broadcastScalar(literal("f32", [], [value]), shape);

/** Builds, verifies, and compares with the reference where ids are in range and where they are not. */
function checked(
  t: ExecutionContext,
  outputs: Readonly<Record<string, Value>>,
  assignments: Readonly<Record<string, Value>> = {},
  options: Parameters<typeof build>[1] = {},
): KernelProgram {
  const plain = computationOf(outputs, assignments);
  const computation = runPipeline(pipeline, differentiate(plain).computation);
  const program = build(computation, options);
  t.deepEqual(
    verifyKernels(program).map(({ message }) => message),
    [],
    printKernels(program),
  );
  for (const index of [1.5, 17, 8]) {
    const context = contextOf(computation, (i, name) => (name === "ids" ? (i % 3) + index : ((i * 7) % 13) / 8 - 0.7));
    t.deepEqual(disagreements(computation, program, context), [], printKernels(program));
  }
  return program;
}

const kernelsOf = (program: KernelProgram): readonly Kernel[] => [...program.compute, ...program.commit];

function storesTo(program: KernelProgram, kind: string): readonly Extract<Statement, { kind: "store" }>[] {
  return program.commit.flatMap((kernel) =>
    kernel.kind !== "nest"
      ? []
      : loopsIn(kernel.body).flatMap((loop) =>
          loop.body.flatMap((statement) =>
            statement.kind === "store" && program.buffers[statement.target.buffer]?.storage.kind === kind
              ? [statement]
              : [],
          ),
        ),
  );
}

test("a gradient step of an embedding writes the rows that were read, in place, with lanes along them", (t) => {
  const loss = sum(mul(tanh(gather(table, [ids], at)), rows), { axes: [0, 1] });
  const [dtable] = gradients.apply([loss, table], {});
  const program = checked(t, { loss }, { table: sub(table, mul(f32(0.1, [50, 24]), dtable as Value)) });
  const stores = storesTo(program, "variable");
  t.is(stores.length, 1);
  t.is(stores[0]?.combiner, "add");
  t.is(stores[0]?.target.dynamic?.length, 1);
  const temporaries = program.buffers.filter(({ storage }) => storage.kind === "temporary");
  t.true(
    temporaries.every(({ length }) => length < 50 * 24),
    printKernels(program),
  );
  for (const kernel of kernelsOf(program)) {
    const inner = kernel.kind === "nest" ? loopsIn(kernel.body).filter(({ extent }) => extent === 24) : [];
    t.true(inner.every(({ schedule }) => schedule.vector));
  }
});

test("a gradient that something else reads too stays dense", (t) => {
  const loss = sum(mul(gather(table, [ids], at), rows), { axes: [0, 1] });
  const [dtable] = gradients.apply([loss, table], {});
  const norm = sum(mul(dtable as Value, dtable as Value), { axes: [0, 1] });
  checked(t, { norm }, { table: sub(table, dtable as Value) });
});

test("an update that reads rows of its table sets those aside, not the whole table", (t) => {
  const known = literal("i64", [6], [3, 1, 3, 0, 49, 1]);
  for (const index of [ids, known]) {
    const decay = mul(gather(table, [index], at), f32(0.5, [6, 24]));
    const program = checked(t, {}, { table: scatter(table, decay, [index], { ...at, combiner: "add" }) });
    t.true(
      storesTo(program, "variable").every(({ target }) => target.dynamic !== undefined),
      printKernels(program),
    );
    const temporaries = program.buffers.filter(({ storage }) => storage.kind === "temporary");
    t.true(temporaries.every(({ length }) => length <= 6 * 24));
  }
});

test("a variable that is scattered into from another's rows, both ways, is not overwritten too early", (t) => {
  const other = variable({ path: "other", dtype: "f32", shape: [50, 24] });
  const into = (x: Value, from: Value): Value => scatter(x, gather(from, [ids], at), [ids], { ...at, combiner: "add" });
  checked(t, {}, { table: into(table, other), other: into(other, table) });
  checked(t, {}, { table: into(other, table), other: table });
  const all = iota({ dtype: "i64", shape: [50], axis: 0 });
  checked(t, {}, { table: scatter(table, table, [all], { ...at, combiner: "add" }) });
});

test("rows that are set in place; the last of several stays", (t) => {
  const program = checked(t, {}, { table: scatter(table, rows, [ids], { ...at, combiner: "set" }) });
  t.true(
    storesTo(program, "variable").every(
      ({ target, combiner }) => target.dynamic !== undefined && combiner === undefined,
    ),
  );
  const cache = variable({ path: "cache", dtype: "f32", shape: [8, 4] });
  const step = placeholder({ name: "step", dtype: "i64", shape: [] });
  const row = placeholder({ name: "row", dtype: "f32", shape: [1, 4] });
  const zero = literal("i64", [], [0]);
  const cached = checked(t, {}, { cache: dynamicUpdateSlice(cache, row, [step, zero]) });
  t.is(storesTo(cached, "variable").length, 1);
});

test("a variable that gets gathered rows is written directly, after their positions have been checked", (t) => {
  const y = variable({ path: "y", dtype: "f32", shape: [6, 24] });
  const program = checked(t, {}, { y: add(y, gather(table, [ids], at)) });
  t.is(program.commit.length, 1);
  t.true(program.buffers.every(({ storage, length }) => storage.kind !== "temporary" || length === 6));
});

test("checked numerics do not keep an update from its place", (t) => {
  const update = scatter(table, mul(rows, rows), [ids], { ...at, combiner: "add" });
  const program = checked(t, {}, { table: update }, { checkNumerics: true });
  t.true(storesTo(program, "variable").some(({ target }) => target.dynamic !== undefined));
});

test("a gather is read where it is used: by element-wise work, reductions and contractions", (t) => {
  const x = gather(table, [ids], at);
  const w = placeholder({ name: "w", dtype: "f32", shape: [24, 40] });
  const product = dotGeneral(x, w, { lhs_batch: [], rhs_batch: [], lhs_contract: [1], rhs_contract: [0] });
  // The positions are checked once, and the rows read where they are packed.
  const program = checked(t, { product });
  t.deepEqual(
    kernelsOf(program).map(({ kind }) => kind),
    ["nest", "contract"],
  );
  t.true(program.buffers.every(({ storage, length }) => storage.kind !== "temporary" || length !== 6 * 24));
  t.is(checked(t, { total: sum(tanh(x), { axes: [1] }) }).compute.length, 1);
  // What is gathered is stored where it would be computed for each reader.
  const stored = checked(t, { y: gather(tanh(table), [ids], at) });
  t.is(stored.buffers.filter(({ storage, length }) => storage.kind === "temporary" && length === 50 * 24).length, 1);
});

test("axes that only count are loops, and need no check", (t) => {
  const x = placeholder({ name: "x", dtype: "f32", shape: [6, 24] });
  const shape = [6, 3];
  const row = iota({ dtype: "i64", shape, axis: 0 });
  const column = iota({ dtype: "i64", shape, axis: 1 });
  const counted = checked(t, { y: gather(x, [row, column], { axes: [0, 1] }) });
  t.deepEqual(counted.failures, []);
  t.false(printKernels(counted).includes("check_index"));
  const along = checked(t, {
    y: gather(
      x,
      [row, reshape(ids, { shape: [6, 1] })].map((index) => (index === row ? row : add(column, column))),
      { axes: [0, 1] },
    ),
  });
  t.is(along.failures.length, 1);
  const literals = checked(t, { y: gather(x, [literal("i64", [2], [5, 0])], at) });
  t.deepEqual(literals.failures, []);
});

test("no index is read from a tensor without elements: the check fails the run instead", (t) => {
  const empty = placeholder({ name: "empty", dtype: "f32", shape: [0, 4] });
  checked(t, { y: gather(empty, [ids], at) });
  checked(t, {
    z: scatter(empty, placeholder({ name: "u", dtype: "f32", shape: [6, 4] }), [ids], { ...at, combiner: "add" }),
  });
  checked(t, { none: gather(empty, [placeholder({ name: "no", dtype: "i64", shape: [0] })], at) });
});

test("two scatters into zeros are one chain, which starts from zeros without a copy", (t) => {
  const other = placeholder({ name: "other", dtype: "f32", shape: [6, 24] });
  const zeros = zerosLike(table);
  const part = (updates: Value): Value => scatter(zeros, updates, [ids], { ...at, combiner: "add" });
  const program = checked(t, { y: add(part(rows), part(other)) });
  t.is(program.buffers.filter(({ storage, length }) => storage.kind === "temporary" && length === 50 * 24).length, 1);
});

test("an update of a temporary that dies is done in it, and copies one that lives on", (t) => {
  const dying = tanh(table);
  const update = (x: Value): Value => scatter(x, rows, [ids], { ...at, combiner: "add" });
  const wholes = (program: KernelProgram): number =>
    program.buffers.filter(({ storage, length }) => storage.kind === "temporary" && length === 50 * 24).length;
  const total = (x: Value): Value => sum(x, { axes: [0, 1] });
  const shared = mul(total(dying), total(update(dying)));
  t.is(wholes(checked(t, { shared })), 1);
  t.is(wholes(checked(t, { both: update(dying), dying })), 2);
  t.is(wholes(checked(t, { thrice: update(update(update(sum(mul(dying, dying), { axes: [] })))) })), 1);
  // What is added is read from the old rows: they are set aside.
  const own = scatter(dying, gather(dying, [ids], at), [ids], { ...at, combiner: "add" });
  checked(t, { own });
});

test("the verifier refuses a position that no check bounds, lanes that may meet, and a store beyond the buffer", (t) => {
  const program = checked(t, {}, { table: scatter(table, rows, [ids], { ...at, combiner: "add" }) });
  const rewritten = (change: (statement: Statement) => Statement): readonly string[] => {
    const visit = (body: readonly Statement[]): readonly Statement[] =>
      body.map((statement) => {
        const next = change(statement);
        return next.kind === "loop" ? { ...next, body: visit(next.body) } : next;
      });
    const kernels = (list: readonly Kernel[]): readonly Kernel[] =>
      list.map((kernel) => (kernel.kind === "nest" ? { ...kernel, body: visit(kernel.body) } : kernel));
    return verifyKernels({ ...program, compute: kernels(program.compute), commit: kernels(program.commit) }).map(
      ({ message }) => message,
    );
  };
  const isUpdate = (statement: Statement): statement is Extract<Statement, { kind: "store" }> =>
    statement.kind === "store" && statement.target.dynamic !== undefined;
  const raw: ScalarExpr = {
    kind: "load",
    dtype: "i64",
    access: { buffer: idsOf(program), index: { offset: 0, terms: [] } },
  };
  t.regex(
    rewritten((s) => (isUpdate(s) ? { ...s, target: { ...s.target, dynamic: [{ value: raw, stride: 24 }] } } : s)).join(
      "\n",
    ),
    /no check bounds a position/,
  );
  t.regex(
    rewritten((s) =>
      isUpdate(s)
        ? { ...s, target: { ...s.target, dynamic: (s.target.dynamic ?? []).map((term) => ({ ...term, stride: 25 })) } }
        : s,
    ).join("\n"),
    /elements; 0 to 1248 are touched/,
  );
  t.regex(
    rewritten((s) => (s.kind === "loop" ? { ...s, schedule: { ...s.schedule, vector: s.extent === 6 } } : s)).join(
      "\n",
    ),
    /lanes along i\d+ may meet/,
  );
});

function idsOf(program: KernelProgram): number {
  const found = program.buffers.find(({ storage }) => storage.kind === "placeholder" && storage.name === "ids");
  if (found === undefined) throw new Error("the program reads no ids");
  return found.id;
}
