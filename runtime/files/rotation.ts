import { readdir, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { removeStaleTemporaries } from "./atomic.js";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.js";
import { fileError, quotePath, systemErrorCode, systemFailure } from "./errors.js";

const placeholder = "{step}";

/** A checkpoint file and the step in its name. */
export interface CheckpointFile {
  readonly path: string;
  readonly step: number;
}

/** The path of one step's checkpoint. @throws GraphError G094 where `{step}` stands twice or in a folder's name. */
export function checkpointPath(template: string, step: number): string {
  const name = templateParts(template);
  return name === undefined ? template : join(dirname(template), `${name.before}${step}${name.after}`);
}

/**
 * Saves a checkpoint at the path that its step gives, then, once it is in place, deletes the files of the same template
 * with the lowest steps until `keep` are left. The one just written is never deleted, nor is a file of another name.
 * @throws GraphError G092 (nothing was written, nothing deleted), G094.
 */
export async function saveCheckpoint(
  template: string,
  checkpoint: Checkpoint,
  options: { readonly keep?: number | undefined } = {},
): Promise<string> {
  const { keep } = options;
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1)) {
    throw fileError(
      "G094",
      `keep = ${keep} of ${quotePath(template)} is not a number of checkpoints`,
      "keep at least 1",
    );
  }
  const path = checkpointPath(template, checkpoint.step);
  await writeCheckpoint(path, checkpoint);
  const parts = templateParts(template);
  if (parts !== undefined) {
    await removeStaleTemporaries(dirname(resolve(template)), (name) => stepOf(parts, name) !== undefined);
  }
  if (parts !== undefined && keep !== undefined) {
    const others = (await listCheckpoints(template)).filter((file) => file.step !== checkpoint.step);
    for (const file of others.slice(0, Math.max(0, others.length - (keep - 1)))) {
      await deleteOld(file.path);
    }
  }
  return path;
}

/** The checkpoints of a template, by rising step. A missing folder holds none. @throws GraphError G064, G094. */
export async function listCheckpoints(template: string): Promise<readonly CheckpointFile[]> {
  const parts = templateParts(template);
  if (parts === undefined) {
    return [];
  }
  const folder = dirname(template);
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .flatMap((entry) => {
        const step = entry.isFile() ? stepOf(parts, entry.name) : undefined;
        return step === undefined ? [] : [{ path: join(folder, entry.name), step }];
      })
      .sort((a, b) => a.step - b.step);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return [];
    }
    throw systemFailure("G064", "cannot list", folder, error);
  }
}

/** The checkpoint of a template with the highest step, or undefined where there is none. */
export async function latestCheckpoint(template: string): Promise<CheckpointFile | undefined> {
  return (await listCheckpoints(template)).at(-1);
}

interface TemplateParts {
  readonly before: string;
  readonly after: string;
}

function templateParts(template: string): TemplateParts | undefined {
  const [before, after, ...more] = basename(template).split(placeholder);
  if (more.length > 0 || dirname(template).includes(placeholder)) {
    throw fileError(
      "G094",
      `${quotePath(template)} is not a name for checkpoints: ${placeholder} may stand once, in the file's own name`,
      'for example "ckpt/model-{step}.safetensors"',
    );
  }
  return before === undefined || after === undefined ? undefined : { before, after };
}

/** The step in a file's name, written as we write it: digits without leading zeros. */
function stepOf({ before, after }: TemplateParts, name: string): number | undefined {
  if (name.length <= before.length + after.length || !name.startsWith(before) || !name.endsWith(after)) {
    return undefined;
  }
  const digits = name.slice(before.length, name.length - after.length);
  const step = Number(digits);
  return /^(?:0|[1-9]\d*)$/.test(digits) && Number.isSafeInteger(step) ? step : undefined;
}

async function deleteOld(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // Another run of the same template may have been quicker.
    if (systemErrorCode(error) !== "ENOENT") {
      throw systemFailure("G092", "saved, but cannot delete the old checkpoint", path, error);
    }
  }
}
