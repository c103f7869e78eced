/** Sizes of random programs, which may hang on dims. */

/** As the text says it, and what it is in the run. Two are equal where their texts are. */
export interface Size {
  readonly text: string;
  readonly value: number;
}

export const one: Size = { text: "1", value: 1 };

export const texts = (shape: readonly Size[]): string => shape.map(({ text }) => text).join(", ");

export function swapped(shape: readonly Size[], axis: number): readonly Size[] {
  const end = shape.length - 1;
  return shape.map((size, i) => (i === axis ? (shape[end] as Size) : i === end ? (shape[axis] as Size) : size));
}

/** In one order, so that equal products have equal texts. */
export function product(factors: readonly string[]): string {
  const all = factors.flatMap((factor) => factor.split(" * "));
  const number = all.filter((factor) => /^\d+$/.test(factor)).reduce((result, factor) => result * Number(factor), 1);
  const symbols = all.filter((factor) => !/^\d+$/.test(factor)).sort();
  return [...(number === 1 && symbols.length > 0 ? [] : [String(number)]), ...symbols].join(" * ");
}

export function flat(shape: readonly Size[]): Size {
  return {
    text: product(["1", ...shape.map(({ text }) => text)]),
    value: shape.reduce((result, { value }) => result * value, 1),
  };
}

/** By the compiler's rules: sizes that are equal as they are written, or 1. */
export function broadcast(a: readonly Size[], b: readonly Size[]): readonly Size[] | undefined {
  const rank = Math.max(a.length, b.length);
  const made: Size[] = [];
  for (let i = 1; i <= rank; i++) {
    const [x, y] = [a.at(-i) ?? one, b.at(-i) ?? one];
    if (x.text !== y.text && x.text !== "1" && y.text !== "1") return undefined;
    made.unshift(x.text === "1" ? y : x);
  }
  return made;
}

/** Eighths in [-2, 2]. */
export function listOf(shape: readonly number[], salt: number): string {
  let at = salt;
  const part = (axis: number): string => {
    if (axis === shape.length) return ((((at++ * 7919) % 33) - 16) / 8).toFixed(3);
    return `[${Array.from({ length: shape[axis] ?? 0 }, () => part(axis + 1)).join(", ")}]`;
  };
  return part(0);
}
