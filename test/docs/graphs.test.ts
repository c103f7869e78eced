import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import test from "ava";
import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { prepareComputation } from "../../compiler/prepare.js";
import { Program } from "../../compiler/program.js";
import { type Loaded, loadGraphFromText } from "../../dsl/load.js";
import { renderText } from "../../dsl/render.js";
import { Session } from "../../runtime/session.js";
import { type Block, blocksOf, root, writtenPages } from "./pages.js";

/** Every ```graph block of the manual is checked; `error=G012` says which error it gives, `# = 3` what a line's value is. */

const generated = ["docs/errors.md", "docs/gpu.md", "docs/ops.md", "docs/std.md"];

/** A fragment stands inside a graph. */
function wholeFile({ text }: Block): string {
  return /^(graph|import|fn|optimizer|constant \w+ = \d+\n\nfn)\b/m.test(text) ? text : `graph example {\n${text}}\n`;
}

function load(block: Block, libraries: ReadonlyMap<string, string>): Loaded {
  const readFile = (path: string): string => libraries.get(basename(path)) ?? readFileSync(path, "utf8");
  return loadGraphFromText(wholeFile(block), join(root, "docs", "example.graph"), { readFile, unused: true });
}

/** All that is wrong with a graph, also what shows only when its signatures are made ready. */
function errorsOf({ graph, diagnostics }: Loaded): readonly string[] {
  const codes = diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
  if (graph !== undefined)
    for (const { name } of graph.signatures) prepareComputation(graph, { kind: "signature", name });
  return codes;
}

interface Expected {
  readonly name: string;
  readonly text: string;
}

function expectations(text: string): readonly Expected[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\w+)(?:: [^=]+)? = [^#]*# = (.+)$/.exec(line) ?? undefined;
    return match === undefined ? [] : [{ name: match[1] ?? "", text: match[2] ?? "" }];
  });
}

/** `[1, nan]` as numbers; the values stand as JSON would write them, were it not for NaN. */
function numbersIn(text: string): readonly number[] {
  const words = text.match(/-?\d+(?:\.\d+)?(?:e-?\d+)?|nan|true|false/g) ?? [];
  return words.map((word) => (word === "nan" ? Number.NaN : word === "true" ? 1 : word === "false" ? 0 : Number(word)));
}

async function values(graph: Graph, names: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
  await using session = new Session(await Program.create(graph, referenceBackend(), { checkNumerics: false }));
  const fetched = await session.run(names);
  return new Map(Object.entries(fetched).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

for (const page of writtenPages.filter((name) => !generated.includes(name))) {
  const blocks = blocksOf(page).filter(({ language }) => language === "graph");
  const libraries = new Map(
    blocks.flatMap((block) => {
      const file = block.marks.get("file");
      return file === undefined ? [] : [[file, block.text] as const];
    }),
  );
  for (const block of blocks) {
    test(`${page}:${block.line}`, async (t) => {
      const loaded = load(block, libraries);
      const wanted = block.marks.get("error");
      const shown = renderText(loaded.diagnostics, { source: (file) => loaded.files.get(file) });
      const isLibrary = block.marks.has("file");
      const found = errorsOf(loaded).filter((code) => !isLibrary || code !== "G065");
      t.deepEqual([...new Set(found)], wanted === undefined ? [] : [wanted], shown);
      // The manual shows what it means: nothing in it is doubted.
      const doubted = loaded.diagnostics.filter(({ severity }) => severity === "warning");
      t.deepEqual(doubted, [], shown);
      const expected = expectations(block.text);
      if (loaded.graph === undefined || expected.length === 0) return;
      const paths = [...loaded.graph.inference.names.keys()];
      const pathOf = (name: string): string => paths.find((path) => path === name || path.endsWith(`.${name}`)) ?? name;
      const found2 = await values(
        loaded.graph,
        expected.map(({ name }) => pathOf(name)),
      );
      for (const { name, text } of expected) t.deepEqual(found2.get(pathOf(name)), numbersIn(text), name);
    });
  }
}
