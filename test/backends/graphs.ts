/** Random typed graphs over all dtypes, with variables that are assigned (swapped, updated in place) and several outputs. */

import { floatDTypes, integerDTypes, isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Computation } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { broadcastScalar, literal } from "../../compiler/ops/build.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { randomUniform } from "../../compiler/ops/random.js";
import { placeholder, runState, variable } from "../../compiler/ops/sources.js";
import { opNamed } from "../../compiler/ops/table.js";
import { computationOf } from "../kernels/support.js";
import { Choices } from "./choices.js";
import { alongAnAxis, ofBits, ofMatrices } from "./graph_algebra.js";
import { contentOf } from "./graph_contents.js";
import { gradientOf } from "./graph_gradients.js";
import { atRunTimePositions } from "./graph_positions.js";
import { withRegion } from "./graph_regions.js";
import { withWindows } from "./graph_windows.js";
import { NoGradient, type ReadyGraph, ready } from "./ready.js";

const sizes = [1, 2, 3, 5, 16, 0, 17, 37];
const sourceDTypes: readonly NumericDType[] = ["f32", "f64", "i32", "f32", "bool", "u8", "i64", "f16", "i8", "bf16"];
const tooLarge = 6000;

/** `outside` lets positions lie anywhere: most runs fail, and must touch nothing outside their buffers all the same. */
export function randomGraph(numbers: readonly number[], outside = false): ReadyGraph {
  try {
    return new GraphMaker(new Choices(numbers), { outside, gradients: true }).make();
  } catch (error) {
    // The passes may find that what a loop is given is not read: then the language refuses the gradient.
    if (!(error instanceof NoGradient)) throw error;
    return new GraphMaker(new Choices(numbers), { outside, gradients: false }).make();
  }
}

const shapeOf = (value: Value): readonly number[] => staticShape(value.type);
const dtypeOf = (value: Value): NumericDType => numericDType(value.type.dtype);
const isSameType = (a: Value, b: Value): boolean =>
  dtypeOf(a) === dtypeOf(b) && shapeOf(a).join() === shapeOf(b).join();

const deepest = 2;

/** A region and what is around it. */
interface Surroundings {
  readonly parameters: readonly Value[];
  readonly exact: Set<Value>;
  readonly depth: number;
  readonly indices: readonly Value[];
}

interface Options {
  readonly outside: boolean;
  readonly gradients: boolean;
}

class GraphMaker {
  readonly #choices: Choices;
  readonly #values: Value[];
  readonly #exact: Set<Value>;
  readonly #options: Options;
  readonly #depth: number;
  /** The numbers of the iterations, by which draws differ. */
  readonly #indices: readonly Value[];
  #number = 0;

  constructor(choices: Choices, options: Options, around?: Surroundings) {
    this.#choices = choices;
    this.#options = options;
    this.#values = [...(around?.parameters ?? [])];
    this.#exact = around?.exact ?? new Set();
    this.#depth = around?.depth ?? 0;
    this.#indices = around?.indices ?? [];
  }

  /** A few steps on top of a region's parameters: all values of the region. */
  #grow(parameters: readonly Value[], indices: readonly Value[], steps: number): readonly Value[] {
    const around = { parameters, exact: this.#exact, depth: this.#depth + 1, indices };
    const inner = new GraphMaker(this.#choices, this.#options, around);
    const enough = parameters.length + steps;
    for (let step = 0; step < 3 * steps && this.#choices.left > 10 && inner.#values.length < enough; step++)
      inner.#step();
    return inner.#values;
  }

  make(): ReadyGraph {
    const choices = this.#choices;
    const sources = 2 + choices.below(3);
    for (let i = 0; i < sources; i++) this.#source();
    // All of them may have been too large.
    if (this.#values.length === 0) this.#keep(placeholder({ name: "small", dtype: "f32", shape: [3] }), true);
    while (choices.left > 10 && this.#values.length < 40) this.#step();
    const values = this.#values;
    const count = 1 + choices.below(4);
    const outputs: Record<string, Value> = {};
    for (let i = 0; i < count; i++)
      outputs[`y${i}`] = values[Math.max(0, values.length - 1 - choices.below(8))] as Value;
    const assignments: Record<string, Value> = {};
    for (const target of values.filter(({ node }) => node.op === "variable")) {
      const same = values.filter((value) => value !== target && isSameType(value, target));
      const chosen = same[same.length - 1 - choices.below(Math.max(1, Math.min(4, same.length)))];
      if (chosen !== undefined) assignments[String(target.node.attributes["path"])] = chosen;
    }
    const plain = computationOf(outputs, assignments, "random");
    // One that is assigned and never read is a variable of the computation all the same.
    const unread = values.filter(
      ({ node: { op, attributes } }) =>
        op === "variable" &&
        assignments[String(attributes["path"])] !== undefined &&
        !plain.variables.some(({ name }) => name === attributes["path"]),
    );
    const computation = {
      ...plain,
      variables: [
        ...plain.variables,
        ...unread.map(({ node, type }) => ({ name: String(node.attributes["path"]), type })),
      ],
    };
    const contents = (parameters: Computation["placeholders"]) =>
      new Map(parameters.map(({ name, type }) => [name, contentOf(name, numericDType(type.dtype), staticShape(type))]));
    return ready({
      asked: computation,
      feeds: contents(computation.placeholders),
      contents: contents(computation.variables),
    });
  }

  /** Often of the type of an earlier one, so that variables can be swapped and operands meet. */
  #source(): void {
    const choices = this.#choices;
    const like = this.#values.length > 0 && choices.below(2) === 0 ? choices.of(this.#values) : undefined;
    const dtype = like === undefined ? choices.of(sourceDTypes) : dtypeOf(like);
    const rank = choices.below(4);
    const shape = like === undefined ? Array.from({ length: rank }, () => choices.of(sizes)) : shapeOf(like);
    const name = `s${this.#number++}`;
    const isVariable = choices.below(2) === 0;
    this.#keep(isVariable ? variable({ path: name, dtype, shape }) : placeholder({ name, dtype, shape }), true);
  }

  /** Undefined where it is too large to go on with. */
  #keep(value: Value, isExact: boolean): Value | undefined {
    if (elementCount(shapeOf(value)) > tooLarge || shapeOf(value).length > 5) return undefined;
    if (!this.#values.includes(value)) this.#values.push(value);
    if (isExact) this.#exact.add(value);
    return value;
  }

  #apply(
    op: string,
    inputs: readonly Value[],
    attributes: Parameters<ReturnType<typeof opNamed>["apply"]>[1] = {},
    rounds = false,
  ): Value | undefined {
    const [value] = opNamed(op).apply(inputs, attributes);
    return value === undefined
      ? undefined
      : this.#keep(value, !rounds && inputs.every((input) => this.#exact.has(input)));
  }

  #partner(x: Value, within: (value: Value) => boolean = () => true): Value {
    return this.#choices.of(this.#values.filter((value) => isSameType(value, x) && within(value)));
  }

  #step(): Value | undefined {
    const choices = this.#choices;
    const x = choices.of(this.#values);
    const shape = shapeOf(x);
    const axes = shape.map((_, axis) => axis);
    const dtype = dtypeOf(x);
    const isExact = this.#exact.has(x);
    // Mostly arithmetic in regions, so that their results depend on what they are given.
    const kind = this.#depth > 0 && choices.below(2) === 0 ? choices.below(5) : choices.below(34);
    switch (kind) {
      case 0:
      case 1:
        return this.#elementwise(x, dtype, isExact);
      case 2:
      case 3:
        return this.#binary(x, dtype);
      case 4:
        return this.#reduce(x, dtype, choices.flags(axes), isExact);
      case 5:
        return this.#normalise(x, dtype, shape, axes);
      case 6: {
        const at = choices.below(shape.length + 1);
        return this.#apply("broadcast_in_dim", [x], {
          shape: [...shape.slice(0, at), choices.of(sizes), ...shape.slice(at)],
          axes: axes.map((axis) => (axis < at ? axis : axis + 1)),
        });
      }
      case 7: {
        const turn = choices.below(7);
        const permutation = [...axes].sort((a, b) => ((a * 7 + turn) % 5) - ((b * 7 + turn) % 5));
        return this.#apply("transpose", [x], { permutation });
      }
      case 8: {
        const start = shape.map((size) => choices.below(size + 1));
        return this.#apply("slice", [x], { start, limit: shape, strides: shape.map(() => 1 + choices.below(3)) });
      }
      case 9:
        return this.#apply("reverse", [x], { axes: choices.flags(axes) });
      case 10:
        return this.#apply("reshape", [x], { shape: reshaped(choices, shape) });
      case 11: {
        if (shape.length === 0) return undefined;
        return this.#apply("concatenate", [x, this.#partner(x), x], { axis: choices.below(shape.length) });
      }
      case 12:
        return this.#apply("pad", [x, literal(dtype, [], [1])], {
          low: shape.map(() => choices.below(4) - 1),
          high: shape.map((size) => choices.below(3) + (size === 0 ? 1 : 0)),
          interior: shape.map(() => choices.below(2)),
        });
      case 13:
        return this.#contract(x, dtype, shape);
      case 14:
        return this.#cast(x, isExact);
      case 15: {
        const conditions = this.#values.filter(
          (value) => dtypeOf(value) === "bool" && shapeOf(value).join() === shape.join() && this.#exact.has(value),
        );
        return conditions.length === 0
          ? this.#compare(x, isExact)
          : this.#apply("select", [choices.of(conditions), x, this.#partner(x)]);
      }
      case 16:
        return this.#compare(x, isExact);
      case 17: {
        const uniform = choices.of(["f32", "f64"] as const);
        const path = choices.of(["a", "b/c"]);
        return this.#keep(
          randomUniform(runState(), this.#indices, { path, index: choices.below(3), dtype: uniform, shape }),
          true,
        );
      }
      case 18:
        return shape.length === 0 || dtype === "bool"
          ? undefined
          : this.#apply("iota", [], { dtype, shape, axis: choices.below(shape.length) });
      case 19:
      case 20:
      case 21: {
        const made = atRunTimePositions(choices, x, {
          values: this.#values,
          exact: this.#exact,
          outside: this.#options.outside,
          tooLarge,
        });
        return made === undefined ? undefined : this.#keep(made.value, made.exact);
      }
      case 22:
      case 23:
      case 24: {
        const made = withWindows(choices, x, { exact: this.#exact, tooLarge });
        return made === undefined ? undefined : this.#keep(made.value, made.exact);
      }
      case 25: {
        const y = this.#partner(x);
        const made =
          choices.below(3) === 0 ? ofBits(choices, x, y, this.#exact) : alongAnAxis(choices, x, y, this.#exact);
        return made === undefined ? undefined : this.#keep(made.value, made.exact);
      }
      case 26: {
        const made = ofMatrices(choices, x);
        return made === undefined ? undefined : this.#keep(made.value, made.exact);
      }
      case 27:
      case 28:
        if (!this.#options.gradients) return;
        for (const value of gradientOf(choices, this.#values, this.#exact)) this.#keep(value, false);
        return;
      case 29:
      case 30:
      case 31:
        if (this.#depth < deepest) this.#region();
        return;
      default:
        return this.#position(x, shape, isExact);
    }
  }

  #region(): void {
    const made = withRegion(this.#choices, {
      values: this.#values,
      exact: this.#exact,
      tooLarge,
      grow: (parameters, indices, steps) => this.#grow(parameters, indices, steps),
    });
    for (const { value, exact } of made) this.#keep(value, exact);
  }

  #elementwise(x: Value, dtype: NumericDType, isExact: boolean): Value | undefined {
    const choices = this.#choices;
    if (dtype === "bool") return this.#apply("not", [x]);
    if (!isFloat(dtype))
      return this.#apply(choices.of(dtype === "u8" ? ["sign", "not", "abs"] : ["neg", "abs", "sign", "not"]), [x]);
    const smooth = ["tanh", "sigmoid", "sin", "erf"];
    const stepped = ["floor", "ceil", "round", "sign", "neg", "abs"];
    const op = choices.of(isExact ? [...smooth, ...stepped] : [...smooth, "neg", "abs"]);
    return this.#apply(op, [x], {}, smooth.includes(op));
  }

  #binary(x: Value, dtype: NumericDType): Value | undefined {
    const choices = this.#choices;
    const y = this.#partner(x);
    if (dtype === "bool") return this.#apply(choices.of(["and", "or", "xor"]), [x, y]);
    const common = ["add", "sub", "mul", "maximum", "minimum"];
    const op = choices.of(isInteger(dtype) ? [...common, "and", "xor", "floor_div", "mod", "pow"] : common);
    if (op !== "floor_div" && op !== "mod") return this.#apply(op, [x, y]);
    // Odd, so never zero: whether a zero is seen depends on whether anything needs the quotient.
    const divisor = opNamed("or").apply([y, filled(dtype, shapeOf(y), 1)], {});
    if (this.#exact.has(y)) for (const value of divisor) this.#exact.add(value);
    return this.#apply(op, [x, ...divisor]);
  }

  #reduce(x: Value, dtype: NumericDType, axes: readonly number[], isExact: boolean): Value | undefined {
    const choices = this.#choices;
    const isEmpty = axes.some((axis) => shapeOf(x)[axis] === 0);
    if (dtype === "bool") return this.#apply(choices.of(["all", "any"]), [x], { axes });
    const extremes = isEmpty ? [] : ["max", "min"];
    const op = choices.of(isFloat(dtype) ? ["sum", "sum", ...extremes] : ["sum", "prod", ...extremes]);
    const reduced = this.#apply(op, [x], { axes }, op === "sum" && isFloat(dtype));
    // Its reduction beside an element's place: loops that carry both.
    return isExact && choices.below(3) === 0 ? this.#position(x, shapeOf(x), isExact) : reduced;
  }

  /** Back to the shape that a row was reduced from: the pattern of softmax and layer normalisation. */
  #normalise(x: Value, dtype: NumericDType, shape: readonly number[], axes: readonly number[]): Value | undefined {
    if (shape.length === 0 || dtype === "bool") return undefined;
    const axis = this.#choices.below(shape.length);
    const [row] = opNamed("sum").apply([x], { axes: [axis] });
    if (row === undefined) return undefined;
    const [spread] = opNamed("broadcast_in_dim").apply([row], { shape, axes: axes.filter((other) => other !== axis) });
    const [value] = spread === undefined ? [] : opNamed("sub").apply([x, spread], {});
    return value === undefined ? undefined : this.#keep(value, !isFloat(dtype) && this.#exact.has(x));
  }

  #contract(x: Value, dtype: NumericDType, shape: readonly number[]): Value | undefined {
    if (dtype === "bool") return undefined;
    const choices = this.#choices;
    const partner = choices.of(this.#values.filter((value) => dtypeOf(value) === dtype));
    const other = shapeOf(partner);
    const equal = shape.flatMap((size, axis) =>
      other.flatMap((size2, axis2) => (size === size2 ? [[axis, axis2] as const] : [])),
    );
    const pair = equal.length === 0 ? undefined : choices.of(equal);
    const further = equal.filter(([a, b]) => a !== pair?.[0] && b !== pair?.[1]);
    const batch = further.length > 0 && choices.below(2) === 0 ? choices.of(further) : undefined;
    const attributes = {
      lhs_batch: batch === undefined ? [] : [batch[0]],
      rhs_batch: batch === undefined ? [] : [batch[1]],
      lhs_contract: pair === undefined ? [] : [pair[0]],
      rhs_contract: pair === undefined ? [] : [pair[1]],
    };
    const [type] = opNamed("dot_general").infer([x.type, partner.type], attributes);
    if (type === undefined || elementCount(staticShape(type)) > tooLarge) return undefined;
    return this.#apply("dot_general", [x, partner], attributes, isFloat(dtype));
  }

  #cast(x: Value, isExact: boolean): Value | undefined {
    const targets: readonly NumericDType[] = isExact ? [...floatDTypes, ...integerDTypes, "bool"] : floatDTypes;
    return this.#apply("cast", [x], { to: this.#choices.of(targets) });
  }

  #compare(x: Value, isExact: boolean): Value | undefined {
    if (!isExact) return undefined;
    const y = this.#partner(x, (value) => this.#exact.has(value));
    return this.#apply(this.#choices.of(["eq", "ne", "lt", "le", "gt", "ge"]), [x, y]);
  }

  #position(x: Value, shape: readonly number[], isExact: boolean): Value | undefined {
    if (!isExact || shape.length === 0 || shape.includes(0) || dtypeOf(x) === "bool") return undefined;
    return this.#apply(this.#choices.of(["argmax", "argmin"]), [x], { axis: this.#choices.below(shape.length) });
  }
}

function reshaped(choices: Choices, shape: readonly number[]): readonly number[] {
  const count = elementCount(shape);
  if (count === 0) return [0, 2];
  for (const divisor of [2, 3, 5])
    if (count % divisor === 0 && choices.below(2) === 0) return [divisor, count / divisor];
  return choices.below(2) === 0 ? [count] : [count, 1];
}

/** A scalar constant in every element. */
export function filled(dtype: NumericDType, shape: readonly number[], value: number): Value {
  return broadcastScalar(literal(dtype, [], [value]), shape);
}
