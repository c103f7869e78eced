import { writeFileAtomic } from "./atomic.js";

/** `runtime/events/open.ts` in a page, which has no files to write events to. */
export async function openEvents(
  _session: unknown,
  _settings: unknown,
  folder: string | undefined,
): Promise<undefined> {
  if (folder !== undefined) await writeFileAtomic(folder);
}
