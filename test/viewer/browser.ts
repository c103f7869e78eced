import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { type Browser, chromium, type Page } from "playwright-core";
import { htmlText } from "../../viewer/html.js";
import type { ViewerDocument } from "../../viewer/model.js";

/** Where Debian puts it; another one by CHROMIUM. */
export const executable = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const hasChromium = existsSync(executable);

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable, args: flags });
}

let browser: Browser | undefined;

/** Tests in a browser that all of a file share, one after another; without Chromium they are skipped. To be asked for once in a file. */
export function browserTests(): typeof test.serial | typeof test.serial.skip {
  test.before(async (t) => {
    if (hasChromium) browser = await launch();
    else t.log(`there is no ${executable}: the page is not tested (apt-get install chromium, or set CHROMIUM)`);
  });
  test.after.always(async () => browser?.close());
  return hasChromium ? test.serial : test.serial.skip;
}

/** The browser of `browserTests`. */
export function running(): Browser {
  if (browser === undefined) throw new Error("the browser has not started");
  return browser;
}

export interface Opened {
  readonly page: Page;
  /** What the page complained of, or asked a network for. */
  readonly complaints: readonly string[];
  /** Until the first picture was drawn. */
  readonly seconds: number;
}

/** Opens the page of a document from disk, as a user would. */
export async function openPage(
  browser: Browser,
  document: ViewerDocument,
  colorScheme: "light" | "dark" = "light",
): Promise<Opened> {
  const file = join(mkdtempSync(join(tmpdir(), "graphc-viewer-")), "page.html");
  writeFileSync(file, htmlText(document));
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, colorScheme, acceptDownloads: true });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|blob|data):/.test(request.url())) complaints.push(`asks for ${request.url()}`);
  });
  const start = performance.now();
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector("html[data-ready]", { timeout: 60_000 });
  return { page, complaints, seconds: (performance.now() - start) / 1000 };
}

/** When the page came how far, in seconds from the beginning of its load. */
export async function progressOf(page: Page): Promise<string> {
  const marks = await page.evaluate<readonly (readonly [string, number])[]>(
    'performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime])',
  );
  return marks.map(([name, time]) => `${name} ${(time / 1000).toFixed(2)} s`).join(", ");
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).innerText()).trim();
}

/** Waits until something holds: what a key began may go on for a while. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`it never held: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A box of the current view, by what its accessible name begins with. */
export function box(page: Page, label: string) {
  return page.locator(`.pane.current [data-box][aria-label^="${label}"]`).first();
}

/** Waits until the box is selected. */
export async function isSelected(t: ExecutionContext, page: Page, label: string): Promise<void> {
  const selected = page.locator(".pane.current .selected").first();
  await until(
    `${label} is selected`,
    async () => (await selected.getAttribute("aria-label"))?.startsWith(label) === true,
  );
  t.pass();
}
