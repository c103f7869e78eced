import { type DeviceName, deviceNames, isSoftware } from "../compiler/backends/gpu/devices/device.js";
import { openDevice } from "../compiler/backends/gpu/devices/node.js";
import { GraphError } from "../index.js";
import { printDevices } from "./devices.js";
import { showUsage } from "./usage.js";

/**
 * The rows of `make bench` for devices, on one: the device named by the first argument, or the first that works. It is said which one
 * answered, and whether that is a GPU.
 */
const usage = `usage: node dist/bench/gpu.js [DEVICE]

Measures on one device: ${deviceNames.join(", ")}; without a name the first that works.`;
const [asked, ...more] = process.argv.slice(2);
const wish = deviceNames.find((name) => name === asked);
const unknown = asked !== undefined && asked !== "" && wish === undefined;
const problem = unknown ? `no device is called ${asked}` : `one device, not ${more.length + 1}`;
showUsage(usage, process.argv.slice(2), unknown || more.length > 0 ? problem : undefined);
try {
  const name = await answering(wish);
  await printDevices(name);
} catch (error) {
  if (!(error instanceof GraphError)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function answering(asked: DeviceName | undefined): Promise<DeviceName> {
  const device = await openDevice(asked);
  console.log(`device ${device.name} answered: ${device.adapter}`);
  if (isSoftware(device)) console.log("THIS IS NO GPU: it computes in software, and its times say nothing of one");
  else if (device.name === "headlessgl")
    console.log("GL does not say whether that is a GPU: without one, Mesa computes in software");
  await device.close();
  return device.name;
}
