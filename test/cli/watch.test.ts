import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Page } from "playwright-core";
import { chartText } from "../../cli/progress.js";
import { readCheckpoint } from "../../runtime/files/checkpoint.js";
import { updated, type WatchState, type WatchUpdate } from "../../viewer/watch_messages.js";
import { executable, hasChromium, launch, until } from "../viewer/browser.js";
import { binary, type Ended, graphcHere, lineFolder, start } from "./support.js";

interface Watched {
  readonly url: string;
  readonly ended: Promise<Ended>;
  readonly cwd: string;
  readonly interrupt: () => boolean;
}

/** Starts a training that would last for long, and waits for its address. */
async function watched(t: ExecutionContext, ...flags: readonly string[]): Promise<Watched> {
  const cwd = lineFolder();
  const parameters = [
    "train",
    "line.graph",
    "--steps",
    "100000000",
    "--every",
    "100000000",
    "--target",
    "reference",
    "--watch",
  ];
  const { child, ended } = start([...parameters, ...flags], { cwd });
  // A test that fails must not leave it behind.
  t.teardown(() => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stderr?.on("data", (chunk: string) => {
      text += chunk;
      const found = /watch it at (http:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("close", () => reject(new Error(`it ended: ${text}`)));
  });
  return { url, ended, cwd, interrupt: () => child.kill("SIGINT") };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** fetch would not let a test choose Host and Origin. */
function ask(url: string, method: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject).end();
  });
}

const act = (url: string, action: string) => ask(`${url}${action}`, "POST", { Origin: new URL(url).origin });

/** States as they come, until one is as wanted. */
async function stateWhere(url: string, wanted: (state: WatchState) => boolean): Promise<WatchState> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no such state within 20 s")), 20_000);
    const request = httpRequest(`${url}events`, (response) => {
      let text = "";
      let state: WatchState | undefined;
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          state = updated(state, JSON.parse(text.slice("data: ".length, end)) as WatchUpdate);
          text = text.slice(end + 2);
          if (!wanted(state)) continue;
          clearTimeout(timer);
          request.destroy();
          resolve(state);
          return;
        }
      });
    });
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}

test.serial(
  "the page is on this machine only, behind a token, and is refused to other hosts and origins",
  async (t) => {
    const { url, ended } = await watched(t);
    const { origin, host, pathname, hostname } = new URL(url);
    t.is(hostname, "127.0.0.1");
    t.regex(pathname, /^\/[0-9a-f]{32}\/$/);
    const page = await ask(url, "GET");
    t.is(page.status, 200);
    t.regex(
      String(page.headers["content-security-policy"]),
      /default-src 'none'; script-src 'nonce-[^']+'; .*frame-ancestors 'none'/,
    );
    t.is(page.headers["referrer-policy"], "no-referrer");
    t.false(/(src|href)="(?!data:)/.test(page.body), "nothing comes from elsewhere");
    for (const path of ["/", `/${"0".repeat(32)}/`, `/${pathname.slice(1, 20)}/`, `${pathname}x/y`]) {
      t.is((await ask(`${origin}${path}`, "GET")).status, 403, path);
    }
    t.is((await ask(`${url}nothing`, "GET")).status, 404);
    t.is((await ask(`${url}stop`, "GET")).status, 405);
    // A name that resolves to this machine: DNS rebinding.
    t.is((await ask(url, "GET", { Host: `attacker.example:${host.split(":")[1]}` })).status, 403);
    t.is((await ask(`${url}events`, "GET", { Host: "attacker.example" })).status, 403);
    t.is((await ask(`${url}stop`, "POST", { Origin: "http://attacker.example" })).status, 403);
    t.is((await ask(`${url}stop`, "POST")).status, 403);
    t.is((await act(url, "save")).status, 409);
    const taken = await graphcHere(["train", "line.graph", "--watch", host.split(":")[1] ?? ""], { cwd: lineFolder() });
    t.is(taken.code, 2);
    t.regex(taken.stderr, /no page can be served on port \d+: something else listens there/);
    t.is((await stateWhere(url, ({ status }) => status === "running")).canSave, false);
    t.is((await act(url, "stop")).status, 204);
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
    t.regex(stderr, /ended at step [\d,]+ as asked/);
    await t.throwsAsync(ask(url, "GET"), undefined, "nobody answers any more");
  },
);

test.serial("pause holds the steps, save writes, resume goes on, and the last state is told", async (t) => {
  const { url, ended, cwd } = await watched(t, "--save", "line.safetensors");
  const running = await stateWhere(url, ({ step, samples }) => step > 0 && samples.length > 0);
  t.deepEqual([running.name, running.status, running.canSave, running.signature], ["line", "running", true, "predict"]);
  t.is(running.samples.length, 8);
  t.deepEqual(running.samples[0]?.inputs, [
    { name: "x", text: "-1" },
    { name: "y", text: "-1" },
  ]);
  t.is(running.samples[0]?.outputs[0]?.name, "p");
  t.true(running.curves.some(({ kind, name }) => kind === "training" && name === "metrics.loss"));
  t.is((await act(url, "pause")).status, 204);
  t.is((await act(url, "pause")).status, 409);
  const held = await stateWhere(url, ({ status }) => status === "paused");
  // Whatever is saved from now on is of this very step.
  const file = join(cwd, "line.safetensors");
  for (const _ of [1, 2, 3]) {
    rmSync(file, { force: true });
    t.is((await act(url, "save")).status, 204);
    await until("it is saved", async () => existsSync(file));
    t.is((await readCheckpoint(file)).step, held.step);
  }
  const saved = await stateWhere(url, ({ message }) => message.startsWith("saved "));
  t.is(saved.message, `saved line.safetensors at step ${held.step.toLocaleString("en")}`);
  t.is(saved.samplesStep, held.step);
  t.deepEqual([saved.status, saved.step], ["paused", held.step]);
  t.is((await act(url, "resume")).status, 204);
  const further = await stateWhere(url, ({ step }) => step > held.step);
  t.true((further.stepsPerSecond ?? 0) > 0);
  t.is(further.message, "");
  const last = stateWhere(url, ({ status }) => status === "interrupted");
  t.is((await act(url, "stop")).status, 204);
  t.true((await last).step >= further.step);
  t.is((await ended).code, 0);
});

test.serial("a paused training can be stopped, and one that ends by itself leaves no server behind", async (t) => {
  const { url, ended } = await watched(t);
  await stateWhere(url, ({ step }) => step > 0);
  await act(url, "pause");
  await stateWhere(url, ({ status }) => status === "paused");
  t.is((await act(url, "stop")).status, 204);
  t.is((await ended).code, 0);
  const second = await watched(t, "--save", "line.safetensors");
  await stateWhere(second.url, ({ step }) => step > 0);
  await act(second.url, "pause");
  const paused = await stateWhere(second.url, ({ status }) => status === "paused");
  second.interrupt();
  const { code, stderr } = await second.ended;
  t.is(code, 0, stderr);
  t.true(stderr.includes(`saved line.safetensors at step ${paused.step.toLocaleString("en")}\n`), stderr);
  const short = await graphcHere(["train", "line.graph", "--watch", "--target", "reference"], { cwd: lineFolder() });
  t.is(short.code, 0, short.stderr);
  t.regex(short.stderr, /watch it at http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/\n/);
});

// `script` gives it a terminal, in a shell that must make way: on Ctrl-C some shells end with 130, whatever the command in them ends with.
const onTerminal = existsSync("/usr/bin/script") ? test.serial : test.serial.skip;

onTerminal("on a terminal the page of a training that has ended stays until Ctrl-C", async (t) => {
  const command = [process.execPath, binary, "train", "line.graph", "--steps", "7", "--target", "reference", "--watch"];
  const exec = `exec ${command.map((word) => `'${word}'`).join(" ")}`;
  const child = spawn("script", ["-qec", exec, "/dev/null"], { cwd: lineFolder() });
  t.teardown(() => child.kill("SIGKILL"));
  let text = "";
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const stays = /its page stays at (http:\S+) until Ctrl-C/;
  await until("it has ended and stays", async () => stays.test(text));
  const url = stays.exec(text)?.[1] ?? "";
  const state = await stateWhere(url, ({ status }) => status === "done");
  t.deepEqual([state.step, state.steps, state.samples.length], [7, 7, 8]);
  t.regex(text, /step 7 /);
  t.is((await act(url, "pause")).status, 409);
  // Ctrl-C as it is typed.
  child.stdin.write("\u0003");
  t.is(await ended, 0, text);
  await t.throwsAsync(ask(url, "GET"));
});

const inBrowser = hasChromium ? test.serial : test.serial.skip;

/** Whether something of this colour is drawn in the first chart: `#rrggbb`, give or take what smooths the edges. */
async function hasColour(page: Page, colour: string): Promise<boolean> {
  const levels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return page.evaluate<boolean>(`(() => {
    const canvas = document.querySelector("canvas");
    if (canvas === null) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] === 255 && ${JSON.stringify(levels)}.every((level, k) => Math.abs(data[i + k] - level) < 8)) return true;
    return false;
  })()`);
}

inBrowser(`the page shows curves, reads and zooms them, pauses, resumes and stops (in ${executable})`, async (t) => {
  const { url, ended } = await watched(t);
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, acceptDownloads: true });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.locator("figure", { hasText: "steps/s" }).waitFor();
    await page.waitForSelector(".sample");
    t.is(await page.title(), "line · graphc train");
    t.deepEqual(await page.locator("figure h2").allTextContents(), ["metrics.loss", "w", "b", "steps/s"]);
    await until("the curve is drawn", () => hasColour(page, "#0969da"));
    t.true(await page.locator("#save").isDisabled());
    t.regex((await page.textContent("#reason")) ?? "", /start with --save PATH/);
    await page.click("#pause");
    await page.locator("#status", { hasText: /^paused$/ }).waitFor();
    t.is(await page.textContent("#pause"), "Resume");
    const plot = page.locator(".plot").first();
    const readout = page.locator(".readout").first();
    const last = await readout.textContent();
    // What is read moves with the pointer and with the keys, in all charts.
    const area = await plot.locator(".u-over").boundingBox();
    await page.mouse.move((area?.x ?? 0) + 3, (area?.y ?? 0) + 20);
    await until("the pointer reads", async () => (await readout.textContent()) !== last);
    const others = await page.locator(".readout").allTextContents();
    t.true(others.every((text) => /^step [\d,]+ · /.test(text)));
    await page.mouse.move(1, 1);
    await plot.focus();
    await page.keyboard.press("Home");
    await until("a key reads", async () => (await readout.textContent()) !== last);
    await page.keyboard.press("+");
    await until("a key zooms", () => page.locator("#all").isEnabled());
    await page.keyboard.press("Escape");
    t.true(await page.locator("#all").isDisabled());
    await page.mouse.move((area?.x ?? 0) + 100, (area?.y ?? 0) + 60);
    await page.mouse.down();
    await page.mouse.move((area?.x ?? 0) + 200, (area?.y ?? 0) + 60, { steps: 3 });
    await page.mouse.up();
    await until("dragging zooms", () => page.locator("#all").isEnabled());
    await plot.locator(".u-over").dblclick();
    await until("a double click shows all", () => page.locator("#all").isDisabled());
    const name = "metrics.loss: logarithmic y axis";
    await page.getByRole("button", { name }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "metrics.loss: download as CSV" }).click(),
    ]);
    t.is(download.suggestedFilename(), "metrics.loss.csv");
    t.regex(readFileSync(await download.path(), "utf8"), /^curve,name,step,.*\ntraining,metrics\.loss,\d+,/);
    await page.locator("#smoothing").fill("0");
    await page.selectOption("#axis", "time");
    if (process.env.GRAPHC_SCREENSHOTS !== undefined) {
      await page.screenshot({ path: join(process.env.GRAPHC_SCREENSHOTS, "watch.png") });
    }
    // A reload loses neither curves nor settings, and a second page has the same.
    await page.reload();
    await until("the curve is drawn again", () => hasColour(page, "#0969da"));
    t.deepEqual([await page.inputValue("#axis"), await page.inputValue("#smoothing")], ["time", "0"]);
    t.is(await page.getByRole("button", { name }).getAttribute("aria-pressed"), "true");
    const second = await browser.newPage();
    await second.goto(url);
    await second.locator("#status", { hasText: /^paused$/ }).waitFor();
    await second.click("#pause");
    await page.locator("#status", { hasText: /^running$/ }).waitFor();
    await page.click("#stop");
    for (const one of [page, second]) {
      await one.locator("#status", { hasText: /^stopped$/ }).waitFor();
      t.true(await one.locator("#pause").isDisabled());
      t.regex((await one.textContent("#reason")) ?? "", /has ended/);
    }
    t.deepEqual(complaints, []);
    t.is((await ended).code, 0);
  } finally {
    await browser.close();
  }
});

test("a curve in one line of text", (t) => {
  t.is(chartText([0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
  t.is(chartText([1, 1, 1]), "▄▄▄");
  t.is(chartText([5]), "");
  t.is(chartText([Number.NaN, 2, 1, Number.POSITIVE_INFINITY]), "×█▁×");
  t.is(chartText([Number.NaN, Number.NaN]), "××");
  // Each a tenth of the one before: level steps, where linear heights would show the first alone.
  t.is(chartText([10, 1, 0.1, 0.01]), "█▆▃▁");
  // Four columns of three values each.
  t.is(
    chartText(
      Array.from({ length: 12 }, (_, i) => Math.floor(i / 3)),
      4,
    ),
    "▁▃▆█",
  );
  t.is(chartText(Array.from({ length: 1000 }, (_, i) => -i)).length, 12);
});
