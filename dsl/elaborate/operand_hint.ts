import { castTo, type Hint } from "../../compiler/ir/fix.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Env } from "./state.js";

/** The hint of an op, which knows no names: the `…` of `cast(…, to=f32)` is what the operand's place has. */
export function operandHint({ state, frame }: Env, hint: string | undefined, span: Span): Hint | undefined {
  const dtype = /cast\(…, to=(\w+)\)/.exec(hint ?? "")?.[1];
  const shown = state.shared.texts.shown(span);
  if (hint === undefined || dtype === undefined || shown === "..." || frame.standard) return hint;
  return { ...castTo(dtype, shown, span), text: hint.replace("…", shown) };
}
