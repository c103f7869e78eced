/** What a page uses: `graphc build --target web` writes modules that import it. */

import { parse } from "devalue";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { GraphTypes } from "../compiler/ir/graph_types.js";
import { restoreGraph, type SavedGraph } from "../compiler/ir/saved.js";
import { Program } from "../compiler/program.js";
import { checkpointContent } from "../runtime/files/checkpoint.js";
import { encodeSafetensors } from "../runtime/files/safetensors.js";
import { Session } from "../runtime/session.js";
import { pageBackend } from "./backend.js";
import { givenFiles } from "./twins/bytes.js";

export { probeDevices } from "../compiler/backends/gpu/devices/browser.js";
export type { DeviceName, DeviceProbe } from "../compiler/backends/gpu/devices/device.js";
export { deviceNames } from "../compiler/backends/gpu/devices/device.js";
export { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
export type { Tensor } from "../compiler/ir/tensor.js";
export { version } from "../compiler/version.js";
export { idx, npy, safetensors } from "../runtime/data/references.js";
export { Session } from "../runtime/session.js";

export interface OpenOptions {
  /** What computes; without it the first of webgpu, webgl2, webasm and cpu that works in this browser. */
  readonly device?: DeviceName | undefined;
  /** The seed of all randomness; without it the file's. */
  readonly seed?: number | bigint | undefined;
  /** A safetensors file: its address, or what is in it. Without it the weights that were built, where there are any. */
  readonly weights?: string | URL | Uint8Array | undefined;
  /** Starts from the variables' first values, whatever weights there are. */
  readonly fresh?: boolean | undefined;
  /** Told of what is not wrong but worth knowing, as of an op that the device lacks (G121). `graphc build` tells the same. */
  readonly onWarning?: ((warning: Diagnostic) => void) | undefined;
}

let given = 0;

/**
 * A session of the graph whose text `graphc build` wrote. Rejects with GraphError: G122 where the device asked for does not
 * work, G064 and others for weights that cannot be read or do not fit.
 */
export async function openModel<G extends GraphTypes = GraphTypes>(
  text: string,
  options: OpenOptions = {},
): Promise<Session<G>> {
  const saved: SavedGraph = parse(text);
  const backend = await pageBackend(options.device, options.onWarning);
  const program = await Program.create<G>(restoreGraph(saved), backend, { checkNumerics: false });
  const { seed, weights, fresh } = options;
  if (weights === undefined || fresh === true) return new Session<G>(program, { seed });
  if (!(weights instanceof Uint8Array)) return readied(new Session<G>(program, { seed, weights: String(weights) }));
  const name = `weights ${++given}`;
  givenFiles.set(name, weights);
  try {
    return await readied(new Session<G>(program, { seed, weights: name }));
  } finally {
    givenFiles.delete(name);
  }
}

async function readied<G extends GraphTypes>(session: Session<G>): Promise<Session<G>> {
  await session.ready;
  return session;
}

/** All variables, the step and the random state as a safetensors file: what `Session.save` writes in Node. */
export async function weightsOf(session: Session): Promise<Uint8Array> {
  const pieces = encodeSafetensors(checkpointContent(await session.checkpoint()));
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}
