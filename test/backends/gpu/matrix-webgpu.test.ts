import test from "ava";
import { testOps } from "./matrix.js";
import { hasSoftware } from "./software.js";
import { backendOf } from "./support.js";

const onSwiftShader = hasSoftware("swiftshader") ? test.serial : test.serial.skip;

onSwiftShader("the device is SwiftShader", async (t) => {
  t.regex((await backendOf("webgpu")).device, /^webgpu \(SwiftShader/);
});

testOps(onSwiftShader, "webgpu");
