import { join } from "node:path";
import test from "ava";
import { compile, Session } from "../../index.js";
import { folderWith, graphc } from "../cli/support.js";
import { hasBrowser, openBrowser, serve } from "./browser.js";

/**
 * A step of it is quickly given to a device and long in the making. The variable is a row of numbers at first, and what a kernel
 * with rows and columns makes after that: textures of GL differ in that.
 */
const model = `graph heavy {
  seed 7
  placeholder x: f32[128, 512]
  variable w: f32[512, 512] = normal()
  y = tanh(x @ w)
  loss = mean(y * y)
  dw = gradients(loss, [w])
  update learn {
    w := w - 0.1 * dw
  }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    batch = 128
    steps = 10
  }
}
`;

const page = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">`;
const browserTest = hasBrowser() ? test.serial : test.serial.skip;

interface Found {
  readonly device: string;
  readonly losses: readonly number[];
  /** How often a timer had its turn in each step. */
  readonly turns: readonly number[];
  /** Textures and framebuffers that are alive after each step. */
  readonly alive: readonly number[];
  readonly stopped: number;
}

browserTest("a page that trains on webgl2 has its turn in each step, can stop it, and keeps no textures", async (t) => {
  const folder = folderWith({ "heavy.graph": model, "page/index.html": page });
  const built = await graphc(["build", "heavy.graph", "-o", "page", "--target", "web"], { cwd: folder });
  t.is(built.code, 0, built.stderr);
  const server = await serve(join(folder, "page"));
  const browser = await openBrowser();
  try {
    const opened = await browser.newPage();
    await opened.goto(`${server.address}/index.html`);
    const found: Found = await opened.evaluate(`(async () => {
      let alive = 0;
      const count = (name, change) => {
        const original = WebGL2RenderingContext.prototype[name];
        WebGL2RenderingContext.prototype[name] = function (...given) {
          alive += change;
          return original.apply(this, given);
        };
      };
      for (const kind of ["Texture", "Framebuffer", "Buffer"]) {
        count("create" + kind, 1);
        count("delete" + kind, -1);
      }
      const { open } = await import("./heavy.js");
      const session = await open({ device: "webgl2" });
      const x = { dtype: "f32", shape: [128, 512], data: Float32Array.from({ length: 128 * 512 }, (_, i) => Math.sin(i)) };
      const found = { device: session.program.backend.device, losses: [], turns: [], alive: [] };
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      const stop = new AbortController();
      const { steps } = await session.train({
        data: { x }, batch: 128, steps: 1e6, every: 1, signal: stop.signal,
        onReport: ({ step, metrics }) => {
          found.losses.push(metrics.loss);
          found.turns.push(turns);
          found.alive.push(alive);
          turns = 0;
          if (step === 5) setTimeout(() => stop.abort(), 0);
        },
      });
      clearInterval(timer);
      await session.close();
      return { ...found, stopped: steps };
    })()`);
    t.true(found.device.startsWith("webgl2 ("), found.device);
    const expected: number[] = [];
    const session = new Session(await compile(join(folder, "heavy.graph")));
    const onReport = ({ metrics }: { readonly metrics: Readonly<Record<string, number>> }): void => {
      expected.push(metrics["loss"] ?? Number.NaN);
    };
    const data = { x: Float32Array.from({ length: 128 * 512 }, (_, i) => Math.sin(i)) };
    await session.train({ data, batch: 128, steps: found.losses.length, every: 1, onReport });
    await session.close();
    for (const [i, loss] of found.losses.entries()) t.true(Math.abs(loss - (expected[i] ?? 0)) < 1e-5, `step ${i + 1}`);
    t.true(
      found.turns.every((turns) => turns > 0),
      String(found.turns),
    );
    t.is(new Set(found.alive.slice(2)).size, 1, String(found.alive));
    t.true(found.stopped >= 5 && found.stopped <= 7, String(found.stopped));
  } finally {
    await browser.close();
    server.close();
  }
});
