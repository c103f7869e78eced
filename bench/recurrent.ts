import { join } from "node:path";
import { compile, Session } from "../index.js";
import { type Timing, timeOfRun } from "./measure.js";

const file = join(import.meta.dirname, "..", "..", "bench", "recurrent.graph");
const forward = 64 * 2 * 32 * 1024 * (128 + 256);

/** Multiplications and additions of W6: nothing flows back to the inputs. */
export const recurrentOperations = { step: 2 * forward + 64 * 2 * 32 * 1024 * 256, forward } as const;

/** A training step, and the forward pass. */
export async function measureRecurrent(repeats = 31): Promise<readonly [Timing, Timing]> {
  await using session = new Session(await compile(file));
  return [await timeOfRun(session, "fit", {}, repeats), await timeOfRun(session, "forward", {}, repeats)];
}
