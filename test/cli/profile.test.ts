import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { at, graphcHere, lineFolder, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;

test.serial("--profile prints a table and writes a trace", async (t) => {
  const cwd = lineFolder();
  const ended = await graphcHere(["train", "line.graph", "--target", "reference", "--profile", "out/p.json"], { cwd });
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stdout, /^kernel +calls +time +a call +GFLOP\/s +GB\/s +of peak +memory +line$/m);
  t.regex(ended.stdout, /^\S+ +40 +.* line\.graph:\d+$/m);
  t.regex(ended.stdout, /^\(between kernels\) /m);
  t.regex(ended.stdout, /^measuring took at most [\d.]+ % of the time$/m);
  t.regex(ended.stderr, /wrote out\/p\.json: a trace of [\d,]+ calls/);
  const file: unknown = JSON.parse(readFileSync(join(cwd, "out/p.json"), "utf8"));
  t.is(at(file, "graphc", "version"), 1);
  t.is(at(file, "graphc", "machine"), null);
  t.is(at(file, "graphc", "computations", 0, "kernels", 0, "calls"), 40);
  t.is(at(file, "traceEvents", 0, "ph"), "M");
});

native("on the processor a kernel stands beside the machine's peaks", async (t) => {
  const cwd = lineFolder();
  const ended = await graphcHere(["run", "line.graph", "predict", "--feed", "x=[1,2]", "--profile"], { cwd });
  t.is(ended.code, 0, ended.stderr);
  t.regex(ended.stdout, /^p: f32\[2\]\n/);
  t.regex(ended.stdout, /^p +1 .* [\d,.]+ % .* line\.graph:\d+$/m);
  t.regex(ended.stdout, /one core's peaks, measured just now: [\d.,]+ GFLOP\/s in f32/);
  const json = await graphcHere(["train", "line.graph", "--profile", "--json"], { cwd });
  const gigaflops = Number(at(onlyObject(json), "profile", "machine", "gigaflops", "f32"));
  t.true(gigaflops > 0.1 && gigaflops < 10_000, String(gigaflops));
  const kernel = at(onlyObject(json), "profile", "computations", 0, "kernels", 0);
  t.true(Number(at(kernel, "roofline_seconds")) > 0);
  t.is(at(kernel, "places", 0, "file"), "line.graph");
});

test.serial("a file that is no .json was meant for something else", async (t) => {
  const ended = await graphcHere(["train", "--profile", "line.graph"], { cwd: lineFolder() });
  t.is(ended.code, 2);
  t.regex(ended.stderr, /ends in \.json/);
});

test.serial("a trace that cannot be written is refused before the run", async (t) => {
  const ended = await graphcHere(["train", "line.graph", "--profile", "line.csv/p.json", "--target", "reference"], {
    cwd: lineFolder(),
  });
  t.is(ended.code, 1);
  t.regex(ended.stderr, /error G092/);
  t.false(ended.stdout.includes("step"));
});
