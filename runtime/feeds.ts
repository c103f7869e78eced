import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import { dimText, isSymbolic } from "../compiler/ir/dim.js";
import { isFloat, type NumericDType } from "../compiler/ir/dtype.js";
import type { Placeholder } from "../compiler/ir/graph.js";
import { encodeBF16, encodeF16 } from "../compiler/ir/half.js";
import { allocate, elementCount, holdsDType, type Tensor, type TensorData } from "../compiler/ir/tensor.js";
import { type TensorType, typeText } from "../compiler/ir/type.js";

/** Nested arrays of numbers, bigints (for i64) or booleans, as deep as the tensor has axes. */
export type NestedArray = number | bigint | boolean | readonly NestedArray[];

/** What a placeholder can be fed: a tensor, a flat typed array of its dtype's kind, or nested arrays. */
export type FeedValue = Tensor | TensorData | NestedArray;

/** A feed whose dtype fits its placeholder and whose shape is known; sizes are checked against the dims later. */
export interface Feed {
  readonly placeholder: Placeholder;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const maximumRank = 32;

/**
 * Reads a user's value for a placeholder. Throws GraphError G081 (shape) or G082 (dtype, or a value that the dtype cannot
 * hold), with the place where the placeholder is declared.
 */
export function readFeed(placeholder: Placeholder, value: FeedValue): Feed {
  const { type } = placeholder.value;
  if (ArrayBuffer.isView(value)) return fromTypedArray(placeholder, type, value);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return fromTensor(placeholder, type, value as Tensor);
  }
  if (!isNested(value)) throw wrongDType(placeholder, describe(value), "feed a tensor, a typed array or nested arrays");
  const shape = nestedShape(placeholder, value);
  const data = allocate(type.dtype as NumericDType, elementCount(shape));
  fill(placeholder, type.dtype as NumericDType, data, value);
  return { placeholder, shape, data };
}

function fromTensor(placeholder: Placeholder, type: TensorType, tensor: Tensor): Feed {
  if (!ArrayBuffer.isView(tensor.data) || !Array.isArray(tensor.shape)) {
    throw wrongDType(
      placeholder,
      describe(tensor),
      "feed a tensor { dtype, shape, data }, a typed array or nested arrays",
    );
  }
  if (tensor.dtype !== type.dtype) {
    throw wrongDType(
      placeholder,
      tensor.dtype,
      `convert the data, or declare \`${placeholder.name}: ${tensor.dtype}…\` and cast`,
    );
  }
  requireArrayKind(placeholder, type, tensor.data);
  if (
    tensor.shape.some((size) => !Number.isSafeInteger(size) || size < 0) ||
    elementCount(tensor.shape) !== tensor.data.length
  ) {
    throw wrongShape(
      placeholder,
      `its shape [${tensor.shape.join(", ")}] does not hold ${tensor.data.length} elements`,
      "`data` is flat, with as many elements as `shape` multiplies to",
    );
  }
  return { placeholder, shape: tensor.shape, data: tensor.data };
}

/** A flat array takes the placeholder's shape; at most one size may be open, and the length decides it. */
function fromTypedArray(placeholder: Placeholder, type: TensorType, value: ArrayBufferView): Feed {
  const data = requireArrayKind(placeholder, type, value);
  const open = new Set(type.shape.filter(isSymbolic).map((dim) => dim.key));
  if (open.size === 0) {
    const shape = type.shape.map(Number);
    if (elementCount(shape) !== data.length) {
      throw wrongShape(placeholder, `it has ${data.length} elements, not ${elementCount(shape)}`, withShape);
    }
    return { placeholder, shape, data };
  }
  const [only] = type.shape.filter(isSymbolic);
  const others = elementCount(type.shape.filter((dim) => !isSymbolic(dim)).map(Number));
  const simple = type.shape.filter(isSymbolic).length === 1 && only !== undefined && /^\w+$/.test(only.key);
  if (!simple) {
    throw wrongShape(placeholder, "a flat array does not tell its sizes", "feed { dtype, shape, data }");
  }
  if (others === 0 || data.length % others !== 0) {
    throw wrongShape(placeholder, `${data.length} elements are no whole number of rows of ${others}`, withShape);
  }
  const shape = type.shape.map((dim) => (isSymbolic(dim) ? data.length / others : dim));
  return { placeholder, shape, data };
}

function requireArrayKind(placeholder: Placeholder, type: TensorType, value: ArrayBufferView): TensorData {
  const dtype = type.dtype as NumericDType;
  if (holdsDType(dtype, value)) return value;
  const expected = allocate(dtype, 0).constructor.name;
  throw wrongDType(placeholder, describe(value), `${dtype} takes ${withArticle(expected)}`);
}

function isNested(value: unknown): value is NestedArray {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" || Array.isArray(value);
}

/** The shape of nested arrays; each level must have the same length everywhere. */
function nestedShape(placeholder: Placeholder, value: NestedArray): readonly number[] {
  const shape: number[] = [];
  let level: NestedArray = value;
  while (Array.isArray(level)) {
    if (shape.length === maximumRank)
      throw wrongShape(
        placeholder,
        `its arrays are nested more than ${maximumRank} deep`,
        "a tensor has at most so many axes",
      );
    shape.push(level.length);
    level = (level as readonly NestedArray[])[0] ?? 0;
  }
  const check = (part: NestedArray, depth: number): void => {
    const size = shape[depth];
    if (Array.isArray(part) !== (size !== undefined) || (Array.isArray(part) && part.length !== size)) {
      const found = !Array.isArray(part) ? "a number" : part.length === 1 ? "1 element" : `${part.length} elements`;
      throw wrongShape(
        placeholder,
        `its arrays are ragged: ${found} where ${size ?? "a number"} was expected`,
        "the lists of one level are equally long",
      );
    }
    if (Array.isArray(part)) for (const inner of part as readonly NestedArray[]) check(inner, depth + 1);
  };
  check(value, 0);
  return shape;
}

function fill(placeholder: Placeholder, dtype: NumericDType, data: TensorData, value: NestedArray): void {
  let position = 0;
  const visit = (part: NestedArray): void => {
    if (Array.isArray(part)) for (const inner of part as readonly NestedArray[]) visit(inner);
    else storeElement(placeholder, dtype, data, position++, part as number | bigint | boolean);
  };
  visit(value);
}

const integerRanges: ReadonlyMap<NumericDType, readonly [bigint, bigint]> = new Map([
  ["i64", [-(2n ** 63n), 2n ** 63n - 1n]],
  ["i32", [-(2n ** 31n), 2n ** 31n - 1n]],
  ["i8", [-128n, 127n]],
  ["u8", [0n, 255n]],
]);

function storeElement(
  placeholder: Placeholder,
  dtype: NumericDType,
  data: TensorData,
  position: number,
  element: number | bigint | boolean,
): void {
  // Whoever calls from JavaScript may have anything in an array: text, null, holes.
  const isNumber = typeof element === "number" || typeof element === "bigint";
  if (!isNumber || dtype === "bool") {
    if (dtype !== "bool" || (element !== true && element !== false && element !== 0 && element !== 1)) {
      throw wrongDType(
        placeholder,
        describe(element),
        `${dtype} takes ${dtype === "bool" ? "true or false" : "numbers"}`,
      );
    }
    data[position] = element ? 1 : 0;
    return;
  }
  if (isFloat(dtype)) {
    const number = Number(element);
    if (dtype === "f16") data[position] = encodeF16(number);
    else if (dtype === "bf16") data[position] = encodeBF16(number);
    else data[position] = number;
    if (Number.isFinite(number) && isInfinite(dtype, Number(data[position])))
      throw outOfRange(placeholder, String(element));
    return;
  }
  const range = integerRanges.get(dtype);
  const whole = typeof element === "bigint" ? element : Number.isInteger(element) ? BigInt(element) : undefined;
  if (whole === undefined || range === undefined || whole < range[0] || whole > range[1]) {
    throw wrongDType(
      placeholder,
      `the value ${element}`,
      `${dtype} holds whole numbers from ${range?.[0]} to ${range?.[1]}`,
    );
  }
  if (data instanceof BigInt64Array) data[position] = whole;
  else data[position] = Number(whole);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing (undefined)";
  if (typeof value === "object") {
    const kind = value.constructor?.name ?? "Object";
    return kind === "Object" ? "an object" : withArticle(kind);
  }
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
  return withArticle(typeof value);
}

function withArticle(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function wrongDType(placeholder: Placeholder, found: string, hint: string): GraphError {
  const message = `\`${placeholder.name}\` is ${typeText(placeholder.value.type)} and was fed ${found}`;
  return new GraphError([feedProblem("G082", placeholder, message, hint)]);
}

/** Whether an element, as it is stored, is an infinity. */
function isInfinite(dtype: NumericDType, stored: number): boolean {
  if (dtype === "f16") return (stored & 0x7fff) === 0x7c00;
  if (dtype === "bf16") return (stored & 0x7fff) === 0x7f80;
  return !Number.isFinite(stored);
}

const largest: ReadonlyMap<string, string> = new Map([
  ["f64", "1.7976931348623157e308"],
  ["f32", "3.4028235e38"],
  ["f16", "65504"],
  ["bf16", "3.3895314e38"],
]);

/** G082 for a number that the dtype of a placeholder has no place for. */
export function outOfRange(placeholder: Placeholder, number: string): GraphError {
  const { dtype } = placeholder.value.type;
  const limit = largest.get(dtype);
  const hint =
    limit === undefined ? `${dtype} holds whole numbers` : `${dtype} goes up to ${limit}; \`inf\` feeds an infinity`;
  const message = `\`${placeholder.name}\` was fed ${number}, which is outside of the range of ${dtype}`;
  return new GraphError([feedProblem("G082", placeholder, message, hint)]);
}

const withShape = "a flat array has all elements, row after row; `{ dtype, shape, data }` says its shape, too";

function wrongShape(placeholder: Placeholder, detail: string, hint: string): GraphError {
  const message = `the feed of \`${placeholder.name}\` does not fit ${typeText(placeholder.value.type)}: ${detail}`;
  return new GraphError([feedProblem("G081", placeholder, message, hint)]);
}

function feedProblem(
  code: "G081" | "G082",
  placeholder: Placeholder,
  message: string,
  hint: string | undefined,
): Diagnostic {
  const symbols = placeholder.value.type.shape.map(dimText).join(", ");
  return problem(code, placeholder.span, message, { label: `declared with shape [${symbols}] here`, hint });
}
