import { type Dim, isSymbolic } from "../../compiler/ir/dim.js";
import type { Node, Value } from "../../compiler/ir/node.js";
import { opNamed } from "../../compiler/ops/table.js";

/** What edges are made of, for warnings. In an editor names stand for edges of their own, and `behind` gives what they stand for. */
type Behind = (value: Value) => Value;

/** An edge is looked at through at most so many others. */
const most = 200;

/**
 * Whether an axis of size 1 is what a matrix product or a slice happens to have, and not a 1 that somebody wrote to repeat the edge
 * along it. The 1 of a declared shape is written: only where the size `met` is a dim, or what meets it is fed in as many rows
 * (`arePaired`), do both come from feeds of as many rows, as a label [N, 1] and a prediction [N]. Other known sizes may be equal by chance.
 */
export function isUnforeseenOne(value: Value, axis: number, met: Dim, arePaired: boolean, behind: Behind): boolean {
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
      case "variable":
        return false;
      case "placeholder":
        return isSymbolic(met) || arePaired;
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

/** Whether an edge is made, element by element, of an operation on both of two others, each repeated for it. */
export function combines(value: Value, one: Value, other: Value, behind: Behind): boolean {
  const [first, second] = [behind(one), behind(other)];
  const seen = new Set<Value>();
  const look = (edge: Value): boolean => {
    const made = unrepeated(edge, behind);
    if (seen.has(made) || seen.size > most || !isElementwise(made.node)) return false;
    seen.add(made);
    const inputs = made.node.inputs.map((input) => unrepeated(input, behind));
    return (inputs.includes(first) && inputs.includes(second)) || inputs.some(look);
  };
  return look(value);
}

function unrepeated(value: Value, behind: Behind): Value {
  let one = behind(value);
  while (one.node.op === "broadcast_in_dim") {
    const [input] = one.node.inputs;
    if (input === undefined) return one;
    one = behind(input);
  }
  return one;
}

/** The position of the largest or the smallest of all elements of a tensor of several axes. */
export interface Position {
  readonly name: "argmax" | "argmin";
  readonly node: Node;
  readonly of: Value;
}

/** The position that a scalar is, perhaps in another dtype. */
export function positionAmongAll(value: Value, behind: Behind): Position | undefined {
  let one = behind(value);
  if (one.type.shape.length > 0) return undefined;
  while (one.node.op === "cast") {
    const [input] = one.node.inputs;
    if (input === undefined) return undefined;
    one = behind(input);
  }
  const { node } = one;
  if (node.op !== "argmax" && node.op !== "argmin") return undefined;
  const [flat] = node.inputs;
  const of = flat?.node.op === "reshape" ? flat.node.inputs[0] : undefined;
  return of !== undefined && of.type.shape.length >= 2 ? { name: node.op, node, of: behind(of) } : undefined;
}

/** Whether an edge is computed from something that is fed in so many rows. */
export function restsOnRows(value: Value, rows: Dim, behind: Behind): boolean {
  const seen = new Set<Value>([behind(value)]);
  for (const { node, type } of seen) {
    if (node.op === "placeholder" && type.shape[0] === rows) return true;
    if (seen.size < most) for (const input of node.inputs) seen.add(behind(input));
  }
  return false;
}
