import { InternalError } from "../ir/diagnostic.js";
import { isFloat, isInteger, type NumericDType } from "../ir/dtype.js";
import { decodeBF16, decodeF16 } from "../ir/half.js";
import type { Node, Value } from "../ir/node.js";
import type { ScalarOp } from "../ops/scalar.js";
import { addAffine, constantAffine, loopAffine, zero } from "./affine.js";
import type { Access, Affine, DynamicTerm, LoopId, ScalarExpr } from "./form.js";
import type { Plan } from "./plan.js";
import { isStored, semanticsOf } from "./semantics.js";
import { splatOf } from "./splats.js";
import {
  axesIndex,
  countOf,
  freshStandIn,
  type Index,
  indexKey,
  inputOf,
  isStandIn,
  numberAttribute,
  numbersAttribute,
  positionOf,
  shapeOf,
  throughView,
} from "./views.js";

/** A reciprocal pays when this many elements share it. */
const leastRepeated = 8;

/** What an expression is built against: how stored values are read, and what failing checks are numbered. */
export interface Environment {
  readonly plan: Plan;
  /** Reads a root or a stored value. */
  readonly read: (value: Value, index: Index) => ScalarExpr;
  readonly indexFailure: (node: Node, limit: number) => number;
  readonly divisionFailure: (node: Node) => number;
  /** The failure to report where this node's result is not finite; undefined when it is not checked. */
  readonly finiteFailure: (node: Node) => number | undefined;
}

/**
 * Builds scalar expressions of inlined values. One instance serves one kernel: the same value at the same index is the same
 * object, which back ends compute once.
 */
export class Expressions {
  readonly #environment: Environment;
  readonly #memo = new Map<Value, Map<string, ScalarExpr>>();
  /** Loops that stand for run-time positions in index maps. */
  readonly #standIns = new Map<ScalarExpr, LoopId>();
  readonly #positions = new Map<LoopId, ScalarExpr>();
  readonly #reciprocals = new Map<ScalarExpr, { readonly scale: ScalarExpr; readonly reciprocal: ScalarExpr }>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** One element of a value: read when it is a root or stored, otherwise computed. */
  element(value: Value, index: Index): ScalarExpr {
    if (splatOf(value) !== undefined) return this.#remember(value, scalarIndex, () => constantOf(value));
    if (isStored(value) || this.#environment.plan.isRoot(value)) {
      return this.#remember(value, index, () => this.#resolved(this.#environment.read(value, index)));
    }
    return this.#remember(value, index, () => this.compute(value, index));
  }

  /** One element of a value from its operands, even when the value is a root. */
  compute(value: Value, index: Index): ScalarExpr {
    const { node } = value;
    const dtype = dtypeOf(value);
    const semantics = semanticsOf(node);
    switch (semantics.kind) {
      case "elementwise": {
        const args = node.inputs.map((input) => this.element(input, index));
        const divisor = args[1];
        if (dividesByUnknown(node) && divisor !== undefined) {
          const failure = this.#environment.divisionFailure(node);
          args[1] = { kind: "check_nonzero", dtype: divisor.dtype, value: divisor, failure };
        }
        const [dividend, by] = args;
        if (dividend !== undefined && by !== undefined && node.op === "div" && this.#dividesManyByOne(node)) {
          return this.#timesReciprocal(dividend, by);
        }
        return this.#checkMade(node, { kind: "apply", dtype, op: semantics.scalar, args });
      }
      case "view": {
        const through = throughView(node, index);
        if (through === undefined)
          throw new InternalError(`${node.op} is read by position but its operand is not dense`);
        return this.element(inputOf(node, 0), through);
      }
      case "dynamic_view":
        return this.#atRunTimePosition(node, value, index);
      case "check": {
        const limit = numbersAttribute(node.attributes, "size")[0] ?? 0;
        const failure = this.#environment.indexFailure(node, limit);
        const checked = castTo(dtype, this.element(inputOf(node, 0), index));
        return { kind: "check_index", dtype, value: checked, limit, fromEnd: node.op === "wrap_index", failure };
      }
      case "generator":
        return this.#generate(node, value, dtype, index);
      case "source":
        if (splatOf(value) !== undefined) return constantOf(value);
        return this.#resolved(this.#environment.read(value, index));
      default:
        throw new InternalError(`${node.op} is no scalar expression`);
    }
  }

  /** An element of a gather or a dynamic slice: the operand's, at an index with run-time positions in it. */
  #atRunTimePosition(node: Node, value: Value, index: Index): ScalarExpr {
    const operand = inputOf(node, 0);
    const at = index.kind === "axes" ? index.axes : [index.position];
    if (index.kind === "position" && shapeOf(value).length > 1)
      throw new InternalError(`${node.op} is read by position`);
    const positions = this.positions(node, 1, at);
    if (countOf(operand) === 0) {
      // There is no element to read: the checks fail the run, and anything will do as the value.
      const [first, ...others] = positions.values;
      if (first === undefined) throw new InternalError(`${node.op} reads an empty tensor`);
      const all = others.reduce(
        (a, b): ScalarExpr => ({ kind: "apply", dtype: "i64", op: "add", args: [a, b] }),
        first,
      );
      return castTo(dtypeOf(value), all);
    }
    return this.element(operand, axesIndex(positions.axes));
  }

  /**
   * Where a gather, scatter or dynamic slice stands in its first operand, at `at` in what it reads or writes there. Run-time
   * positions are loops of their own to the index maps; `access` takes them out again. Indices begin at input `first`.
   */
  positions(
    node: Node,
    first: number,
    at: readonly Affine[],
  ): { readonly axes: readonly Affine[]; readonly values: readonly ScalarExpr[] } {
    const shape = shapeOf(inputOf(node, 0));
    const indices = node.inputs.slice(first);
    if (node.op === "dynamic_slice" || node.op === "dynamic_update_slice") {
      const values = indices.map((start) => castTo("i64", this.element(start, scalarIndex)));
      return { axes: values.map((value, axis) => addAffine(this.#asAffine(value), at[axis] ?? zero)), values };
    }
    const indexed = numbersAttribute(node.attributes, "axes");
    const points = shapeOf(inputOf(node, first)).length;
    const point = axesIndex(at.slice(0, points));
    const values = indices.map((index) => castTo("i64", this.element(index, point)));
    let next = points;
    const axes = shape.map((_, axis) => {
      const value = values[indexed.indexOf(axis)];
      return value === undefined ? (at[next++] ?? zero) : this.#asAffine(value);
    });
    return { axes, values };
  }

  /** A position as an affine function: of the loops where it counts along them, else of a loop that stands for it. */
  #asAffine(value: ScalarExpr): Affine {
    if (value.kind === "index") return value.value;
    // A count in i32 was found to be inside, so it has not wrapped round.
    const [inner] = value.kind === "apply" && value.op === "cast" ? value.args : [];
    const [counted] = inner?.kind === "apply" && inner.op === "cast" ? inner.args : [];
    if (inner?.dtype === "i32" && counted?.kind === "index") return counted.value;
    if (value.kind === "constant") return constantAffine(Number(value.value));
    const known = this.#standIns.get(value) ?? freshStandIn();
    this.#standIns.set(value, known);
    this.#positions.set(known, value);
    return loopAffine(known);
  }

  /** The access with run-time positions apart from the loops. */
  access({ buffer, index }: Access): Access {
    const dynamic = index.terms.flatMap(({ loop, stride }): readonly DynamicTerm[] => {
      const value = this.#positions.get(loop);
      return value === undefined ? [] : [{ value, stride }];
    });
    if (dynamic.length === 0) return { buffer, index };
    const terms = index.terms.filter(({ loop }) => !this.#positions.has(loop));
    return { buffer, index: { offset: index.offset, terms }, dynamic };
  }

  #resolved(read: ScalarExpr): ScalarExpr {
    if (read.kind !== "load" || !read.access.index.terms.some(({ loop }) => isStandIn(loop))) return read;
    return { ...read, access: this.access(read.access) };
  }

  /** The value of an index of which run-time positions may be a part. */
  #counted(place: Affine): ScalarExpr {
    const apply = (op: ScalarOp, ...args: readonly ScalarExpr[]): ScalarExpr => ({
      kind: "apply",
      dtype: "i64",
      op,
      args,
    });
    const affine = { offset: place.offset, terms: place.terms.filter(({ loop }) => !isStandIn(loop)) };
    let sum: ScalarExpr = { kind: "index", dtype: "i64", value: affine };
    for (const { loop, stride } of place.terms) {
      const value = this.#positions.get(loop);
      if (value === undefined) continue;
      sum = apply("add", sum, apply("mul", value, { kind: "constant", dtype: "i64", value: BigInt(stride) }));
    }
    return sum;
  }

  /** Fails where finite operands give something that is not: what was fed is no fault of the op. */
  #checkMade(node: Node, value: Extract<ScalarExpr, { kind: "apply" }>): ScalarExpr {
    if (this.#environment.finiteFailure(node) === undefined) return value;
    const { dtype } = value;
    const bool = "bool" as const;
    const finite = value.args
      .filter((arg) => isFloat(arg.dtype))
      .map((arg): ScalarExpr => ({ kind: "apply", dtype: bool, op: "is_finite", args: [arg] }));
    const [first, ...others] = finite;
    if (first === undefined) return this.checkFinite(node, value);
    const all = others.reduce((a, b): ScalarExpr => ({ kind: "apply", dtype: bool, op: "and", args: [a, b] }), first);
    const harmless: ScalarExpr = { kind: "constant", dtype, value: 0 };
    const checked = this.checkFinite(node, { kind: "apply", dtype, op: "select", args: [all, value, harmless] });
    return { kind: "apply", dtype, op: "select", args: [all, checked, value] };
  }

  /** The value, with the check that `--check-numerics` asks for. */
  checkFinite(node: Node, value: ScalarExpr): ScalarExpr {
    const failure = this.#environment.finiteFailure(node);
    return failure === undefined ? value : { kind: "check_finite", dtype: value.dtype, value, failure };
  }

  /**
   * A division of many elements by one (a scalar, a row's sum) multiplies by the reciprocal, which is computed once: a division
   * takes as long as ten to twenty multiplications. At most 1.5 ulp from the exact quotient instead of 0.5.
   */
  #dividesManyByOne(node: Node): boolean {
    const divisor = inputOf(node, 1);
    const { dtype } = divisor.type;
    if ((dtype !== "f32" && dtype !== "f64") || this.#environment.finiteFailure(node) !== undefined) return false;
    if (divisor.node.op !== "broadcast_in_dim") return false;
    const shape = shapeOf(divisor);
    const innermost = shape.findLastIndex((size) => size !== 1);
    if (innermost < 0 || (shape[innermost] ?? 1) < leastRepeated) return false;
    const from = numbersAttribute(divisor.node.attributes, "axes").indexOf(innermost);
    return from < 0 || shapeOf(inputOf(divisor.node, 0))[from] === 1;
  }

  /**
   * x / d as (x s) (1 / (d s)). The reciprocal of a magnitude of 2^126 and more is subnormal, and would be flushed to zero: such
   * divisors, and what they divide, are scaled down by a power of two, s, which is 1 for all others.
   */
  #timesReciprocal(dividend: ScalarExpr, divisor: ScalarExpr): ScalarExpr {
    const { dtype } = divisor;
    const apply = (op: ScalarOp, ...args: readonly ScalarExpr[]): ScalarExpr => ({ kind: "apply", dtype, op, args });
    const constant = (value: number): ScalarExpr => ({ kind: "constant", dtype, value });
    const largest = dtype === "f32" ? 2 ** 125 : 2 ** 1021;
    if (divisor.kind === "constant") {
      const safe = Math.abs(Number(divisor.value)) <= largest;
      return safe ? apply("mul", dividend, apply("div", constant(1), divisor)) : apply("div", dividend, divisor);
    }
    const known = this.#reciprocals.get(divisor);
    if (known !== undefined) return apply("mul", apply("mul", dividend, known.scale), known.reciprocal);
    const bool = "bool" as const;
    const isLarge: ScalarExpr = {
      kind: "apply",
      dtype: bool,
      op: "gt",
      args: [apply("abs", divisor), constant(largest)],
    };
    const scale = apply("select", isLarge, constant(2 ** -4), constant(1));
    const reciprocal = apply("div", constant(1), apply("mul", divisor, scale));
    this.#reciprocals.set(divisor, { scale, reciprocal });
    return apply("mul", apply("mul", dividend, scale), reciprocal);
  }

  #generate(node: Node, value: Value, dtype: NumericDType, index: Index): ScalarExpr {
    if (node.op === "iota") {
      const axis = numberAttribute(node.attributes, "axis");
      const shape = shapeOf(value);
      if (index.kind === "position" && shape.length > 1) throw new InternalError("iota is read by position");
      const place = index.kind === "position" ? index.position : (index.axes[axis] ?? zero);
      const counted = this.#counted(place);
      return dtype === "i64" ? counted : { kind: "apply", dtype, op: "cast", args: [counted] };
    }
    if (node.op === "random_uniform") {
      if (dtype !== "f32" && dtype !== "f64") throw new InternalError(`random numbers of dtype ${dtype}`);
      if (inputOf(node, 0).node.op !== "run_state")
        throw new InternalError("a random op draws from the run's state alone");
      const position = positionOf(index, shapeOf(value));
      if (position.terms.some(({ loop }) => isStandIn(loop)))
        throw new InternalError("a draw at a run-time position is not stored");
      const path = node.attributes["path"];
      if (typeof path !== "string") throw new InternalError("a random op without its path");
      return {
        kind: "random",
        dtype,
        path,
        index: numberAttribute(node.attributes, "index"),
        position,
        loopIndices: node.inputs.slice(1).map((input) => this.element(input, scalarIndex)),
      };
    }
    throw new InternalError(`${node.op} is no generator that kernels know`);
  }

  #remember(value: Value, index: Index, make: () => ScalarExpr): ScalarExpr {
    let known = this.#memo.get(value);
    if (known === undefined) {
      known = new Map();
      this.#memo.set(value, known);
    }
    const key = indexKey(index);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make();
    known.set(key, made);
    return made;
  }
}

/** An integer division whose divisor is not known to differ from 0. */
export function dividesByUnknown(node: Node): boolean {
  if (node.op !== "floor_div" && node.op !== "mod") return false;
  let divisor = inputOf(node, 1);
  if (!isInteger(divisor.type.dtype)) return false;
  while (semanticsOf(divisor.node).kind === "view") divisor = inputOf(divisor.node, 0);
  const known = splatOf(divisor);
  return known === undefined || Number(known) === 0;
}

export const scalarIndex: Index = { kind: "axes", axes: [] };

export function dtypeOf(value: Value): NumericDType {
  const { dtype } = value.type;
  if (dtype === "string") throw new InternalError("a string constant is no tensor");
  return dtype;
}

export function castTo(dtype: NumericDType, value: ScalarExpr): ScalarExpr {
  return value.dtype === dtype ? value : { kind: "apply", dtype, op: "cast", args: [value] };
}

function constantOf(value: Value): ScalarExpr {
  const element = splatOf(value);
  const dtype = dtypeOf(value);
  if (element === undefined) throw new InternalError("a constant whose elements differ is no scalar");
  if (typeof element === "bigint") return { kind: "constant", dtype, value: element };
  const number = dtype === "f16" ? decodeF16(element) : dtype === "bf16" ? decodeBF16(element) : element;
  return { kind: "constant", dtype, value: number };
}
