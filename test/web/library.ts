/** A page with the library that tests ask things of (page/library.ts). */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions } from "esbuild";
import type { Page } from "playwright-core";
import { folderWith } from "../cli/support.js";
import { openBrowser, serve } from "./browser.js";
import type * as library from "./page/library.js";

export type Library = typeof library;

/** An empty page, and what calls the functions of its library there with plain values. */
export interface LibraryPage {
  readonly page: Page;
  readonly call: <Name extends keyof Library>(
    name: Name,
    ...given: Parameters<Library[Name]>
  ) => Promise<Awaited<ReturnType<Library[Name]>>>;
  readonly close: () => Promise<void>;
}

const html = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">`;
const root = join(import.meta.dirname, "..", "..", "..");

export async function openLibrary(): Promise<LibraryPage> {
  const folder = folderWith({ "index.html": html });
  const bundler: { readonly bundleForPages: (options: BuildOptions) => Promise<unknown> } = await import(
    pathToFileURL(join(root, "scripts", "web.mjs")).href
  );
  const entryPoints = [join(import.meta.dirname, "page", "library.js")];
  await bundler.bundleForPages({ entryPoints, outfile: join(folder, "library.js"), format: "esm" });
  const server = await serve(folder);
  const browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`${server.address}/index.html`);
  return {
    page,
    call: (name, ...given) =>
      page.evaluate(`import("./library.js").then((library) => library.${name}(...${JSON.stringify(given)}))`),
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}
