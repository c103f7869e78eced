import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { hasBrowser, openBrowser, serve } from "../web/browser.js";

const root = join(import.meta.dirname, "..", "..", "..");
const folder = join(root, "dist", "examples", "web_digits", "page");

(hasBrowser() ? test : test.skip)("a page reads a digit that is drawn, and learns from scratch", async (t) => {
  const made = spawnSync(process.execPath, [join(root, "scripts", "web_digits.mjs"), "--steps", "1000"], {
    encoding: "utf8",
  });
  t.is(made.status, 0, made.stderr);
  // What the page's script is type-checked with is what the graph says.
  const types = "web_digits.d.ts";
  const checked = readFileSync(join(root, "examples", "web_digits", "page", types), "utf8");
  t.is(checked, readFileSync(join(folder, types), "utf8"));
  const server = await serve(folder);
  const browser = await openBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    const problems: string[] = [];
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("request", (request) => {
      if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(server.address))
        problems.push(request.url());
    });
    await page.goto(`${server.address}/index.html?device=webasm`);
    await page.waitForSelector("#train:enabled", { timeout: 60_000 });
    t.regex((await page.textContent("#device")) ?? "", /^Computed by webasm \(/);

    // A seven: a bar, then down to the left.
    const box = await page.locator("#pad").boundingBox();
    if (box === null) throw new Error("the page shows no drawing area");
    await page.mouse.move(box.x + 80, box.y + 70);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 70, { steps: 6 });
    await page.mouse.move(box.x + 130, box.y + 220, { steps: 8 });
    await page.mouse.up();
    await page.waitForFunction(`document.querySelector("#digit").textContent === "7"`, undefined, { timeout: 60_000 });
    const percent = await page.locator("#bars li:nth-child(8) span").textContent();
    t.true(Number.parseFloat(percent ?? "") > 50, String(percent));
    if (process.env["GRAPHC_PICTURES"] !== undefined)
      await page.screenshot({ path: join(process.env["GRAPHC_PICTURES"], "drawn.png") });

    // What the page says in passing may be over before a test asks for it: each text is kept.
    await page.evaluate(`(() => {
      const state = document.querySelector("#state");
      globalThis.states = [];
      new MutationObserver(() => globalThis.states.push(state.textContent)).observe(state, {
        childList: true, characterData: true, subtree: true,
      });
    })()`);
    await page.click("#train");
    await page.waitForFunction(
      `Number(/^step (\\d+)/.exec(document.querySelector("#state").textContent)?.[1]) >= 50`,
      undefined,
      { timeout: 120_000 },
    );
    await page.click("#stop");
    await page.waitForSelector("#train:enabled", { timeout: 60_000 });
    const states = await page.evaluate<readonly string[]>("globalThis.states");
    const losses = states.flatMap((state) => {
      const loss = /^step \d+.*loss ([\d.]+)/.exec(state)?.[1];
      return loss === undefined ? [] : [Number(loss)];
    });
    const [first = Number.NaN, last = Number.NaN] = [losses[0], losses.at(-1)];
    // Ten classes and no idea: the cross-entropy begins near ln 10 = 2.3.
    t.true(first > 1.5 && last < first * 0.7, `${first} to ${last}`);
    // It goes on from there: no step is told of again.
    await page.click("#resume");
    await page.waitForFunction(
      `Number(/^step (\\d+)/.exec(document.querySelector("#state").textContent)?.[1]) >= 80`,
      undefined,
      { timeout: 120_000 },
    );
    await page.click("#stop");
    await page.waitForSelector("#resume:enabled", { timeout: 60_000 });
    const steps = (await page.evaluate<readonly string[]>("globalThis.states")).map((text) =>
      Number(/^step (\d+)/.exec(text)?.[1]),
    );
    t.true(
      steps.every((step, i) => step >= (steps[i - 1] ?? 0)),
      String(steps),
    );
    t.regex((await page.textContent("#reader")) ?? "", /learnt here, after \d+ steps/);
    t.true(((await page.getAttribute("#chart path", "d"))?.match(/L/g)?.length ?? 0) >= 20);
    if (process.env["GRAPHC_PICTURES"] !== undefined)
      await page.screenshot({ path: join(process.env["GRAPHC_PICTURES"], "trained.png") });
    t.deepEqual(problems, []);
    await page.close();

    // Whoever asks for what there is not is told, and does not look at a page that starts for ever.
    const other = await browser.newPage();
    await other.goto(`${server.address}/index.html?device=abacus`);
    await other.waitForSelector("#problem:not([hidden])", { timeout: 60_000 });
    t.regex((await other.textContent("#problem")) ?? "", /^there is no device abacus/);
    t.is(await other.textContent("#device"), "");
  } finally {
    await browser.close();
    server.close();
  }
  await saysWhyNoGpu(t);
});

/** Without WebGL and WebGPU the page computes by WebAssembly, and says why. */
async function saysWhyNoGpu(t: ExecutionContext): Promise<void> {
  const server = await serve(folder);
  const browser = await openBrowser({ graphics: false });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.address}/index.html`);
    await page.waitForSelector("#train:enabled", { timeout: 60_000 });
    t.regex(
      (await page.textContent("#device")) ?? "",
      /^Computed by webasm \(WebAssembly\)\. No GPU is used \(webgpu: .+; webgl2: .+\)\.$/,
    );
  } finally {
    await browser.close();
    server.close();
  }
}
