/** How reading and writing at positions of the run are written. The ops count from 0; the language's indices also from the end. */
import { isTensor, type Node, type Value } from "../../compiler/ir/node.js";
import { shapeText } from "./literals.js";
import {
  beside,
  type Call,
  call,
  input,
  inverse,
  listed,
  numbers,
  operand,
  shapeOf,
  tight,
  transposed,
  type Writer,
  type Written,
} from "./written.js";

/** Positions along an axis of `size` elements. */
function position(given: Call, index: Value, size: number): Written {
  const { node } = index;
  if (node.op === "wrap_index" && numbers(node.attributes["size"])[0] === size) return given.text(input(node, 0));
  const text = given.text(index);
  return isFromStart(index, size) ? text : call("check_index", [text], { size: String(size) });
}

/** Whether the language, too, takes it from the start: it is never negative. */
function isFromStart({ node, type }: Value, size: number): boolean {
  if (type.dtype === "u8" || ["check_index", "iota", "argmax", "argmin"].includes(node.op)) return true;
  return node.op === "mod" && isPositive(input(node, 1)) && size > 0;
}

function isPositive({ node }: Value): boolean {
  if (node.op === "broadcast_in_dim") return isPositive(input(node, 0));
  const value = node.attributes["value"];
  return value !== undefined && isTensor(value) && [...value.data].every((element) => element > 0);
}

function positions(given: Call, x: Value, first: number): readonly Written[] {
  return numbers(given.node.attributes["axes"]).map((axis, i) =>
    position(given, input(given.node, first + i), shapeOf(x)[axis] ?? 0),
  );
}

/** `x[:, i, :, j]`, whose points stand where the indexed axes do if they are next to each other, else in front, as the op has them. */
const gather: Writer = (given) => {
  const { node } = given;
  const x = input(node, 0);
  const axes = numbers(node.attributes["axes"]);
  const texts = positions(given, x, 1);
  const points = shapeOf(input(node, 1)).length;
  const first = Math.min(...axes);
  const isTogether = Math.max(...axes) - first === axes.length - 1;
  const rank = shapeOf(x).length - axes.length + points;
  const before = isTogether ? first : 0;
  const order = Array.from({ length: rank }, (_, axis) =>
    axis < points ? axis + before : axis < points + before ? axis - points : axis,
  );
  const [only] = texts;
  if (axes.length === 1 && only !== undefined && given.form(2) === 0)
    return transposed(call("gather", [given.text(x), only], { axis: String(first) }), order);
  const parts = shapeOf(x).map((_, axis) => texts[axes.indexOf(axis)]?.text ?? ":");
  return transposed(tight(`${beside(given.text(x))}[${parts.join(", ")}]`), order);
};

const scatter: Writer = (given) => {
  const { node } = given;
  const x = input(node, 0);
  const axes = numbers(node.attributes["axes"]);
  const texts = positions(given, x, 2);
  const points = shapeOf(input(node, 2)).length;
  const updates = operand(given, 1);
  const named = { combiner: node.attributes["combiner"] === "set" ? undefined : `"${node.attributes["combiner"]}"` };
  const [axis = 0, ...others] = axes;
  const [index] = texts;
  if (others.length === 0 && index !== undefined) {
    const order = shapeOf(input(node, 1)).map((_, at) =>
      at < axis ? at + points : at < axis + points ? at - axis : at,
    );
    return call("scatter", [given.text(x), index, transposed(updates, order)], { axis: String(axis), ...named });
  }
  const front = [...axes, ...shapeOf(x).flatMap((_, at) => (axes.includes(at) ? [] : [at]))];
  const rows = call("stack", [listed(texts)], { axis: String(points) });
  return transposed(call("scatter_nd", [transposed(given.text(x), front), rows, updates], named), inverse(front));
};

const starts = (node: Node, first: number, given: Call): Written =>
  listed(node.inputs.slice(first).map((value) => given.text(value)));

export const dynamicCalls: Readonly<Record<string, Writer>> = {
  gather,
  scatter,
  check_index: (given) =>
    call("check_index", [operand(given, 0)], { size: numbers(given.node.attributes["size"]).join() }),
  wrap_index: (given) =>
    call("gather", [call("iota", [tight(shapeText(numbers(given.node.attributes["size"])))]), operand(given, 0)]),
  dynamic_slice: (given) => {
    const sizes = numbers(given.node.attributes["sizes"]);
    if (sizes.length === 0) return operand(given, 0);
    return call("dynamic_slice", [operand(given, 0), starts(given.node, 1, given), tight(shapeText(sizes))]);
  },
  dynamic_update_slice: (given) => {
    if (shapeOf(input(given.node, 0)).length === 0) return operand(given, 1);
    return call("dynamic_update_slice", [operand(given, 0), operand(given, 1), starts(given.node, 2, given)]);
  },
};
