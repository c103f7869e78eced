import test from "ava";
import { testOps } from "./matrix.js";
import { hasSoftware, startXServer } from "./software.js";
import { backendOf } from "./support.js";

const onHeadlessGl = hasSoftware("headlessgl") ? test.serial : test.serial.skip;

if (hasSoftware("headlessgl")) {
  let stop = (): void => {};
  test.before(async () => {
    ({ stop } = await startXServer());
  });
  test.after.always(() => stop());
}

onHeadlessGl("the device is GL", async (t) => {
  t.regex((await backendOf("headlessgl")).device, /^headlessgl \(/);
});

testOps(onHeadlessGl, "headlessgl", ["f32"]);
