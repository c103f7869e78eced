import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";
import { byteSize, type NumericDType } from "../../ir/dtype.js";
import { allocate, type TensorData } from "../../ir/tensor.js";
import type { Backend } from "../backend.js";
import type { StorageBlock } from "../executable.js";

/** Plain TypeScript in float64: runs everywhere, is the oracle of the tests, and is slow. */
export function referenceBackend(): Backend {
  return {
    target: "reference",
    memory: { allocate: allocateBlock },
    device: "JavaScript in float64",
    identity: "",
    compile: async (computation, options) => (await import("./compile.js")).compileReference(computation, options),
    // It is ready as soon as it has the computation.
    restore: () => undefined,
  };
}

function allocateBlock(dtype: NumericDType, length: number): StorageBlock {
  const data = tryAllocate(dtype, length);
  if (data !== undefined) return { data, free: () => {} };
  const message = `${((length * byteSize(dtype)) / 2 ** 30).toFixed(1)} GiB cannot be allocated at once`;
  throw new GraphError([problem("G102", undefined, message)]);
}

/** Undefined where the engine refuses: an array beyond its limits, or no memory left. */
function tryAllocate(dtype: NumericDType, length: number): TensorData | undefined {
  try {
    return allocate(dtype, length);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
