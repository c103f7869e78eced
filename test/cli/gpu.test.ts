import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { temporaryFolder } from "../runtime/programs.js";
import { graphcHere } from "./support.js";

const text = `graph line {
  placeholder x: f32[8] = [1, 2, 3, 4, 5, 6, 7, 8]
  variable w: f32 = 0.0
  loss = mean((w * x - 2 * x) ** 2)
  dw = gradients(loss, w)
  sorted = sort(x, descending=true)
  update learn {
    w := w - 0.01 * dw
  }
  signature fit(x) does learn -> (loss)
  train {
    run = fit
    steps = 30
  }
}
`;

test.serial("train on a device names it, and tells what it was asked for", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const trained = await graphcHere(["train", file, "--target", "gpu", "--device", "webasm", "--json"]);
  t.is(trained.code, 0, trained.stderr);
  const report = JSON.parse(trained.stdout);
  t.is(report.target, "gpu");
  t.is(report.device, "webasm (WebAssembly)");
  t.true(report.metrics.loss < 1e-3);
  t.true(report.device_counts.launches >= 30);
  t.is(report.device_counts.launches % 30, 0);
});

test.serial("what runs on the processor is said, and the kernels can be read", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const ran = await graphcHere(["run", file, "--fetch", "sorted", "--target", "gpu", "--device", "cpu"]);
  t.is(ran.code, 0, ran.stderr);
  t.regex(ran.stderr, /warning G121: `\w+` runs on the cpu: there is no kernel of/);
  t.regex(ran.stdout, /8\.0, +7\.0/);
  const shown = await graphcHere(["inspect", file, "--stage", "gpu", "--signature", "fit"]);
  t.is(shown.code, 0, shown.stderr);
  t.regex(shown.stdout, /this\.thread\.x/);
  t.regex(shown.stdout, /assign "w"/);
});

test.serial("a device of another target, and one that is not there, are errors", async (t) => {
  const file = join(temporaryFolder(t), "line.graph");
  writeFileSync(file, text);
  const other = await graphcHere(["run", file, "--fetch", "loss", "--device", "webasm"]);
  t.is(other.code, 2);
  t.regex(other.stderr, /--device goes with --target gpu/);
  const missing = await graphcHere(["run", file, "--fetch", "loss", "--target", "gpu", "--device", "webgl2"]);
  t.not(missing.code, 0);
  t.regex(missing.stderr, /G122: device webgl2 is not available/);
});
