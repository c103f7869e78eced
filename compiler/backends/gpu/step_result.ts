import type { NumericDType } from "../../ir/dtype.js";
import type { TensorData } from "../../ir/tensor.js";
import type { RunState } from "../executable.js";
import { DeviceArray, type DeviceWork, fromFloats } from "./arrays.js";

/** An edge between parts, in the memory of whoever made it. */
export type Edge = DeviceArray | TensorData;

/** What a step has made and not yet given away, and what of. */
export interface StepResult {
  readonly memory: DeviceWork;
  readonly feeds: ReadonlyMap<string, TensorData>;
  readonly state: RunState;
  readonly edges: Map<string, Edge>;
  /** What edges and feeds are in the other memory, where they have been sent there. */
  readonly copies: Map<string, Edge>;
}

/** An edge that the device has, for the processor; downloaded once in a run. */
export async function fetched(
  name: string,
  edge: DeviceArray,
  dtype: NumericDType,
  memory: DeviceWork,
  { copies }: StepResult,
): Promise<TensorData> {
  const known = copies.get(name);
  if (known !== undefined && !(known instanceof DeviceArray)) return known;
  const data = fromFloats(dtype, await memory.download(edge, name));
  copies.set(name, data);
  return data;
}

/** Frees what a step has made. */
export function letGo({ edges, copies }: StepResult): void {
  for (const edge of [...edges.values(), ...copies.values()]) if (edge instanceof DeviceArray) edge.release();
  edges.clear();
  copies.clear();
}
