import test from "ava";
import { ops } from "../../../compiler/ops/table.js";
import { agreesOnPlain, someOps } from "./matrix.js";
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

for (const op of ops.values()) {
  if (!someOps.has(op.opName)) continue;
  onHeadlessGl(`${op.opName} gives on headlessgl what the reference gives`, (t) =>
    agreesOnPlain(t, op, "headlessgl", ["f32"]),
  );
}
