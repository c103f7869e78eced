import { buildOn, deviceNow, isDeviceKind } from "../../compiler/ir/device.js";
import type { Statement } from "../ast.js";
import { perform } from "./effects.js";
import { type Env, report } from "./state.js";

/** Elaborates a statement where its `on` says, or where the statement around it stands: the innermost `on` counts. */
export function placed<T>(env: Env, one: Statement, elaborate: () => T): T {
  const on = "on" in one ? one.on : undefined;
  // The parser has told of a name that is none.
  if (on === undefined || !isDeviceKind(on.value)) return elaborate();
  if (env.region !== undefined) {
    if (on.value !== deviceNow()) {
      const message = `\`on "${on.value}"\` has no effect in a loop or branch, which one side computes as a whole`;
      report(env, "G126", on.span, message, { hint: `place the whole: \`} on "${on.value}"\``, severity: "warning" });
    }
    return elaborate();
  }
  const { value, span } = on;
  if (!env.state.generic)
    perform(env.state, ({ shared: { devices } }) => {
      if (!devices.has(value)) devices.set(value, span);
    });
  return buildOn(value, elaborate);
}
