import type { Node, Value } from "../../compiler/ir/node.js";
import { opNamed } from "../../compiler/ops/table.js";

/** What edges are made of, for warnings. In an editor names stand for edges of their own, and `behind` gives what they stand for. */
type Behind = (value: Value) => Value;

/** An edge is looked at through at most so many others. */
const most = 200;

/**
 * Whether an axis of size 1 is what a matrix product, a declared shape or a slice happens to have, and not a 1 that somebody wrote to
 * repeat the edge along it.
 */
export function isUnforeseenOne(value: Value, axis: number, behind: Behind): boolean {
  const seen = new Set<Value>();
  const look = (edge: Value, at: number): boolean => {
    const one = behind(edge);
    if (seen.has(one) || seen.size > most) return false;
    seen.add(one);
    const { node } = one;
    switch (node.op) {
      case "constant":
      case "iota":
      case "parameter":
        return false;
      case "reshape": {
        const [input] = node.inputs;
        const isRestated = input?.type.shape.length === one.type.shape.length && input.type.shape[at] === 1;
        return isRestated && look(input, at);
      }
      case "broadcast_in_dim":
        return through(node, axesOf(node.attributes["axes"]).indexOf(at), look);
      case "transpose":
        return through(node, axesOf(node.attributes["permutation"])[at] ?? -1, look);
      default:
        if (!isElementwise(node)) return true;
        return node.inputs.some((input) => input.type.shape.length === one.type.shape.length && look(input, at));
    }
  };
  return look(value, axis);
}

function through({ inputs }: Node, at: number, look: (edge: Value, at: number) => boolean): boolean {
  const [input] = inputs;
  return input !== undefined && input.type.shape[at] === 1 && look(input, at);
}

function axesOf(attribute: unknown): readonly number[] {
  return Array.isArray(attribute) ? attribute.filter((one): one is number => typeof one === "number") : [];
}

function isElementwise({ op }: Node): boolean {
  return opNamed(op).kernel.kind === "elementwise";
}

/** `softmax` or `sigmoid` where an edge is the result of one, perhaps in another shape or dtype. */
export function isProbability(value: Value, behind: Behind): "softmax" | "sigmoid" | undefined {
  let one = behind(value);
  for (let steps = 0; steps < most; steps++) {
    const { node } = one;
    if (node.op === "sigmoid") return "sigmoid";
    if (node.op === "div") return isSoftmax(node, behind) ? "softmax" : undefined;
    const [input] = node.inputs;
    if (input === undefined || !["reshape", "transpose", "cast"].includes(node.op)) return undefined;
    one = behind(input);
  }
  return undefined;
}

/** exp(x) / sum(exp(x)). */
function isSoftmax({ inputs }: Node, behind: Behind): boolean {
  const [numerator, denominator] = inputs.map(behind);
  if (numerator?.node.op !== "exp" || denominator === undefined) return false;
  let sum = denominator;
  while (sum.node.op === "broadcast_in_dim" || sum.node.op === "reshape") {
    const [input] = sum.node.inputs;
    if (input === undefined) return false;
    sum = behind(input);
  }
  const [summed] = sum.node.inputs;
  return sum.node.op === "sum" && summed !== undefined && behind(summed) === numerator;
}
