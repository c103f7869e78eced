/** `runtime/files/paths.ts` in a page: a path is an address, relative to the page; what it may reach, the browser decides. */

export async function resolveDataPath(path: string): Promise<string> {
  return path;
}

export async function resolveOutputPath(path: string): Promise<string> {
  return path;
}
