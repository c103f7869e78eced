import { type Condition, decide, dimsIn, undecidedPart } from "../../compiler/ir/condition.js";
import type { Constraint } from "../../compiler/ir/graph.js";
import { type Never, type Requirement, requiredByGraph, whyNever } from "./dim_bounds.js";
import { type Env, type Frame, Refusal, silentRefusal } from "./state.js";

/**
 * What sizes must fulfil: decided at once where they tell, else a constraint that is checked when the dims are bound. `refused` makes the
 * problem, with the dims that decide it then. Throws it where the condition cannot hold, whatever the dims are within their bounds.
 */
export function demand(
  env: Env,
  condition: Condition,
  refused: (dims: readonly string[]) => Refusal,
  sizes: Constraint["sizes"] = "appended",
): void {
  // The sizes of a fn that nothing calls stand for those that a call would give.
  if (env.state.generic && dimsIn(condition).length > 0) return;
  if (decide(condition, new Map()) === false) throw refused([]);
  const open = undecidedPart(condition);
  if (open === undefined) return;
  const problem = refused(dimsIn(open));
  const required = requirementsOf(env);
  const never = whyNever(env.state, open, required);
  if (never !== undefined) throw neverMet(problem, never);
  if (!env.state.shared.keepsConstraints || problem.diagnostic === undefined) return;
  const premises = required.map((one) => one.condition);
  env.state.shared.constrain({ condition: open, diagnostic: problem.diagnostic, sizes, premises });
}

/** The problem of a constraint that no sizes fulfil, so that there are none to be named. */
function neverMet({ diagnostic }: Refusal, { why, requirements }: Never): Refusal {
  if (diagnostic === undefined) return silentRefusal;
  const message = `${diagnostic.message.replaceAll(/ = \{(left|right)\}/g, "")} (${why})`;
  const notes = requirements.map(({ span }) => ({ span, message: "required here" }));
  return new Refusal({ ...diagnostic, message, notes: [...diagnostic.notes, ...notes] });
}

/** What the calls around it require of the dims: where that is broken, nothing that would follow from it is told. */
function requirementsOf(env: Env): readonly Requirement[] {
  const found: Requirement[] = [...requiredByGraph(env.state)];
  for (let frame: Frame | undefined = env.frame; frame !== undefined; frame = frame.call?.caller)
    found.push(...frame.required);
  return found;
}
