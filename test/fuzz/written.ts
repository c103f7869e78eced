/** What the writers of ops have in common. */
import { type Attribute, isDimAttribute, isList, type Node, type Value } from "../../compiler/ir/node.js";
import { staticShape } from "../../compiler/ir/type.js";
import { shapeText } from "./literals.js";

/** An expression; a tight one (a name, a call, an index) stands beside an operator without parentheses. */
export interface Written {
  readonly text: string;
  readonly tight: boolean;
}

/** The node that is written. */
export interface Call {
  readonly node: Node;
  /** How an edge is written here. */
  readonly text: (value: Value) => Written;
  /** One of several forms that mean the same; 0 is the plainest. */
  readonly form: (count: number) => number;
}

/** How an op is written. */
export type Writer = (given: Call) => Written;

export const tight = (text: string): Written => ({ text, tight: true });
export const loose = (text: string): Written => ({ text, tight: false });
export const beside = ({ text, tight: isTight }: Written): string => (isTight ? text : `(${text})`);
export const listed = (parts: readonly Written[]): Written => tight(`[${parts.map(({ text }) => text).join(", ")}]`);

/** `name(a, b, axis=1)`; arguments that are undefined are left out. */
export function call(
  name: string,
  operands: readonly Written[],
  named: Readonly<Record<string, string | undefined>> = {},
): Written {
  const given = Object.entries(named).flatMap(([key, text]) => (text === undefined ? [] : [`${key}=${text}`]));
  return tight(`${name}(${[...operands.map(({ text }) => text), ...given].join(", ")})`);
}

/** An operand of the node, which has to be there. */
export function input({ inputs, op }: Node, position: number): Value {
  const found = inputs[position];
  if (found === undefined) throw new RangeError(`${op} has no operand ${position}`);
  return found;
}

export const operand = (given: Call, position: number): Written => given.text(input(given.node, position));
export const operands = (given: Call): readonly Written[] => given.node.inputs.map((value) => given.text(value));
export const shapeOf = (value: Value): readonly number[] => staticShape(value.type);

export function numbers(attribute: Attribute | undefined): readonly number[] {
  if (attribute === undefined || !isList(attribute)) throw new TypeError("a list of numbers is missing");
  return attribute.map((one) => {
    if (typeof one !== "number" || !isDimAttribute(one)) throw new TypeError("a size is not known");
    return one;
  });
}

export const flag = (attribute: Attribute | undefined): string | undefined => (attribute === true ? "true" : undefined);

/** Left out where it is what stands for it otherwise. */
export function unless(list: readonly number[], usual: number): string | undefined {
  return list.every((one) => one === usual) ? undefined : shapeText(list);
}

/** The axes in the order that undoes this one. */
export function inverse(permutation: readonly number[]): readonly number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

export function transposed(x: Written, permutation: readonly number[]): Written {
  if (permutation.every((axis, i) => axis === i)) return x;
  return call("transpose", [x], { permutation: shapeText(permutation) });
}

export function reshaped(x: Written, from: readonly number[], to: readonly number[]): Written {
  return from.join() === to.join() ? x : call("reshape", [x], { shape: shapeText(to) });
}
