import { dimText, staticSize, substituteDim, symbolsOf } from "../compiler/ir/dim.js";
import { byteSize, isFloat, type NumericDType } from "../compiler/ir/dtype.js";
import type { Graph, Placeholder } from "../compiler/ir/graph.js";
import { encodeBF16, encodeF16 } from "../compiler/ir/half.js";
import { allocate, elementCount, type Tensor } from "../compiler/ir/tensor.js";
import { placeholderNamed } from "../runtime/dataset.js";
import { type FeedValue, readFeed } from "../runtime/feeds.js";
import { ensureMemory } from "../runtime/files/memory.js";

/** The dims that feeds decide by themselves: those that stand alone on an axis of a placeholder. Throws GraphError as `readFeed`. */
export function dimsOfFeeds(graph: Graph, feeds: Readonly<Record<string, FeedValue>>): ReadonlyMap<string, number> {
  const dims = new Map<string, number>();
  for (const [name, value] of Object.entries(feeds)) {
    const placeholder = placeholderNamed(graph, name);
    const { shape } = readFeed(placeholder, value);
    placeholder.value.type.shape.forEach((dim, axis) => {
      const [symbol] = symbolsOf(dim);
      const size = shape[axis];
      if (symbol !== undefined && size !== undefined && dimText(dim) === symbol) dims.set(symbol, size);
    });
  }
  return dims;
}

/** The shape of a placeholder with these dims. */
export function inputShape({ value }: Placeholder, dims: ReadonlyMap<string, number>): readonly number[] {
  return value.type.shape.map((dim) => staticSize(substituteDim(dim, dims)));
}

/**
 * A value for a placeholder that nobody feeds: floats from 0 to below 1, and 0 or 1 of the integers, which as indices and labels are
 * in range where there are two. The same each time.
 */
export function generateInput(placeholder: Placeholder, dims: ReadonlyMap<string, number>): Tensor {
  const shape = inputShape(placeholder, dims);
  const dtype = placeholder.value.type.dtype as NumericDType;
  ensureMemory(elementCount(shape) * byteSize(dtype), `the values of ${placeholder.name}`);
  const data = allocate(dtype, elementCount(shape));
  const next = randomBits(placeholder.name.length + 1);
  const encode = dtype === "f16" ? encodeF16 : dtype === "bf16" ? encodeBF16 : (value: number): number => value;
  for (let i = 0; i < data.length; i++) {
    const bits = next();
    if (data instanceof BigInt64Array) data[i] = BigInt(bits >>> 31);
    else data[i] = isFloat(dtype) ? encode(bits / 2 ** 32) : bits >>> 31;
  }
  return { dtype, shape, data };
}

/** Marsaglia's xorshift ("Xorshift RNGs", 2003), of 32 bits. */
function randomBits(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
