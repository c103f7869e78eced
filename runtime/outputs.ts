import type { TrainPlan } from "../compiler/ir/graph.js";
import { placedAt } from "./failure.js";
import { requireWritable, requireWritableFolder } from "./files/atomic.js";
import { checkpointFile, requireReplaceable } from "./files/replace.js";
import { checkpointPath } from "./files/rotation.js";
import type { Settings, TrainOptions } from "./train_options.js";

/**
 * Sees before the first step, and not after hours of work, that all that a training writes can be written. Gives the folders that
 * are missing and will be made, the topmost of each. Throws GraphError G092 and G064.
 */
export async function requireOutputs(
  { checkpoint, best }: Settings,
  { save, events, ...options }: TrainOptions,
  step: number,
  plan: TrainPlan | undefined,
): Promise<readonly string[]> {
  const missing = new Set<string | undefined>();
  const see = async (path: string): Promise<void> => {
    missing.add(await requireWritable(path));
    await requireReplaceable(path, checkpointFile);
  };
  const spans = [
    options.checkpoint === undefined ? plan?.checkpoint?.span : undefined,
    options.best === undefined ? plan?.best?.span : undefined,
  ];
  for (const [i, to] of [checkpoint?.to, best?.to].entries()) {
    if (to !== undefined) await placedAt(spans[i], () => see(checkpointPath(to, step)));
  }
  if (save !== undefined) await see(save);
  if (events !== undefined) {
    missing.add(await requireWritableFolder(typeof events === "string" ? events : events.dir));
  }
  return [...missing].filter((folder) => folder !== undefined);
}
