import { opNamed } from "../../../compiler/ops/table.js";
import { unifyDTypes } from "../broadcast.js";
import type { Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { tensor } from "../meaning.js";

/** What walks along one axis: running sums and extremes, and sorting. */

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const axis: IntrinsicParameter = { name: "axis", kind: "int", default: "-1" };
const flag = (name: string): IntrinsicParameter => ({ name, kind: "bool", default: "false" });

function alongAxis(name: string, flags: readonly string[]): Intrinsic {
  return {
    name,
    doc: opNamed(name).doc,
    parameters: [x, axis, ...flags.map(flag)],
    result: "y",
    build: (call) => {
      const value = call.tensor("x");
      const given = Object.fromEntries(flags.map((flag) => [flag, call.bool(flag, false)]));
      return tensor(call.apply(name, [value], { axis: call.axis("axis", value, -1), ...given }, call.site("x")));
    },
  };
}

export const cumulative: readonly Intrinsic[] = [
  alongAxis("cumsum", ["reverse", "exclusive"]),
  alongAxis("cumprod", ["reverse", "exclusive"]),
  alongAxis("cummax", ["reverse"]),
  alongAxis("cummin", ["reverse"]),
  alongAxis("argsort", ["descending"]),
  {
    name: "linear_recurrence",
    doc: opNamed("linear_recurrence").doc,
    parameters: [{ name: "a", kind: "tensor" }, { name: "b", kind: "tensor" }, axis, flag("reverse")],
    result: "y",
    build: (call) => {
      const site = call.site("a", "b");
      const values = unifyDTypes(call.env, [call.item("a"), call.item("b")], site);
      const along = values[0] ?? call.tensor("a");
      const attributes = { axis: call.axis("axis", along, -1), reverse: call.bool("reverse", false) };
      return tensor(call.apply("linear_recurrence", values, attributes, site));
    },
  },
];
