import { writeFileAtomic } from "./atomic.js";

/** `runtime/files/rotation.ts` in a page, which has no files to write. */

export function checkpointPath(template: string): string {
  return template;
}

export async function saveCheckpoint(template: string): Promise<string> {
  await writeFileAtomic(template);
  return template;
}
