import test from "ava";
import { constantAffine, loopAffine } from "../../compiler/kernels/affine.js";
import type { Affine, BufferId, NestKernel, ScalarExpr, Statement } from "../../compiler/kernels/form.js";
import { mayShare, overwrittenTooEarly } from "../../compiler/kernels/hazards.js";

const loop = 0;
const extent = 8;

function load(buffer: BufferId, index: Affine = loopAffine(loop)): ScalarExpr {
  return { kind: "load", dtype: "f32", access: { buffer, index } };
}

function plus(a: ScalarExpr, b: ScalarExpr): ScalarExpr {
  return { kind: "apply", dtype: "f32", op: "add", args: [a, b] };
}

function store(buffer: BufferId, value: ScalarExpr, index: Affine = loopAffine(loop)): Statement {
  return { kind: "store", target: { buffer, index }, value };
}

function nest(...body: readonly Statement[]): NestKernel {
  const schedule = { vector: false, unroll: 1, rows: [] };
  return {
    kind: "nest",
    name: "test",
    spans: [],
    body: [{ kind: "loop", id: loop, extent, accumulators: [], schedule, body }],
  };
}

test("an element that is read, and then written at the same place, is not needed any more", (t) => {
  const x = load(0);
  const kernel = nest(store(1, plus(x, x)));
  t.true(mayShare(kernel, 0, 1));
  t.deepEqual(overwrittenTooEarly(nest(store(0, plus(x, x))), new Set([0])), new Set());
});

test("an element that another iteration writes is needed", (t) => {
  const reversed: Affine = { offset: extent - 1, terms: [{ loop, stride: -1 }] };
  t.false(mayShare(nest(store(1, load(0, reversed))), 0, 1));
  t.false(mayShare(nest(store(1, load(0, constantAffine(3)))), 0, 1));
});

test("a read of its own after the write sees what was written, and one that was evaluated before it does not", (t) => {
  const x = load(0);
  t.true(mayShare(nest(store(1, x), store(2, x)), 0, 1));
  t.false(mayShare(nest(store(1, x), store(2, load(0))), 0, 1));
  // The same object in two loops is evaluated in each.
  const schedule = { vector: false, unroll: 1, rows: [] };
  const inLoop = (body: readonly Statement[]): Statement => ({
    kind: "loop",
    id: 1,
    extent: 2,
    accumulators: [],
    schedule,
    body,
  });
  t.false(mayShare(nest(inLoop([store(3, x)]), store(1, constant), store(2, x)), 0, 1));
  t.true(mayShare(nest(store(3, x), store(1, constant), inLoop([store(2, x)])), 0, 1));
});

const constant: ScalarExpr = { kind: "constant", dtype: "f32", value: 1 };

test("a kernel of many statements on one chain is read once for all pairs of its buffers", (t) => {
  let reads = 0;
  const counted = (expression: ScalarExpr): ScalarExpr =>
    new Proxy(expression, {
      get(target, key, receiver) {
        reads++;
        return Reflect.get(target, key, receiver);
      },
    });
  const length = 100;
  let value = counted(load(0));
  const body = Array.from({ length }, (_, i) => {
    value = counted(plus(value, counted(load(i))));
    return store(length + i, value);
  });
  const kernel = nest(...body);
  for (let i = 0; i < length; i++) for (let j = 0; j < length; j++) mayShare(kernel, i, length + j);
  // Two expressions a statement, each asked for its kind and operands a few times.
  t.true(reads < 20 * 2 * length, `${reads} reads`);
});
