import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { measuredErrors } from "../../../compiler/backends/gpu/documented.js";
import { largestErrors } from "./accuracy.js";
import { backendOf, forEachDevice } from "./support.js";

forEachDevice("errors are as the manual has them", async (t, device) => {
  for (const [family, units] of await largestErrors(await backendOf(device), 2000)) {
    const documented: Readonly<Partial<Record<DeviceName, number>>> = measuredErrors[family];
    const most = documented[device] ?? 0;
    // Another release of a driver may round otherwise in the last places.
    t.true(units <= 1.5 * most + 0.1, `${family}: ${units} units, not ${most}`);
  }
});
