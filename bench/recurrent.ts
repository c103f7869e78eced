import { join } from "node:path";
import { compile, Session } from "../index.js";
import { medianRun, type PeerRow } from "./measure.js";

const file = join(import.meta.dirname, "..", "..", "bench", "recurrent.graph");
const forward = 64 * 2 * 32 * 1024 * (128 + 256);

/** One step of W6 of the peers' table, and its forward pass: nothing flows back to the inputs. */
export async function measureRecurrent(repeats = 31): Promise<readonly PeerRow[]> {
  await using session = new Session(await compile(file));
  return [
    {
      name: "LSTM (W6), a training step of 32 x 64",
      seconds: await medianRun(session, "fit", {}, repeats),
      operations: 2 * forward + 64 * 2 * 32 * 1024 * 256,
    },
    { name: "LSTM (W6), forward", seconds: await medianRun(session, "forward", {}, repeats), operations: forward },
  ];
}
