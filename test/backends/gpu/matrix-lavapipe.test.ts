import test from "ava";
import { ops } from "../../../compiler/ops/table.js";
import { agreesOnPlain, someOps } from "./matrix.js";
import { hasSoftware } from "./software.js";
import { backendOf } from "./support.js";

const onLavapipe = hasSoftware("lavapipe") ? test.serial : test.serial.skip;

onLavapipe("the device is Mesa's", async (t) => {
  t.regex((await backendOf("webgpu")).device, /^webgpu \(llvmpipe/);
});

for (const op of ops.values()) {
  if (!someOps.has(op.opName)) continue;
  onLavapipe(`${op.opName} gives on lavapipe what the reference gives`, async (t) => {
    await agreesOnPlain(t, op, "webgpu", ["f32"]);
  });
}
