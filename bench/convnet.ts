import { join } from "node:path";
import { compile, Session } from "../index.js";
import { medianRun, type PeerRow } from "./measure.js";

const file = join(import.meta.dirname, "..", "..", "bench", "convnet.graph");
const batch = 64;
const first = 2 * 26 * 26 * 32 * 9;
const second = 2 * 24 * 24 * 64 * 9 * 32;
const dense = 2 * (9216 * 128 + 128 * 10);

/** One step of W4 of the peers' table, and its forward pass: nothing flows back to the image. */
export async function measureConvnet(repeats = 31): Promise<readonly PeerRow[]> {
  await using session = new Session(await compile(file));
  const image = Float32Array.from({ length: batch * 28 * 28 }, (_, i) => ((i * 7919) % 1009) / 1009);
  const label = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 7) % 10));
  return [
    {
      name: "convnet (W4), a training step of 64",
      seconds: await medianRun(session, "fit", { image, label }, repeats),
      operations: batch * (2 * first + 3 * second + 3 * dense),
    },
    {
      name: "convnet (W4), forward",
      seconds: await medianRun(session, "predict", { image }, repeats),
      operations: batch * (first + second + dense),
    },
  ];
}
