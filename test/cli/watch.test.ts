import { existsSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { chartText } from "../../cli/progress.js";
import type { WatchState } from "../../viewer/watch_messages.js";
import { executable, hasChromium, launch } from "../viewer/browser.js";
import { type Ended, graphcHere, lineFolder, start } from "./support.js";

interface Watched {
  readonly url: string;
  readonly ended: Promise<Ended>;
  readonly cwd: string;
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
  return { url, ended, cwd };
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
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const state = JSON.parse(text.slice("data: ".length, end)) as WatchState;
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
  t.true(Object.hasOwn(running.training[0]?.metrics ?? {}, "metrics.loss"));
  t.is((await act(url, "pause")).status, 204);
  t.is((await act(url, "pause")).status, 409);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const held = await stateWhere(url, ({ status }) => status === "paused");
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.is((await stateWhere(url, () => true)).step, held.step);
  t.is((await act(url, "save")).status, 204);
  await stateWhere(url, ({ message }) => message === `saved line.safetensors at step ${held.step}`);
  t.true(existsSync(join(cwd, "line.safetensors")));
  t.is((await act(url, "resume")).status, 204);
  const further = await stateWhere(url, ({ step }) => step > held.step);
  t.true((further.stepsPerSecond ?? 0) > 0);
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
  const short = await graphcHere(["train", "line.graph", "--watch", "--target", "reference"], { cwd: lineFolder() });
  t.is(short.code, 0, short.stderr);
  t.regex(short.stderr, /watch it at http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/\n/);
});

const inBrowser = hasChromium ? test.serial : test.serial.skip;

inBrowser(`the page shows curves, pauses, resumes and stops (in ${executable})`, async (t) => {
  const { url, ended } = await watched(t);
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 760 } });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.locator('figure path.training[d*="L"]').nth(2).waitFor({ state: "attached" });
    await page.waitForSelector(".sample");
    t.is(await page.title(), "line · graphc train");
    t.is(await page.locator("figure").count(), 3);
    t.true(await page.locator("#save").isDisabled());
    await page.click("#pause");
    await page.locator("#status", { hasText: /^paused$/ }).waitFor();
    t.is(await page.textContent("#pause"), "Resume");
    if (process.env.GRAPHC_SCREENSHOTS !== undefined) {
      await page.screenshot({ path: join(process.env.GRAPHC_SCREENSHOTS, "watch.png") });
    }
    await page.click("#pause");
    await page.locator("#status", { hasText: /^running$/ }).waitFor();
    await page.click("#stop");
    await page.locator("#status", { hasText: /^stopped$/ }).waitFor();
    t.true(await page.locator("#pause").isDisabled());
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
  t.is(chartText([Number.NaN, 2, 1, Number.POSITIVE_INFINITY]), "█▁");
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
