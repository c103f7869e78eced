/**
 * Counter-based randomness: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as
 * 1, 2, 3", SC 2011). Every back end computes these same bits.
 */
import { createHash } from "node:crypto";

/** Two unsigned 32-bit words: a key, a counter or a block of output. */
export type Words = readonly [number, number];

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
const parity = 0x1bd11bda;

/** One block: the counter enciphered under the key. */
export function threefry2x32(key: Words, counter: Words): Words {
  const schedule = [key[0], key[1], parity ^ key[0] ^ key[1]];
  let x0 = (counter[0] + key[0]) | 0;
  let x1 = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8] as number;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + (schedule[injection % 3] as number)) | 0;
      x1 = (x1 + (schedule[(injection + 1) % 3] as number) + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** What one draw depends on. */
export interface RandomStream {
  readonly seed: bigint;
  readonly step: bigint;
  readonly runsSinceStep: bigint;
  /** The path of the binding, and the number of the random op in it. */
  readonly path: string;
  readonly index: number;
  /** Of the enclosing loops, outermost first. */
  readonly loopIndices: readonly bigint[];
}

/** The first two little-endian words of SHA-256 of `path#index`: keeps the draws of different ops apart. */
export function pathWords(path: string, index: number): Words {
  const digest = createHash("sha256").update(`${path}#${index}`, "utf8").digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** The key of a draw: the seed, then path, step, runs and loop indices enciphered one after another. */
export function streamKey(stream: RandomStream): Words {
  let key = threefry2x32(wordsOf(stream.seed), pathWords(stream.path, stream.index));
  for (const counter of [stream.step, stream.runsSinceStep, ...stream.loopIndices])
    key = threefry2x32(key, wordsOf(counter));
  return key;
}

/** The uniform number in [0, 1) at a row-major position: 24 random bits for f32, 53 for f64. */
export function uniformAt(key: Words, position: number, dtype: "f32" | "f64"): number {
  if (dtype === "f64") {
    const [first, second] = threefry2x32(key, wordsOf(BigInt(position)));
    return ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
  }
  const block = threefry2x32(key, wordsOf(BigInt(Math.floor(position / 2))));
  return ((position % 2 === 0 ? block[0] : block[1]) >>> 8) * 2 ** -24;
}

/** The low and the high half of a 64-bit number. */
export function wordsOf(x: bigint): Words {
  const bits = BigInt.asUintN(64, x);
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}
