import { join } from "node:path";
import { compile, Session } from "../index.js";
import { medianRun } from "./measure.js";

export interface ElementRow {
  readonly name: string;
  readonly nanoseconds: number;
  readonly goal: number;
}

const file = join(import.meta.dirname, "..", "..", "bench", "elementwise.graph");

/** Nanoseconds an element of W8 of the peers' table; the chain is summed, the others are written. */
export async function measureElementwise(repeats = 15): Promise<readonly ElementRow[]> {
  await using session = new Session(await compile(file));
  const row = async (name: string, signature: string, elements: number, goal: number): Promise<ElementRow> => {
    const taken = await medianRun(session, signature, {}, repeats);
    return { name, nanoseconds: (taken * 1e9) / elements, goal };
  };
  return [
    await row("chain of 1M (W8), ns an element", "chain", 2 ** 20, 1),
    await row("chain of 16M (W8)", "long_chain", 2 ** 24, 2),
    await row("softmax 4096 x 1024", "softmax_rows", 2 ** 22, 1),
    await row("layer norm 4096 x 1024", "norm_rows", 2 ** 22, 1),
  ];
}
