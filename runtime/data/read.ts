import type { DataReference } from "../../compiler/ir/data.js";
import type { Tensor } from "../../compiler/ir/tensor.js";

/**
 * Reads a data file, or some of its rows, as a tensor: `readData(idx("t10k-labels-idx1-ubyte").slice(0, 10))`. Its path resolves
 * from the working directory. Throws GraphError for a file that is missing, damaged or of another format.
 */
export async function readData(reference: DataReference): Promise<Tensor> {
  const { loadData } = await import("./load.js");
  return loadData(reference, { origin: "user", baseDir: undefined, dataDir: undefined, allow: [] });
}
