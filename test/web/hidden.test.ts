import { spawn } from "node:child_process";
import { join } from "node:path";
import test from "ava";
import { folderWith, graphc } from "../cli/support.js";
import { executable, hasBrowser, serve } from "./browser.js";

const model = `graph small {
  seed 7
  placeholder x: f32[8, 4]
  variable w: f32[4, 3] = normal()
  loss = mean((x @ w) ** 2)
  dw = gradients(loss, [w])
  update learn {
    w := w - 0.1 * dw
  }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 8
    steps = 40
  }
}
`;

/** Opens another page before itself, and trains while nobody sees it: a chain of timers says how often those have their turn. */
const page = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">
<script type="module">
import { open } from "./small.js";
const tell = (what) => fetch("/", { method: "POST", body: JSON.stringify(what) });
async function trained(device) {
  const session = await open({ device });
  const x = { dtype: "f32", shape: [8, 4], data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)) };
  const data = { data: { x }, batch: 8, every: 1 };
  await session.train({ ...data, steps: 2 });
  let going = true;
  let timers = 0;
  const chain = () => setTimeout(() => { timers++; if (going) chain(); }, 0);
  chain();
  const { port1, port2 } = new MessageChannel();
  let messages = 0;
  port1.onmessage = () => { messages++; if (going) port2.postMessage(0); };
  port2.postMessage(0);
  let steps = 0;
  await session.train({ ...data, steps: 42, onReport: () => steps++ });
  going = false;
  const name = session.program.backend.device;
  await session.close();
  return { name, state: document.visibilityState, steps, timers, messages };
}
try {
  window.open("other.html");
  while (document.visibilityState !== "hidden") await new Promise((resolve) => setTimeout(resolve, 10));
  const found = [];
  for (const device of ["webgl2", "webasm"]) found.push(await trained(device));
  tell(found);
} catch (error) {
  tell(String(error));
}
</script>`;

interface Found {
  readonly name: string;
  readonly state: string;
  readonly steps: number;
  /** How often a timer, and how often a message had its turn. */
  readonly timers: number;
  readonly messages: number;
}

(hasBrowser() ? test : test.skip)("a page that nobody sees trains no slower for it, and has its turn", async (t) => {
  const files = {
    "small.graph": model,
    "page/index.html": page,
    "page/other.html": "<title>other</title>",
    "user/a": "",
  };
  const folder = folderWith(files);
  const built = await graphc(["build", "small.graph", "-o", "page", "--target", "web"], { cwd: folder });
  t.is(built.code, 0, built.stderr);
  let told = (_: string): void => {};
  const answer = new Promise<string>((resolve) => {
    told = resolve;
  });
  const server = await serve(join(folder, "page"), told);
  // Without playwright, which keeps its pages as if they were seen.
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-popup-blocking"];
  const browser = spawn(
    executable,
    [...flags, `--user-data-dir=${join(folder, "user")}`, `${server.address}/index.html`],
    { stdio: "ignore" },
  );
  try {
    const found: readonly Found[] | string = JSON.parse(await answer);
    if (typeof found === "string") throw new Error(found);
    t.deepEqual(
      found.map(({ name, state, steps }) => [name.split(" ")[0], state, steps]),
      [
        ["webgl2", "hidden", 40],
        ["webasm", "hidden", 40],
      ],
    );
    for (const { name, timers } of found) t.true(timers < 10, `${name}: ${timers} timers`);
    t.true((found[0]?.messages ?? 0) >= 40, JSON.stringify(found));
  } finally {
    browser.kill();
    server.close();
  }
});
