import { join } from "node:path";
import { compile, Session } from "../index.js";
import { median } from "./measure.js";

export interface ConvnetRow {
  readonly name: string;
  readonly seconds: number;
  /** Multiplications and additions. */
  readonly operations: number;
}

const file = join(import.meta.dirname, "..", "..", "bench", "convnet.graph");
const batch = 64;
const first = 2 * 26 * 26 * 32 * 9;
const second = 2 * 24 * 24 * 64 * 9 * 32;
const dense = 2 * (9216 * 128 + 128 * 10);

/** One step of W4 of the peers' table, and its forward pass: nothing flows back to the image. */
export async function measureConvnet(repeats = 31): Promise<readonly ConvnetRow[]> {
  await using session = new Session(await compile(file));
  const image = Float32Array.from({ length: batch * 28 * 28 }, (_, i) => ((i * 7919) % 1009) / 1009);
  const label = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 7) % 10));
  const timed = async (signature: string, feeds: Parameters<Session["run"]>[1]): Promise<number> => {
    const times: number[] = [];
    await session.run(signature, feeds);
    for (let i = 0; i < repeats; i++) {
      const start = performance.now();
      await session.run(signature, feeds);
      times.push((performance.now() - start) / 1000);
    }
    return median(times);
  };
  return [
    {
      name: "convnet (W4), a training step of 64",
      seconds: await timed("fit", { image, label }),
      operations: batch * (2 * first + 3 * second + 3 * dense),
    },
    {
      name: "convnet (W4), forward",
      seconds: await timed("predict", { image }),
      operations: batch * (first + second + dense),
    },
  ];
}
