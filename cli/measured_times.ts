import { open } from "node:fs/promises";
import { fileError, quotePath, systemFailure } from "../runtime/files/errors.js";
import { JsonError, type JsonValue, parseStrictJson } from "../runtime/files/json.js";
import type { KernelTimes } from "../viewer/times.js";

/** A trace of the longest run is well below this. */
const mostBytes = 256e6;

/** What a profile says of kernels: the device, and the seconds of one call by computation and kernel. */
export interface MeasuredTimes {
  readonly device: string;
  readonly times: ReadonlyMap<string, KernelTimes>;
}

/** Reads a file of `--profile`. Throws GraphError G064 where it cannot be read, or is no such file. */
export async function readProfile(path: string): Promise<MeasuredTimes> {
  const text = await readText(path);
  let value: JsonValue;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw noProfile(path, error.message);
    throw error;
  }
  const report = field(value, "graphc");
  const computations = field(report, "computations");
  const device = field(report, "device");
  if (!Array.isArray(computations) || typeof device !== "string") throw noProfile(path, "it has no `graphc` part");
  const times = new Map<string, KernelTimes>();
  for (const computation of computations as readonly JsonValue[]) {
    const name = field(computation, "name");
    const kernels = field(computation, "kernels");
    if (typeof name !== "string" || !Array.isArray(kernels)) throw noProfile(path, "a computation has no name");
    times.set(name, new Map((kernels as readonly JsonValue[]).flatMap(timeOf)));
  }
  return { device, times };
}

function timeOf(kernel: JsonValue): readonly (readonly [string, number])[] {
  const [name, calls, seconds] = [field(kernel, "name"), field(kernel, "calls"), field(kernel, "seconds")];
  if (typeof name !== "string" || typeof calls !== "number" || typeof seconds !== "number") return [];
  return calls > 0 && Number.isFinite(seconds / calls) ? [[name, seconds / calls]] : [];
}

function field(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

function noProfile(path: string, why: string): Error {
  return fileError(
    "G064",
    `${quotePath(path)} is not what --profile writes: ${why}`,
    "`graphc train FILE --profile OUT.json` makes one",
  );
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > mostBytes) throw noProfile(path, `it has ${size} bytes`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    throw systemFailure("G064", "cannot read", path, error);
  }
}
