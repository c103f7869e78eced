import test from "ava";
import { OpError } from "../../compiler/ops/op_error.js";
import { opNamed } from "../../compiler/ops/table.js";
import { refusals } from "./refusals.js";

test("each op says what it refuses", (t) => {
  for (const [name, types, attributes, expected, regions] of refusals) {
    const error = t.throws(() => opNamed(name).infer(types, attributes, regions), { instanceOf: OpError }, expected);
    t.is(`${error?.code} ${error?.message}`, expected);
  }
});
