import { requireWritable, requireWritableFolder } from "./files/atomic.js";
import { checkpointPath } from "./files/rotation.js";
import type { Settings, TrainOptions } from "./train_options.js";

/**
 * Sees before the first step, and not after hours of work, that all that a training writes can be written. Gives the folders that
 * are missing and will be made, the topmost of each. Throws GraphError G092 and G064.
 */
export async function requireOutputs(
  { checkpoint, best }: Settings,
  { save, events }: TrainOptions,
  step: number,
): Promise<readonly string[]> {
  const templates = [checkpoint?.to, best?.to].flatMap((to) => (to === undefined ? [] : [checkpointPath(to, step)]));
  const missing = new Set<string | undefined>();
  for (const path of save === undefined ? templates : [...templates, save]) missing.add(await requireWritable(path));
  if (events !== undefined) {
    missing.add(await requireWritableFolder(typeof events === "string" ? events : events.dir));
  }
  return [...missing].filter((folder) => folder !== undefined);
}
