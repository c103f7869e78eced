import type { Value } from "../../../compiler/ir/node.js";
import { closely, exactly, exactlyButZeros, type Filler, type Tolerance } from "./support.js";

/** One application of a rule that is applied alone. */
export interface Row {
  readonly rule: string;
  readonly before: Value;
  /** The exact form that comes out, where it matters. */
  readonly after?: Value;
  readonly tolerance: Tolerance;
  /** The operands; without it tame numbers, then special ones. */
  readonly filler?: Filler;
  /** The rule must leave this alone. */
  readonly declines?: true;
}

/** The results have the same bits for every operand, special ones included. */
export function exact(rule: string, before: Value, after?: Value): Row {
  return { rule, before, ...(after === undefined ? {} : { after }), tolerance: exactly };
}

/** As exact, but which zero comes out is not specified. */
export function upToZeros(rule: string, before: Value, after?: Value): Row {
  return { ...exact(rule, before, after), tolerance: exactlyButZeros };
}

/** Equal up to rounding, for the given operands. */
export function close(rule: string, before: Value, filler: Filler, after?: Value): Row {
  return { ...exact(rule, before, after), tolerance: closely, filler };
}

export function declines(rule: string, before: Value): Row {
  return { rule, before, tolerance: exactly, declines: true };
}
