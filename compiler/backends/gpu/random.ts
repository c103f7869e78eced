import { type RandomStream, streamKey, type Words } from "../../ops/threefry.js";
import type { KernelFunction } from "./math.js";

/**
 * Threefry-2x32-20 (see ops/threefry.ts) on devices whose numbers are f32: a word is two halves of 16 bits, which f32 holds
 * exactly, so the bits are those of every other back end. Only `^` needs integers, and it stays below 2^16.
 */
const half = 65536;
const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
const parity = 0x1bd11bda;

/** The key as kernels take it: low and high half of its two words and of the third that the cipher makes of them. */
export function keyParts(stream: RandomStream): readonly number[] {
  const [first, second]: Words = streamKey(stream);
  return [first, second, (parity ^ first ^ second) >>> 0].flatMap((word) => [word % half, Math.floor(word / half)]);
}

/** `[low, high] += [byLow, byHigh]` modulo 2^32. */
function add(low: string, high: string, byLow: string, byHigh: string): string {
  return `  s = ${low} + ${byLow};
  c = Math.floor(s / ${half});
  ${low} = s - c * ${half};
  s = ${high} + ${byHigh} + c;
  ${high} = s - Math.floor(s / ${half}) * ${half};
`;
}

/** Rotates the second word to the left. Multiplying by a power of two shifts: a half by less than 16 bits stays below 2^32, exact as such. */
function rotate(by: number): string {
  const swapped = by >= 16;
  const bits = by % 16;
  const [low, high] = swapped ? ["y1", "y0"] : ["y0", "y1"];
  if (bits === 0) return `  s = y0;\n  y0 = y1;\n  y1 = s;\n`;
  const up = 2 ** bits;
  const down = 2 ** (16 - bits);
  // The upper bits of each half move into the other.
  return `  s = Math.floor(${low} / ${down});
  c = Math.floor(${high} / ${down});
  d = (${low} - s * ${down}) * ${up} + c;
  y1 = (${high} - c * ${down}) * ${up} + s;
  y0 = d;
`;
}

function rounds(): string {
  const keys = ["k0", "k1", "k2"];
  let text = add("x0", "x1", "k0l", "k0h") + add("y0", "y1", "k1l", "k1h");
  for (let round = 0; round < 20; round++) {
    text += add("x0", "x1", "y0", "y1") + rotate(rotations[round % 8] as number);
    text += "  y0 = y0 ^ x0;\n  y1 = y1 ^ x1;\n";
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    const [first, second] = [keys[injection % 3], keys[(injection + 1) % 3]];
    text += add("x0", "x1", `${first}l`, `${first}h`) + add("y0", "y1", `${second}l + ${injection}`, `${second}h`);
  }
  return text;
}

/** The uniform number at a position: 24 bits of the first word of a block for even ones, of the second for odd ones. */
export const randomFunctions: readonly KernelFunction[] = [
  {
    name: "uniform_at",
    calls: [],
    source: `function uniform_at(position, k0l, k0h, k1l, k1h, k2l, k2h) {
  const block = Math.floor(position / 2);
  let x1 = Math.floor(block / ${half});
  let x0 = block - x1 * ${half};
  let y0 = 0.0;
  let y1 = 0.0;
  let s = 0.0;
  let c = 0.0;
  let d = 0.0;
${rounds()}  if (position - 2 * block > 0.5) {
    return (y1 * 256 + Math.floor(y0 / 256)) / 16777216;
  }
  return (x1 * 256 + Math.floor(x0 / 256)) / 16777216;
}`,
  },
];
