import type { Dim } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import { toDim, toNumber, toShape, toTensor, toTensors } from "./convert.js";
import { describe, type Item, type Meaning } from "./meaning.js";
import { applyOp, type Env, refusal, type Site } from "./state.js";
import { extremeHint, wrongArgumentHint } from "./wrong_argument.js";

/** How an argument reads. `axes` is an int, a list of ints, or all axes where it is left out. */
export type ParameterKind =
  | "tensor"
  | "int"
  | "float"
  | "bool"
  | "string"
  | "dtype"
  | "shape"
  | "list"
  | "axes"
  | "fn"
  | "any";

export interface IntrinsicParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** As the manual shows it; a parameter without one has to be given. */
  readonly default?: string;
  readonly doc?: string;
  /** The strings that it takes; editors offer them. */
  readonly strings?: readonly string[];
  /** The last parameter may take all further arguments by position, as a list of one or more. */
  readonly variadic?: true;
}

/**
 * A function that the language has built in: the core ops under friendly attributes, and what only the compiler can answer.
 * All else is `.graph` code in the standard library. Docs, hover and completion read these tables.
 */
export interface Intrinsic {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly IntrinsicParameter[];
  /** What it gives, for the manual: `y`, `q, r`, `int`. */
  readonly result: string;
  readonly build: (call: Arguments) => Meaning;
}

/** The arguments of one call of an intrinsic, read by the kind that each parameter has. All readers throw `Refusal`. */
export class Arguments {
  readonly env: Env;
  readonly name: string;
  readonly span: Span;
  readonly #items: ReadonlyMap<string, Item>;

  constructor(env: Env, name: string, span: Span, items: ReadonlyMap<string, Item>) {
    this.env = env;
    this.name = name;
    this.span = span;
    this.#items = items;
  }

  has(parameter: string): boolean {
    return this.#items.has(parameter);
  }

  item(parameter: string): Item {
    return this.#items.get(parameter) ?? { meaning: { kind: "all_axes" }, span: this.span };
  }

  spanOf(parameter: string): Span {
    return this.#items.get(parameter)?.span ?? this.span;
  }

  tensor(parameter: string, dtype?: DType): Value {
    return toTensor(this.env, this.item(parameter), dtype);
  }

  tensors(parameter: string): readonly Value[] {
    return toTensors(this.env, this.item(parameter));
  }

  shape(parameter: string): readonly Dim[] {
    return toShape(this.env, this.item(parameter));
  }

  dim(parameter: string): Dim {
    return toDim(this.env, this.item(parameter));
  }

  integer(parameter: string): number {
    if (this.item(parameter).meaning.kind !== "int") throw this.wrong(parameter, "an int");
    return toNumber(this.env, this.item(parameter), `\`${parameter}\``);
  }

  integers(parameter: string): readonly number[] {
    const { meaning, span } = this.item(parameter);
    if (meaning.kind === "int") return [this.integer(parameter)];
    if (meaning.kind === "shape")
      return meaning.value.map((dim) => toNumber(this.env, { meaning: dimMeaning(dim), span }, `\`${parameter}\``));
    if (meaning.kind !== "list") throw this.wrong(parameter, "an int or a list of ints");
    return meaning.items.map((item) => toNumber(this.env, item, `\`${parameter}\``));
  }

  bool(parameter: string, fallback: boolean): boolean {
    if (!this.has(parameter)) return fallback;
    const { meaning } = this.item(parameter);
    if (meaning.kind === "bool") return meaning.value;
    throw this.wrong(parameter, "`true` or `false`, known when the graph is compiled");
  }

  dtype(parameter: string, fallback: DType): DType {
    if (!this.has(parameter)) return fallback;
    const { meaning } = this.item(parameter);
    if (meaning.kind === "dtype") return meaning.value;
    throw this.wrong(parameter, "a dtype such as `f32`", "dtype");
  }

  /** An axis, counted from the end where negative; `fallback` where the argument is left out. */
  axis(parameter: string, x: Value, fallback?: number): number {
    const axis = fallback === undefined || this.has(parameter) ? this.integer(parameter) : fallback;
    return this.#axis(axis, x, this.spanOf(parameter));
  }

  /** Axes in ascending order; all of them where the argument is left out. */
  axes(parameter: string, x: Value): readonly number[] {
    const rank = x.type.shape.length;
    if (this.item(parameter).meaning.kind === "all_axes") return Array.from({ length: rank }, (_, axis) => axis);
    return [...this.axesInOrder(parameter, x)].sort((a, b) => a - b);
  }

  /** The same in the order that they are given in, which is that of other lists of the call: one window size for each, say. */
  axesInOrder(parameter: string, x: Value): readonly number[] {
    if (this.item(parameter).meaning.kind === "all_axes") return this.axes(parameter, x);
    const axes = this.integers(parameter).map((axis) => this.#axis(axis, x, this.spanOf(parameter)));
    if (new Set(axes).size === axes.length) return axes;
    throw refusal(this.env, "G025", this.spanOf(parameter), `\`${this.name}\` is given one axis twice`);
  }

  #axis(axis: number, x: Value, span: Span): number {
    const rank = x.type.shape.length;
    if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    const known = rank === 0 ? "a scalar has no axes" : `its axes are 0 to ${rank - 1}, or -${rank} to -1 from the end`;
    throw refusal(this.env, "G025", span, `${typeText(x.type)} has no axis ${axis}`, {
      hint: extremeHint(this.env.state.shared.texts, this.name, this.span, known) ?? known,
    });
  }

  site(...parameters: readonly string[]): Site {
    return { span: this.span, operands: parameters.map((parameter) => this.spanOf(parameter)) };
  }

  apply(op: string, inputs: readonly Value[], attributes: Parameters<typeof applyOp>[3], site: Site): Value {
    return applyOp(this.env, op, inputs, attributes, site)[0] as Value;
  }

  /** `expected` with its article; `kind` where a hint rests on it. */
  wrong(parameter: string, expected: string, kind = ""): Error {
    const item = this.item(parameter);
    const message = `\`${parameter}\` of \`${this.name}\` is ${expected}, not ${describe(item.meaning)}`;
    const hint = wrongArgumentHint(this.env.state.shared.texts, this.name, parameter, kind, item, this.span);
    return refusal(this.env, "G031", item.span, message, { hint });
  }
}

function dimMeaning(dim: Dim): Meaning {
  return { kind: "int", value: typeof dim === "number" ? BigInt(dim) : dim };
}
