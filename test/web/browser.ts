/** A real browser for tests of pages, and the static server that they come from. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { type Browser, chromium } from "playwright-core";

export const executable = "/usr/bin/chromium";

/** Debian's Chromium, which make setup-gpu installs. Says so where it is missing; where all must be there, that is an error. */
export function hasBrowser(): boolean {
  if (existsSync(executable)) return true;
  const missing = `tests of pages are skipped: ${executable} is missing (make setup-gpu)`;
  if (process.env["GRAPHC_REQUIRE_GPU"] === "1") throw new Error(missing);
  console.log(missing);
  return false;
}

/** With WebGL 2 and WebGPU in software, SwiftShader, or without both. */
export function openBrowser({ graphics = true }: { readonly graphics?: boolean } = {}): Promise<Browser> {
  const webGpu = graphics ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : ["--disable-3d-apis"];
  const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({
    executablePath: executable,
    args: ["--no-sandbox", "--disable-gpu", "--disable-sync", ...quiet, ...webGpu],
  });
}

const kinds: ReadonlyMap<string, string> = new Map([
  [".html", "text/html"],
  [".js", "text/javascript"],
  [".css", "text/css"],
]);

/** Serves a folder on this machine alone, as any static host would. `onPost` is told what a page sends. */
export async function serve(
  folder: string,
  onPost: (text: string) => void = () => {},
): Promise<{ readonly address: string; readonly close: () => void }> {
  const server: Server = createServer(async (request, response) => {
    if (request.method === "POST") {
      onPost(await text(request));
      response.end();
      return;
    }
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    try {
      const content = await readFile(join(folder, path));
      response.writeHead(200, { "content-type": kinds.get(extname(path)) ?? "application/octet-stream" });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}
