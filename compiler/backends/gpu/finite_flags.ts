import { InternalError } from "../../ir/diagnostic.js";
import { isFloat } from "../../ir/dtype.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { type Node, nodesBelow, type Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { opNamed } from "../../ops/table.js";

/** A computation whose last output says of each of `values`, in order, whether an element of it is NaN or infinite. */
export interface FlaggedComputation {
  readonly computation: Computation;
  readonly nodes: readonly Node[];
  readonly values: readonly Value[];
}

/** Undefined where there are loops or branches, inside which nothing can be said so, or no floats. */
export function withFiniteFlags(computation: Computation): FlaggedComputation | undefined {
  const nodes = nodesBelow(rootsOf(computation));
  if (nodes.some(({ regions }) => regions.length > 0)) return undefined;
  const values = nodes.flatMap(({ outputs }) => outputs).filter(({ type }) => isFloat(type.dtype));
  const flags = values.map(flagOf);
  if (flags.length === 0) return undefined;
  const flag = only(opNamed("concatenate").apply(flags, { axis: 0 }));
  const outputs = [...computation.outputs, { name: "not finite", value: flag }];
  return { computation: { ...computation, outputs }, nodes, values };
}

/** The first node that makes what is not finite of finite operands: a constant may be infinite, and so may what is made of it. */
export function firstNotFinite(
  { nodes, values }: FlaggedComputation,
  flags: ArrayLike<number | bigint>,
): Node | undefined {
  const wrong = new Set(values.filter((_, i) => Number(flags[i]) !== 0));
  return nodes.find(
    ({ op, inputs, outputs }) =>
      op !== "constant" && outputs.some((output) => wrong.has(output)) && !inputs.some((input) => wrong.has(input)),
  );
}

/** Of one element. */
function flagOf(value: Value): Value {
  const elements = elementCount(staticShape(value.type));
  const flat = only(opNamed("reshape").apply([value], { shape: [elements] }));
  const wrong = only(opNamed("not").apply([only(opNamed("is_finite").apply([flat], {}))], {}));
  return only(opNamed("reshape").apply([only(opNamed("any").apply([wrong], { axes: [0] }))], { shape: [1] }));
}

function only(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new InternalError("an op without an output");
  return value;
}
