import { type Condition, decide, dimsIn, undecidedPart } from "../../compiler/ir/condition.js";
import type { Note } from "../../compiler/ir/diagnostic.js";
import type { Constraint } from "../../compiler/ir/graph.js";
import type { Env, Frame, Refusal } from "./state.js";

/**
 * What sizes must fulfil: decided at once where they tell, else a constraint that is checked when the dims are bound. `refused` makes the
 * problem, with the dims that decide it then. Throws it where the condition cannot hold.
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
  if (open === undefined || !env.state.shared.keepsConstraints) return;
  const { diagnostic } = refused(dimsIn(open));
  if (diagnostic !== undefined)
    env.state.shared.constrain({ condition: open, diagnostic, sizes, premises: premisesOf(env) });
}

/** What the calls around it require of the dims: where that is broken, nothing that would follow from it is told. */
function premisesOf(env: Env): readonly Condition[] {
  const premises: Condition[] = [];
  for (let frame: Frame | undefined = env.frame; frame !== undefined; frame = frame.call?.caller)
    premises.push(...frame.required);
  return premises;
}

/** Where dims are declared. */
export function declarationNotes(env: Env, names: Iterable<string>): readonly Note[] {
  return [...names].flatMap((name) => {
    const span = env.state.shared.dims.get(name)?.span;
    return span === undefined ? [] : [{ span, message: `the dim ${name} is declared here` }];
  });
}
