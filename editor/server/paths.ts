import { fileURLToPath, pathToFileURL } from "node:url";
import { URI } from "vscode-uri";
import { isStandard, pathOfSource } from "../../dsl/standard.js";

/** The name that spans have for a document: its path, or its whole URI where it is not on the disk. */
export function fileOf(uri: string): string {
  const parsed = URI.parse(uri);
  return parsed.scheme === "file" ? fileURLToPath(pathToFileURL(parsed.fsPath)) : uri;
}

/** The URI of a file by the name that spans have. */
export function uriOf(file: string): string {
  if (!isStandard(file) && /^[a-z][a-z0-9+.-]+:/i.test(file) && !/^[a-z]:[\\/]/i.test(file)) return file;
  return URI.file(pathOfSource(file)).toString();
}
