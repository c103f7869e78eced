import { mkdir, open, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileError, quotePath, reasonOf, systemErrorCode } from "./errors.js";

/**
 * Makes a folder and what is missing above it. Node's own recursive mkdir never ends where the folder above exists and yet says
 * that there is no such file, as /proc does.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    const above = dirname(folder);
    if (code !== "ENOENT" || above === folder || (await exists(above))) throw error;
    await makeFolder(above);
    await mkdir(folder);
  }
}

/**
 * Sees whether `probe`, a file's name, could be made in a folder, or in what will be made where it is missing, and leaves nothing
 * behind. Gives the topmost folder that is missing. `refused` begins the message, as in `cannot save "a/b"`.
 * @throws GraphError G092 that names the folder that takes nothing, and why.
 */
export async function requireRoom(folder: string, probe: string, refused: string): Promise<string | undefined> {
  let missing: string | undefined;
  let there = folder;
  while (resolve(there) !== dirname(resolve(there)) && !(await exists(there))) {
    missing = there;
    there = dirname(there);
  }
  const wrong = (reason: string, hint = "name a place where files can be made"): Error =>
    fileError("G092", `${refused}: ${reason}`, hint);
  if (await isNoFolder(there)) throw wrong(`${quotePath(there)} is not a folder`);
  const temporary = resolve(there, probe);
  try {
    const handle = await open(temporary, "wx");
    await handle.close();
    await unlink(temporary);
  } catch (error) {
    const errno = systemErrorCode(error);
    if (errno === undefined) throw error;
    if (errno === "ENOSPC" || errno === "EDQUOT")
      throw wrong(reasonOf(errno), "free some space, or name another place");
    // The folder is there: it is the file system that knows no new names, as that of /proc.
    const reason = errno === "ENOENT" ? "the file system there takes no new files (ENOENT)" : reasonOf(errno);
    throw wrong(`nothing can be made in ${quotePath(there)}: ${reason}`);
  }
  return missing;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isNoFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => !status.isDirectory(),
    () => false,
  );
}
