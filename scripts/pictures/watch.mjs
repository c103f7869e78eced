// Draws docs/pictures/watch.png: the page of `graphc train --watch` while examples/mnist_dnn learns for 20 epochs, paused after twelve.
// Needs a build and Chromium (CHROMIUM, else /usr/bin/chromium); takes some ten seconds.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { chromium } from "playwright-core";

const root = join(import.meta.dirname, "..", "..");
const model = join(root, "dist", "examples", "mnist_dnn", "mnist_dnn.graph");
const words = [
  "train",
  model,
  "--epochs",
  "20",
  "--every",
  "20",
  "--watch",
  "--save",
  join(root, "dist", "watched.safetensors"),
];
const training = spawn(process.execPath, [join(root, "dist", "cli", "main.js"), ...words], {
  stdio: ["ignore", "ignore", "pipe"],
});
const url = await new Promise((resolve, reject) => {
  let text = "";
  training.stderr.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    const found = /watch it at (http:\S+)/.exec(text)?.[1];
    if (found !== undefined) resolve(found);
  });
  training.on("close", () => reject(new Error(text)));
});
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 940 } });
  await page.goto(url);
  while (!(await page.evaluate("document.querySelector('progress').value > 0.6")))
    await new Promise((resolve) => setTimeout(resolve, 25));
  await page.click("#pause");
  await page.getByRole("button", { name: "metrics.loss: logarithmic y axis" }).click();
  await page.locator("#status", { hasText: /^paused$/ }).waitFor();
  await page.waitForSelector(".sample");
  await page.evaluate("document.activeElement.blur()");
  await page.screenshot({ path: join(root, "docs", "pictures", "watch.png") });
  await page.click("#stop");
} finally {
  await browser.close();
}
