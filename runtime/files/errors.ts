import { type Code, problem } from "../../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../../compiler/ir/diagnostic.js";

/** One diagnostic about a file; its place is the file itself, named in the message. */
export function fileDiagnostic(code: Code, message: string, hint?: string): Diagnostic {
  return problem(code, undefined, message, { hint });
}

/** A GraphError of one diagnostic about a file. */
export function fileError(code: Code, message: string, hint?: string): GraphError {
  return new GraphError([fileDiagnostic(code, message, hint)]);
}

const causes: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file or folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "the operation is not permitted"],
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "the file would be larger than the limit allows"],
  ["EIO", "the disk reported an input/output error"],
  ["EROFS", "the file system is read-only"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is not a folder"],
  ["EEXIST", "a file of that name stands in the way"],
  ["ELOOP", "it goes through too many symbolic links"],
  ["ENAMETOOLONG", "its name is too long"],
  ["EMFILE", "this process has too many files open"],
  ["ENFILE", "the machine has too many files open"],
  ["ENOMEM", "there is not enough memory"],
  ["EBUSY", "it is in use"],
  ["ETXTBSY", "it is in use"],
]);

/** The system's error code ("ENOSPC"), or undefined where the error did not come from a system call. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") {
    return undefined;
  }
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/**
 * Says what failed and why, from the error of a system call. `action` reads "cannot read", "cannot save".
 * Whatever is not a system error is returned as it is, so that a defect is never dressed up as bad input.
 */
export function systemFailure(code: Code, action: string, path: string, error: unknown, hint?: string): unknown {
  const errno = systemErrorCode(error);
  if (errno === undefined) {
    return error;
  }
  return fileError(code, `${action} ${quotePath(path)}: ${reasonOf(errno)}`, hint);
}

/** What one of the system's error codes means, with the code. */
export function reasonOf(errno: string): string {
  return `${causes.get(errno) ?? "the system refused"} (${errno})`;
}

/** A path for a message: in quotes, control characters escaped, the middle of a very long one left out. */
export function quotePath(path: string): string {
  const shown = path.length > 300 ? `${path.slice(0, 140)}...${path.slice(-140)}` : path;
  return JSON.stringify(shown);
}

/** A name that came from a file, for a message: quoted, escaped, bounded. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 100)}...` : name);
}

/** The first few names of a list, and how many more there are. */
export function listNames(names: Iterable<string>, most = 8): string {
  const all = [...names];
  const shown = all.slice(0, most).map(quoteName).join(", ");
  return all.length > most ? `${shown} and ${all.length - most} more` : shown;
}
