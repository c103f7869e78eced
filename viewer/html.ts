import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { ViewerDocument } from "./model.js";

/**
 * The page as one file that opens from disk. The document and the layout engine are in it as base64 of gzip, so that nothing in them,
 * whatever a user named, can end the script element that holds it.
 */
export function htmlText(document: ViewerDocument): string {
  const page = readFileSync(new URL("./page/page.html", import.meta.url), "utf8");
  const engine = readFileSync(createRequire(import.meta.url).resolve("elkjs/lib/elk-worker.min.js"));
  const parts: Readonly<Record<string, string>> = {
    document: packed(Buffer.from(JSON.stringify(document))),
    engine: packed(engine),
  };
  // A function, since `$&` in a replacement text would be a pattern.
  return page.replace(/\{\{(document|engine)\}\}/g, (marker, name: string) => parts[name] ?? marker);
}

function packed(content: Buffer): string {
  return gzipSync(content, { level: 9 }).toString("base64");
}
