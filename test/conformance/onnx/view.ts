/** One node of a model as the rules see it: names of its operands in the graph's text, known values, attributes. */
import { isFloat, type NumericDType } from "../../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16 } from "../../../compiler/ir/half.js";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import { dtypeOf, type OnnxNode, Unsupported } from "./format.js";

/** A value of the model. Its shape is always known: the cases have static ones. */
export interface Value {
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
  /** Known when the graph is written: what decides shapes and code. */
  readonly constant: Tensor | undefined;
  /** Its name in the text; what it needs is declared when it is first asked for. */
  readonly name: () => string;
}

/**
 * What a rule gives: an expression for the first output, or for each one that is asked for; or a call that has several outputs.
 */
export type Emission = string | readonly string[] | { readonly call: string; readonly outputs: number };
export type Rule = (node: View) => Emission;
export type Rules = Readonly<Record<string, Rule>>;

export class View {
  readonly node: OnnxNode;
  readonly opset: number;
  readonly #inputs: readonly (Value | undefined)[];

  /** The name in the text of a value of the model: for operators that mention one in an attribute. */
  readonly named: (value: string) => string;

  constructor(node: OnnxNode, opset: number, inputs: readonly (Value | undefined)[], named: (value: string) => string) {
    this.named = named;
    this.node = node;
    this.opset = opset;
    this.#inputs = inputs;
  }

  get op(): string {
    return this.node.op;
  }

  /** How many inputs are written, those that are left out in the middle included. */
  get count(): number {
    return this.#inputs.length;
  }

  has(input: number): boolean {
    return this.#inputs[input] !== undefined;
  }

  wants(output: number): boolean {
    return (this.node.outputs[output] ?? "") !== "";
  }

  value(input: number): Value {
    const value = this.#inputs[input];
    if (value === undefined) throw new Error(`${this.op} has no input ${input}`);
    return value;
  }

  /** The name of an operand. */
  in(input: number): string {
    return this.value(input).name();
  }

  all(): readonly string[] {
    return this.#inputs.map((_, i) => this.in(i));
  }

  dtype(input = 0): NumericDType {
    return this.value(input).dtype;
  }

  shape(input = 0): readonly number[] {
    return this.value(input).shape;
  }

  rank(input = 0): number {
    return this.shape(input).length;
  }

  /** The numbers of an operand that decides shapes or code. */
  numbers(input: number): readonly number[] {
    const { constant } = this.value(input);
    if (constant === undefined) throw new Unsupported(`input ${input} of ${this.op} decides the code, and is computed`);
    return numbersOf(constant);
  }

  /** The same, or the attribute that held them in older versions; undefined where neither is there. */
  numbersOr(input: number, attribute: string): readonly number[] | undefined {
    return this.has(input) ? this.numbers(input) : this.ints(attribute);
  }

  number(attribute: string, otherwise: number): number {
    const value = this.node.attributes.get(attribute) ?? otherwise;
    if (typeof value !== "number") throw new TypeError(`${attribute} of ${this.op} is no number`);
    return value;
  }

  flag(attribute: string, otherwise = 0): boolean {
    return this.number(attribute, otherwise) !== 0;
  }

  /** A number as the language writes it. */
  real(attribute: string, otherwise: number): string {
    return numeral(this.number(attribute, otherwise));
  }

  text(attribute: string, otherwise: string): string {
    const value = this.node.attributes.get(attribute) ?? otherwise;
    if (typeof value !== "string") throw new TypeError(`${attribute} of ${this.op} is no text`);
    return value;
  }

  ints(attribute: string): readonly number[] | undefined {
    const value = this.node.attributes.get(attribute);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw new TypeError(`${attribute} of ${this.op} is no list`);
    return value.map(Number);
  }

  tensor(attribute: string): Tensor | undefined {
    const value = this.node.attributes.get(attribute);
    return typeof value === "object" && "dtype" in value ? value : undefined;
  }

  dtypeAttribute(attribute: string): NumericDType | undefined {
    return this.node.attributes.has(attribute) ? dtypeOf(this.number(attribute, 0)) : undefined;
  }

  /** An axis attribute counted from 0. */
  axis(otherwise: number, attribute = "axis"): number {
    return fromStart(this.number(attribute, otherwise), this.rank());
  }
}

export function fromStart(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function range(count: number, start = 0): readonly number[] {
  return Array.from({ length: Math.max(0, count) }, (_, i) => i + start);
}

export function list(items: readonly (number | string)[]): string {
  return `[${items.join(", ")}]`;
}

export function numbersOf({ dtype, data }: Tensor): readonly number[] {
  const decode = dtype === "f16" ? decodeF16 : dtype === "bf16" ? decodeBF16 : Number;
  return Array.from<number | bigint, number>(data, (element) => decode(Number(element)));
}

export function numeral(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (x === Number.POSITIVE_INFINITY) return "inf";
  if (x === Number.NEGATIVE_INFINITY) return "-inf";
  return Object.is(x, -0) ? "-0" : String(x).replace("e+", "e");
}

export function typeText(dtype: NumericDType, shape: readonly number[]): string {
  return shape.length === 0 ? dtype : `${dtype}${list(shape)}`;
}

/** A tensor as the language writes it; a declared type gives its dtype. */
export function literal(tensor: Tensor): string {
  const { dtype, shape } = tensor;
  if (shape.includes(0)) return `zeros(${list(shape)}, dtype=${dtype})`;
  const element = (x: number) => (dtype === "bool" ? String(x !== 0) : isFloat(dtype) ? decimal(x) : String(x));
  let items = numbersOf(tensor).map(element);
  // From the last axis to the first, rows become items.
  for (const size of shape.toReversed()) {
    items = range(items.length / size).map((i) => list(items.slice(i * size, (i + 1) * size)));
  }
  return items[0] ?? "";
}

function decimal(x: number): string {
  const text = numeral(x);
  return Number.isInteger(x) && !text.includes("e") ? `${text}.0` : text;
}
