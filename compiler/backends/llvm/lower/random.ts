import { createHash } from "node:crypto";
import { InternalError } from "../../../ir/diagnostic.js";
import type { Builder } from "../builder.js";
import { i32, i64, typeOf } from "../types.js";
import type { Value } from "../value.js";

/** A Threefry key or counter: two i32, scalar or vector. */
export type Pair = readonly [Value, Value];

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** Threefry-2x32-20 (Salmon et al., 2011). Key and counter have equal lanes. */
export function emitThreefry(b: Builder, key: Pair, counter: Pair): Pair {
  return counter[0].type.lanes === 1 ? callThreefry(b, key, counter) : emitRounds(b, key, counter);
}

/**
 * One word at a time it is a call of a function that all of a library's kernels share. Inside a loop over the counter LLVM would
 * take the twenty rounds for one long sum of induction variables: its loop strength reduction then takes longer than all
 * else of a compilation together. Vectors it does not look into.
 */
function callThreefry(b: Builder, key: Pair, counter: Pair): Pair {
  const shared = b.module.defineOnce(
    {
      name: "graphc_threefry",
      parameters: [i32, i32, i32, i32].map((type) => ({ type })),
      result: i64,
      linkage: "internal",
      inline: "never",
      pure: true,
    },
    (body, [k0, k1, c0, c1]) => {
      if (k0 === undefined || k1 === undefined || c0 === undefined || c1 === undefined)
        throw new InternalError("threefry without its parameters");
      const [x0, x1] = emitRounds(body, [k0, k1], [c0, c1]);
      const high = body.shiftLeft(body.resizeInteger(x1, "i64", "unsigned"), body.index(32));
      body.return(body.or(high, body.resizeInteger(x0, "i64", "unsigned")));
    },
  );
  return emitWords(b, b.callValue(shared, [...key, ...counter]));
}

function emitRounds(b: Builder, key: Pair, counter: Pair): Pair {
  const { type } = counter[0];
  const k2 = b.xor(b.xor(key[0], key[1]), b.constant(type, parity));
  const schedule = [key[0], key[1], k2] as const;
  let x0 = b.add(counter[0], key[0]);
  let x1 = b.add(counter[1], key[1]);
  for (let round = 0; round < 20; round++) {
    const amount = rotations[round % 8] as number;
    x0 = b.add(x0, x1);
    const high = b.shiftLeft(x1, b.constant(type, amount));
    const low = b.shiftRight(x1, b.constant(type, 32 - amount));
    x1 = b.xor(b.or(high, low), x0);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = b.add(x0, schedule[injection % 3] as Value);
      x1 = b.add(x1, b.add(schedule[(injection + 1) % 3] as Value, b.constant(type, injection)));
    }
  }
  return [x0, x1];
}

/** The low and the high 32 bits of an i64, scalar or vector. */
export function emitWords(b: Builder, value: Value): Pair {
  const high = b.shiftRight(value, b.constant(value.type, 32));
  return [b.resizeInteger(value, "i32", "unsigned"), b.resizeInteger(high, "i32", "unsigned")];
}

/** The two words that name a random op: the first eight bytes of sha256("path#index"), little-endian. */
export function drawWords(path: string, index: number): readonly [number, number] {
  const digest = createHash("sha256").update(`${path}#${index}`, "utf8").digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** The key of one random op in one run: seed, name, step, runs since the step, then each enclosing loop's index. */
export function emitDrawKey(
  b: Builder,
  runState: Value,
  path: string,
  index: number,
  loopIndices: readonly Value[],
): Pair {
  const word = (slot: number): Pair => emitWords(b, b.load(i64, b.offsetElements(runState, "i64", slot)));
  const [h0, h1] = drawWords(path, index);
  let key = emitThreefry(b, word(0), [b.constant(i32, h0 | 0), b.constant(i32, h1 | 0)]);
  key = emitThreefry(b, key, word(1));
  key = emitThreefry(b, key, word(2));
  for (const loopIndex of loopIndices) key = emitThreefry(b, key, emitWords(b, loopIndex));
  return key;
}

/** Uniform on [0, 1) for the elements at `position` (i64, scalar or vector): see the op `random_uniform`. */
export function emitUniform(b: Builder, dtype: "f32" | "f64", key: Pair, position: Value): Value {
  const { lanes } = position.type;
  const spread: Pair = lanes === 1 ? key : [b.splat(key[0], lanes), b.splat(key[1], lanes)];
  if (dtype === "f64") {
    const [w0, w1] = emitThreefry(b, spread, emitWords(b, position));
    const high = b.integerToFloat(b.shiftRight(w0, b.constant(w0.type, 5)), "f64", "unsigned");
    const low = b.integerToFloat(b.shiftRight(w1, b.constant(w1.type, 6)), "f64", "unsigned");
    const mantissa = b.add(b.mul(high, b.constant(high.type, 2 ** 26)), low);
    return b.mul(mantissa, b.constant(mantissa.type, 2 ** -53));
  }
  const block = b.shiftRight(position, b.constant(position.type, 1));
  const [w0, w1] = emitThreefry(b, spread, emitWords(b, block));
  const parityBit = b.and(position, b.constant(position.type, 1));
  const odd = b.compare("ne", parityBit, b.constant(position.type, 0));
  const word = b.select(odd, w1, w0);
  const bits = b.shiftRight(word, b.constant(word.type, 8));
  const value = b.integerToFloat(bits, "f32", "unsigned");
  return b.mul(value, b.constant(typeOf("f32", lanes), 2 ** -24));
}
