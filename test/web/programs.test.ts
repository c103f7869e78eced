/** Programs in a page whose parts lie on the processor and on a device: what they compute, and what they send. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { Session, type TensorData } from "../../index.js";
import { announced, different, placedText } from "../backends/gpu/placed.js";
import { folderWith, graphc } from "../cli/support.js";
import { compileText } from "../runtime/programs.js";
import { layersOn } from "../support/models.js";
import { hasBrowser } from "./browser.js";
import { type LibraryPage, modelOf, openLibrary } from "./library.js";
import type * as programs from "./page/programs.js";

const browserTest = hasBrowser() ? test.serial : test.serial.skip;
let library: LibraryPage<typeof programs> | undefined;

test.after.always(() => library?.close());

async function opened(): Promise<LibraryPage<typeof programs>> {
  library ??= await openLibrary<typeof programs>("programs");
  return library;
}

const rows = 48;
const x = Array.from({ length: rows * 6 }, (_, i) => Math.fround(Math.sin(i * i)));
const label = Array.from({ length: rows }, (_, i) => i % 3);

const closely = (found: readonly number[] | undefined, wanted: TensorData | undefined): boolean =>
  found !== undefined && !different(Float64Array.from(found), wanted);

for (const [first, second] of [
  ["gpu", "cpu"],
  ["cpu", "gpu"],
] as const) {
  browserTest(
    `layers on the ${first} and on the ${second} predict and train on each device as the reference does`,
    async (t) => {
      const { call, folder } = await opened();
      const text = layersOn(first, second);
      const source = folderWith({ [`${first}.graph`]: text });
      const built = await graphc(["build", `${first}.graph`, "-o", folder, "--target", "web"], { cwd: source });
      t.is(built.code, 0, built.stderr);
      // What only a page would find out is told when it is built.
      t.regex(built.stderr, /^warning G121: `cumsum` runs on the cpu: there is no kernel of cumsum/);
      t.regex(built.stderr, /in a page JavaScript does the cpu's part/);

      const program = await compileText(t, text, { target: "reference", onWarning: () => {} });
      await using session = new Session(program, { seed: 3 });
      const data = { x: Float32Array.from(x), label: BigInt64Array.from(label, BigInt) };
      const run = { run: "fit", data, batch: 16, steps: 20, every: 5 } as const;
      const { history } = await session.train(run);
      const { probs } = await session.run("predict", { x: data.x });
      for (const device of ["webgpu", "webgl2", "webasm", "cpu"] as const) {
        const found = await call("trained", `./${first}.js`, device, x, label);
        t.true(found.device.startsWith(`${device} (`), found.device);
        t.is(found.losses.length, 4);
        t.true(
          closely(
            found.losses,
            Float64Array.from(history, (report) => report["loss"] ?? Number.NaN),
          ),
          device,
        );
        t.true(closely(found.probs, probs?.data as TensorData), device);
        for (const path of session.variables.paths)
          t.true(closely(found.variables[path], (await session.read(path)).data as TensorData), `${device}: ${path}`);
      }
    },
  );
}

for (const device of ["webgl2", "webgpu"] as const) {
  browserTest(
    `${device}: random graphs with random placements give what the reference gives, and send what is announced`,
    async (t) => {
      const { call } = await opened();
      const feed = Float32Array.from({ length: 12 }, (_, i) => Math.sin(3 * i + 1));
      let agreed = 0;
      const agrees = async (text: string): Promise<void> => {
        const program = await compileText(t, text, { target: "reference", onWarning: () => {} });
        const expected = announced(program, "gpu");
        await using session = new Session(program, { seed: 3 });
        const feeds = { x: { shape: [3, 4], data: [...feed] } };
        const { ran, left } = await call("runs", await modelOf(t, text), device, "fit", feeds, 3);
        for (const [step, { results, sent }] of ran.entries()) {
          const wanted = await session.run("fit", { x: feed });
          for (const [name, { data }] of Object.entries(wanted)) {
            if (!closely(results[name], data as TensorData))
              throw new Error(`step ${step}: ${name} is ${results[name]}, not ${[...data]}\n${text}`);
          }
          // The first run also brings the variables.
          if (step > 0 && (sent.up !== expected.up || sent.down !== expected.down))
            throw new Error(`${JSON.stringify(sent)} bytes are sent, not ${JSON.stringify(expected)}\n${text}`);
        }
        if (left !== 0) throw new Error(`${left} arrays are left\n${text}`);
        agreed++;
      };
      await fc.assert(fc.asyncProperty(placedText, agrees), { numRuns: 6, includeErrorInReport: true });
      t.is(agreed, 6);
    },
  );
}

browserTest("webasm: more kernels than a browser gives memories for", async (t) => {
  const { call } = await opened();
  const sizes = Array.from({ length: 150 }, (_, i) => i + 1);
  const lines = sizes.map((n) => `y${n} = tanh(x[0:${n}] * ${n}.5)`);
  const outputs = sizes.map((n) => `y${n}`).join(", ");
  const text = `graph many {\nplaceholder x: f32[150]\n${lines.join("\n")}\nsignature all(x) -> (${outputs})\n}\n`;
  const data = sizes.map((n) => Math.fround(Math.sin(n) / n));
  const { ran } = await call("runs", await modelOf(t, text), "webasm", "all", { x: { shape: [150], data } }, 2);
  t.deepEqual(ran[0], ran[1]);
  for (const n of sizes) {
    const wanted = data.slice(0, n).map((one) => Math.tanh(one * (n + 0.5)));
    t.true(closely(ran[0]?.results[`y${n}`], Float64Array.from(wanted)), `y${n}`);
  }
});

browserTest("a worker runs a program as its page does", async (t) => {
  const { call, folder, page } = await opened();
  const worker = `import { runs } from "./library.js";
onmessage = ({ data }) => runs(...data).then(postMessage, (error) => postMessage(String(error)));`;
  writeFileSync(join(folder, "worker.js"), worker);
  const model = await modelOf(t, layersOn("gpu", "gpu"));
  const feeds = { x: { shape: [rows, 6], data: x } };
  for (const device of ["webgl2", "webasm"] as const) {
    const given = [model, device, "predict", feeds, 2] as const;
    const found = await page.evaluate(`new Promise((resolve, reject) => {
      const worker = new Worker("./worker.js", { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(${JSON.stringify(given)});
    })`);
    t.deepEqual(found, await call("runs", ...given));
  }
});

browserTest("a page is told of what its device lacks", async (t) => {
  const { call } = await opened();
  const text = "graph g {\nplaceholder x: f32[4]\ny = cumsum(x)\nsignature go(x) -> (y)\n}\n";
  const feeds = { x: { shape: [4], data: [1, 2, 3, 4] } };
  const { ran, warnings } = await call("runs", await modelOf(t, text), "webasm", "go", feeds, 1);
  t.deepEqual(ran[0]?.results["y"], [1, 3, 6, 10]);
  t.deepEqual(warnings, ["`cumsum` runs on the cpu: there is no kernel of cumsum"]);
});

test("a graph with an array that kernels cannot index is refused when it is built", async (t) => {
  const text = `graph big {
  placeholder x: f32[5000, 1]
  variable w: f32[1, 5000] = zeros()
  y = sort(x @ w, axis=1)
}
`;
  const folder = folderWith({ "big.graph": text });
  const built = await graphc(["build", "big.graph", "-o", "page", "--target", "web"], { cwd: folder });
  t.is(built.code, 1);
  t.regex(built.stderr, /^error G102: .* 25,000,000 elements/m);
});
