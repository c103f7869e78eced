/** What passes ask about edges: constant numbers, attributes, axes. */
import { InternalError } from "../ir/diagnostic.js";
import type { Dim } from "../ir/dim.js";
import { isDimAttribute, isList, isTensor, type Node, type Value } from "../ir/node.js";
import { bitsOf } from "../ir/printer-literal.js";
import { elementCount, type Tensor } from "../ir/tensor.js";
import { broadcastScalar } from "../ops/build.js";
import { referenceFromTensor } from "../ops/precision.js";
import { constant } from "../ops/sources.js";

const views: ReadonlySet<string> = new Set(["broadcast_in_dim", "reshape", "transpose", "slice", "reverse"]);

/** The scalar constant that fills a constant node with one or more elements, all of the same bits; looked for once a node. */
const scalars = new WeakMap<Node, Value | "none">();

/** The scalar constant that `value` repeats in every element, found through views; undefined when there is none. */
export function scalarOf(value: Value, opaque: (value: Value) => boolean = () => false): Value | undefined {
  let source = value;
  while (views.has(source.node.op)) {
    const [input] = source.node.inputs;
    if (input === undefined || opaque(source)) return undefined;
    source = input;
  }
  return source.node.op === "constant" && !opaque(source) ? scalarOfConstant(source) : undefined;
}

function scalarOfConstant(value: Value): Value | undefined {
  const known = scalars.get(value.node);
  if (known !== undefined) return known === "none" ? undefined : known;
  const literal = literalOf(value);
  const scalar = literal === undefined || !isUniform(literal) ? undefined : firstElement(literal, value);
  scalars.set(value.node, scalar ?? "none");
  return scalar;
}

function firstElement(literal: Tensor, value: Value): Value {
  return literal.shape.length === 0
    ? value
    : constant({ value: { ...literal, shape: [], data: literal.data.slice(0, 1) } });
}

function isUniform({ shape, data }: Tensor): boolean {
  if (elementCount(shape) === 0) return false;
  const bits = bitsOf(data);
  const first = bits[0];
  return bits.every((pattern: number | bigint) => pattern === first);
}

/** The number in every element of `value`; a bigint for i64. */
export function splatOf(value: Value, opaque?: (value: Value) => boolean): number | bigint | undefined {
  const scalar = scalarOf(value, opaque);
  const literal = scalar === undefined ? undefined : literalOf(scalar);
  return literal === undefined ? undefined : referenceFromTensor(literal).data[0];
}

/** The scalar constant in the shape of `like`. */
export function scalarLike(scalar: Value, like: Value): Value {
  return broadcastScalar(scalar, like.type.shape);
}

/** Whether two numbers are the same, 0 and -0 apart; an i64 is the number that it equals. */
export function sameNumber(a: number | bigint, b: number): boolean {
  return typeof a === "bigint" ? !Object.is(b, -0) && a === BigInt(b) : Object.is(a, b);
}

/** The tensor of a constant node. */
export function literalOf(value: Value): Tensor | undefined {
  const attribute = value.node.op === "constant" ? value.node.attributes["value"] : undefined;
  return attribute !== undefined && isTensor(attribute) ? attribute : undefined;
}

/** A list of whole numbers among the attributes. */
export function intsOf(value: Value, name: string): readonly number[] {
  return listOf(value, name).map((item) => (typeof item === "number" ? item : missing(value, name)));
}

/** A list of sizes among the attributes. */
export function dimsOf(value: Value, name: string): readonly Dim[] {
  return listOf(value, name).map((item) => (isDimAttribute(item) ? item : missing(value, name)));
}

export function intOf(value: Value, name: string): number {
  const attribute = value.node.attributes[name];
  return typeof attribute === "number" ? attribute : missing(value, name);
}

function listOf(value: Value, name: string) {
  const attribute = value.node.attributes[name];
  return attribute !== undefined && isList(attribute) ? attribute : missing(value, name);
}

function missing(value: Value, name: string): never {
  throw new InternalError(`${value.node.op} has no such attribute ${name}`);
}

/** The only or first operand. */
export function inputOf(value: Value, position = 0): Value {
  return value.node.inputs[position] ?? missing(value, `input ${position}`);
}

/** 0, 1, ... rank - 1 without `axes`. */
export function otherAxes(rank: number, axes: readonly number[]): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
}

export function isIncreasing(list: readonly number[]): boolean {
  return list.every((item, i) => i === 0 || item > (list[i - 1] as number));
}

/** All sizes as numbers, or undefined where one is symbolic. */
export function staticSizes(shape: readonly Dim[]): readonly number[] | undefined {
  return shape.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : undefined;
}
