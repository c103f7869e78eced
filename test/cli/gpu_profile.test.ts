import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { hasSoftware } from "../backends/gpu/software.js";
import { temporaryFolder } from "../runtime/programs.js";
import { graphcHere } from "./support.js";

/** A program on two sides: the processor's part is large enough to be compiled, its scalars are evaluated op by op. */
const text = `import { dense } from "std/layers"
import { adam } from "std/optimizers"

graph mixed {
  placeholder x: f32[256, 64] = random()
  scaled = cumsum(x, axis=0) / 256.0 on "cpu"
  on "gpu" {
    variable offset: f32 = 0.0
    h = relu(dense(scaled, units=8) + offset)
    loss = mean(h ** 2)
    update learn = minimize(loss, adam())
  }
  signature fit() does learn -> (loss)
  signature look() -> (loss)
  train {
    run = fit
    steps = 4
  }
}
`.replace("random()", "sin(reshape(cast(iota(16384), to=f32), [256, 64]))");

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly on: string;
  readonly calls: number;
  readonly seconds: number;
  readonly written_bytes: number;
}

const native = probe().available ? test.serial : test.serial.skip;

const devices = ["webasm", ...(hasSoftware("swiftshader") ? ["webgpu"] : [])];

for (const device of devices)
  native(`a profile of two sides has the kernels of both and each transfer, by name: ${device}`, async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "mixed.graph"), text);
    const run = async (...given: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await graphcHere([...given], { cwd });
      t.is(code, 0, stderr);
      return stdout;
    };
    const shown = await run(
      "train",
      "mixed.graph",
      "--report",
      "loss",
      "--report",
      "offset",
      "--device",
      device,
      "--profile",
      "p.json",
    );
    t.regex(shown, /^kernel +on +calls +time +a call +GFLOP\/s +GB\/s +memory +line$/m);
    t.regex(shown, /^moved: to the device .+ in \d+ transfers of .+, from it .+ in \d+ transfers? of .+$/m);
    const { traceEvents, graphc } = JSON.parse(readFileSync(join(cwd, "p.json"), "utf8"));
    const [{ kernels, transfers, moved_bytes }] = graphc.computations as readonly [
      {
        kernels: readonly Row[];
        transfers: { readonly up: { readonly count: number; readonly bytes: number; readonly seconds: number } };
        moved_bytes: { readonly up: number };
      },
    ];
    t.is(new Set(kernels.map(({ name }) => name)).size, kernels.length);
    const of = (on: string): readonly Row[] => kernels.filter((row) => row.on === on && row.kind !== "transfer");
    // Each part of the processor runs once a step, as each launch does.
    for (const on of ["cpu", "gpu"])
      t.true(
        of(on).some(({ calls, seconds }) => calls === 4 && seconds > 0),
        on,
      );
    t.true(of("cpu").some(({ name }) => name.includes("scaled") || name.includes("cumsum")));
    const sent = kernels.filter(({ kind }) => kind === "transfer");
    const scaled = sent.find(({ name }) => name === "up scaled");
    t.is(scaled?.calls, 4);
    t.is(scaled?.written_bytes, 4 * 256 * 64);
    const up = sent.filter(({ name }) => name.startsWith("up "));
    t.is(
      transfers.up.count,
      up.reduce((sum, { calls }) => sum + calls, 0),
    );
    t.is(transfers.up.bytes, Math.round(up.reduce((sum, row) => sum + row.calls * row.written_bytes, 0)));
    t.is(transfers.up.bytes, moved_bytes.up);
    const threads = traceEvents.filter(({ name }: { name: string }) => name === "thread_name");
    t.deepEqual(threads.map(({ args }: { args: { name: string } }) => args.name).sort(), ["cpu", "gpu", "transfers"]);

    // What `explain` and the page call the kernels is what was measured, whatever training reports.
    for (const [edge, forms] of [
      ["scaled", ["LLVM", "assembly"]],
      ["h", ["gpu.js"]],
    ] as const) {
      const { stdout } = await graphcHere(["explain", "mixed.graph", edge, "--profile", "p.json"], { cwd });
      t.regex(stdout, /a call.*measured by p\.json on web/);
      for (const form of forms) t.true(stdout.includes(`${form}, `), stdout);
    }
    await run("viz", "mixed.graph", "-o", "a.html", "--profile", "p.json");
    const page = readFileSync(join(cwd, "a.html"), "utf8");
    const packed = /<script id="document" type="text\/plain">([A-Za-z0-9+/=]+)<\/script>/.exec(page)?.[1] ?? "";
    const { programs } = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString("utf8"));
    const drawn = programs[0].views[2].groups.flatMap(({ kernel }: { kernel?: object }) => kernel ?? []) as readonly {
      readonly device: string;
      readonly seconds?: number;
      readonly listings: readonly { readonly form: string }[];
      readonly unlisted?: string;
    }[];
    for (const kernel of drawn) {
      t.true((kernel.seconds ?? 0) > 0, JSON.stringify(kernel));
      const forms = kernel.listings.map(({ form }) => form);
      // The page takes the device from the profile.
      if (kernel.device === device) t.true(forms.includes("gpu.js"));
      else if (kernel.unlisted === undefined) t.deepEqual(forms, ["LLVM", "assembly"]);
      else t.regex(kernel.unlisted, /op by op/);
    }
    t.true(drawn.some(({ device: on }) => on === device));
    t.true(drawn.some(({ device: on, unlisted }) => on === "processor" && unlisted === undefined));
  });
