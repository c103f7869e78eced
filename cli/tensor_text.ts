import { isFloat } from "../compiler/ir/dtype.js";
import { shortestNumber } from "../compiler/ir/shortest.js";
import { elementCount, type Tensor } from "../compiler/ir/tensor.js";
import { elements } from "./json.js";

/** A tensor with more elements shows only the ends of its axes. */
const shownElements = 1000;
/** Elements at each end of an axis that is cut. */
const edge = 3;
/** Digits after the point at which a float is rounded for people; `--json` and files have them all. */
const digits = 8;

/** A tensor as nested lists, columns aligned, `...` where it is cut; as in NumPy, with the commas of the language. */
export function tensorText(tensor: Tensor, lineWidth = 100): string {
  if (tensor.shape.length === 0) return scalarText(elements(tensor)[0] ?? 0, tensor);
  if (tensor.data.length === 0) return "[]";
  const isCut = elementCount(tensor.shape) > shownElements;
  const kept = tensor.shape.map((size) => keptIndices(size, isCut));
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const offsets: number[] = [];
  const collect = (axis: number, offset: number): void => {
    if (axis === kept.length) offsets.push(offset);
    else for (const index of kept[axis] ?? []) if (index >= 0) collect(axis + 1, offset + index * (strides[axis] ?? 1));
  };
  collect(0, 0);
  // Only what is shown is read: an array of all elements would take seconds, and beyond some 100 million there is none.
  const texts = alignedTexts(
    offsets.flatMap((offset) => elements({ ...tensor, data: tensor.data.slice(offset, offset + 1) })),
    tensor,
  );
  let next = 0;
  const block = (axis: number): string => {
    const parts = (kept[axis] ?? []).map((index) => {
      if (index < 0) return "...";
      if (axis < kept.length - 1) return block(axis + 1);
      next += 1;
      return texts[next - 1] ?? "";
    });
    const indent = " ".repeat(axis + 1);
    if (axis === kept.length - 1) return `[${wrap(parts, indent, lineWidth)}]`;
    // An empty line between matrices, as between paragraphs.
    const blank = "\n".repeat(Math.max(1, kept.length - 1 - axis));
    return `[${parts.join(`,${blank}${indent}`)}]`;
  };
  return block(0);
}

/** Indices of an axis that are shown; -1 stands for those left out. */
function keptIndices(size: number, isCut: boolean): readonly number[] {
  const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
  return isCut && size > 2 * edge ? [...all(0, edge), -1, ...all(size - edge, size)] : all(0, size);
}

function wrap(parts: readonly string[], indent: string, lineWidth: number): string {
  const lines: string[] = [];
  let line = "";
  parts.forEach((part, index) => {
    const piece = index === parts.length - 1 ? part : `${part},`;
    if (line !== "" && indent.length + line.length + piece.length + 2 > lineWidth) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? piece : ` ${piece}`;
  });
  return [...lines, line].join(`\n${indent}`);
}

type Element = number | bigint | boolean;

/** One value in as few digits as read back exactly in its dtype. */
export function scalarText(value: Element, { dtype }: Pick<Tensor, "dtype">): string {
  if (typeof value !== "number") return String(value);
  if (Object.is(value, -0)) return isFloat(dtype) ? "-0.0" : "0";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
  return isFloat(dtype) ? withPoint(String(shortestNumber(dtype, value))) : String(value);
}

/** A float shows that it is one. */
function withPoint(text: string): string {
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function alignedTexts(values: readonly Element[], tensor: Tensor): readonly string[] {
  const texts = isFloat(tensor.dtype) ? floatTexts(values.map(Number), tensor) : values.map(String);
  const longest = Math.max(...texts.map((text) => text.length));
  return texts.map((text) => text.padStart(longest));
}

function floatTexts(values: readonly number[], tensor: Tensor): readonly string[] {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const largest = Math.max(0, ...sizes);
  if (largest >= 1e8 || (largest > 0 && largest < 1e-4)) {
    return values.map((value) => (Number.isFinite(value) ? value.toExponential(4) : scalarText(value, tensor)));
  }
  const fixed = values.map((value) => fractionDigits(value, tensor));
  const places = Math.max(1, ...fixed);
  return values.map((value) => (Number.isFinite(value) ? value.toFixed(places) : scalarText(value, tensor)));
}

/** Digits after the point that are shown of a value. */
function fractionDigits(value: number, tensor: Tensor): number {
  const text = scalarText(value, tensor);
  if (text.includes("e")) return digits;
  const fraction = text.split(".")[1] ?? "";
  return Math.min(fraction.length, digits);
}
