import { type Condition, compareDims, conditionText, dimsIn, every } from "../../compiler/ir/condition.js";
import type { Note } from "../../compiler/ir/diagnostic.js";
import { isSymbolic, symbolsOf } from "../../compiler/ir/dim.js";
import { mayHold } from "../../compiler/ir/satisfiable.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeText, type TensorType } from "../../compiler/ir/type.js";
import { ask } from "./effects.js";
import type { Env, State } from "./state.js";

/** What is required of the dims, and where. */
export interface Requirement {
  readonly condition: Condition;
  readonly span: Span;
}

/** Why no sizes fulfil a condition. */
export interface Never {
  readonly why: string;
  /** Those without which some sizes would. */
  readonly requirements: readonly Requirement[];
}

/** Why no sizes within the bounds of the dims fulfil a condition and what is required besides; undefined where some may. */
export function whyNever(state: State, condition: Condition, required: readonly Requirement[]): Never | undefined {
  const bounds = boundsIn(state, condition);
  const names = [...bounds.keys()];
  if (!mayHold(condition, bounds)) {
    const limits = [...bounds].flatMap(([name, bound]) => (bound === undefined ? [] : [`${name} is at most ${bound}`]));
    const why =
      limits.length > 0 ? limits.join(", ") : `whatever ${names.join(" and ")} ${names.length > 1 ? "are" : "is"}`;
    return { why, requirements: [] };
  }
  const related = required.filter((one) => dimsIn(one.condition).some((name) => names.includes(name)));
  const excludes = (requirements: readonly Requirement[]): boolean => {
    const all = every(condition, ...requirements.map((one) => one.condition));
    return !mayHold(all, boundsIn(state, all));
  };
  if (related.length === 0 || !excludes(related)) return undefined;
  const alone = related.find((one) => excludes([one]));
  const requirements = alone === undefined ? related : [alone];
  return { why: `what is required of ${names.join(" and ")} excludes it`, requirements };
}

/** The bounds of the dims that a condition mentions. */
function boundsIn(state: State, condition: Condition): ReadonlyMap<string, number | undefined> {
  return new Map(dimsIn(condition).map((name) => [name, boundOf(state, name)]));
}

function boundOf(state: State, dim: string): number | undefined {
  return ask(state, `the bound of ${dim}`, ({ shared }) => shared.dims.get(dim)?.bound);
}

/** What the statements of the graph itself require of the dims. */
export function requiredByGraph(state: State): readonly Requirement[] {
  ask(state, "requirements", ({ required }) => required.map((one) => conditionText(one.condition)).join("; "));
  return state.required;
}

/** The problem of a type with an axis whose size is below 0 whatever its dims are; undefined without one. */
export function negativeSize(
  env: Env,
  { shape }: TensorType,
): { readonly message: string; readonly notes: readonly Note[] } | undefined {
  if (env.state.generic) return undefined;
  for (const [axis, dim] of shape.entries()) {
    if (!isSymbolic(dim) || dim.terms.every(({ coefficient }) => coefficient > 0)) continue;
    const never = whyNever(env.state, compareDims(0, "at_most", dim), []);
    if (never === undefined) continue;
    const message = `the shape is ${shapeText(shape)}: axis ${axis} has a negative size (${never.why})`;
    return { message, notes: declarationNotes(env, symbolsOf(dim)) };
  }
  return undefined;
}

/** Where dims are declared. */
export function declarationNotes(env: Env, names: Iterable<string>): readonly Note[] {
  return [...names].flatMap((name) => {
    const span = env.state.shared.dims.get(name)?.span;
    return span === undefined ? [] : [{ span, message: `the dim ${name} is declared here` }];
  });
}
