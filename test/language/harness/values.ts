/** Expected values as they stand in comments, `[[1, 2.5], [nan, -inf]]`, and their comparison with tensors. */
import { isFloat, type NumericDType } from "../../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16 } from "../../../compiler/ir/half.js";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import type { NestedArray } from "../../../runtime/feeds.js";

/** A written value: its shape by its brackets, and its elements as they are written. */
export interface Written {
  readonly shape: readonly number[];
  readonly words: readonly string[];
}

export interface WrittenType {
  readonly dtype: string;
  readonly shape: readonly number[];
}

const word = /^(?:[-+]?(?:\d[\d_]*(?:\.\d+)?(?:e[-+]?\d+)?|inf)|nan|true|false)$/;

/** Throws SyntaxError with what is wrong. */
export function readValue(text: string): Written {
  const tokens = text.match(/[[\],]|[^\s[\],]+/g) ?? [];
  let at = 0;
  const words: string[] = [];
  const read = (): readonly number[] => {
    const token = tokens[at++];
    if (token === undefined) throw new SyntaxError(`the value ends too early: ${text}`);
    if (token !== "[") {
      if (!word.test(token)) throw new SyntaxError(`\`${token}\` is no value`);
      words.push(token);
      return [];
    }
    const rows: (readonly number[])[] = [];
    while (tokens[at] !== "]") {
      rows.push(read());
      if (tokens[at] === ",") at++;
      else if (tokens[at] !== "]") throw new SyntaxError(`a comma or \`]\` is missing: ${text}`);
    }
    at++;
    const [first = []] = rows;
    if (rows.some((row) => row.join() !== first.join())) throw new SyntaxError(`the rows differ in length: ${text}`);
    return [rows.length, ...first];
  };
  const shape = read();
  if (at < tokens.length) throw new SyntaxError(`\`${tokens.slice(at).join(" ")}\` follows the value`);
  return { shape, words };
}

/** The value as a feed: nested arrays of numbers, bigints or booleans. */
export function feedOf({ shape, words }: Written): NestedArray {
  let at = 0;
  const build = (depth: number): NestedArray => {
    const size = shape[depth];
    if (size === undefined) return elementOf(words[at++] ?? "nan");
    return Array.from({ length: size }, () => build(depth + 1));
  };
  return build(0);
}

function elementOf(written: string): number | bigint | boolean {
  if (written === "true" || written === "false") return written === "true";
  return /^[-+]?[\d_]+$/.test(written) && !/^-0+$/.test(written) ? BigInt(plain(written)) : numberOf(written);
}

function plain(written: string): string {
  return written.replaceAll("_", "").replace(/^\+/, "");
}

function numberOf(written: string): number {
  switch (plain(written)) {
    case "nan":
      return Number.NaN;
    case "inf":
      return Number.POSITIVE_INFINITY;
    case "-inf":
      return Number.NEGATIVE_INFINITY;
    default:
      return Number(plain(written));
  }
}

/** How far a float may be from what is written, relative above 1: some roundings of the dtype. */
const tolerances: Partial<Record<NumericDType, number>> = { f64: 1e-11, f32: 2e-6, f16: 2e-3, bf16: 1.6e-2 };

/** The numbers of a tensor, each as it counts. */
export function numbersOf({ dtype, data }: Tensor): readonly (number | bigint)[] {
  const decode = dtype === "f16" ? decodeF16 : dtype === "bf16" ? decodeBF16 : undefined;
  return Array.from<number | bigint, number | bigint>(data, (x) => (typeof x === "bigint" ? x : (decode?.(x) ?? x)));
}

/** What differs, in words; undefined where the tensor is what is written. */
export function difference(
  tensor: Tensor,
  expected: Written,
  type: WrittenType | undefined,
  within: number | undefined,
): string | undefined {
  const { dtype } = tensor;
  if (type !== undefined && type.dtype !== dtype) return `the dtype is ${dtype}, not ${type.dtype}`;
  // Brackets cannot show the sizes behind an axis of size 0: the type does.
  const shape = type !== undefined && expected.words.length === 0 ? type.shape : expected.shape;
  if (type !== undefined && type.shape.join() !== shape.join())
    return `the value is no ${dtype}[${type.shape.join(", ")}]`;
  if (shape.join() !== tensor.shape.join())
    return `the shape is [${tensor.shape.join(", ")}], not [${shape.join(", ")}]`;
  const found = numbersOf(tensor);
  for (const [i, written] of expected.words.entries()) {
    const one = found[i];
    if (one === undefined || !agrees(dtype, one, written, within))
      return `[${i}] is ${Object.is(one, -0) ? "-0" : dtype === "bool" ? Boolean(one) : one}, not ${written}`;
  }
  return undefined;
}

function agrees(dtype: NumericDType, found: number | bigint, written: string, within: number | undefined): boolean {
  if (dtype === "bool") return written === (found === 0 ? "false" : "true");
  if (written === "true" || written === "false") return false;
  if (!isFloat(dtype)) return /^[-+]?[\d_]+$/.test(written) && BigInt(plain(written)) === BigInt(found);
  const [x, y] = [Number(found), numberOf(written)];
  if (Object.is(y, -0)) return Object.is(x, -0);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return Object.is(x, y);
  return Math.abs(x - y) <= (within ?? tolerances[dtype] ?? 0) * Math.max(1, Math.abs(y));
}
