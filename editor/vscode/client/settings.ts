import { homedir } from "node:os";
import { resolve } from "node:path";
import { type Uri, workspace } from "vscode";
import { type Located, locate } from "./locate.js";

function setting<T>(name: string, otherwise: T, scope?: Uri): T {
  return workspace.getConfiguration("graphc", scope ?? null).get(name, otherwise);
}

function folders(): readonly string[] {
  return (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath);
}

/** The folder that relative paths are from, and that graphc is started in. */
export function startFolder(): string {
  return folders()[0] ?? homedir();
}

export function locateGraphc(): Located {
  return locate({
    setting: setting("path", ""),
    folders: folders(),
    searchPath: process.env["PATH"] ?? "",
    home: homedir(),
    windows: process.platform === "win32",
  });
}

/** `--allow-path DIR` for each folder of the setting. */
export function allowPathOptions(): readonly string[] {
  const paths = setting<readonly string[]>("allowPaths", []);
  return paths.flatMap((path) => ["--allow-path", resolve(startFolder(), path)]);
}

export function showsInlayHints(uri: Uri): boolean {
  return setting("inlayHints.enabled", true, uri);
}
