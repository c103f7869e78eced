import { InternalError, unreachable } from "../../../ir/diagnostic.js";
import type { NumericDType } from "../../../ir/dtype.js";
import { scaleAffine } from "../../../kernels/affine.js";
import type { Access, Affine, BufferId, LoopId, ScalarExpr, StoreStatement } from "../../../kernels/form.js";
import type { Builder } from "../builder.js";
import { i64, registerElement, storageElement, typeOf } from "../types.js";
import type { Value } from "../value.js";
import { emitFailure } from "./failure.js";
import { emitDrawKey, emitUniform, type Pair } from "./random.js";
import { emitScalar } from "./scalar.js";

/** What a kernel's body may use of its function: the pointers of its buffers and the argument block. */
export interface KernelScope {
  readonly b: Builder;
  readonly pointers: ReadonlyMap<BufferId, Value>;
  /** Where a failing check leaves its number. */
  readonly status: Value | undefined;
  /** seed, step, runs since the step: i64[3]. */
  readonly runState: Value | undefined;
  /** The loops whose kernels contain this one. */
  readonly around: ReadonlyMap<LoopId, Counter>;
}

/**
 * Where a loop stands: a value, plus a constant where its body is written several times. The constants end up as displacements
 * of the addresses, so that a tile of loads shares one base.
 */
export interface Counter {
  readonly base: Value;
  readonly plus: number;
}

/** The loop that runs along the lanes, at its current place: lanes `first` ... `first + lanes - 1`, of which `active` are real. */
export interface VectorPosition {
  readonly loop: LoopId;
  readonly first: Counter;
  readonly lanes: number;
  readonly active: number;
  /** i1 a lane; undefined where all are active. */
  readonly mask: Value | undefined;
  /** Row buffers that hold a line for each lane. */
  readonly rows?: ReadonlySet<BufferId>;
}

/** Where the emission stands: loop counters, lanes, and finished reductions. */
export interface Position {
  readonly loops: ReadonlyMap<LoopId, Counter>;
  readonly vector: VectorPosition | undefined;
  readonly accumulated: (accumulator: number) => Value;
}

/**
 * Emits expressions, each object once as long as the place where it was computed still dominates: scopes follow the loops. A
 * value that does not change along the lanes stays a scalar until it meets one that does.
 */
export class ExpressionEmitter {
  readonly #scope: KernelScope;
  readonly #memo: Map<ScalarExpr, Value>[] = [new Map()];
  readonly #keys = new Map<string, Pair>();

  constructor(scope: KernelScope) {
    this.#scope = scope;
  }

  /** Runs `emit` with a scope of its own: what it computes is not known outside. */
  within<T>(emit: () => T): T {
    this.#memo.push(new Map());
    try {
      return emit();
    } finally {
      this.#memo.pop();
    }
  }

  /** Computes the keys of all random draws at the top of the function, where they dominate every use. */
  prepareDraw(expr: Extract<ScalarExpr, { kind: "random" }>): void {
    if (expr.loopIndices.length > 0) return;
    const name = `${expr.index} ${expr.path}`;
    if (!this.#keys.has(name)) this.#keys.set(name, this.#drawKey(expr, []));
  }

  emit(expr: ScalarExpr, position: Position): Value {
    for (let depth = this.#memo.length - 1; depth >= 0; depth--) {
      const known = this.#memo[depth]?.get(expr);
      if (known !== undefined) return known;
    }
    const value = this.#compute(expr, position);
    this.#memo[this.#memo.length - 1]?.set(expr, value);
    return value;
  }

  #compute(expr: ScalarExpr, position: Position): Value {
    const { b } = this.#scope;
    switch (expr.kind) {
      case "constant":
        return b.constant(typeOf(registerElement(expr.dtype)), expr.value);
      case "load":
        return this.#load(expr.dtype, expr.access, position);
      case "index":
        return this.#affine(expr.value, position);
      case "accumulated":
        return position.accumulated(expr.accumulator);
      case "apply":
        return this.#apply(expr, position);
      case "random":
        return this.#random(expr, position);
      case "check_index":
      case "check_nonzero":
      case "check_finite":
        return this.#check(expr, position);
      default:
        return unreachable(expr);
    }
  }

  #apply(expr: Extract<ScalarExpr, { kind: "apply" }>, position: Position): Value {
    const { b } = this.#scope;
    const args = expr.args.map((arg) => this.emit(arg, position));
    const lanes = Math.max(...args.map((arg) => arg.type.lanes));
    const spread = args.map((arg) => widen(b, arg, lanes));
    const operand = expr.op === "select" ? expr.args[1] : expr.args[0];
    if (operand === undefined) throw new InternalError(`${expr.op} without operands`);
    return emitScalar(b, expr.op, operand.dtype, expr.dtype, spread);
  }

  #random(expr: Extract<ScalarExpr, { kind: "random" }>, position: Position): Value {
    const { b } = this.#scope;
    const indices = expr.loopIndices.map((index) => this.emit(index, position));
    // What is prepared is the key of a draw outside loops, which the same draw inside one does not share.
    const prepared = indices.length === 0 ? this.#keys.get(`${expr.index} ${expr.path}`) : undefined;
    const key = prepared ?? this.#drawKey(expr, indices);
    return emitUniform(b, expr.dtype, key, this.#affine(expr.position, position));
  }

  #drawKey(expr: Extract<ScalarExpr, { kind: "random" }>, indices: readonly Value[]): Pair {
    const { b, runState } = this.#scope;
    if (runState === undefined) throw new InternalError("a random draw in a kernel that is not given the run's state");
    return emitDrawKey(b, runState, expr.path, expr.index, indices);
  }

  #check(
    expr: Extract<ScalarExpr, { kind: "check_index" | "check_nonzero" | "check_finite" }>,
    position: Position,
  ): Value {
    const { b, status } = this.#scope;
    if (status === undefined) throw new InternalError("a check in a kernel that cannot report");
    const value = this.emit(expr.value, position);
    const { bad, result } = checked(b, expr, value);
    const mask = value.type.lanes > 1 ? position.vector?.mask : undefined;
    emitFailure(b, status, expr.failure, mask === undefined ? bad : b.and(bad, mask), value, expr.dtype);
    return result;
  }

  /** An affine index as i64: a scalar, or the indices of the lanes. */
  #affine(affine: Affine, position: Position): Value {
    const { b } = this.#scope;
    const { sum, plus, stride } = this.#split(affine, position);
    const scalar = sum === undefined ? b.index(plus) : plus === 0 ? sum : b.add(sum, b.index(plus));
    const { vector } = position;
    if (stride === 0 || vector === undefined || vector.lanes === 1) return scalar;
    const lanes = b.laneNumbers(typeOf("i64", vector.lanes));
    const steps = b.mul(lanes, b.constant(lanes.type, stride));
    return b.add(b.splat(scalar, vector.lanes), steps);
  }

  /** The index of the first lane, as a sum of loop counters and a constant, and the step from lane to lane. */
  #split(
    affine: Affine,
    position: Position,
  ): { readonly sum: Value | undefined; readonly plus: number; readonly stride: number } {
    const { b } = this.#scope;
    let sum: Value | undefined;
    let plus = affine.offset;
    let stride = 0;
    for (const term of affine.terms) {
      if (term.stride === 0) continue;
      const isVector = position.vector !== undefined && position.vector.loop === term.loop;
      const counter = isVector ? position.vector?.first : position.loops.get(term.loop);
      if (counter === undefined) throw new InternalError(`loop ${term.loop} is not open here`);
      if (isVector) stride = term.stride;
      plus += counter.plus * term.stride;
      if (counter.base.constant !== undefined) {
        plus += Number(counter.base.constant) * term.stride;
        continue;
      }
      const product = term.stride === 1 ? counter.base : b.mul(counter.base, b.index(term.stride));
      sum = sum === undefined ? product : b.add(sum, product);
    }
    return { sum, plus, stride };
  }

  /** The address of the first lane's element, and where the others lie from there. */
  #place(access: Access, dtype: NumericDType, position: Position): Place {
    const { b, pointers } = this.#scope;
    const base = pointers.get(access.buffer);
    if (base === undefined) throw new InternalError(`buffer ${access.buffer} is not a parameter of the kernel`);
    const { vector } = position;
    const isRow = vector?.rows?.has(access.buffer) === true;
    const lines = isRow ? vector.lanes : 1;
    const split = this.#split(scaleAffine(access.index, lines), position);
    const stride = isRow ? 1 : split.stride;
    const element = storageElement(dtype);
    let { sum } = split;
    let positions: Value | undefined;
    for (const term of access.dynamic ?? []) {
      const at = this.emit(term.value, position);
      const product = b.mul(at, b.constant(at.type, term.stride * lines));
      if (product.type.lanes === 1) sum = sum === undefined ? product : b.add(sum, product);
      else positions = positions === undefined ? product : b.add(positions, product);
    }
    if (positions !== undefined && stride !== 0) {
      const lanes = b.laneNumbers(positions.type);
      positions = b.add(positions, b.mul(lanes, b.constant(lanes.type, stride)));
    }
    const moved = sum === undefined ? base : b.offsetElements(base, element, sum);
    const address = b.offsetElements(moved, element, split.plus);
    return { address, stride, positions };
  }

  #load(dtype: NumericDType, access: Access, position: Position): Value {
    return this.#read(dtype, access.buffer, this.#place(access, dtype, position), position);
  }

  #read(dtype: NumericDType, buffer: BufferId, { address, stride, positions }: Place, position: Position): Value {
    const { b } = this.#scope;
    const { vector } = position;
    if (vector === undefined || vector.lanes === 1 || (stride === 0 && positions === undefined))
      return b.loadElements(dtype, 1, address);
    const type = typeOf(storageElement(dtype), vector.lanes);
    if (positions === undefined) {
      if (vector.mask === undefined || vector.rows?.has(buffer) === true)
        return b.fromStorage(b.loadStrided(type, address, stride), dtype);
      if (stride === 1) return b.fromStorage(b.loadMasked(type, address, vector.mask), dtype);
    }
    // The last lanes would lie outside the tensor: read the real ones one by one. At run-time positions that is as fast as a gather.
    let lanes = b.constant(type, 0);
    for (let lane = 0; lane < vector.active; lane++) {
      const offset = positions === undefined ? lane * stride : b.extractLane(positions, lane);
      const element = b.load(typeOf(type.element), b.offsetElements(address, type.element, offset));
      lanes = b.insertLane(lanes, element, lane);
    }
    return b.fromStorage(lanes, dtype);
  }

  /** Writes one element, or the active lanes; combines it with what is there where the statement says so. */
  store({ target, value: { dtype }, combiner }: StoreStatement, value: Value, position: Position): void {
    const { b } = this.#scope;
    const place = this.#place(target, dtype, position);
    if (place.positions !== undefined) throw new InternalError("lanes are stored to run-time positions");
    if (combiner === undefined) {
      this.#write(dtype, target.buffer, place, value, position);
      return;
    }
    const old = this.#read(dtype, target.buffer, place, position);
    const operands = [old, widen(b, value, old.type.lanes)];
    this.#write(dtype, target.buffer, place, emitScalar(b, combiner, dtype, dtype, operands), position);
  }

  #write(dtype: NumericDType, buffer: BufferId, { address, stride }: Place, value: Value, position: Position): void {
    const { b } = this.#scope;
    const { vector } = position;
    if (vector === undefined || vector.lanes === 1 || stride === 0) {
      if (value.type.lanes > 1) throw new InternalError("lanes are stored to one place");
      b.storeElements(dtype, value, address);
      return;
    }
    const stored = b.toStorage(widen(b, value, vector.lanes), dtype);
    if (vector.mask === undefined || vector.rows?.has(buffer) === true) b.storeStrided(stored, address, stride);
    else if (stride === 1) b.storeMasked(stored, address, vector.mask);
    else {
      for (let lane = 0; lane < vector.active; lane++) {
        b.store(b.extractLane(stored, lane), b.offsetElements(address, stored.type.element, lane * stride));
      }
    }
  }
}

/** Where the lanes of an access lie: `stride` elements apart, or at `positions` (i64, from the address). */
interface Place {
  readonly address: Value;
  readonly stride: number;
  readonly positions: Value | undefined;
}

/** A scalar in all lanes; a vector as it is. */
export function widen(b: Builder, value: Value, lanes: number): Value {
  if (value.type.lanes === lanes) return value;
  if (value.type.lanes !== 1) throw new InternalError(`${value.type.lanes} lanes meet ${lanes}`);
  if (value.constant !== undefined) return b.constant(typeOf(value.type.element, lanes), value.constant);
  return b.splat(value, lanes);
}

type Check = Extract<ScalarExpr, { kind: "check_index" | "check_nonzero" | "check_finite" }>;

/** Where a check does not hold (i1, one a lane), and the value that goes on. */
function checked(b: Builder, expr: Check, value: Value): { readonly bad: Value; readonly result: Value } {
  if (expr.kind === "check_index") return checkedIndex(b, expr, value);
  const bad = expr.kind === "check_nonzero" ? b.compare("eq", value, b.constant(value.type, 0)) : notFinite(b, value);
  return { bad, result: value };
}

/** The index as one from the start; 0 where it is out of range, so that an access with it touches nothing that it must not. */
function checkedIndex(
  b: Builder,
  { dtype, limit, fromEnd }: Extract<Check, { kind: "check_index" }>,
  value: Value,
): { readonly bad: Value; readonly result: Value } {
  const wide = dtype === "i64" ? value : b.convert(value, dtype, "i64");
  const bound = b.constant(typeOf(i64.element, value.type.lanes), limit);
  const zero = b.constant(wide.type, 0);
  const counted = fromEnd ? b.select(b.compare("lt", wide, zero), b.add(wide, bound), wide) : wide;
  // As unsigned numbers the negative ones are the largest.
  const bad = b.compare("ge", counted, bound, "unsigned");
  return { bad, result: b.select(bad, b.constant(value.type, 0), fromEnd ? counted : value) };
}

function notFinite(b: Builder, value: Value): Value {
  return b.not(b.compare("lt", b.abs(value), b.constant(value.type, Number.POSITIVE_INFINITY)));
}
