import { buildOn, type DeviceKind, deviceNow, isDeviceKind } from "../../compiler/ir/device.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Statement } from "../ast.js";
import { perform } from "./effects.js";
import { type Env, report } from "./state.js";

/** Elaborates a statement where its `on` says, or where the statement around it stands: the innermost `on` counts. */
export function placed<T>(env: Env, one: Statement, elaborate: () => T): T {
  const on = "on" in one ? one.on : undefined;
  // The parser has told of a name that is none.
  if (on === undefined || !isDeviceKind(on.value)) return elaborate();
  const { value, span } = on;
  if (env.region !== undefined) {
    if (value !== deviceNow()) refusePart(env, value, span);
    return elaborate();
  }
  if (!env.state.generic)
    perform(env.state, ({ shared: { devices } }) => {
      if (!devices.has(value)) devices.set(value, span);
    });
  return buildOn(value, elaborate);
}

/**
 * A loop or branch lies on one side as a whole. Written in it, an `on` for another side is an error; in a fn that is called in it, which
 * may be called elsewhere, too, a warning.
 */
function refusePart(env: Env, wanted: DeviceKind, span: Span): void {
  const { whole } = env;
  if (whole === undefined) return;
  const given = deviceNow();
  // A call of the fn may place the whole.
  if (env.state.generic && given === undefined) return;
  const isCalled = whole.frame !== env.frame;
  const lies = given === undefined ? "is placed nowhere" : `lies on the ${given}`;
  const effect = isCalled ? "has no effect in" : "places a part of";
  const message = `\`on "${wanted}"\` ${effect} this ${whole.kind}, which one side computes as a whole`;
  const hint =
    given === undefined
      ? `place the whole: \`} on "${wanted}"\` at its end`
      : `move what is \`on "${wanted}"\` out of the ${whole.kind}, or place the whole there: \`} on "${wanted}"\` at its end`;
  report(env, "G126", span, message, {
    notes: [{ span: whole.word, message: `this ${whole.kind} ${lies}` }],
    hint,
    severity: isCalled ? "warning" : "error",
  });
}
