/** What is said of a run that fails, by every back end. */
import type { Code } from "../ir/codes.js";
import { writtenAs } from "../ir/sources.js";
import type { Span } from "../ir/span.js";

/** Sweeps of Jacobi's rotations over all pairs before a run fails. Six to ten suffice for any finite matrix that was tried. */
export const maximumSweeps = 60;

/** An index that names no place among `limit`, the first of which is `least`: 0, or -limit. */
export function outOfRange(index: string, limit: number, least: number): string {
  return `the index ${index} is out of range: ${limit === 0 ? "the axis is empty" : `it must be from ${least} to ${limit - 1}`}`;
}

/** A matrix that a routine can do nothing with; `name` is what was written of which the op is a part. */
export function unsolvable(op: string, name: string = op): string {
  if (op === "cholesky") return `the matrix of ${name} is not positive definite`;
  if (op === "svd" || op === "eigh")
    return `${name} did not converge: the matrix has a NaN or an infinity, or ${maximumSweeps} sweeps do not suffice`;
  return `the matrix of ${name} is singular`;
}

/** An integer divisor of zero, of floor_div or mod. */
export function zeroDivisor(op: string, spans: readonly Span[]): string {
  return `\`${writtenAs(spans, op === "mod" ? "%" : "//")}\` divides an integer by zero`;
}

/** A failure in the words of the text that the op came from; undefined where its own message has no name in it. */
export function failureText(code: Code, op: string, spans: readonly Span[]): string | undefined {
  if (code === "G087") return unsolvable(op, writtenAs(spans, op));
  return code === "G089" ? zeroDivisor(op, spans) : undefined;
}
