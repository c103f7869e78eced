/** Devices in software, which a machine without a GPU tests with. `make setup-gpu` installs them. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { swiftShaderDriver } from "../../../compiler/backends/gpu/devices/vulkan.js";

export type SoftwareDevice = "swiftshader" | "lavapipe" | "headlessgl";

/** Where a machine is set up for all of it, a device that is missing fails the tests instead of skipping them. */
const required = process.env["GRAPHC_REQUIRE_GPU"] === "1";

/** scripts/setup-gpu.mjs puts it there, where Debian's backports can be reached. */
const lavapipeDriver = fileURLToPath(
  new URL("../../../../node_modules/.cache/graphc-gpu/lavapipe/icd.json", import.meta.url),
);

/** So often in a row a device is asked at once; what takes longer takes milliseconds. */
const promptPolls = 30;
let pollsPatiently = false;

/**
 * While a WebGPU device works, Dawn asks at every turn of the event loop whether it is done: a processor spins. One that is the device
 * itself has better things to do, so that after some turns it is asked every millisecond.
 */
function pollPatiently(): void {
  if (pollsPatiently) return;
  pollsPatiently = true;
  const atNextTurn = globalThis.setImmediate;
  let inPoll = false;
  let polls = 0;
  const patient = (callback: (...given: unknown[]) => void, ...given: unknown[]) => {
    // What JavaScript asks for has a text.
    if (!Function.prototype.toString.call(callback).endsWith("{ [native code] }"))
      return atNextTurn(callback, ...given);
    polls = inPoll ? polls + 1 : 0;
    const poll = (): void => {
      inPoll = true;
      try {
        callback(...given);
      } finally {
        inPoll = false;
      }
    };
    return polls < promptPolls ? atNextTurn(poll) : setTimeout(poll, 1);
  };
  Reflect.set(globalThis, "setImmediate", patient);
}

/** Whether tests of a device can run; says so where they cannot. Before the first device is opened. */
export function hasSoftware(device: SoftwareDevice): boolean {
  const missing = missingFor(device);
  if (missing === undefined) {
    if (device !== "headlessgl") pollPatiently();
    if (device === "swiftshader") process.env["VK_DRIVER_FILES"] = swiftShaderDriver;
    if (device === "lavapipe") process.env["VK_DRIVER_FILES"] = lavapipeDriver;
    return true;
  }
  const text = `tests of the device ${device} are skipped: ${missing} is missing (make setup-gpu)`;
  if (required && device !== "lavapipe") throw new Error(text);
  console.log(text);
  return false;
}

function missingFor(device: SoftwareDevice): string | undefined {
  switch (device) {
    case "swiftshader":
      return missingForVulkan(swiftShaderDriver);
    case "lavapipe":
      return missingForVulkan(lavapipeDriver);
    case "headlessgl":
      return missingForGl();
  }
}

function missingForVulkan(driver: string): string | undefined {
  if (!resolves("webgpu")) return "the npm package webgpu";
  if (!existsSync(driver)) return driver;
  return ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"].some((folder) =>
    existsSync(`${folder}/libvulkan.so.1`),
  )
    ? undefined
    : "libvulkan.so.1";
}

function missingForGl(): string | undefined {
  if (!existsSync("/usr/bin/Xvfb")) return "Xvfb";
  try {
    createRequire(import.meta.url)("gl");
    return undefined;
  } catch {
    return "the npm package gl, compiled";
  }
}

function resolves(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Starts an X server of one's own, in memory, and sets DISPLAY to it; it ends with the process at the latest. */
export async function startXServer(): Promise<{ readonly stop: () => void }> {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const stop = (): void => {
    server.kill();
  };
  process.once("exit", stop);
  process.env["DISPLAY"] = `:${await displayNumber(server)}`;
  return { stop };
}

function displayNumber(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
    server.stdio[3]?.once("data", (data) => resolve(String(data).trim()));
  });
}
