import { threefry2x32 } from "../ops/threefry.js";

/** "shuffle" as two words: keeps the draws of row orders apart from those of random ops. */
export const shuffleDomain: readonly [number, number] = [0x73687566, 0x666c6500];

/**
 * The key of one epoch's row order: Threefry of the seed, then of the epoch. Every back end derives the same one, so that a
 * resumed run sees the rows in the same order.
 */
export function shuffleKey(seed: bigint, epoch: bigint): readonly [number, number] {
  const seeded = threefry2x32(words(seed), shuffleDomain);
  return threefry2x32(seeded, words(epoch));
}

/**
 * Fisher-Yates from the last place down: for i = n - 1 ... 1 the i-th place swaps with place floor(w (i + 1) / 2^32), where w is
 * the first word of Threefry(key, (i, 0)). Fills `order` with a permutation of 0 ... n - 1. The bias is below n / 2^32.
 */
export function shuffleRows(order: Int32Array, key: readonly [number, number]): void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  for (let i = order.length - 1; i > 0; i--) {
    const [word] = threefry2x32(key, [i, 0]);
    const j = Math.floor((word * (i + 1)) / 2 ** 32);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
}

/** The low and the high 32 bits of a 64-bit integer, as unsigned numbers. */
export function words(value: bigint): readonly [number, number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}
