import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { parseModule } from "../../compiler/ir/parser.js";
import { temporaryFolder } from "../runtime/programs.js";
import { at, codesOf, graphc, graphcHere, lineFolder, lineGraph, onlyObject } from "./support.js";

const native = probe().available ? test : test.skip;

test.serial("inspect --stage graph prints what parses again", async (t) => {
  const { code, stdout } = await graphcHere(["inspect", "line.graph", "--stage", "graph"], { cwd: lineFolder() });
  t.is(code, 0);
  const module = parseModule(stdout);
  t.is(module.name, "line");
  t.deepEqual(
    module.computations.map(({ name }) => name),
    ["predict", "evaluate", "fit"],
  );
});

test.serial("each stage shows its own form", async (t) => {
  const cwd = lineFolder();
  const show = async (stage: string): Promise<string> => {
    const ended = await graphcHere(["inspect", "line.graph", "--stage", stage, "--signature", "fit", "--dim", "N=8"], {
      cwd,
    });
    t.is(ended.code, 0, ended.stderr);
    return ended.stdout;
  };
  t.regex(await show("ast"), /^file @1:1\n {2}items: graph @2:1\n/);
  t.true((await show("graph")).includes("gradients("));
  t.false((await show("gradients")).includes("gradients("));
  t.regex(await show("optimized"), /^computation fit\(x: f32\[8\], y: f32\[8\], rate: f32\) \{\n/);
  t.regex(await show("kernels"), /^kernels fit \{\n/);
});

test.serial("inspect says which sizes it took, on standard error", async (t) => {
  const ended = await graphcHere(["inspect", "line.graph", "--stage", "kernels"], { cwd: lineFolder() });
  t.regex(ended.stderr, /N = 4 is the train block's batch; --dim chooses another size\n/);
  t.regex(ended.stderr, /N = 64 is the declared bound/);
  const json = await graphcHere(["inspect", "line.graph", "--stage", "kernels", "--json"], { cwd: lineFolder() });
  t.is(at(onlyObject(json), "stage"), "kernels");
});

test.serial("sizes that do not fit are refused", async (t) => {
  const refused = async (...flags: readonly string[]): Promise<readonly unknown[]> =>
    codesOf(
      await graphcHere(["inspect", "line.graph", "--stage", "kernels", "--json", ...flags], { cwd: lineFolder() }),
    );
  t.deepEqual(await refused("--dim", "N=65"), ["G084"]);
  t.deepEqual(await refused("--dim", "M=3"), ["G083"]);
  t.deepEqual(await refused("--dim", "__proto__=3"), ["G083"]);
  t.deepEqual(await refused("--signature", "fti"), ["G083"]);
});

test.serial("a dim without a bound needs a size", async (t) => {
  const cwd = lineFolder();
  const open = lineGraph.replace("dim N <= 64", "dim N");
  writeFileSync(join(cwd, "open.graph"), open);
  const ended = await graphcHere(["inspect", "open.graph", "--stage", "kernels", "--signature", "predict", "--json"], {
    cwd,
  });
  t.is(ended.code, 1);
  t.deepEqual(codesOf(ended), ["G080"]);
  const checked = await graphcHere(["check", "open.graph"], { cwd });
  t.is(checked.code, 0);
  t.regex(checked.stdout, /the memory of predict depends on N: give --dim N=32/);
});

native("compile fills the cache, and train then starts from it", async (t) => {
  const cwd = lineFolder();
  const env = { GRAPHC_CACHE_DIR: mkdtempSync(join(tmpdir(), "graphc-cli-cache-")) };
  const first = await graphc(["compile", "line.graph"], { cwd, env });
  t.is(first.code, 0, first.stderr);
  const rows = first.stdout.trim().split("\n");
  t.regex(rows[0] ?? "", /^signature +sizes +kernels +code +arena +peak +time$/);
  t.deepEqual(
    rows.slice(1).map((row) => row.split(/ {2,}/).slice(0, 2)),
    [
      ["predict", "N = 64"],
      ["evaluate", "N = 64"],
      ["fit", "N = 4"],
    ],
  );
  const second = onlyObject(await graphc(["compile", "line.graph", "--json", "--signature", "fit"], { cwd, env }));
  t.deepEqual(Object.keys(at(second, "signatures") ?? {}), ["fit"]);
  t.like(at(second, "signatures", "fit"), { dims: { N: 4 }, cached: true });
  t.true(Number(at(second, "signatures", "fit", "code_bytes")) > 0);
});

native("inspect shows LLVM's form and the machine's", async (t) => {
  const cwd = lineFolder();
  const llvm = await graphc(["inspect", "line.graph", "--stage", "llvm", "--signature", "predict"], { cwd });
  t.is(llvm.code, 0, llvm.stderr);
  t.regex(llvm.stdout, /define .*@graphc_entry\(/);
  const asm = await graphc(["inspect", "line.graph", "--stage", "asm", "--signature", "predict"], { cwd });
  t.is(asm.code, 0, asm.stderr);
  t.regex(asm.stdout, /^graphc_entry:/m);
});

native("native code of a graph that is placed on both sides says whose it is", async (t) => {
  const cwd = temporaryFolder(t);
  writeFileSync(join(cwd, "mixed.graph"), 'graph g {\n  h = exp([0.0, 1.0]) on "gpu"\n  signature s() -> (h)\n}\n');
  const said = /the code of --target cpu, with what the text places `on "gpu"`/;
  const llvm = await graphc(["inspect", "mixed.graph", "--stage", "llvm"], { cwd });
  t.regex(llvm.stderr, said);
  const chosen = await graphc(["inspect", "mixed.graph", "--stage", "llvm", "--target", "cpu"], { cwd });
  t.notRegex(chosen.stderr, said);
});

native("doctor finds all there", async (t) => {
  const ended = await graphc(["doctor", "--json"]);
  t.is(ended.code, 0);
  t.true(at(onlyObject(ended), "native"));
  t.is(at(onlyObject(ended), "fix"), null);
});

// Without PATH the linker is not found: what a machine without the toolchain looks like.
const bare = { PATH: "/nonexistent" };

test("doctor names what is missing and the command that mends it", async (t) => {
  const ended = await graphc(["doctor"], { env: bare });
  t.is(ended.code, 3);
  t.regex(ended.stdout, /linker +missing +not installed/);
  if (probe().available) t.regex(ended.stdout, /To mend it:\n {2}sudo apt-get install binutils\n/);
  const json = await graphc(["doctor", "--json"], { env: bare });
  t.is(json.code, 3);
  t.false(at(onlyObject(json), "native"));
});

test("without the toolchain the reference back end serves, and one line says so", async (t) => {
  const cwd = lineFolder();
  const ended = await graphc(["train", "line.graph"], { cwd, env: bare });
  t.is(ended.code, 0);
  t.is([...ended.stderr.matchAll(/graphc doctor/g)].length, 1);
  t.regex(ended.stderr, /^note: .*the reference back end serves, slower \(`graphc doctor`/);
  const insisted = await graphc(["train", "line.graph", "--target", "cpu", "--json"], { cwd, env: bare });
  t.is(insisted.code, 3);
  t.deepEqual(codesOf(insisted), ["G120"]);
  t.is((await graphc(["compile", "line.graph"], { cwd, env: bare })).code, 3);
});

/** The keys that other programs read: those of the manual, and no others. */
const keysOf = (value: unknown): readonly string[] => Object.keys(value ?? {});

test("doctor --json has the keys of the manual", async (t) => {
  const ended = await graphc(["doctor", "--json"], { env: bare });
  t.is(ended.stderr, "");
  const found = onlyObject(ended);
  const all = [
    "version",
    "node",
    "platform",
    "native",
    "requirements",
    "fix",
    "devices",
    "cpu",
    "memory_bytes",
    "cache",
  ];
  t.deepEqual(keysOf(found), all);
  const requirements = at(found, "requirements");
  t.true(Array.isArray(requirements));
  for (const one of Array.isArray(requirements) ? requirements : [])
    t.deepEqual(keysOf(one), ["name", "found", "detail", "fix"]);
  const devices = at(found, "devices");
  t.is(Array.isArray(devices) ? devices.length : 0, 5);
  for (const one of Array.isArray(devices) ? devices : [])
    t.deepEqual(keysOf(one), ["name", "available", "adapter", "reason", "fix"]);
  t.deepEqual(keysOf(at(found, "cpu")), ["model", "cores", "level", "l1_bytes", "l2_bytes", "l3_bytes"]);
  t.deepEqual(keysOf(at(found, "cache")), ["path", "entries", "bytes", "cap_bytes", "warning"]);
});

test.serial("inspect --json is the stage and its text", async (t) => {
  const ended = await graphcHere(["inspect", "line.graph", "--stage", "graph", "--json"], { cwd: lineFolder() });
  const found = onlyObject(ended);
  t.deepEqual(keysOf(found), ["stage", "text"]);
  t.is(parseModule(String(at(found, "text"))).name, "line");
});

native("compile --json has the keys of the manual", async (t) => {
  const ended = await graphc(["compile", "line.graph", "--json", "--dim", "N=8"], { cwd: lineFolder() });
  t.is(ended.code, 0, ended.stderr);
  const found = onlyObject(ended);
  t.deepEqual(keysOf(found), ["target", "device", "seconds", "cache", "signatures", "diagnostics"]);
  t.deepEqual(keysOf(at(found, "signatures")), ["predict", "evaluate", "fit"]);
  const row = ["dims", "kernels", "code_bytes", "arena_bytes", "peak_bytes", "compile_seconds", "cached"];
  t.deepEqual(keysOf(at(found, "signatures", "fit")), row);
  t.deepEqual(at(found, "signatures", "fit", "dims"), { N: 8 });
});

test.serial("what is wrong is one object with the diagnostics, and the exit code is 1", async (t) => {
  const cwd = lineFolder();
  writeFileSync(join(cwd, "bad.graph"), "graph g {\n  y = nothing + 1\n}\n");
  const commands = [
    ["inspect", "bad.graph", "--stage", "graph"],
    ...(probe().available ? [["compile", "bad.graph"]] : []),
  ];
  for (const command of commands) {
    const ended = await graphcHere([...command, "--json"], { cwd });
    t.is(ended.code, 1);
    t.is(ended.stderr, "");
    t.deepEqual(onlyObject(ended), {
      diagnostics: [
        {
          code: "G012",
          severity: "error",
          file: "bad.graph",
          line: 2,
          column: 7,
          message: "unknown name `nothing`",
          label: null,
          hint: null,
          notes: [],
          fixes: [],
        },
      ],
    });
  }
});
