import { createHash } from "node:crypto";
import { InternalError } from "../../ir/diagnostic.js";
import { ConvertBuilder } from "./builder-convert.js";
import { helperFunction } from "./prelude.js";
import { elementBits, intrinsicSuffix, isFloatElement, type LlvmType, withLanes } from "./types.js";
import { requireSame, requireType, type Value } from "./value.js";

export type Reduction = "add" | "mul" | "min" | "max" | "and" | "or" | "xor";

/** `i32 0, i32 4` of a shuffle's mask; -1 leaves a lane undefined. */
function maskText(indices: readonly number[]): string {
  const list = indices.map((index) => (index < 0 ? "i32 undef" : `i32 ${index}`));
  return `<${indices.length} x i32> <${list.join(", ")}>`;
}

/** Moving lanes about. */
export class VectorBuilder extends ConvertBuilder {
  /** Whether `scaleByPower` is one instruction for this type: full registers of AVX-512. */
  canScaleByPower(type: LlvmType): boolean {
    return (
      this.target.level === "avx512" && isFloatElement(type.element) && elementBits(type.element) * type.lanes === 512
    );
  }

  /** a 2^n for a whole n, rounded once: overflow, underflow and a NaN of either come out as they must. */
  scaleByPower(a: Value, n: Value): Value {
    requireSame("scaleByPower", a, n);
    if (!this.canScaleByPower(a.type)) throw new InternalError(`scaleByPower of ${a.type.text}`);
    const suffix = a.type.element === "f32" ? "ps" : "pd";
    const intrinsic = `@llvm.x86.avx512.mask.scalef.${suffix}.512`;
    const { text, lanes } = a.type;
    const name = `scalef.${intrinsicSuffix(a.type)}`;
    return this.helperValue(name, [a, n], () =>
      helperFunction(
        name,
        [a.type, a.type],
        a.type,
        // All lanes, rounded as the processor is set (4).
        [
          `%r = call ${text} ${intrinsic}(${text} %p0, ${text} %p1, ${text} zeroinitializer, i${lanes} -1, i32 4)`,
          `ret ${text} %r`,
        ],
        [`declare ${text} ${intrinsic}(${text}, ${text}, ${text}, i${lanes}, i32)`],
      ),
    );
  }

  /** A scalar in every lane. */
  splat(scalar: Value, lanes: number): Value {
    if (scalar.type.lanes !== 1) throw new InternalError(`splat of ${scalar.type.text}`);
    if (lanes === 1) return scalar;
    const type = withLanes(scalar.type, lanes);
    if (scalar.constant !== undefined) return this.constant(type, scalar.constant);
    const name = `splat.${intrinsicSuffix(type)}`;
    return this.helperValue(name, [scalar], () =>
      helperFunction(name, [scalar.type], type, [
        `%a = insertelement ${type.text} undef, ${scalar.type.text} %p0, i32 0`,
        `%r = shufflevector ${type.text} %a, ${type.text} undef, <${lanes} x i32> zeroinitializer`,
        `ret ${type.text} %r`,
      ]),
    );
  }

  /** The lanes 0, 1, 2, ... of an integer vector; 0 for a scalar. */
  laneNumbers(type: LlvmType): Value {
    if (type.lanes === 1) return this.constant(type, 0);
    return this.constantLanes(
      type,
      Array.from({ length: type.lanes }, (_, lane) => lane),
    );
  }

  /** A vector of given integers, or i1 truth values as 0 and 1. */
  constantLanes(type: LlvmType, lanes: readonly (number | bigint)[]): Value {
    if (isFloatElement(type.element) || lanes.length !== type.lanes) {
      throw new InternalError(`${lanes.length} constants for ${type.text}`);
    }
    const first = lanes[0];
    if (first === undefined) throw new InternalError("no lanes");
    if (lanes.every((lane) => lane === first)) return this.constant(type, first);
    const list = lanes.map((lane) => `${withLanes(type, 1).text} ${BigInt(lane)}`).join(", ");
    const name = `lanes.${intrinsicSuffix(type)}.${digest(list)}`;
    return this.helperValue(name, [], () => helperFunction(name, [], type, [`ret ${type.text} <${list}>`]));
  }

  /** One lane as a scalar; `lane` is a number or an i64 within range. */
  extractLane(vector: Value, lane: number | Value): Value {
    const { type } = vector;
    const scalar = withLanes(type, 1);
    if (typeof lane === "number" && (!Number.isInteger(lane) || lane < 0 || lane >= type.lanes)) {
      throw new InternalError(`${type.text} has no lane ${lane}`);
    }
    if (type.lanes === 1) return vector;
    const index = typeof lane === "number" ? this.index(lane) : lane;
    requireType("extractLane", index, this.index(0).type);
    const name = `extract.${intrinsicSuffix(type)}`;
    return this.helperValue(name, [vector, index], () =>
      helperFunction(name, [type, index.type], scalar, [
        `%r = extractelement ${type.text} %p0, i64 %p1`,
        `ret ${scalar.text} %r`,
      ]),
    );
  }

  /** The vector with one lane replaced; `lane` is a number or an i64 within range. */
  insertLane(vector: Value, scalar: Value, lane: number | Value): Value {
    const { type } = vector;
    requireType("insertLane", scalar, withLanes(type, 1));
    if (typeof lane === "number" && (!Number.isInteger(lane) || lane < 0 || lane >= type.lanes)) {
      throw new InternalError(`${type.text} has no lane ${lane}`);
    }
    if (type.lanes === 1) return scalar;
    const index = typeof lane === "number" ? this.index(lane) : lane;
    requireType("insertLane", index, this.index(0).type);
    const name = `insert.${intrinsicSuffix(type)}`;
    return this.helperValue(name, [vector, scalar, index], () =>
      helperFunction(name, [type, scalar.type, index.type], type, [
        `%r = insertelement ${type.text} %p0, ${scalar.type.text} %p1, i64 %p2`,
        `ret ${type.text} %r`,
      ]),
    );
  }

  /**
   * The lanes of `a` followed by those of `b`, chosen by constant numbers (-1: any). The result has as many lanes as
   * there are numbers, a power of two.
   */
  shuffle(a: Value, b: Value, indices: readonly number[]): Value {
    requireSame("shuffle", a, b);
    const { type } = a;
    if (type.lanes === 1) throw new InternalError("shuffle of scalars");
    const valid = indices.every((index) => Number.isInteger(index) && index >= -1 && index < 2 * type.lanes);
    if (!valid) throw new InternalError(`shuffle of ${type.text} by [${indices.join(", ")}]`);
    if (indices.length === 1)
      return this.extractLane((indices[0] ?? 0) < type.lanes ? a : b, (indices[0] ?? 0) % type.lanes);
    const result = withLanes(type, indices.length);
    const mask = maskText(indices);
    const name = `shuffle.${intrinsicSuffix(type)}.${digest(mask)}`;
    return this.helperValue(name, [a, b], () =>
      helperFunction(name, [type, type], result, [
        `%r = shufflevector ${type.text} %p0, ${type.text} %p1, ${mask}`,
        `ret ${result.text} %r`,
      ]),
    );
  }

  /** The lower or upper half of the lanes. */
  half(vector: Value, which: "low" | "high"): Value {
    const count = vector.type.lanes / 2;
    const start = which === "low" ? 0 : count;
    return this.shuffle(
      vector,
      vector,
      Array.from({ length: count }, (_, lane) => start + lane),
    );
  }

  /** The lanes of `low` followed by those of `high`. */
  concatenate(low: Value, high: Value): Value {
    requireSame("concatenate", low, high);
    const { type } = low;
    if (type.lanes === 1) {
      return this.insertLane(this.insertLane(this.undefined(withLanes(type, 2)), low, 0), high, 1);
    }
    return this.shuffle(
      low,
      high,
      Array.from({ length: 2 * type.lanes }, (_, lane) => lane),
    );
  }

  /** The lanes in reverse order. */
  reverse(vector: Value): Value {
    if (vector.type.lanes === 1) return vector;
    const last = vector.type.lanes - 1;
    return this.shuffle(
      vector,
      vector,
      Array.from({ length: last + 1 }, (_, lane) => last - lane),
    );
  }

  /**
   * Transposes a square block held as one vector a row: log2(n) rounds, each of which swaps the off-diagonal blocks of
   * 2s x 2s blocks (Eklundh 1972). Rounds of s >= 4 lanes move whole 128-bit parts.
   */
  transpose(rows: readonly Value[]): readonly Value[] {
    const size = rows.length;
    if (rows.some((row) => row.type.lanes !== size)) throw new InternalError(`transpose of ${size} rows`);
    let block = [...rows];
    for (let stride = 1; stride < size; stride *= 2) {
      const next = [...block];
      for (let row = 0; row < size; row++) {
        const upper = block[row];
        const lower = block[row + stride];
        if ((row & stride) !== 0 || upper === undefined || lower === undefined) continue;
        const lanes = Array.from({ length: size }, (_, lane) => lane);
        next[row] = this.shuffle(
          upper,
          lower,
          lanes.map((lane) => ((lane & stride) === 0 ? lane : size + lane - stride)),
        );
        next[row + stride] = this.shuffle(
          upper,
          lower,
          lanes.map((lane) => ((lane & stride) === 0 ? lane + stride : size + lane)),
        );
      }
      block = next;
    }
    return block;
  }

  /** All lanes joined by an operation, halves with halves: log2(lanes) steps. A scalar is its own reduction. */
  reduce(operation: Reduction, vector: Value, signedness: "signed" | "unsigned" = "signed"): Value {
    let rest = vector;
    while (rest.type.lanes > 1)
      rest = this.combine(operation, this.half(rest, "low"), this.half(rest, "high"), signedness);
    return rest;
  }

  /** One step of a reduction: on scalars or lane by lane. */
  combine(operation: Reduction, a: Value, b: Value, signedness: "signed" | "unsigned" = "signed"): Value {
    switch (operation) {
      case "add":
        return this.add(a, b);
      case "mul":
        return this.mul(a, b);
      case "min":
        return this.min(a, b, signedness);
      case "max":
        return this.max(a, b, signedness);
      case "and":
        return this.and(a, b);
      case "or":
        return this.or(a, b);
      case "xor":
        return this.xor(a, b);
    }
  }

  /** Whether an i1 is set in any lane: one test of the whole mask, to skip a slow path. */
  anyLane(mask: Value): Value {
    if (mask.type.element !== "i1") throw new InternalError(`anyLane of ${mask.type.text}`);
    if (mask.type.lanes === 1) return mask;
    const name = `any.${intrinsicSuffix(mask.type)}`;
    return this.helperValue(name, [mask], () =>
      helperFunction(name, [mask.type], withLanes(mask.type, 1), [
        `%b = bitcast ${mask.type.text} %p0 to i${mask.type.lanes}`,
        `%r = icmp ne i${mask.type.lanes} %b, 0`,
        "ret i1 %r",
      ]),
    );
  }
}

/** A short name for a constant that is too long for one. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
