import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type DeviceName, type DeviceProbe, deviceNames } from "./device.js";

/** Longer than the slowest driver takes to make its first kernel. */
const patienceMilliseconds = 30_000;

/**
 * All devices of this machine, each tried in a process of its own: a driver may end the process that it is loaded into, and
 * prints what it likes.
 */
export function probeDevices(): Promise<readonly DeviceProbe[]> {
  return Promise.all(deviceNames.map(probeAside));
}

function probeAside(name: DeviceName): Promise<DeviceProbe> {
  const program = fileURLToPath(import.meta.resolve("./probe_child.js"));
  const options = { timeout: patienceMilliseconds, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [program, name], options, (error, stdout) => {
      resolve(readProbe(name, stdout) ?? { name, ...failed(error) });
    });
  });
}

function failed(error: { readonly killed?: boolean; readonly signal?: string | undefined } | null) {
  const reason =
    error?.killed === true
      ? `it was not ready after ${patienceMilliseconds / 1000} s`
      : `its driver ended the process${error?.signal ? ` (${error.signal})` : ""}`;
  return { available: false, adapter: undefined, reason, hint: undefined };
}

/** The last line that the child wrote, where it came so far. */
function readProbe(name: DeviceName, stdout: string): DeviceProbe | undefined {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  const { available, adapter, reason, hint }: Partial<DeviceProbe> = JSON.parse(line);
  return { name, available: available === true, adapter, reason, hint };
}
