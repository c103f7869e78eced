import { isFloat } from "../../compiler/ir/dtype.js";
import { isList, isTensor, type Node, type Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { ReferenceFailure, type ReferenceTensor } from "../../compiler/ops/define.js";
import { evaluateNode } from "../../compiler/ops/evaluate_node.js";
import { referenceFromTensor } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import { int, isStaticInt, type Meaning } from "./meaning.js";

/** What the compiler knows of a scalar: its number or bool, where it is a literal or a size, or computed from such, and not in the run only. */
export function knownValue(meaning: Meaning): Meaning | undefined {
  switch (meaning.kind) {
    case "int":
      return isStaticInt(meaning) ? meaning : undefined;
    case "float":
    case "bool":
      return meaning;
    case "tensor":
      return numberOf(meaning.value);
    default:
      return undefined;
  }
}

function numberOf(value: Value): Meaning | undefined {
  if (value.type.shape.length > 0) return undefined;
  const element = literalOf(value, mostNodes)?.data[0];
  if (element === undefined) return undefined;
  if (value.type.dtype === "bool") return { kind: "bool", value: Number(element) !== 0 };
  return isFloat(value.type.dtype) ? { kind: "float", value: Number(element) } : int(BigInt(element));
}

/** Beyond so many ops above each other, or elements of one, a literal is one of the run's. */
const mostNodes = 8;
const mostElements = 4096;

/** The least of a list of numbers, a literal of another dtype: what such cheap ops make of literals. */
const cheap: ReadonlySet<string> = new Set(["elementwise", "view", "reduce"]);

function literalOf({ node, index }: Value, depth: number): ReferenceTensor | undefined {
  if (!node.outputs.every(({ type }) => isSmall(type.shape))) return undefined;
  const literal = node.op === "constant" ? node.attributes["value"] : undefined;
  if (typeof literal === "object" && !isList(literal) && isTensor(literal)) return referenceFromTensor(literal);
  if (depth === 0 || node.inputs.length === 0 || !cheap.has(opNamed(node.op).kernel.kind)) return undefined;
  const inputs = node.inputs.flatMap((input) => literalOf(input, depth - 1) ?? []);
  return inputs.length === node.inputs.length ? evaluated(node, inputs)[index] : undefined;
}

function isSmall(shape: Value["type"]["shape"]): boolean {
  const sizes = shape.filter((dim) => typeof dim === "number");
  return sizes.length === shape.length && elementCount(sizes) <= mostElements;
}

/** Nothing where a check fails: that is for the run to say. */
function evaluated(node: Node, inputs: readonly ReferenceTensor[]): readonly ReferenceTensor[] {
  try {
    return evaluateNode(node, inputs);
  } catch (error) {
    if (error instanceof ReferenceFailure) return [];
    throw error;
  }
}
