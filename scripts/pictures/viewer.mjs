// Takes the pictures of the viewer's page in docs/pictures. Needs a build with native code and Chromium; takes half a minute.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "graphc-pictures-"));

function pageOf(example) {
  const file = join(folder, `${example}.html`);
  const words = ["viz", `examples/${example}/${example}.graph`, "-o", file, "--signature", "fit"];
  const { status } = spawnSync(process.execPath, [join(root, "dist", "cli", "main.js"), ...words], {
    cwd: root,
    stdio: ["ignore", "inherit", "ignore"],
  });
  if (status !== 0) throw new Error(`graphc viz ended with ${status}`);
  return pathToFileURL(file).href;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

/** Opens the page of an example, does some steps in it, and takes its picture. */
async function take(name, example, steps) {
  const page = await browser.newPage({ viewport: { width: 1240, height: 760 }, colorScheme: "light" });
  await page.goto(pageOf(example));
  await page.waitForSelector("html[data-ready]");
  for (const step of steps) {
    if (typeof step === "string") await page.keyboard.press(step);
    else await step(page);
    await page.waitForSelector(".pane[aria-busy]", { state: "detached" });
  }
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(root, "docs", "pictures", name) });
  await page.close();
}

const press = (label) => (page) => page.locator(`.pane.current [data-box][aria-label^="${label}"]`).first().click();
const search = (words) => async (page) => {
  await page.keyboard.press("/");
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
};

try {
  await take("viewer.png", "lstm", [press("states, lstm_with_cells"), "f"]);
  await take("viewer_kernels.png", "transformer", ["3", "f"]);
  await take("viewer_explained.png", "mnist_dnn", [
    search("dot_general"),
    (page) => page.locator('#panel details[data-form="loops"] summary').click(),
    (page) => page.locator("#panel h3", { hasText: "Its gradient" }).evaluate((one) => one.scrollIntoView()),
  ]);
  await take("viewer_side_by_side.png", "mnist_dnn", ["3", "c", search("hidden_dense_w_matmul")]);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
