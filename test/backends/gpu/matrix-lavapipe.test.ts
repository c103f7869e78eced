import test from "ava";
import { testOps } from "./matrix.js";
import { hasSoftware } from "./software.js";
import { backendOf } from "./support.js";

const onLavapipe = hasSoftware("lavapipe") ? test.serial : test.serial.skip;

onLavapipe("the device is Mesa's", async (t) => {
  t.regex((await backendOf("webgpu")).device, /^webgpu \(llvmpipe/);
});

testOps(onLavapipe, "webgpu", ["f32"]);
