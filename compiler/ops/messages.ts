/** What is said of a run that fails, by every back end. */
import type { Code } from "../ir/codes.js";
import { isList, type Node } from "../ir/node.js";
import { type SourceTable, writtenAs } from "../ir/sources.js";
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

/** How to mend what a run's check refuses. */
export function failureHint(code: string, message: string): string | undefined {
  if (code === "G089")
    return "`maximum(divisor, 1)` keeps it from 0; floats divide by 0 without a failure, and give inf or nan";
  if (code !== "G087") return undefined;
  if (message.includes("did not converge"))
    return "`is_nan` and `is_inf` find such elements, `--check-numerics` what makes them";
  const regular = "`a + 1e-6 * eye(n)` makes the matrix regular";
  if (message.includes("not positive definite"))
    return `the matrix is symmetric, and a product such as \`transpose(x) @ x\`; ${regular}`;
  return `\`pinv(a)\` and \`lstsq(a, b)\` take singular matrices, too; ${regular}`;
}

/** How many steps a check of the run's own step lets through, which is what a schedule that ends does; undefined for any other node. */
export function scheduleLength({ op, inputs, attributes }: Node): number | undefined {
  if (op !== "check_index") return undefined;
  // The step itself: a slice of the run's state, not a number drawn from it.
  const isStep = inputs.every(
    ({
      node: {
        op: above,
        inputs: [slice],
      },
    }) => {
      const from = slice?.node.op === "slice" ? slice.node.inputs[0]?.node.op : undefined;
      return above === "reshape" && from === "run_state";
    },
  );
  const size = attributes["size"];
  const [length] = isStep && typeof size === "object" && isList(size) ? size : [];
  return typeof length === "number" ? length : undefined;
}

/** Ops through which an index goes as it is. */
const passing: ReadonlySet<string> = new Set(["cast", "reshape", "broadcast_in_dim", "transpose", "check_index"]);

/** The places of a node whose check failed; those of an index, too, where it comes from elsewhere, such as a label that is fed. */
export function failurePlaces(node: Node, sources: SourceTable): readonly Span[] {
  const own = sources.spansOf(node);
  if ((node.op !== "check_index" && node.op !== "wrap_index") || scheduleLength(node) !== undefined) return own;
  let from = node.inputs[0]?.node;
  while (from !== undefined && passing.has(from.op)) from = from.inputs[0]?.node;
  const [place] = from === undefined ? [] : sources.spansOf(from);
  const known = (at: Span): boolean =>
    own.some((one) => one.file === at.file && one.start <= at.start && one.end >= at.end);
  return place === undefined || known(place) ? own : [...own, place];
}

/**
 * The failure of a node's run-time check in the words of the text that the node came from; undefined where the op's own message says
 * all.
 */
export function failureText(code: Code, node: Node, spans: readonly Span[]): string | undefined {
  switch (code) {
    case "G086": {
      const steps = scheduleLength(node);
      if (steps === undefined) return undefined;
      return `the schedule ends after ${steps} steps; with \`hold=true\` it stays at its last value`;
    }
    case "G087":
      return unsolvable(node.op, writtenAs(spans, node.op));
    case "G089":
      return zeroDivisor(node.op, spans);
    default:
      return undefined;
  }
}
