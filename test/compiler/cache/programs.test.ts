import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { openCacheFolder } from "../../../compiler/cache/folder.js";
import { type LoadedGraph, type OpenedGraph, openGraph } from "../../../compiler/cache/programs.js";
import { moduleOf } from "../../../compiler/ir/module.js";
import { printModule } from "../../../compiler/ir/printer.js";
import { selectSignature } from "../../../compiler/ir/select.js";
import { loadGraph } from "../../../dsl/load.js";
import { pathOfSource, readFileFromDisk } from "../../../dsl/standard.js";

const library = "fn twice(x: f32) -> (y: f32) {\n  y = 2 * x\n}\n";
const main = `import { twice } from "library"
graph g {
  placeholder x: f32
  variable w: f32 = 3
  y = twice(x) * w
  update grow { w := w + y }
  signature run(x) does grow -> (y)
}
`;

/** A cache and a folder of sources of its own, and how often the front end ran. */
class Desk {
  readonly folder = mkdtempSync(join(tmpdir(), "graphc-test-"));
  readonly cache = mkdtempSync(join(tmpdir(), "graphc-cache-test-"));
  readonly main = join(this.folder, "main.graph");
  loads = 0;

  constructor() {
    process.env["GRAPHC_CACHE_DIR"] = this.cache;
    this.write("main.graph", main);
    this.write("library.graph", library);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  open(allowPaths: readonly string[] = []): Promise<OpenedGraph> {
    return openGraph(this.main, {
      allowPaths,
      read: (name) => readFileFromDisk(pathOfSource(name)),
      load: async (): Promise<LoadedGraph> => {
        this.loads += 1;
        return loadGraph(this.main, { allowPaths });
      },
    });
  }

  entries(): readonly string[] {
    return readdirSync(openCacheFolder(this.cache).path)
      .filter((name) => name.endsWith(".data"))
      .map((name) => join(this.cache, name));
  }
}

function textOf({ graph }: OpenedGraph): string {
  if (graph === undefined) throw new Error("no graph");
  return printModule(moduleOf(graph, [selectSignature(graph, "run")]));
}

test.serial("a graph that is as it was comes from the cache, and is the same", async (t) => {
  const desk = new Desk();
  const first = await desk.open();
  const second = await desk.open();
  t.is(desk.loads, 1);
  t.is(textOf(second), textOf(first));
  t.deepEqual(second.files, first.files);
  t.deepEqual([...second.files.keys()].slice(0, 2), [desk.main, join(desk.folder, "library.graph")]);
  t.deepEqual(second.graph?.signatures, first.graph?.signatures);
});

test.serial(
  "a change of the file, of an import or of the standard library is seen, and one that is undone is known again",
  async (t) => {
    const desk = new Desk();
    const before = textOf(await desk.open());
    desk.write("library.graph", library.replace("2 *", "5 *"));
    t.regex(textOf(await desk.open()), /f32\(5\)/);
    t.is(desk.loads, 2);
    desk.write("main.graph", main.replace("= 3", "= 4"));
    t.regex(textOf(await desk.open()), /f32\(4\)/);
    t.is(desk.loads, 3);
    desk.write("library.graph", library);
    desk.write("main.graph", main);
    t.is(textOf(await desk.open()), before);
    t.is(desk.loads, 3);
    // The names of all files that were read are part of the key, the standard library's prelude among them.
    const { files } = await desk.open();
    t.true([...files.keys()].includes("<std>/math.graph"));
    const changed = await openGraph(desk.main, {
      allowPaths: [],
      read: (name) => readFileFromDisk(pathOfSource(name)) + (name === "<std>/math.graph" ? "# changed\n" : ""),
      load: async () => ({ graph: undefined, diagnostics: [], files: new Map() }),
    });
    t.is(changed.graph, undefined);
  },
);

test.serial("an import that is gone is told by the front end, and nothing is kept of it", async (t) => {
  const desk = new Desk();
  await desk.open();
  desk.write("main.graph", main.replace('"library"', '"missing"'));
  for (const loads of [2, 3]) {
    const { graph, diagnostics, store } = await desk.open();
    t.is(graph, undefined);
    t.deepEqual([...new Set(diagnostics.map(({ code }) => code))].slice(0, 1), ["G060"]);
    t.is(store, undefined);
    t.is(desk.loads, loads);
  }
});

test.serial("another flag is another program, and has parts of its own", async (t) => {
  const desk = new Desk();
  const plain = await desk.open();
  plain.store?.write({ name: "part" }, "kept");
  const allowed = await desk.open([tmpdir()]);
  t.is(desk.loads, 2);
  t.is(allowed.store?.read({ name: "part" }), undefined);
  t.is(plain.store?.read({ name: "part" }), "kept");
  t.is((await desk.open()).store?.read({ name: "part" }), "kept");
  t.is(desk.loads, 2);
});

test.serial("a damaged entry is as good as none", async (t) => {
  const desk = new Desk();
  const before = textOf(await desk.open());
  for (const damage of [
    (path: string) => truncateSync(path, readFileSync(path).length - 1),
    (path: string) => writeFileSync(path, ""),
    (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ]) {
    t.true(desk.entries().length >= 2);
    desk.entries().forEach(damage);
    const { loads } = desk;
    t.is(textOf(await desk.open()), before);
    t.is(desk.loads, loads + 1);
    t.is(textOf(await desk.open()), before);
    t.is(desk.loads, loads + 1);
  }
});

test.serial("whoever watches the compiler sees it work", async (t) => {
  const desk = new Desk();
  await desk.open();
  process.env["GRAPHC_DEBUG"] = "1";
  t.teardown(() => {
    delete process.env["GRAPHC_DEBUG"];
  });
  t.is((await desk.open()).store, undefined);
  t.is(desk.loads, 2);
});

test.serial("where no folder can be kept, nothing is", async (t) => {
  const desk = new Desk();
  process.env["GRAPHC_CACHE_DIR"] = desk.main;
  t.is(textOf(await desk.open()), textOf(await desk.open()));
  t.is((await desk.open()).store, undefined);
  t.is(desk.loads, 3);
});
