import { InternalError } from "../ir/diagnostic.js";
import type { Node, Value } from "../ir/node.js";
import type { Combiner } from "../ops/scalar.js";
import { constantAffine, loopAffine, substituteAffine, zero } from "./affine.js";
import { contractionOf } from "./contractions.js";
import { dtypeOf, Expressions } from "./expressions.js";
import type { Affine, LoopId, ScalarExpr } from "./form.js";
import type { Plan } from "./plan.js";
import type { Leaf, Loop } from "./regions.js";
import { isStored, semanticsOf } from "./semantics.js";
import { axesIndex, type Index, inputOf, isStandIn, numberAttribute, numbersAttribute, shapeOf } from "./views.js";

/** One loop that a root's element or sum runs over. Axes of size 1 have none. */
export interface Axis {
  /** The root's own name for the loop, until it is bound to a loop of a kernel. */
  readonly own: LoopId;
  readonly extent: number;
  readonly reduced: boolean;
  /** The kernel's loop; set once, when the root is placed. */
  bound: LoopId | undefined;
}

export type RootKind =
  | "pointwise"
  | "reduce"
  | "arg_reduce"
  | "dot"
  | "contract"
  | "routine"
  | "region"
  | "assemble"
  | "update";

/** A value with a loop nest, contraction or routine of its own, on its way into a kernel. */
export interface Root {
  readonly id: number;
  readonly kind: RootKind;
  readonly value: Value;
  /** True for the copy of a stored value that is an output or is assigned: its own name, not the value's. */
  readonly copy: boolean;
  readonly axes: readonly Axis[];
  /** The value's element that the loops stand at, over the axes' own loops. */
  readonly index: readonly Affine[];
  /** What is read: operands of the inlined expression, over the axes' own loops. */
  readonly reads: readonly Read[];
  readonly size: number;
  readonly iterations: number;
  readonly mayFail: boolean;
  /** Variables that get this value. */
  readonly assigned: string[];
  output: boolean;
  /** The loops around it in its kernel, outermost first, and its leaf there. */
  path: readonly Loop[];
  leaf: Leaf | undefined;
}

/** A kernel by itself, which writes its whole result to one buffer in row-major order. */
export function fillsOneBuffer({ kind }: Root): boolean {
  return kind === "routine" || kind === "region" || kind === "assemble" || kind === "update";
}

export interface Read {
  readonly value: Value;
  readonly index: Index;
}

let nextLoop = 0;

/** Loop names are unique in the process: a program renumbers them when it is finished. */
export function freshLoop(): LoopId {
  return nextLoop++;
}

/** Describes the loops of a value's computation and collects what it reads. */
export function makeRoot(id: number, value: Value, plan: Plan, copy: boolean): Root {
  const shape = shapeOf(value);
  const kind = copy ? "pointwise" : rootKindOf(value.node);
  const axes: Axis[] = [];
  const axisOf = (extent: number, reduced: boolean): Affine => {
    if (extent === 1) return zero;
    const own = freshLoop();
    axes.push({ own, extent, reduced, bound: undefined });
    return loopAffine(own);
  };
  const index = shape.map((size) => axisOf(size, false));
  const operands = copy ? [] : operandIndices(kind, value.node, index, axisOf);
  const reads: Read[] = [];
  const collector = new Expressions({
    plan,
    read: (operand, at) => {
      reads.push({ value: operand, index: at });
      // Any load will do: a constant would be taken for a position that is known.
      return { kind: "load", dtype: dtypeOf(operand), access: { buffer: -1, index: zero } };
    },
    indexFailure: () => 0,
    divisionFailure: () => 0,
    finiteFailure: () => undefined,
  });
  if (copy && isStored(value)) reads.push({ value, index: axesIndex(index) });
  else if (kind === "pointwise") collector.compute(value, axesIndex(index));
  // These read their operands from memory whatever those are, constants included.
  else if (kind === "routine" || kind === "region") reads.push(...operands);
  else for (const operand of operands) collector.element(operand.value, operand.index);
  return {
    id,
    kind,
    value,
    copy,
    axes,
    index,
    reads,
    size: expressionSize(kind, value, plan),
    iterations: axes.reduce((product, axis) => product * axis.extent, 1),
    mayFail: plan.mayFail(value),
    assigned: [],
    output: false,
    path: [],
    leaf: undefined,
  };
}

/** Nodes that a root adds to its kernel. */
function expressionSize(kind: RootKind, value: Value, plan: Plan): number {
  if (kind === "pointwise") return Math.max(1, plan.sizeOf(value));
  return value.node.inputs.reduce((sum, input) => sum + (plan.isRoot(input) ? 1 : plan.sizeOf(input)), 1);
}

function rootKindOf(node: Node): RootKind {
  const semantics = semanticsOf(node);
  switch (semantics.kind) {
    case "reduce":
      return "reduce";
    case "arg_reduce":
      return "arg_reduce";
    case "contract":
      return contractionOf(node).asNest ? "dot" : "contract";
    case "routine":
      return "routine";
    case "region":
      return "region";
    case "concatenate":
    case "pad":
      return "assemble";
    case "dynamic_store":
      return "update";
    case "elementwise":
    case "view":
    case "dynamic_view":
    case "check":
    case "generator":
    case "source":
      return "pointwise";
    case "composite":
    case "pseudo":
      throw new InternalError(`${node.op} must be expanded before kernels are built`);
  }
}

export interface OperandAt {
  readonly value: Value;
  readonly index: Index;
}

function operandIndices(
  kind: RootKind,
  node: Node,
  index: readonly Affine[],
  axisOf: (extent: number, reduced: boolean) => Affine,
): readonly OperandAt[] {
  switch (kind) {
    case "pointwise":
      return [];
    case "reduce":
    case "arg_reduce": {
      const operand = inputOf(node, 0);
      const reduced = reducedAxes(node, kind);
      let kept = 0;
      const at = shapeOf(operand).map((size, axis) =>
        reduced.has(axis) ? axisOf(size, true) : (index[kept++] ?? zero),
      );
      return [{ value: operand, index: axesIndex(at) }];
    }
    case "dot":
    case "contract": {
      const { batch, m, n, k } = contractionOf(node);
      const [left, right] = [inputOf(node, 0), inputOf(node, 1)];
      const leftAt = new Array<Affine>(shapeOf(left).length).fill(zero);
      const rightAt = new Array<Affine>(shapeOf(right).length).fill(zero);
      let position = 0;
      for (const axis of batch) {
        const at = index[position++] ?? zero;
        leftAt[axis.lhs] = at;
        rightAt[axis.rhs] = at;
      }
      for (const { axis } of m) leftAt[axis] = index[position++] ?? zero;
      for (const { axis } of n) rightAt[axis] = index[position++] ?? zero;
      for (const axis of k) {
        const at = axisOf(axis.size, true);
        leftAt[axis.lhs] = at;
        rightAt[axis.rhs] = at;
      }
      return [
        { value: left, index: axesIndex(leftAt) },
        { value: right, index: axesIndex(rightAt) },
      ];
    }
    case "routine":
    case "region":
    case "assemble":
    case "update":
      return node.inputs.map((value) => ({
        value,
        index: axesIndex(shapeOf(value).map((size) => axisOf(size, false))),
      }));
  }
}

function reducedAxes(node: Node, kind: "reduce" | "arg_reduce"): ReadonlySet<number> {
  return new Set(
    kind === "reduce" ? numbersAttribute(node.attributes, "axes") : [numberAttribute(node.attributes, "axis")],
  );
}

/** The operands of a root's expression at loops given by `at`, which maps the axes' own loops to where they stand now. */
export function operandsAt(root: Root, at: (own: LoopId) => Affine): readonly OperandAt[] {
  const reduced = root.axes.filter((axis) => axis.reduced);
  let next = 0;
  // `operandIndices` asks for the reduced axes in the same order as when the root was made.
  const axisOf = (extent: number): Affine => {
    if (extent === 1) return zero;
    const axis = reduced[next++];
    return axis === undefined ? zero : at(axis.own);
  };
  return operandIndices(root.kind, root.value.node, indexAt(root, at), axisOf);
}

export function indexAt(root: Root, at: (own: LoopId) => Affine): readonly Affine[] {
  return root.index.map((axis) => substituteAffine(axis, at));
}

/** Maps an axis's own loop to the kernel's loop that it is bound to. */
export function boundLoop(root: Root): (own: LoopId) => Affine {
  const bound = new Map(root.axes.map((axis) => [axis.own, axis.bound]));
  return (own) => {
    const loop = isStandIn(own) ? own : bound.get(own);
    if (loop === undefined) throw new InternalError("a root's loop is not bound");
    return loopAffine(loop);
  };
}

export function combinerOf(node: Node): Combiner {
  const semantics = semanticsOf(node);
  if (semantics.kind === "contract") return "sum";
  if (semantics.kind !== "reduce") throw new InternalError(`${node.op} is no reduction`);
  return semantics.combiner;
}

export function directionOf(node: Node): "arg_max" | "arg_min" {
  const semantics = semanticsOf(node);
  if (semantics.kind !== "arg_reduce") throw new InternalError(`${node.op} is no argmax`);
  return semantics.direction === "max" ? "arg_max" : "arg_min";
}

export function indexExpression(at: Affine): ScalarExpr {
  return { kind: "index", dtype: "i64", value: at.terms.length === 0 ? constantAffine(at.offset) : at };
}
