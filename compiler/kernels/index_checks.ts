import { InternalError } from "../ir/diagnostic.js";
import type { Computation } from "../ir/graph.js";
import { rootsOf } from "../ir/graph.js";
import { isTensor, type Node, nodesBelow, type Value } from "../ir/node.js";
import { rewrite } from "../ir/rewrite.js";
import { checkIndex, wrapIndex } from "../ops/checks.js";
import { reapply } from "../ops/define.js";
import { semanticsOf } from "./semantics.js";
import { inputOf, numberAttribute, numbersAttribute, shapeOf } from "./views.js";

/**
 * Writes out the checks that gather, scatter and the dynamic slices make of their positions, as nodes: equal ones are one (a
 * gather's and its gradient's), and a kernel that reads a checked position from memory can't fail any more, so that it may
 * write a variable in place. What is known to be inside (a count along an axis, a literal) needs no check.
 */
export function withIndexChecks(computation: Computation): Computation {
  if (!nodesBelow(rootsOf(computation)).some(readsPositions)) return computation;
  return rewrite(computation, {
    rebuild: (node, inputs, regions) => reapply(node, inputs, regions),
    step: (node) => {
      if (!readsPositions(node)) return undefined;
      const first = semanticsOf(node).kind === "dynamic_view" ? 1 : 2;
      const limits = limitsOf(node);
      const checked = node.inputs.map((input, position) => {
        const limit = limits[position - first];
        return limit === undefined || isBelow(input, limit) ? input : checkIndex(input, { size: [limit] });
      });
      if (checked.every((input, i) => input === node.inputs[i])) return undefined;
      return reapply(node, checked);
    },
  });
}

function readsPositions(node: Node): boolean {
  const { kind } = semanticsOf(node);
  return kind === "dynamic_view" || kind === "dynamic_store";
}

/** For each index operand, how many places it may name. */
function limitsOf(node: Node): readonly number[] {
  const shape = shapeOf(inputOf(node, 0));
  switch (node.op) {
    case "gather":
    case "scatter":
      return numbersAttribute(node.attributes, "axes").map((axis) => shape[axis] ?? 0);
    case "dynamic_slice":
      return numbersAttribute(node.attributes, "sizes").map((size, axis) => (shape[axis] ?? 0) - size + 1);
    case "dynamic_update_slice":
      return shapeOf(inputOf(node, 1)).map((size, axis) => (shape[axis] ?? 0) - size + 1);
    default:
      throw new InternalError(`${node.op} reads no positions`);
  }
}

/** Whether all elements are known to lie in [0, limit). */
function isBelow(value: Value, limit: number): boolean {
  const { node } = value;
  switch (semanticsOf(node).kind) {
    case "view":
      return isBelow(inputOf(node, 0), limit);
    case "check":
      return (node.op === checkIndex.opName || node.op === wrapIndex.opName) && checkedSize(node) <= limit;
    case "generator":
      // Only dtypes that count as far without wrapping round.
      if (node.op !== "iota" || (value.type.dtype !== "i64" && value.type.dtype !== "i32")) return false;
      return (shapeOf(value)[numberAttribute(node.attributes, "axis")] ?? 0) <= limit;
    case "source": {
      const literal = node.op === "constant" ? node.attributes["value"] : undefined;
      if (literal === undefined || !isTensor(literal)) return false;
      for (const element of literal.data) if (element < 0 || element >= limit) return false;
      return true;
    }
    default:
      return false;
  }
}

function checkedSize(node: Node): number {
  return numbersAttribute(node.attributes, "size")[0] ?? 0;
}
