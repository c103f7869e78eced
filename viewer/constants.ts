import { isTensor, type Node, type Value } from "../compiler/ir/node.js";
import { literalText } from "../compiler/ir/printer-literal.js";
import type { Tensor } from "../compiler/ir/tensor.js";

/** A constant with more elements is a box of its own. */
const fewElements = 4;

/** The text of a constant that is shown where it is used; undefined for what is a box. A constant stretched to a shape counts as itself. */
export function inlinedText(value: Value): string | undefined {
  let { node } = value;
  while (node.op === "broadcast_in_dim" && node.inputs[0] !== undefined) node = node.inputs[0].node;
  const tensor = node.op === "constant" ? node.attributes["value"] : undefined;
  return tensor === undefined || typeof tensor !== "object" || !isTensor(tensor) ? undefined : shortText(tensor);
}

function shortText(tensor: Tensor): string | undefined {
  const text = literalText(tensor, fewElements);
  const splat = / splat (\S+)$/.exec(text)?.[1];
  if (splat !== undefined) return shortNumbers(splat);
  if (tensor.data.length > fewElements) return undefined;
  const elements = shortNumbers(text.slice(text.indexOf("(") + 1, -1));
  return tensor.shape.length === 0 ? elements : `[${elements}]`;
}

/** Six digits are enough to recognise a number by; `inspect` prints all. */
function shortNumbers(text: string): string {
  return text.replace(/-?\d+\.\d{6,}(e[-+]?\d+)?/g, (number) => String(Number(Number(number).toPrecision(6))));
}

/** How the text writes ops that have a sign. */
export const operators: ReadonlyMap<string, string> = new Map([
  ["add", "+"],
  ["sub", "-"],
  ["mul", "*"],
  ["div", "/"],
  ["floor_div", "//"],
  ["mod", "%"],
  ["pow", "**"],
  ["dot_general", "@"],
  ["eq", "=="],
  ["ne", "!="],
  ["lt", "<"],
  ["le", "<="],
  ["gt", ">"],
  ["ge", ">="],
  ["and", "and"],
  ["or", "or"],
]);

/** What an op says: `word`, as the text has it, and with a constant among its operands `* 0.5`, `1 -`, `max(·, 0)`. */
export function opText(node: Node, word = node.op): string {
  const texts = node.inputs.map(inlinedText);
  if (texts.every((text) => text === undefined)) return word;
  const [first, second] = texts;
  const sign = operators.get(node.op);
  if (sign !== undefined && texts.length === 2) {
    if (first !== undefined && second !== undefined) return `${first} ${sign} ${second}`;
    return first === undefined ? `${sign} ${second}` : `${first} ${sign}`;
  }
  if (texts.length > 4) return word;
  return `${word}(${texts.map((text) => text ?? "·").join(", ")})`;
}
