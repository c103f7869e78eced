import { substituteDim } from "../compiler/ir/dim.js";
import { isFloat } from "../compiler/ir/dtype.js";
import { isList, type Node } from "../compiler/ir/node.js";
import type { TensorType } from "../compiler/ir/type.js";
import { type Combiner, scalarFacts } from "../compiler/ops/scalar.js";
import { opNamed } from "../compiler/ops/table.js";

type Sizes = ReadonlyMap<string, number>;

/**
 * Arithmetic on floats that an op does by its definition, counted as kernels are: one for each addition or product, functions such as
 * `exp` apart, nothing for comparisons, selections, casts and integers. Undefined where a size is not known, for what iterates until it
 * has converged, and for a loop or branch itself, whose ops count for themselves.
 */
export function operationsOf(node: Node, sizes: Sizes): number | undefined {
  const { kernel } = opNamed(node.op);
  const [output] = node.outputs;
  if (output === undefined || !isFloat(output.type.dtype)) return 0;
  const made = elementsOf(output.type, sizes);
  if (made === undefined) return undefined;
  const [first, second] = node.inputs;
  const taken = first === undefined ? undefined : elementsOf(first.type, sizes);
  switch (kernel.kind) {
    case "elementwise":
      return scalarFacts[kernel.scalar].work === "operation" ? made : 0;
    case "reduce":
      return countsAs(kernel.combiner) ? taken : 0;
    case "contract": {
      const depth = productOf(axesIn(node, "lhs_contract").map((axis) => sizeOf(first?.type, axis, sizes)));
      return depth === undefined ? undefined : 2 * made * depth;
    }
    case "composite":
      return ofWindows(node, made, second === undefined ? undefined : elementsOf(second.type, sizes));
    case "source":
    case "generator":
    case "view":
    case "arg_reduce":
    case "concatenate":
    case "pad":
    case "dynamic_view":
    case "check":
      return 0;
    case "dynamic_store":
    case "routine":
    case "region":
    case "pseudo":
      return undefined;
  }
}

/** A convolution multiplies and adds for each weight that an element of the result sees; a pooling for each element of its window. */
function ofWindows({ op, attributes, inputs }: Node, made: number, weights: number | undefined): number | undefined {
  if (op === "reduce_window") {
    const window = attributes["window"];
    const sizes = window !== undefined && isList(window) ? window.map(Number) : [];
    return made * sizes.reduce((product, size) => product * size, 1);
  }
  const channels = inputs[1]?.type.shape.at(-1);
  if (op !== "convolution" || weights === undefined || typeof channels !== "number" || channels === 0) return undefined;
  return (2 * made * weights) / channels;
}

function countsAs(combiner: Combiner): boolean {
  return combiner !== "and" && combiner !== "or";
}

function axesIn({ attributes }: Node, name: string): readonly number[] {
  const axes = attributes[name];
  return axes !== undefined && isList(axes) ? axes.map(Number) : [];
}

function sizeOf(type: TensorType | undefined, axis: number, sizes: Sizes): number | undefined {
  const dim = type?.shape[axis];
  const size = dim === undefined ? undefined : substituteDim(dim, sizes);
  return typeof size === "number" ? size : undefined;
}

function elementsOf(type: TensorType, sizes: Sizes): number | undefined {
  return productOf(type.shape.map((_, axis) => sizeOf(type, axis, sizes)));
}

function productOf(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((product, size) => (product === undefined || size === undefined ? undefined : product * size), 1);
}
