import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { leavesOf } from "../../compiler/kernels/access.js";
import type { KernelProgram } from "../../compiler/kernels/form.js";
import { withCode } from "../../viewer/code.js";
import { documentOf } from "../../viewer/document.js";
import type { KernelModel, ProgramModel, ViewerDocument } from "../../viewer/model.js";
import { avx2 } from "../kernels/support.js";
import { graphOf } from "../viewer/support.js";
import { codesOf, folderWith, graphcHere, lineFolder, lineGraph, lineTable, onlyObject } from "./support.js";

const native = probe().available ? test.serial : test.serial.skip;

/** The document of a text's only signature, with its kernels. */
function programsOfText(text: string) {
  const graph = graphOf(text);
  const kernels = new Map<string, readonly KernelProgram[]>();
  const shown = graph.signatures.map(({ name }) => ({
    name,
    title: name,
    selection: { kind: "signature", name } as const,
    sizes: new Map<string, number>(),
    open: [],
  }));
  const document = documentOf(graph, shown, {
    file: "test.graph",
    textOf: () => text,
    target: avx2,
    device: "cpu",
    onKernels: (name, program) => kernels.set(name, [program]),
  });
  return { document, kernels };
}

function kernelsOf(program: ProgramModel | undefined): readonly KernelModel[] {
  return (program?.views[2]?.groups ?? []).flatMap(({ kernel }) => (kernel === undefined ? [] : [kernel]));
}

/** What a page shows. */
function documentIn(page: string): ViewerDocument {
  const packed = /<script id="document" type="text\/plain">([A-Za-z0-9+/=]+)<\/script>/.exec(
    readFileSync(page, "utf8"),
  );
  return JSON.parse(gunzipSync(Buffer.from(packed?.[1] ?? "", "base64")).toString()) as ViewerDocument;
}

test.serial("viz writes each form by the name's ending", async (t) => {
  const cwd = lineFolder();
  const draw = async (output: string, ...more: readonly string[]): Promise<Buffer> => {
    const ended = await graphcHere(["viz", "line.graph", "-o", output, "--dim", "N=8", ...more], { cwd });
    t.is(ended.code, 0, ended.stderr);
    t.regex(ended.stdout, new RegExp(`^${output.replace(".", "\\.")}: `));
    return readFileSync(join(cwd, output));
  };
  t.regex((await draw("a.svg")).toString(), /^<svg xmlns/);
  t.regex((await draw("a.svg", "--view", "kernels", "--expand", "all")).toString(), /^<svg xmlns/);
  t.regex((await draw("a.dot")).toString(), /^digraph "line: fit" \{/);
  t.regex((await draw("a.html")).toString(), /^<!doctype html>/);
  const document = documentIn(join(cwd, "a.html"));
  t.deepEqual(
    document.programs.map(({ name }) => name),
    ["fit", "predict", "evaluate"],
  );
  // The eight bytes that begin every PNG, and its first chunk.
  const png = await draw("a.png");
  t.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  t.true(png.readUInt32BE(16) > 200 && png.readUInt32BE(20) > 200);
});

test.serial("viz --json is one object", async (t) => {
  const cwd = lineFolder();
  const ended = await graphcHere(["viz", "line.graph", "-o", "a.svg", "--json"], { cwd });
  t.is(ended.code, 0);
  const bytes = readFileSync(join(cwd, "a.svg")).length;
  t.deepEqual(onlyObject(ended), { output: "a.svg", bytes, diagnostics: [] });
});

test.serial("what viz cannot do is told", async (t) => {
  const cwd = lineFolder();
  const viz = (...more: readonly string[]) => graphcHere(["viz", "line.graph", ...more], { cwd });
  const ending = await viz("-o", "a.gif");
  t.is(ending.code, 2);
  t.regex(ending.stderr, /a\.gif.*\.html, \.svg, \.png, \.dot/);
  const group = await viz("-o", "a.svg", "--expand", "lern");
  t.is(group.code, 1);
  t.regex(group.stderr, /G083.*`lern`[\s\S]*did you mean `learn`/);
  const profile = await viz("-o", "a.html", "--profile", "line.graph");
  t.is(profile.code, 1);
  t.regex(profile.stderr, /G064.*line\.graph/);
  const open = folderWith({
    "g.graph": "graph g {\n  dim N\n  placeholder x: f32[N]\n  y = x + 1\n  signature s(x) -> (y)\n}\n",
  });
  const kernels = await graphcHere(["viz", "g.graph", "-o", "a.svg", "--view", "kernels"], { cwd: open });
  t.is(kernels.code, 2);
  t.regex(kernels.stderr, /N is not known.*--dim N=32/);
  const page = await graphcHere(["viz", "g.graph", "-o", "a.html"], { cwd: open });
  t.is(page.code, 0, page.stderr);
  const broken = folderWith({ "g.graph": "graph g {\n  y = x\n}\n" });
  const wrong = await graphcHere(["viz", "g.graph", "-o", "a.svg", "--json"], { cwd: broken });
  t.is(wrong.code, 1);
  t.deepEqual(codesOf(wrong), ["G012"]);
});

native("the page has the code of each kernel, shortened, unless it is not wanted", async (t) => {
  const cwd = lineFolder();
  const draw = async (...more: readonly string[]) => {
    const { code, stderr } = await graphcHere(["viz", "line.graph", "-o", "a.html", ...more], { cwd });
    t.is(code, 0, stderr);
    return documentIn(join(cwd, "a.html")).programs;
  };
  const programs = await draw();
  for (const program of programs) {
    t.is(program.unlisted, undefined);
    const leaves = kernelsOf(program).filter(({ work }) => work !== undefined);
    t.true(leaves.length > 0);
    for (const { listings } of leaves) {
      t.deepEqual(
        listings.map(({ form }) => form),
        ["LLVM", "assembly"],
      );
      for (const { text } of listings) t.true(text.split("\n").length <= 24);
    }
  }
  t.regex(JSON.stringify(kernelsOf(programs[1])), /[xyz]mm\d/);
  const without = await draw("--no-code");
  t.true(without.every((program) => kernelsOf(program).every(({ listings }) => listings.length === 0)));
});

test.serial("viz --target gpu draws the kernels of the gpu", async (t) => {
  const cwd = folderWith({
    "line.graph": lineGraph,
    "line.csv": lineTable,
  });
  const viz = (...more: readonly string[]) => graphcHere(["viz", "line.graph", "--target", "gpu", ...more], { cwd });
  t.is((await viz("-o", "a.html")).code, 0);
  const [program] = documentIn(join(cwd, "a.html")).programs;
  t.true(kernelsOf(program).some(({ listings }) => listings.some(({ form }) => form === "gpu.js")));
  t.is((await viz("-o", "a.svg", "--view", "kernels")).code, 0);
  // A kernel of two launches takes as long as both.
  const kernels = kernelsOf(program).filter(({ listings }) => listings.length > 0);
  const trained = await graphcHere(
    ["train", "line.graph", "--steps", "3", "--target", "gpu", "--device", "webasm", "--profile", "p.json", "--quiet"],
    { cwd },
  );
  t.is(trained.code, 0, trained.stderr);
  t.is((await viz("-o", "a.html", "--profile", "p.json")).code, 0);
  const timed = kernelsOf(documentIn(join(cwd, "a.html")).programs[0]).filter(({ seconds }) => seconds !== undefined);
  t.is(timed.length, kernels.length);
  // The profile knows where it was measured; --device says it, too, of one that is not there.
  t.true(timed.every(({ device }) => device === "webasm" || device === "processor"));
  t.is((await viz("-o", "a.dot", "--device", "webgpu", "--view", "kernels")).code, 0);
  t.regex(readFileSync(join(cwd, "a.dot"), "utf8"), /label="webgpu"/);
  const refused = await graphcHere(["viz", "line.graph", "-o", "a.dot", "--device", "webgpu"], { cwd });
  t.is(refused.code, 2);
  t.regex(refused.stderr, /--device goes with --target gpu, or with a graph that places something/);
});

test.serial("a page of too many kernels, and one that is full, says so", async (t) => {
  const excerpt = { lines: ["x".repeat(1_000_000)], what: "whole" as const, total: 1 };
  const run = (name: string, kernels: number) => {
    const text = Array.from({ length: kernels }, (_, i) => `  y${i} = cumsum(x + ${i})`).join("\n");
    const names = Array.from({ length: kernels }, (_, i) => `y${i}`).join(", ");
    return programsOfText(`graph g {\n  placeholder x: f32[4]\n${text}\n  signature ${name}(x) -> (${names})\n}\n`);
  };
  const few = run("few", 3);
  const full = await withCode(few.document, few.kernels, (program) =>
    Promise.resolve(
      new Map(
        leavesOf([...program.compute, ...program.commit]).map(({ name }) => [
          name,
          { llvm: excerpt, assembly: excerpt },
        ]),
      ),
    ),
  );
  t.is(kernelsOf(full.programs[0]).filter(({ listings }) => listings.length > 0).length, 1);
  t.regex(full.programs[0]?.unlisted ?? "", /^The page is full/);
  const many = run("many", 401);
  const without = await withCode(many.document, many.kernels, () => t.fail() as never);
  t.true(kernelsOf(without.programs[0]).every(({ listings }) => listings.length === 0));
  t.regex(without.programs[0]?.unlisted ?? "", /^\d+ kernels are too many/);
});

test.serial("names that no signature computes are shown, too", async (t) => {
  const text = "graph g {\n  placeholder x: f32\n  y = x + 1\n  unused = tanh(x)\n  signature s(x) -> (y)\n}\n";
  const cwd = folderWith({ "g.graph": text });
  const { code } = await graphcHere(["viz", "g.graph", "-o", "a.html"], { cwd });
  t.is(code, 0);
  const document = documentIn(join(cwd, "a.html"));
  t.deepEqual(
    document.programs.map(({ name }) => name),
    ["s", "other names"],
  );
  t.true(document.programs[1]?.views[0]?.nodes.some(({ name, op }) => name === "unused" && op === "tanh"));
});

test.serial("viz --profile gives kernels the times that were measured", async (t) => {
  const cwd = lineFolder();
  const profile = {
    traceEvents: [],
    graphc: {
      version: 1,
      target: "cpu",
      device: "a fast one",
      computations: [
        {
          name: "fit",
          kernels: [
            { name: "b_update", calls: 4, seconds: 2 },
            { name: "W_update", calls: 4, seconds: 2 },
            { name: "w_update", calls: 4, seconds: 2 },
          ],
        },
      ],
    },
  };
  writeFileSync(join(cwd, "p.json"), JSON.stringify(profile));
  const { code, stderr } = await graphcHere(["viz", "line.graph", "-o", "a.html", "--profile", "p.json"], { cwd });
  t.is(code, 0, stderr);
  const document = documentIn(join(cwd, "a.html"));
  const kernels = kernelsOf(document.programs[0]);
  t.true(kernels.some(({ seconds, device }) => seconds === 0.5 && device === "a fast one"));
});

test.serial("viz says which kernels a profile has no times of", async (t) => {
  const cwd = folderWith({
    "two.graph": `graph two {
  placeholder x: f32[8, 16]
  variable w: f32[16, 16] = zeros()
  y = tanh(x @ w) @ w
  signature fit(x) -> (y)
}
`,
  });
  const draw = async (kernels: readonly string[]): Promise<string> => {
    const measured = kernels.map((name) => ({ name, calls: 1, seconds: 1 }));
    const graphc = { version: 1, target: "cpu", device: "one", computations: [{ name: "fit", kernels: measured }] };
    writeFileSync(join(cwd, "p.json"), JSON.stringify({ traceEvents: [], graphc }));
    const words = ["viz", "two.graph", "-o", "a.html", "--profile", "p.json", "--no-code"];
    const { code, stderr } = await graphcHere(words, { cwd });
    t.is(code, 0, stderr);
    return stderr;
  };
  t.regex(
    await draw(["other"]),
    /p\.json has no times of these kernels: it is of another file, or ran other signatures/,
  );
  const names = (documentIn(join(cwd, "a.html")).programs[0]?.views[2]?.groups ?? []).flatMap(({ kernel, name }) =>
    kernel?.work === undefined ? [] : [name],
  );
  const all = names.length;
  t.true(all > 1);
  t.regex(
    await draw(names.slice(1)),
    new RegExp(`has times of ${all - 1} of ${all} kernels of fit: it is of another state`),
  );
  t.notRegex(await draw(names), /has (?:no )?times/);
});

test.serial("pictures take the place of no file of another kind, nor of a page that somebody wrote", async (t) => {
  const page = "<!doctype html>\n<title>mine</title>\n";
  const cwd = folderWith({
    "line.graph": lineGraph,
    "index.html": page,
    "notes.svg": "my notes\n",
    "notes.dot": "my notes\n",
    "notes.png": "my notes\n",
  });
  for (const name of ["index.html", "notes.svg", "notes.dot", "notes.png"]) {
    const before = readFileSync(join(cwd, name), "utf8");
    const { code, stderr } = await graphcHere(["viz", "line.graph", "-o", name, "--no-code"], { cwd });
    t.is(code, 1, name);
    t.regex(stderr, /G092.* and would be lost/, name);
    t.is(readFileSync(join(cwd, name), "utf8"), before);
  }
  for (const name of ["a.html", "a.svg", "a.dot", "a.html", "a.svg", "a.dot"])
    t.is((await graphcHere(["viz", "line.graph", "-o", name, "--no-code"], { cwd })).code, 0, name);
});
