/** A page with a module that tests ask things of: one of those in page/, bundled as the library for pages is. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ExecutionContext } from "ava";
import { stringify } from "devalue";
import type { BuildOptions } from "esbuild";
import type { Page } from "playwright-core";
import { saveGraph } from "../../compiler/ir/saved.js";
import { folderWith } from "../cli/support.js";
import { compileText } from "../runtime/programs.js";
import { openBrowser, serve } from "./browser.js";

type Functions = Readonly<Record<string, (...given: never[]) => unknown>>;

/** An empty page, and what calls the functions of a module there with plain values. */
export interface LibraryPage<Module extends Functions> {
  readonly page: Page;
  /** What is served. */
  readonly folder: string;
  readonly call: <Name extends keyof Module & string>(
    name: Name,
    ...given: Parameters<Module[Name]>
  ) => Promise<Awaited<ReturnType<Module[Name]>>>;
  /** Ends the browser's process that renders, as the end of a driver does. */
  readonly endRenderer: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const html = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">`;
const root = join(import.meta.dirname, "..", "..", "..");

/** `Module`: the type of the module of that name in page/. */
export async function openLibrary<Module extends Functions>(name: string): Promise<LibraryPage<Module>> {
  const folder = folderWith({ "index.html": html });
  const bundler: { readonly bundleForPages: (options: BuildOptions) => Promise<unknown> } = await import(
    pathToFileURL(join(root, "scripts", "web.mjs")).href
  );
  const entryPoints = [join(import.meta.dirname, "page", `${name}.js`)];
  await bundler.bundleForPages({ entryPoints, outfile: join(folder, "library.js"), format: "esm" });
  const server = await serve(folder);
  const browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`${server.address}/index.html`);
  return {
    page,
    folder,
    call: (of, ...given) =>
      page.evaluate(`import("./library.js").then((library) => library.${of}(...${JSON.stringify(given)}))`),
    endRenderer: async () => {
      const session = await browser.newBrowserCDPSession();
      // Nobody answers it.
      session.send("Browser.crashGpuProcess").catch(() => undefined);
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

/** What `graphc build` writes of a graph's text, for `openModel`. */
export async function modelOf(t: ExecutionContext, text: string): Promise<string> {
  const { graph } = await compileText(t, text, { onWarning: () => {} });
  return stringify(saveGraph(graph));
}
