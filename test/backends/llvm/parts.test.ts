import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import "../../../compiler/ops/table.js";
import { cpuBackend } from "../../../compiler/backends/llvm/backend.js";
import { lowerInParts } from "../../../compiler/backends/llvm/lower/parts.js";
import { hostTarget } from "../../../compiler/backends/llvm/target.js";
import { buildKernels } from "../../../compiler/kernels/build.js";
import { add } from "../../../compiler/ops/arithmetic.js";
import { placeholder } from "../../../compiler/ops/sources.js";
import { linearRegression, network, type Step } from "../../kernels/models.js";
import { computationOf } from "../../kernels/support.js";
import { bindOn, outputsOf, startState } from "../bound.js";
import { nativeIsAvailable } from "../support.js";

const native = nativeIsAvailable ? test : test.skip;

function partsOf({ outputs, assignments }: Step, compilers: number) {
  const target = hostTarget();
  const program = buildKernels(computationOf(outputs, assignments), target, { checkNumerics: false });
  const { modules, shared } = lowerInParts(program, target, compilers);
  return {
    kernels: program.compute.length + program.commit.length,
    modules: modules.map((one) => one.finish()),
    shared,
  };
}

native("each kernel stands in one part, and the part with the entry calls those of the others", (t) => {
  const { kernels, modules, shared } = partsOf(network(8, 20, 16, 5), 3);
  t.true(modules.length >= 2 && modules.length <= 3, `${modules.length}`);
  const defined = modules.map((one) =>
    [...one.text().matchAll(/^define [^@]*@(k\d+_\w+)\(/gm)].map(([, name]) => name),
  );
  t.is(new Set(defined.flat()).size, kernels);
  t.is(defined.flat().length, kernels);
  t.deepEqual(shared.toSorted(), defined.slice(1).flat().toSorted());
  t.deepEqual(
    modules.map((one) => one.exports),
    modules.map((_, part) => (part === 0 ? ["graphc_entry"] : [])),
  );
  t.is(partsOf(network(8, 20, 16, 5), 1).modules.length, 1);
  t.is(partsOf(linearRegression(), 4).modules.length, 1);
});

native("the code that picks a step's rows does not grow with the number of placeholders", (t) => {
  const picking = [1, 40].map((count) => {
    const columns = Array.from({ length: count }, (_, i) =>
      placeholder({ name: `x${i}`, dtype: "f32", shape: [8, 3] }),
    );
    const y = columns.reduce((total, column) => add(total, column));
    const [module] = partsOf({ outputs: { y }, assignments: {} }, 1).modules;
    return module?.text().match(/call void @llvm\.prefetch/g)?.length;
  });
  t.deepEqual(picking, [1, 1]);
});

native("a program in parts computes the same bits as in one", async (t) => {
  const { outputs, assignments } = network(8, 20, 16, 5);
  const computation = computationOf(outputs, assignments);
  const wave = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i) / 3);
  const contents = new Map(["hidden/w", "out/w"].map((name) => [name, wave(name === "out/w" ? 80 : 320)]));
  const feeds = new Map([
    ["image", Uint8Array.from({ length: 160 }, (_, i) => (i * 37) % 256)],
    ["label", Uint8Array.from({ length: 8 }, (_, i) => i % 5)],
  ]);
  const results: unknown[] = [];
  for (const compilers of [1, 3]) {
    // The cache knows a program by its kernels alone: each has a cache of its own.
    process.env["GRAPHC_CACHE_DIR"] = mkdtempSync(join(tmpdir(), "graphc-cache-test-"));
    const bound = await bindOn(cpuBackend(hostTarget(), compilers), computation, contents);
    const given = [1, 2].map(() => outputsOf(bound.executable.run(feeds, startState)));
    results.push([given, [...bound.variables].map(([name, { data }]) => [name, data.slice()])]);
    bound.close();
  }
  t.deepEqual(results[1], results[0]);
});
