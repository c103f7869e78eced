import { totalmem } from "node:os";
import { formatBytes } from "../ir/bytes.js";
import { problem } from "../ir/codes.js";
import { GraphError } from "../ir/diagnostic.js";
import { initialName } from "../ir/select.js";

/**
 * Throws GraphError G102 where a computation needs more than this machine has, before anything is allocated: a machine that
 * starts to swap or kills the process says nothing useful.
 */
export function requireMemory(computation: string, bytes: number): void {
  if (bytes <= totalmem()) return;
  const isInitial = computation === initialName;
  const needs = isInitial ? "the variables and their initial values need" : `\`${computation}\` needs`;
  const hint = isInitial ? "use smaller variables" : "use a smaller batch or smaller tensors";
  const message = `${needs} ${formatBytes(bytes)}, this machine has ${formatBytes(totalmem())}`;
  throw new GraphError([problem("G102", undefined, message, { hint })]);
}
