import test from "ava";
import { agreesWherever, trainsAlike } from "./placed.js";
import { hasSoftware } from "./software.js";

const onSwiftShader = hasSoftware("swiftshader") ? test.serial : test.serial.skip;

onSwiftShader("random placements give on webgpu what the reference gives, and send what is announced", async (t) => {
  t.timeout(180_000);
  await agreesWherever(t, "webgpu", 6);
});

onSwiftShader("training with layers on both sides goes on webgpu as on the reference", async (t) => {
  t.timeout(120_000);
  await trainsAlike(t, "webgpu");
});
