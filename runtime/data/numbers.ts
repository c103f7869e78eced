import { InternalError } from "../../compiler/ir/diagnostic.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import { encodeBF16, encodeF16 } from "../../compiler/ir/half.js";
import type { TensorData } from "../../compiler/ir/tensor.js";
import { ensureMemory } from "../files/memory.js";

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const integer = /^[+-]?\d+$/;
const named: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["+inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["+infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

/** The number that a field of text stands for, or undefined. NaN and infinities have their usual names, in any case. */
export function parseNumber(text: string): number | undefined {
  return decimal.test(text) ? Number(text) : named.get(text.toLowerCase());
}

/** A number as it is written in countries with a decimal comma: `1,5`. */
export function isDecimalComma(text: string): boolean {
  return /^[+-]?\d+,\d+$/.test(text);
}

const integerRanges: ReadonlyMap<NumericDType, readonly [number, number]> = new Map<
  NumericDType,
  readonly [number, number]
>([
  ["i32", [-(2 ** 31), 2 ** 31 - 1]],
  ["i8", [-128, 127]],
  ["u8", [0, 255]],
  ["bool", [0, 1]],
]);

/** What a text of numbers can hold: nothing wrong, or what is wrong with one field. */
export type FieldFault = string | undefined;

/**
 * Numbers read from text, in order, in memory that grows with them. Values are kept as float64; integers that a float64
 * can't hold are kept beside, so that i64 is exact.
 */
export class NumberCollector {
  readonly #dtype: NumericDType | undefined;
  readonly #name: string;
  #values = new Float64Array(1024);
  #count = 0;
  readonly #wide: { readonly index: number; readonly value: bigint }[] = [];
  #allIntegers = true;
  /** Whole numbers from 0 to this are in the range of the dtype. */
  readonly #largestShort: number;

  /** With `dtype` undefined, the text decides: i64 where all are integers, else f32. `name` is for messages. */
  constructor(dtype: NumericDType | undefined, name: string) {
    this.#dtype = dtype;
    this.#name = name;
    this.#largestShort = (dtype === undefined ? undefined : integerRanges.get(dtype)?.[1]) ?? Number.MAX_SAFE_INTEGER;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes the next field; gives what is wrong with it, if anything. */
  add(text: string): FieldFault {
    // Most fields of most tables are short whole numbers, such as pixels: no pattern is needed for those.
    const short = shortInteger(text);
    if (short >= 0 && short <= this.#largestShort) {
      this.#append(short);
      return undefined;
    }
    if (this.#dtype === "bool" && /^(?:true|false)$/i.test(text)) {
      this.#append(text.toLowerCase() === "true" ? 1 : 0);
      return undefined;
    }
    const value = parseNumber(text);
    if (value === undefined) {
      if (text === "") return "the value is missing";
      const mend = isDecimalComma(text) ? " (decimals are written with a point)" : "";
      return `${JSON.stringify(text.slice(0, 60))} is not a number${mend}`;
    }
    const isWholeText = integer.test(text);
    if (this.#dtype === "i64" || (this.#dtype === undefined && this.#allIntegers)) {
      const fault = this.#checkInt64(text, value, isWholeText);
      if (fault !== undefined && this.#dtype !== undefined) {
        return fault;
      }
      this.#allIntegers &&= fault === undefined && isWholeText;
    }
    const range = this.#dtype === undefined ? undefined : integerRanges.get(this.#dtype);
    if (range !== undefined && !(Number.isInteger(value) && value >= range[0] && value <= range[1])) {
      return `${JSON.stringify(text.slice(0, 60))} is not ${article(this.#dtype)}, a whole number from ${range[0]} to ${range[1]}`;
    }
    if (isWholeText && !Number.isSafeInteger(value) && this.#wouldKeepExact()) {
      this.#wide.push({ index: this.#count, value: BigInt(text) });
    }
    this.#append(value);
    return undefined;
  }

  /** The dtype of the result. */
  get dtype(): NumericDType {
    return this.#dtype ?? (this.#allIntegers && this.#count > 0 ? "i64" : "f32");
  }

  /** Writes all the numbers, converted to `dtype`, into storage of that many elements. */
  store(target: TensorData): void {
    const values = this.#values.subarray(0, this.#count);
    if (target instanceof BigInt64Array) {
      values.forEach((value, index) => {
        target[index] = Number.isSafeInteger(value) ? BigInt(value) : 0n;
      });
      for (const { index, value } of this.#wide) {
        target[index] = value;
      }
      return;
    }
    if (this.dtype === "f16" || this.dtype === "bf16") {
      const encode = this.dtype === "f16" ? encodeF16 : encodeBF16;
      values.forEach((value, index) => {
        target[index] = encode(value);
      });
      return;
    }
    if (target.length !== this.#count) {
      throw new InternalError("an allocator gave storage of another size");
    }
    target.set(values);
  }

  #wouldKeepExact(): boolean {
    return this.#dtype === "i64" || (this.#dtype === undefined && this.#allIntegers);
  }

  #checkInt64(text: string, value: number, isWholeText: boolean): FieldFault {
    const exact = isWholeText && !Number.isSafeInteger(value) ? BigInt(text) : undefined;
    const fits = exact === undefined ? Number.isSafeInteger(value) : exact >= -(2n ** 63n) && exact < 2n ** 63n;
    return fits ? undefined : `${JSON.stringify(text.slice(0, 60))} is not an i64, a whole number of 64 bits`;
  }

  #append(value: number): void {
    if (this.#count === this.#values.length) {
      ensureMemory(3 * this.#values.byteLength, this.#name);
      const larger = new Float64Array(2 * this.#values.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }
}

/** The value of 1 to 15 digits, or -1 for any other text. */
function shortInteger(text: string): number {
  if (text.length === 0 || text.length > 15) {
    return -1;
  }
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) {
      return -1;
    }
    value = 10 * value + digit;
  }
  return value;
}

function article(dtype: NumericDType | undefined): string {
  return dtype === "i8" || dtype === "i32" ? `an ${dtype}` : `a ${dtype}`;
}
