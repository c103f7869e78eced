/** Prints the largest errors of a device, as docs/gpu.md has them: node dist/test/backends/gpu/accuracy_main.js DEVICE */
import { gpuBackend } from "../../../compiler/backends/gpu/backend.js";
import { deviceNames } from "../../../compiler/backends/gpu/devices/device.js";
import { largestErrors } from "./accuracy.js";
import { hasSoftware, startXServer } from "./software.js";

const [asked = "webasm"] = process.argv.slice(2);
const device = deviceNames.find(
  (name) => name === (asked === "lavapipe" || asked === "swiftshader" ? "webgpu" : asked),
);
if (device === undefined)
  throw new Error(`no device is called ${asked}: ${deviceNames.join(", ")}, swiftshader, lavapipe`);
if (asked === "lavapipe" || asked === "swiftshader") hasSoftware(asked);
const server = device === "headlessgl" && process.env["DISPLAY"] === undefined ? await startXServer() : undefined;
const backend = await gpuBackend(device);
console.log(backend.device);
for (const [family, ulps] of await largestErrors(backend, 20_000)) console.log(`${family}: ${ulps.toPrecision(3)} ulp`);
server?.stop();
process.exit(0);
