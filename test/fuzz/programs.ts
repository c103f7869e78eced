/**
 * Random programs as people write them: dims that are symbols, broadcasting, calls of the standard library and of generic functions, layers
 * that own variables, loops, branches, gradients and updates. All of it is typed while it is made, so that the compiler takes it.
 */
import { Choices } from "../backends/choices.js";
import { broadcast, flat, listOf, one, product, type Size, swapped, texts } from "./sizes.js";
import { signatureName } from "./source.js";

interface Tensor {
  readonly name: string;
  readonly dtype: "f32" | "f64";
  readonly shape: readonly Size[];
}

const tooLarge = 3000;

const declarations = `import { dense, residual } from "std/layers"
import { layer_norm, rms_norm } from "std/normalisation"
import { adam, momentum } from "std/optimizers"

fn blended[T: float](x: T[...], y: T[...], share: float = 0.25) -> (z: T[...]) {
  require share >= 0 and share <= 1, "a share is from 0 to 1"
  z = share * x + (1 - share) * y
}

fn applied[T: float](f: fn, x: T[...]) -> (y: T[...]) {
  y = f(f(x))
}

fn against[T: float, M, K](x: T[..., M], y: T[..., K]) -> (z: T[..., M, K]) {
  z = reshape(x, [..., M, 1]) * reshape(y, [..., 1, K])
}

fn ends[T: float, M](x: T[M, ...]) -> (first: T[...], last: T[...]) {
  first = x[0]
  last = x[-1]
}
`;

/** Continuous, so that a digit more or less in the operand is one in the result. */
const smooth = [
  "tanh",
  "sigmoid",
  "sin",
  "cos",
  "erf",
  "atan",
  "softsign",
  "gelu",
  "swish",
  "mish",
  "log_sigmoid",
  "tanh_shrink",
];
const bent = [
  "relu",
  "abs",
  "softplus",
  "elu",
  "selu",
  "leaky_relu",
  "relu6",
  "hard_tanh",
  "hard_sigmoid",
  "hard_swish",
  "soft_shrink",
];
const overAxes = ["sum", "mean", "max", "min", "variance", "standard_deviation", "logsumexp", "l1_norm", "median"];
const losses = ["squared_error", "absolute_error", "huber", "log_cosh", "sigmoid_cross_entropy"];

/** A file whose one signature needs no feeds. */
export function randomProgram(numbers: readonly number[]): string {
  return new ProgramMaker(new Choices(numbers)).make();
}

class ProgramMaker {
  readonly #choices: Choices;
  readonly #lines: string[] = [];
  readonly #values: Tensor[] = [];
  readonly #sources: Tensor[] = [];
  readonly #sizes: readonly Size[];
  #number = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
    const dim = (text: string): Size => ({ text, value: 1 + choices.below(5) });
    this.#sizes = [dim("N"), dim("M"), { text: "2", value: 2 }, { text: "3", value: 3 }, dim("N"), one].map(
      (size, i, all) => (i === 4 ? (all[0] as Size) : size),
    );
  }

  make(): string {
    const choices = this.#choices;
    const count = 2 + choices.below(3);
    for (let i = 0; i < count; i++) this.#source();
    for (let turn = 0; turn < 60 && choices.left > 8 && this.#values.length < 24; turn++) this.#step();
    const used = this.#values.slice(-(1 + choices.below(3))).map(({ name }) => name);
    const update = choices.below(3) === 0 ? this.#update() : undefined;
    const mode = update === undefined && choices.below(4) === 0 ? " training=true" : "";
    const body = [
      "seed 42",
      "dim N <= 8",
      "dim M <= 8",
      ...this.#lines,
      `signature ${signatureName}()${update === undefined ? "" : ` does ${update}`}${mode} -> (${used.join(", ")})`,
    ];
    return `${declarations}\ngraph program {\n${body.join("\n")}\n}\n`;
  }

  #name(start: string): string {
    return `${start}${this.#number++}`;
  }

  #source(): void {
    const choices = this.#choices;
    const dtype = choices.of(["f32", "f32", "f64"] as const);
    const isVariable = choices.below(3) === 0;
    const sizes = isVariable ? this.#sizes.filter(({ text }) => /^\d+$/.test(text)) : this.#sizes;
    const shape = Array.from({ length: choices.below(4) }, () => choices.of(sizes));
    const name = this.#name(isVariable ? "w" : "x");
    const type = shape.length === 0 ? dtype : `${dtype}[${texts(shape)}]`;
    const salt = choices.below(9);
    const literal = listOf(
      shape.map(({ value }) => value),
      salt,
    );
    this.#lines.push(`${isVariable ? "variable" : "placeholder"} ${name}: ${type} = ${literal}`);
    this.#values.push({ name, dtype, shape });
    this.#sources.push({ name, dtype, shape });
  }

  /** Binds an expression; `shape` is what it has. */
  #bind(text: string, { dtype }: Pick<Tensor, "dtype">, shape: readonly Size[], isTyped = true): Tensor | undefined {
    if (shape.reduce((product, { value }) => product * value, 1) > tooLarge || shape.length > 4) return undefined;
    const name = this.#name("v");
    const type = shape.length === 0 ? dtype : `${dtype}[${texts(shape)}]`;
    this.#lines.push(`${name}${isTyped && this.#choices.below(3) === 0 ? `: ${type}` : ""} = ${text}`);
    const made = { name, dtype, shape };
    this.#values.push(made);
    return made;
  }

  /** Another one of the dtype, whose shape fulfils this. */
  #partner(x: Tensor, fits: (shape: readonly Size[]) => boolean): Tensor {
    return this.#choices.of(
      this.#values.filter(({ dtype, shape }) => dtype === x.dtype && (shape === x.shape || fits(shape))),
    );
  }

  #step(): void {
    const choices = this.#choices;
    const x = choices.of(this.#values);
    const { name, shape } = x;
    const rank = shape.length;
    const axis = rank === 0 ? 0 : choices.below(rank);
    const without = shape.filter((_, i) => i !== axis);
    const size = shape[axis] ?? one;
    const last = shape.at(-1) ?? one;
    switch (choices.below(26)) {
      case 0:
      case 1:
        this.#bind(
          choices.below(3) === 0 ? `${name} |> ${choices.of(smooth)}()` : `${choices.of(smooth)}(${name})`,
          x,
          shape,
        );
        return;
      case 2:
        this.#bind(`${choices.of(bent)}(${name})`, x, shape);
        return;
      case 3:
      case 4:
      case 5: {
        const y = this.#partner(x, (other) => broadcast(shape, other) !== undefined);
        const both = broadcast(shape, y.shape) as readonly Size[];
        const sign = choices.of(["+", "-", "*"]);
        this.#bind(
          choices.below(2) === 0 ? `${name} ${sign} ${y.name}` : `0.5 * ${name} ${sign} ${y.name} / 2`,
          x,
          both,
        );
        return;
      }
      case 6:
        if (rank > 0)
          this.#bind(`${choices.of(["softmax", "log_softmax", "softmin"])}(${name}, axis=${axis - rank})`, x, shape);
        return;
      case 7: {
        if (rank === 0) return;
        const keeps = choices.below(2) === 0;
        const kept = shape.map((other, i) => (i === axis ? one : other));
        this.#bind(
          `${choices.of(overAxes)}(${name}, axis=${axis}${keeps ? ", keepdims=true" : ""})`,
          x,
          keeps ? kept : without,
        );
        return;
      }
      case 8:
        this.#bind(`${choices.of(["mean", "sum"])}(${name} ** 2)`, x, []);
        return;
      case 9: {
        if (rank === 0) return;
        const y = this.#partner(x, (other) => other.length === 2 && other[0]?.text === last.text);
        if (y.shape.length !== 2 || y.shape[0]?.text !== last.text) return;
        this.#bind(`${name} @ ${y.name} / 4`, x, [...shape.slice(0, -1), y.shape[1] as Size]);
        return;
      }
      case 10:
        if (rank >= 2) this.#bind(`swap_axes(${name}, ${axis}, -1)`, x, swapped(shape, axis));
        return;
      case 11:
        this.#bind(`reshape(${name}, [-1])`, x, [flat(shape)]);
        return;
      case 12:
        this.#bind(`expand_dims(${name}, ${axis})`, x, [...shape.slice(0, axis), one, ...shape.slice(axis)]);
        return;
      case 13: {
        if (rank === 0) return;
        const y = this.#partner(
          x,
          (other) => other.map(({ text }) => text).join() === shape.map(({ text }) => text).join(),
        );
        const doubled = { text: product(["2", size.text]), value: 2 * size.value };
        const isStack = choices.below(2) === 0;
        const made = isStack
          ? [{ text: "2", value: 2 }, ...shape]
          : shape.map((other, i) => (i === axis ? doubled : other));
        this.#bind(
          isStack ? `stack([${name}, ${y.name}])` : `concatenate([${name}, ${y.name}], axis=${axis})`,
          x,
          made,
          isStack,
        );
        return;
      }
      case 14:
        if (rank > 0)
          this.#bind(
            `${name}[${shape.map((_, i) => (i === axis ? choices.of(["0", "-1"]) : ":")).join(", ")}]`,
            x,
            without,
          );
        return;
      case 15:
        if (rank > 0)
          this.#bind(
            choices.of([`${name}[::-1]`, `roll(${name}, 1)`, `cumsum(${name}, axis=${axis})`, `reverse(${name})`]),
            x,
            shape,
          );
        return;
      case 16:
        if (rank > 0) this.#bind(`sort(${name}, axis=${axis})`, x, shape);
        return;
      case 17: {
        const y = this.#partner(x, (other) => texts(other) === texts(shape));
        const text = choices.of([
          `blended(${name}, ${y.name})`,
          `blended(${name}, y=${y.name}, share=0.5)`,
          `maximum(${name}, ${y.name})`,
        ]);
        this.#bind(text, x, shape);
        return;
      }
      case 18:
        this.#bind(`applied(${choices.of(["tanh", "softsign", "relu"])}, ${name})`, x, shape);
        return;
      case 19: {
        if (rank === 0) return;
        const y = this.#partner(
          x,
          (other) => texts(other.slice(0, -1)) === texts(shape.slice(0, -1)) && other.length === rank,
        );
        this.#bind(`against(${name}, ${y.name})`, x, [...shape, y.shape.at(-1) as Size]);
        return;
      }
      case 20:
        if (rank >= 1 && /^\d+$/.test(last.text)) {
          const units = choices.of([2, 3]);
          this.#bind(`${name} |> dense(units=${units})`, x, [
            ...shape.slice(0, -1),
            { text: String(units), value: units },
          ]);
        }
        return;
      case 21:
        if (rank >= 2 && /^\d+$/.test(last.text))
          this.#bind(`${choices.of(["layer_norm", "rms_norm"])}(${name}, epsilon=0.1)`, x, shape);
        return;
      case 22:
        this.#loop(x);
        return;
      case 23:
        this.#branch(x);
        return;
      case 24:
        this.#gradients(x);
        return;
      default: {
        const y = this.#partner(x, (other) => texts(other) === texts(shape));
        this.#bind(`mean(${choices.of(losses)}(${name}, ${y.name}))`, x, []);
        return;
      }
    }
  }

  /** Along axis 0, with a carry; or a number of times. */
  #loop(x: Tensor): void {
    const choices = this.#choices;
    const [first, ...rest] = x.shape;
    const [carry, stack] = [this.#name("v"), this.#name("v")];
    if (first === undefined || choices.below(3) === 0) {
      this.#lines.push(
        `${carry}, _ = while i < ${choices.below(4)} with h = ${x.name}, i = 0 {\n next h = tanh(h) + ${x.name} / 2\n next i = i + 1\n}`,
      );
      this.#values.push({ ...x, name: carry });
      return;
    }
    const options = choices.of(["", "(reverse=true)", "(checkpoint=true)"]);
    const lines = ["s = sin(0.5 * h + e)", "next h = s", choices.below(2) === 0 ? "yield s * h" : "yield s"];
    this.#lines.push(
      `${carry}, ${stack} = scan${options} e in ${x.name} with h = zeros_like(${x.name}[0]) {\n${lines.join("\n")}\n}`,
    );
    this.#values.push({ ...x, name: carry, shape: rest }, { ...x, name: stack });
  }

  /** By a number that is fed or written, or by a size. */
  #branch(x: Tensor): void {
    const choices = this.#choices;
    const source = choices.of(this.#sources);
    const condition = choices.of([`sum(${source.name}) > 0.0`, `size(${x.name}) > 4`, `any(${source.name} < -1.0)`]);
    const y = this.#partner(x, (other) => texts(other) === texts(x.shape));
    this.#bind(`if ${condition} { yield ${x.name} * 2 } else { yield cos(${y.name}) - 1.0 }`, x, x.shape, false);
  }

  /** In what it may not reach: those that it does not are asked for by a sum that has them all. */
  #gradients(x: Tensor): void {
    const source = this.#choices.of(this.#sources);
    const name = this.#name("v");
    const cast = source.dtype === x.dtype ? "" : `cast(`;
    const own = `${cast}sum(${source.name} ** 2)${cast === "" ? "" : `, to=${x.dtype})`}`;
    this.#lines.push(`${name} = gradients(sum(sin(${x.name})) + ${own}, [${source.name}])`);
    this.#values.push({ ...source, name });
  }

  /** By hand, or by an optimizer. */
  #update(): string | undefined {
    const choices = this.#choices;
    const variable = this.#sources.find(({ name }) => name.startsWith("w"));
    if (variable === undefined) return undefined;
    const x = choices.of(this.#values);
    const name = this.#name("u");
    const own = `sum(${variable.name} ** 2)`;
    const sum = x.dtype === variable.dtype ? `sum(sin(${x.name})) + ${own}` : own;
    const loss = this.#name("v");
    this.#lines.push(`${loss} = ${sum}`);
    const optimizer = choices.of(["adam(learning_rate=0.1)", "momentum(learning_rate=0.1)"]);
    if (choices.below(2) === 0)
      this.#lines.push(`update ${name} = minimize(${loss}, ${optimizer}, variables=[${variable.name}])`);
    else {
      const gradient = this.#name("v");
      this.#lines.push(`${gradient} = gradients(${loss}, [${variable.name}])`);
      this.#lines.push(`update ${name} {\n${variable.name} := ${variable.name} - 0.5 * ${gradient}\n}`);
    }
    return name;
  }
}
