import { InternalError } from "../../ir/diagnostic.js";
import type { DeviceArray, DeviceWork } from "./arrays.js";
import { type DeviceKernel, mostArrays } from "./form.js";

/**
 * Arrays one after another in a new one, as many at a time as a kernel may read, then those that came of it: each element is copied
 * once a level, of which there are log_7 of their number.
 */
export async function joined(memory: DeviceWork, arrays: readonly DeviceArray[]): Promise<DeviceArray> {
  let level: readonly DeviceArray[] = arrays.map((array) => array.retain());
  let next: DeviceArray[] = [];
  try {
    while (level.length > 1) {
      for (let at = 0; at < level.length; at += mostArrays) {
        const group = level.slice(at, at + mostArrays);
        const [only] = group;
        if (only !== undefined && group.length === 1) next.push(only.retain());
        else next.push(await memory.launch(joinOf(group.map(({ length }) => length)), group, []));
      }
      for (const array of level) array.release();
      level = next;
      next = [];
    }
  } catch (error) {
    for (const array of [...level, ...next]) array.release();
    throw error;
  }
  const [whole] = level;
  if (whole === undefined) throw new InternalError("a stack of nothing");
  return whole;
}

const kernels = new Map<string, DeviceKernel>();

function joinOf(lengths: readonly number[]): DeviceKernel {
  const key = lengths.join(" ");
  const known = kernels.get(key);
  if (known !== undefined) return known;
  const lines = ["const p = this.thread.x;"];
  let start = 0;
  lengths.forEach((length, i) => {
    const read = start === 0 ? `a${i}[p]` : `a${i}[p - ${start}]`;
    const isLast = i === lengths.length - 1;
    lines.push(isLast ? `return ${read};` : `if (p < ${start + length}) { return ${read}; }`);
    start += length;
  });
  const made: DeviceKernel = {
    name: "stack",
    of: "stack",
    source: `function(${lengths.map((_, i) => `a${i}`).join(", ")}) {\n  ${lines.join("\n  ")}\n}`,
    functions: [],
    grid: [start],
    perThread: 1,
    length: start,
    work: undefined,
    arrays: [],
    numbers: [],
    spans: [],
  };
  kernels.set(key, made);
  return made;
}
