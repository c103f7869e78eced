import { InternalError } from "../../../ir/diagnostic.js";
import { isFloat, type NumericDType } from "../../../ir/dtype.js";
import type { Buffer, BufferId, RoutineKernel } from "../../../kernels/form.js";
import type { Combiner } from "../../../ops/scalar.js";
import type { Builder } from "../builder.js";
import { registerElement, storageElement, typeOf } from "../types.js";
import type { Value } from "../value.js";
import type { KernelScope } from "./expressions.js";
import { emitCombine, identityOf, signednessOf } from "./scalar.js";

/** Routines that walk along the middle one of three axes [batch, length, inner]. */
const combiners: ReadonlyMap<string, Combiner> = new Map([
  ["cumsum", "sum"],
  ["cumprod", "product"],
  ["cummax", "max"],
  ["cummin", "min"],
]);

interface Rows {
  readonly b: Builder;
  readonly batch: number;
  readonly length: number;
  readonly inner: number;
  readonly flag: (name: string) => boolean;
  readonly dtypeOf: (id: BufferId) => NumericDType;
  /** The address of an element of a buffer. */
  readonly at: (id: BufferId, position: Value) => Value;
}

export function emitAlongAxis(scope: KernelScope, kernel: RoutineKernel, buffers: ReadonlyMap<BufferId, Buffer>): void {
  const { b } = scope;
  const size = (name: string): number => kernel.parameters.get(name) ?? 0;
  const dtypeOf = (id: BufferId): NumericDType => {
    const buffer = buffers.get(id);
    if (buffer === undefined) throw new InternalError(`buffer ${id} is not a parameter`);
    return buffer.dtype;
  };
  const rows: Rows = {
    b,
    batch: size("batch"),
    length: size("length"),
    inner: size("inner"),
    flag: (name) => size(name) === 1,
    dtypeOf,
    at: (id, position) => {
      const base = scope.pointers.get(id);
      if (base === undefined) throw new InternalError(`buffer ${id} is not a parameter`);
      return b.offsetElements(base, storageElement(dtypeOf(id)), position);
    },
  };
  if (rows.batch * rows.length * rows.inner === 0) return;
  if (kernel.routine === "argsort") emitArgsort(rows, kernel);
  else emitRunning(rows, kernel);
}

/** Rows beside each other in memory go along the lanes. */
const lanes = 8;

function emitRunning(rows: Rows, kernel: RoutineKernel): void {
  const { b, inner } = rows;
  const vectors = Math.floor(inner / lanes) * lanes;
  b.loop(0, rows.batch, 1, (entry) => {
    b.loop(0, vectors, lanes, (column) => {
      walk(rows, kernel, entry, column, lanes);
      return [];
    });
    b.loop(vectors, inner, 1, (column) => {
      walk(rows, kernel, entry, column, 1);
      return [];
    });
    return [];
  });
}

/** One row, or a vector of rows, from end to end. */
function walk(rows: Rows, kernel: RoutineKernel, entry: Value, column: Value, width: number): void {
  const { b, length, inner } = rows;
  const { dtype } = kernel;
  const [first, second] = kernel.operands;
  const [result] = kernel.results;
  if (first === undefined || result === undefined) throw new InternalError(`${kernel.routine} without its tensors`);
  // f32 and the narrow floats are carried in f64.
  const single = registerElement(dtype) === "f32";
  const carried = typeOf(single ? "f64" : registerElement(dtype), width);
  const combiner = combiners.get(kernel.routine);
  const start = b.constant(carried, combiner === undefined ? 0 : identityOf(combiner, dtype));
  const load = (id: BufferId, position: Value): Value => {
    const value = b.loadElements(dtype, width, rows.at(id, position));
    return single ? b.resizeFloat(value, "f64") : value;
  };
  const store = (value: Value, position: Value): void => {
    const narrow = single ? b.resizeFloat(value, "f32") : value;
    b.storeElements(dtype, b.roundTo(narrow, dtype), rows.at(result, position));
  };
  b.loop(
    0,
    length,
    1,
    (step, [state]) => {
      if (state === undefined) throw new InternalError("a walk without its state");
      const row = rows.flag("reverse") ? b.sub(b.index(length - 1), step) : step;
      const position = b.add(b.mul(b.add(b.mul(entry, b.index(length)), row), b.index(inner)), column);
      const x = load(first, position);
      const next =
        combiner !== undefined
          ? emitCombine(b, combiner, single ? "f64" : dtype, state, x)
          : b.add(b.mul(x, state), load(second ?? first, position));
      store(rows.flag("exclusive") ? state : next, position);
      return [next];
    },
    [start],
  );
}

/** A merge sort from runs of one element up, of positions, between two halves of the scratch. */
function emitArgsort(rows: Rows, kernel: RoutineKernel): void {
  const { b, length, inner } = rows;
  const [operand] = kernel.operands;
  const [result] = kernel.results;
  const [scratch] = kernel.scratch;
  if (operand === undefined || result === undefined || scratch === undefined)
    throw new InternalError("argsort without its tensors");
  const dtype = rows.dtypeOf(operand);
  const index = (value: number): Value => b.index(value);
  const position = (at: Value): Value => b.loadElements("i64", 1, rows.at(scratch, at));
  b.loop(0, rows.batch, 1, (entry) => {
    b.loop(0, inner, 1, (column) => {
      const place = (row: Value): Value => b.add(b.mul(b.add(b.mul(entry, index(length)), row), index(inner)), column);
      const element = (row: Value): Value => b.loadElements(dtype, 1, rows.at(operand, place(row)));
      b.loop(0, length, 1, (i) => {
        b.storeElements("i64", i, rows.at(scratch, i));
        return [];
      });
      const [, sorted] = b.loopWhile(
        [index(1), index(0)],
        ([width]) => b.compare("lt", width as Value, index(length)),
        ([width, from]) => {
          if (width === undefined || from === undefined) throw new InternalError("a sort without its state");
          const to = b.sub(index(length), from);
          b.loop(0, length, b.add(width, width), (low) => {
            const middle = b.min(b.add(low, width), index(length));
            const high = b.min(b.add(middle, width), index(length));
            const within = (at: Value): Value => b.add(from, b.min(at, index(length - 1)));
            b.loop(
              low,
              high,
              1,
              (k, [left, right]) => {
                if (left === undefined || right === undefined) throw new InternalError("a merge without its state");
                const [ofLeft, ofRight] = [position(within(left)), position(within(right))];
                const before = comesBefore(b, dtype, rows.flag("descending"), element(ofRight), element(ofLeft));
                const leftIsOver = b.compare("ge", left, middle);
                const takesRight = b.and(b.compare("lt", right, high), b.or(leftIsOver, before));
                b.storeElements("i64", b.select(takesRight, ofRight, ofLeft), rows.at(scratch, b.add(to, k)));
                const one = index(1);
                return [b.select(takesRight, left, b.add(left, one)), b.select(takesRight, b.add(right, one), right)];
              },
              [low, middle],
            );
            return [];
          });
          return [b.add(width, width), to];
        },
      );
      b.loop(0, length, 1, (i) => {
        b.storeElements("i64", position(b.add(sorted ?? index(0), i)), rows.at(result, place(i)));
        return [];
      });
      return [];
    });
    return [];
  });
}

/** Whether x must stand before y; a NaN before nothing, and all else before it. */
function comesBefore(b: Builder, dtype: NumericDType, descending: boolean, x: Value, y: Value): Value {
  const ordered = b.compare(descending ? "gt" : "lt", x, y, signednessOf(dtype));
  return isFloat(dtype) ? b.or(ordered, b.and(b.isNaN(y), b.not(b.isNaN(x)))) : ordered;
}
