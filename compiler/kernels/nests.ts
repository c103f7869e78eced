import { InternalError } from "../ir/diagnostic.js";
import type { Node, Value } from "../ir/node.js";
import { addAffine, substituteAffine, zero } from "./affine.js";
import { accumulatorDType } from "./contractions.js";
import { castTo, dtypeOf, type Environment, Expressions } from "./expressions.js";
import type { Accumulator, AccumulatorId, LoopStatement, ScalarExpr, Statement } from "./form.js";
import { serial } from "./lanes.js";
import type { Item, Loop, NestGroup } from "./regions.js";
import { boundLoop, combinerOf, directionOf, indexAt, indexExpression, operandsAt, type Root } from "./roots.js";
import { isStored } from "./semantics.js";
import { type BufferTable, isOwnElement, mapIndex, type Places, type Storehouse } from "./storage.js";
import { axesIndex, type Index, positionOf, shapeOf } from "./views.js";

/** A region's parameter: storage outside, or the number of the iteration. */
export type Bound =
  | { readonly kind: "stored"; readonly at: Storehouse }
  | { readonly kind: "computed"; readonly expression: ScalarExpr };

/** What the emission of any kernel needs. */
export interface Emission {
  readonly environment: Omit<Environment, "read">;
  readonly rootOf: ReadonlyMap<Value, Root>;
  readonly buffers: BufferTable;
  /** What the parameters of the region are whose block this is; none for the program's own block. */
  readonly bound: ReadonlyMap<Value, Bound>;
  readonly places: Places;
  readonly freshAccumulator: () => AccumulatorId;
}

/** Expressions of one kernel; `inline` gives what the kernel itself has at hand at the current point, if anything. */
export function kernelExpressions(
  emission: Emission,
  inline: (root: Root, index: Index) => ScalarExpr | undefined,
): Expressions {
  return new Expressions({
    ...emission.environment,
    read: (value, index) => {
      const root = emission.rootOf.get(value);
      if (root === undefined) return loadSource(emission, value, index);
      const place = (): ScalarExpr => ({
        kind: "load",
        dtype: dtypeOf(value),
        access: emission.places.access(root, emission.places.primary(root), index),
      });
      return inline(root, index) ?? place();
    },
  });
}

function loadSource(emission: Emission, value: Value, index: Index): ScalarExpr {
  if (!isStored(value)) throw new InternalError(`${value.node.op} is read but nothing computes it`);
  const bound = emission.bound.get(value);
  if (bound?.kind === "computed") return bound.expression;
  const { buffer, offset } = storehouseOf(emission, value);
  const access = { buffer, index: addAffine(positionOf(index, shapeOf(value)), offset) };
  return { kind: "load", dtype: dtypeOf(value), access };
}

/** Where a stored value lies. */
export function storehouseOf(emission: Emission, value: Value): Storehouse {
  const bound = emission.bound.get(value);
  if (bound === undefined) return { buffer: emission.buffers.source(value), offset: zero };
  if (bound.kind === "computed") throw new InternalError("the number of an iteration is not stored");
  return bound.at;
}

/** The expression of a pointwise root at its own loops. */
export function pointwiseExpression(root: Root, expressions: Expressions, index: Index): ScalarExpr {
  return root.copy && isStored(root.value)
    ? expressions.element(root.value, index)
    : expressions.compute(root.value, index);
}

/** Spells out a group's loop tree. */
export function emitNest(group: NestGroup, emission: Emission): readonly Statement[] {
  const members = new Set(group.roots);
  const results = new Map<Root, ScalarExpr>();
  const accumulators = new Map<Root, Accumulator>();
  const expressions = kernelExpressions(emission, (root, index) =>
    members.has(root) && !root.copy && isOwnElement(root, index) ? resultOf(root) : undefined,
  );

  const resultOf = (root: Root): ScalarExpr => {
    const known = results.get(root);
    if (known !== undefined) return known;
    const result = makeResult(root);
    results.set(root, result);
    return result;
  };
  const makeResult = (root: Root): ScalarExpr => {
    const dtype = dtypeOf(root.value);
    const at = boundLoop(root);
    if (root.kind === "pointwise") return pointwiseExpression(root, expressions, axesIndex(indexAt(root, at)));
    const accumulator = accumulators.get(root);
    if (accumulator !== undefined) {
      const read: ScalarExpr = { kind: "accumulated", dtype: accumulator.dtype, accumulator: accumulator.id };
      return checkSum(expressions, root.value.node, castTo(dtype, read));
    }
    // Every axis that it reduces has one element.
    if (root.kind === "arg_reduce") return { kind: "constant", dtype: "i64", value: 0n };
    return checkSum(expressions, root.value.node, castTo(dtype, summand(root, expressions)));
  };

  const stores = (root: Root): readonly Statement[] => {
    const index = axesIndex(indexAt(root, boundLoop(root)));
    return emission.places.targets(root).map((place) => ({
      kind: "store",
      target: emission.places.access(root, place, storedIndex(index, place.dropped)),
      value: resultOf(root),
    }));
  };

  const emitItems = (items: readonly Item[]): readonly Statement[] => items.flatMap((item) => emitItem(item));
  const emitItem = (item: Item): readonly Statement[] => {
    if (item.kind === "leaf") {
      const { root } = item;
      const accumulator = accumulators.get(root);
      if (accumulator !== undefined) return [accumulate(root, accumulator, expressions)];
      // Built here even when nothing stores it, so that building what reads it does not recurse through all of the kernel.
      resultOf(root);
      return stores(root);
    }
    const complete = group.roots.filter((root) => declaringLoop(root) === item);
    for (const root of complete) accumulators.set(root, accumulatorOf(root, emission.freshAccumulator()));
    const loop: LoopStatement = {
      kind: "loop",
      id: item.id,
      extent: item.extent,
      accumulators: complete.map((root) => accumulators.get(root)).filter((a) => a !== undefined),
      schedule: serial,
      body: emitItems(item.body),
    };
    return [loop, ...complete.flatMap(stores)];
  };
  return emitItems(group.body);
}

/** A row buffer's store does not mention the loops that it leaves out: strides are 0 there. */
function storedIndex(index: Index, dropped: readonly number[]): Index {
  return mapIndex(index, (affine) => ({
    ...affine,
    terms: affine.terms.filter((term) => !dropped.includes(term.loop)),
  }));
}

/** The outermost loop that a reduction runs over: where its accumulator starts and is complete. */
function declaringLoop(root: Root): Loop | undefined {
  const reduced = new Set(root.axes.filter((axis) => axis.reduced).map((axis) => axis.bound));
  return root.path.find((loop) => reduced.has(loop.id));
}

function accumulatorOf(root: Root, id: AccumulatorId): Accumulator {
  const { node } = root.value;
  const dtype = dtypeOf(root.value);
  if (root.kind === "arg_reduce") {
    const operand = node.inputs[0];
    if (operand === undefined) throw new InternalError("argmax without an operand");
    return { id, combiner: directionOf(node), dtype: "i64", keyDtype: dtypeOf(operand) };
  }
  const combiner = combinerOf(node);
  const held = combiner === "sum" || combiner === "product" ? accumulatorDType(dtype) : dtype;
  return { id, combiner, dtype: held, keyDtype: held };
}

/** The element that a reduction takes in at the current point. */
function summand(root: Root, expressions: Expressions): ScalarExpr {
  const at = boundLoop(root);
  const operands = operandsAt(root, at);
  const elements = operands.map((operand) => expressions.element(operand.value, operand.index));
  const [first, second] = elements;
  if (first === undefined) throw new InternalError("a reduction without an operand");
  if (root.kind !== "dot" || second === undefined) return first;
  const dtype = accumulatorDType(dtypeOf(root.value));
  return { kind: "apply", dtype, op: "mul", args: [castTo(dtype, first), castTo(dtype, second)] };
}

function accumulate(root: Root, accumulator: Accumulator, expressions: Expressions): Statement {
  const value = castTo(accumulator.keyDtype, summand(root, expressions));
  if (root.kind !== "arg_reduce") return { kind: "accumulate", accumulator: accumulator.id, value, index: undefined };
  const axis = root.axes.find((candidate) => candidate.reduced);
  if (axis === undefined) throw new InternalError("argmax without its axis");
  const index = indexExpression(
    substituteAffine({ offset: 0, terms: [{ loop: axis.own, stride: 1 }] }, boundLoop(root)),
  );
  return { kind: "accumulate", accumulator: accumulator.id, value, index };
}

function checkSum(expressions: Expressions, node: Node, value: ScalarExpr): ScalarExpr {
  return expressions.checkFinite(node, value);
}
