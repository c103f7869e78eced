import test from "ava";
import { ops } from "../../../compiler/ops/table.js";
import { hasKernel } from "../matrix.js";
import { agreesOnPlain, agreesOnSpecials } from "./matrix.js";
import { hasSoftware } from "./software.js";
import { backendOf } from "./support.js";

const onSwiftShader = hasSoftware("swiftshader") ? test.serial : test.serial.skip;

onSwiftShader("the device is SwiftShader", async (t) => {
  t.regex((await backendOf("webgpu")).device, /^webgpu \(SwiftShader/);
});

for (const op of ops.values()) {
  if (!hasKernel(op)) continue;
  onSwiftShader(`${op.opName} gives on webgpu what the reference gives`, async (t) => {
    await agreesOnPlain(t, op, "webgpu");
    await agreesOnSpecials(t, op, "webgpu");
  });
}
