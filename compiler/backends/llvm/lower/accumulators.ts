import { InternalError } from "../../../ir/diagnostic.js";
import { isFloat, type NumericDType } from "../../../ir/dtype.js";
import type { Accumulator } from "../../../kernels/form.js";
import type { Builder } from "../builder.js";
import { type LlvmType, registerElement, typeOf } from "../types.js";
import type { Value } from "../value.js";
import { emitCombine, identityOf, signednessOf } from "./scalar.js";

/**
 * A reduction under way. Each copy is one register (of lanes, inside or around a vector loop), so that successive steps need not
 * wait for each other; an arg reduction holds the key and the index side by side.
 */
export interface Partial {
  readonly accumulator: Accumulator;
  readonly lanes: number;
  readonly copies: readonly Copy[];
}

export interface Copy {
  readonly value: Value;
  /** The element compared, for arg_max and arg_min; the value is its index. */
  readonly key: Value | undefined;
}

export function startPartial(b: Builder, accumulator: Accumulator, lanes: number, copies: number): Partial {
  const identity = identityCopy(b, accumulator, lanes);
  return { accumulator, lanes, copies: Array.from({ length: copies }, () => identity) };
}

/** The neutral element; an arg reduction starts behind every index, so that the first real element wins a tie with it. */
export function identityCopy(b: Builder, accumulator: Accumulator, lanes: number): Copy {
  const { combiner, dtype, keyDtype } = accumulator;
  const type = registerType(dtype, lanes);
  if (combiner === "arg_max" || combiner === "arg_min") {
    const key = identityOf(combiner === "arg_max" ? "max" : "min", keyDtype);
    return { value: b.constant(type, 2n ** 63n - 1n), key: b.constant(registerType(keyDtype, lanes), key) };
  }
  return { value: b.constant(type, identityOf(combiner, dtype)), key: undefined };
}

export function registerType(dtype: NumericDType, lanes: number): LlvmType {
  return typeOf(registerElement(dtype), lanes);
}

/** Joins two partial results of one reduction. */
export function combineCopies(b: Builder, accumulator: Accumulator, x: Copy, y: Copy): Copy {
  const { combiner, dtype, keyDtype } = accumulator;
  if (combiner !== "arg_max" && combiner !== "arg_min") {
    return { value: emitCombine(b, combiner, dtype, x.value, y.value), key: undefined };
  }
  if (x.key === undefined || y.key === undefined) throw new InternalError("an arg reduction without its keys");
  const better = emitBetter(b, combiner, keyDtype, { value: y.value, key: y.key }, { value: x.value, key: x.key });
  return { value: b.select(better, y.value, x.value), key: b.select(better, y.key, x.key) };
}

/** Whether (y.key, y.value) comes before (x.key, x.value): the more extreme key, a NaN before all; of equals the lower index. */
function emitBetter(
  b: Builder,
  combiner: "arg_max" | "arg_min",
  keyDtype: NumericDType,
  y: { readonly value: Value; readonly key: Value },
  x: { readonly value: Value; readonly key: Value },
): Value {
  const relation = combiner === "arg_max" ? "gt" : "lt";
  const sign = signednessOf(keyDtype);
  const beyond = b.compare(relation, y.key, x.key, sign);
  const earlier = b.compare("lt", y.value, x.value);
  const tied = b.compare("eq", y.key, x.key);
  if (!isFloat(keyDtype)) return b.or(beyond, b.and(tied, earlier));
  const nanY = b.isNaN(y.key);
  const nanX = b.isNaN(x.key);
  const first = b.and(nanY, b.not(nanX));
  const both = b.or(tied, b.and(nanY, nanX));
  return b.or(b.or(b.and(beyond, b.not(nanX)), first), b.and(both, earlier));
}

/** All copies, and all lanes where the reduction runs along them, joined into one result. */
export function finishPartial(b: Builder, partial: Partial, acrossLanes: boolean): Value {
  let copies = [...partial.copies];
  while (copies.length > 1) {
    const joined: Copy[] = [];
    for (let i = 0; i < copies.length; i += 2) {
      const [x, y] = [copies[i], copies[i + 1]];
      if (x === undefined) continue;
      joined.push(y === undefined ? x : combineCopies(b, partial.accumulator, x, y));
    }
    copies = joined;
  }
  let [rest] = copies;
  if (rest === undefined) throw new InternalError("a reduction without a copy");
  while (acrossLanes && rest.value.type.lanes > 1) {
    rest = combineCopies(b, partial.accumulator, halfOf(b, rest, "low"), halfOf(b, rest, "high"));
  }
  return b.roundTo(rest.value, partial.accumulator.dtype);
}

function halfOf(b: Builder, copy: Copy, which: "low" | "high"): Copy {
  return { value: b.half(copy.value, which), key: copy.key === undefined ? undefined : b.half(copy.key, which) };
}

/** The copies as one list of values, for a loop to carry, and back. */
export function flatten(partials: readonly Partial[]): readonly Value[] {
  return partials.flatMap((partial) =>
    partial.copies.flatMap(({ value, key }) => (key === undefined ? [value] : [value, key])),
  );
}

export function unflatten(partials: readonly Partial[], values: readonly Value[]): readonly Partial[] {
  let position = 0;
  const next = (): Value => {
    const value = values[position++];
    if (value === undefined) throw new InternalError("a loop gave back too few values");
    return value;
  };
  return partials.map((partial) => ({
    ...partial,
    copies: partial.copies.map((copy) => {
      const value = next();
      return { value, key: copy.key === undefined ? undefined : next() };
    }),
  }));
}
