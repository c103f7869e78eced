import { join } from "node:path";
import { compile, Session } from "../index.js";
import { type Timing, timeOfRun } from "./measure.js";

const file = join(import.meta.dirname, "..", "..", "bench", "elementwise.graph");

export const elementCounts = { chain: 2 ** 20, longChain: 2 ** 24, rows: 2 ** 22 } as const;

/** One element of W8: two chains, which are summed, a softmax and a layer norm, which are written. */
export async function measureElementwise(repeats = 15): Promise<readonly Timing[]> {
  await using session = new Session(await compile(file));
  const row = async (signature: string, elements: number): Promise<Timing> => {
    const { seconds, contended } = await timeOfRun(session, signature, {}, repeats);
    return { seconds: seconds / elements, contended };
  };
  return [
    await row("chain", elementCounts.chain),
    await row("long_chain", elementCounts.longChain),
    await row("softmax_rows", elementCounts.rows),
    await row("norm_rows", elementCounts.rows),
  ];
}
