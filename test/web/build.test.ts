import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { Browser, Page } from "playwright-core";
import { compile, Session } from "../../index.js";
import { folderWith, graphc, lineFolder } from "../cli/support.js";
import { compileTypeScript, workplace } from "../support/typescript.js";
import { hasBrowser, openBrowser, serve } from "./browser.js";

const model = `graph digits {
  seed 7
  dim N <= 100
  placeholder x: f32[N, 4]
  placeholder label: u8[N]
  variable w: f32[4, 3] = normal()
  variable b: f32[3] = zeros()
  logits = x @ w + b
  probs = softmax(logits)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  dw, db = gradients(loss, [w, b])
  update learn {
    w := w - 0.5 * dw
    b := b - 0.5 * db
  }
  signature predict(x) -> (probs)
  signature fit(x, label) does learn -> (loss)
  train {
    run = fit
    batch = 20
    steps = 50
  }
}
`;

const page = `<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">`;

/** Rows whose class follows from them: the largest of the first three columns. */
const rows = 60;
const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i * i + 1));
const label = Uint8Array.from({ length: rows }, (_, row) => {
  const [a = 0, b = 0, c = 0] = x.subarray(row * 4, row * 4 + 3);
  return a >= b && a >= c ? 0 : b >= c ? 1 : 2;
});

const folder = folderWith({ "digits.graph": model, "page/index.html": page });
const browserTest = hasBrowser() ? test.serial : test.serial.skip;

let browser: Browser | undefined;
let server: { readonly address: string; readonly close: () => void } | undefined;

test.before(async (t) => {
  const program = await compile(join(folder, "digits.graph"), { target: "reference" });
  const session = new Session(program, { seed: 3 });
  await session.save(join(folder, "digits.safetensors"));
  await session.close();
  const built = await graphc(
    ["build", "digits.graph", "-o", "page", "--target", "web", "--weights", "digits.safetensors", "--json"],
    { cwd: folder },
  );
  t.is(built.code, 0, built.stderr);
  const files = ["page/digits.js", "page/digits.d.ts", "page/digits.safetensors", "page/graphc.js"];
  t.deepEqual(JSON.parse(built.stdout), { output: "page", files });
  server = await serve(join(folder, "page"));
});

test.after.always(async () => {
  await browser?.close();
  server?.close();
});

async function openPage(): Promise<Page> {
  browser ??= await openBrowser();
  const opened = await browser.newPage();
  await opened.goto(`${server?.address}/index.html`);
  return opened;
}

/** What the module does in a page, as plain values; `code` has `digits`, the module, and \`x\` and \`label\`. */
async function inPage<T>(device: string, code: string): Promise<T> {
  const opened = await openPage();
  try {
    return await opened.evaluate(
      `(async () => {
        const digits = await import("./digits.js");
        const device = ${JSON.stringify(device)};
        const x = { dtype: "f32", shape: [${rows}, 4], data: Float32Array.from(${JSON.stringify([...x])}) };
        const label = { dtype: "u8", shape: [${rows}], data: Uint8Array.from(${JSON.stringify([...label])}) };
        ${code}
      })()`,
    );
  } finally {
    await opened.close();
  }
}

for (const device of ["webgl2", "webasm", "cpu"]) {
  browserTest(`a page predicts on ${device} as the reference does, from the weights that were built`, async (t) => {
    const program = await compile(join(folder, "digits.graph"), { target: "reference" });
    const session = new Session(program, { weights: join(folder, "digits.safetensors") });
    const { probs } = await session.run(["probs"], { x: { dtype: "f32", shape: [rows, 4], data: x } });
    await session.close();
    const found = await inPage<{ readonly device: string; readonly probs: readonly number[] }>(
      device,
      `const session = await digits.open({ device });
       const { probs } = await session.run("predict", { x });
       const { device: name } = session.program.backend;
       await session.close();
       return { device: name, probs: [...probs.data] };`,
    );
    t.true(found.device.startsWith(`${device} (`), found.device);
    t.is(found.probs.length, rows * 3);
    const worst = Math.max(...found.probs.map((value, i) => Math.abs(value - Number(probs?.data[i]))));
    t.true(worst < 1e-5, String(worst));
  });
}

browserTest("a page trains, stops when it is told to, and its weights go on in Node", async (t) => {
  const found = await inPage<{
    readonly losses: readonly number[];
    readonly stopped: number;
    readonly weights: readonly number[];
    readonly after: number;
  }>(
    "webasm",
    `const session = await digits.open({ device, fresh: true, seed: 5 });
     const losses = [];
     const data = { x, label };
     await session.train({ data, batch: 20, steps: 50, every: 10, onReport: ({ metrics }) => losses.push(metrics.loss) });
     const weights = [...await digits.weightsOf(session)];
     const { loss } = await session.run(["loss"], { x, label });
     const stop = new AbortController();
     const report = await session.train({ data, batch: 20, steps: 1e6, every: 1, signal: stop.signal,
       onReport: ({ step }) => step >= 60 && stop.abort() });
     return { losses, stopped: report.steps, weights, after: loss.data[0] };`,
  );
  const [first = 0] = found.losses;
  t.is(found.losses.length, 5);
  t.true((found.losses.at(-1) ?? first) < first / 2, String(found.losses));
  t.true(found.stopped >= 10 && found.stopped < 1e5, String(found.stopped));
  const path = join(folder, "trained.safetensors");
  writeFileSync(path, Uint8Array.from(found.weights));
  const session = new Session(await compile(join(folder, "digits.graph"), { target: "reference" }), { weights: path });
  const { loss } = await session.run(["loss"], {
    x: { dtype: "f32", shape: [rows, 4], data: x },
    label: { dtype: "u8", shape: [rows], data: label },
  });
  t.is(session.step, 50);
  t.true(Math.abs(Number(loss?.data[0]) - found.after) < 1e-5);
  await session.close();
});

browserTest("wrong feeds, weights that are not there and a device that is missing are graphc's errors", async (t) => {
  const found = await inPage<readonly string[]>(
    "webasm",
    `const session = await digits.open({ device });
     const codes = [];
     const told = (error) => codes.push(error instanceof digits.GraphError ? error.diagnostics[0].code : String(error));
     await session.run("predict", { x: label }).catch(told);
     await session.run("predict", { y: x }).catch(told);
     await digits.open({ device, weights: "absent.safetensors" }).catch(told);
     await digits.open({ device, weights: new Uint8Array(20) }).catch(told);
     await digits.open({ device: "headlessgl" }).catch(told);
     await session.save("weights.safetensors").catch(told);
     return codes;`,
  );
  t.deepEqual(found, ["G082", "G083", "G064", "G091", "G122", "G092"]);
});

test("what is written names no file of this machine, and imports nothing but the library beside it", (t) => {
  for (const name of readdirSync(join(folder, "page"))) {
    const text = readFileSync(join(folder, "page", name), "latin1");
    t.false(text.includes(folder), name);
    if (!name.endsWith(".js")) continue;
    const imports = [...text.matchAll(/^(?:import|export)\b.*\bfrom ?"(.*)"/gm)].map(([, from]) => from);
    t.deepEqual(imports, name === "graphc.js" ? [] : ["./graphc.js", "./graphc.js"]);
    t.is(text.indexOf('"node:'), -1);
  }
});

test("TypeScript knows the signatures of the module, in a page that knows nothing of Node", (t) => {
  const place = workplace();
  const settings = join(place, "tsconfig.json");
  const { compilerOptions, ...others } = JSON.parse(readFileSync(settings, "utf8"));
  const lib = ["es2023", "dom", "dom.iterable", "esnext.disposable"];
  const ofPages = { ...compilerOptions, types: [], lib, module: "esnext", moduleResolution: "bundler" };
  writeFileSync(settings, JSON.stringify({ ...others, compilerOptions: ofPages }));
  for (const name of ["digits.js", "digits.d.ts"]) copyFileSync(join(folder, "page", name), join(place, name));
  const user = `import { open } from "./digits.js";
const session = await open({ device: "webgl2" });
const { probs } = await session.run("predict", { x: new Float32Array(8) });
export const first: number | undefined = probs.data[0];
document.title = session.program.backend.device;
// @ts-expect-error There is no process in a page.
process.exit();
// @ts-expect-error It is predict.
await session.run("predicts", { x: new Float32Array(8) });
export {};
`;
  writeFileSync(join(place, "user.ts"), user);
  const { status, stdout } = compileTypeScript(place);
  t.is(status, 0, stdout);
});

test("data that pages do not read are told of once, and a folder that cannot be made before any work", async (t) => {
  const cwd = lineFolder();
  const built = await graphc(["build", "line.graph", "-o", "page", "--target", "web"], { cwd });
  t.is(built.code, 0, built.stderr);
  t.regex(built.stderr, /^the folder page is not there: it will be made\n/);
  t.is(built.stderr.match(/G071/g)?.length, 1);
  t.regex(built.stderr, /warning G071: a page does not read \.csv, which x, y come from/);
  for (const [output, reason] of [
    ["/proc/x", 'nothing can be made in "/proc": the file system there takes no new files (ENOENT)'],
    ["line.csv", '"line.csv" is not a folder'],
    ["line.csv/page", '"line.csv" is not a folder'],
  ] as const) {
    const refused = await graphc(["build", "line.graph", "-o", output, "--target", "web"], { cwd });
    t.is(refused.code, 1);
    t.true(
      refused.stderr.startsWith(`error G092: cannot write to ${JSON.stringify(output)}: ${reason}`),
      refused.stderr,
    );
  }
});

test("weights that do not fit the graph are found when it is built", async (t) => {
  const other = folderWith({
    "digits.graph": model.replaceAll("f32[3] = zeros", "f32[1] = zeros"),
    "w.safetensors": readFileSync(join(folder, "digits.safetensors")),
  });
  const built = await graphc(["build", "digits.graph", "-o", "page", "--to", "web", "--weights", "w.safetensors"], {
    cwd: other,
  });
  t.is(built.code, 1);
  t.regex(built.stderr, /G090/);
  t.deepEqual(readdirSync(other).sort(), ["digits.graph", "w.safetensors"]);
});

test("modules take the place of no file that somebody wrote", async (t) => {
  for (const name of ["line.js", "line.d.ts", "graphc.js"]) {
    const own = "export const mine = 1;\n";
    const cwd = folderWith({ "line.graph": "graph line {\n  y = 1\n}\n", [`page/${name}`]: own });
    const { code, stderr } = await graphc(["build", "line.graph", "-o", "page", "--target", "web"], { cwd });
    t.is(code, 1);
    t.regex(stderr, /G092.*no module that graphc wrote/);
    t.is(readFileSync(join(cwd, "page", name), "utf8"), own);
    t.deepEqual(readdirSync(join(cwd, "page")), [name]);
  }
});
