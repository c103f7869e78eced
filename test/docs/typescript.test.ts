import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { compileTypeScript, workplace } from "../support/typescript.js";
import { blocksOf, writtenPages } from "./pages.js";

/** The TypeScript of the manual compiles against the package's own types; blocks marked `run` print what stands below them. */

const pages = writtenPages.filter((page) => blocksOf(page).some(({ language }) => language === "ts"));

const binary = join(import.meta.dirname, "..", "..", "cli", "main.js");
const examples = join(import.meta.dirname, "..", "..", "..", "examples");

/** Blocks that show a fragment work on these. */
const prelude = `import { compile, Session, type Program } from "graphc";
declare const program: Program;
declare const session: Session;
`;

/** A workplace with the graphs of the page. */
function workplaceOf(page: string): string {
  const folder = workplace();
  for (const block of blocksOf(page)) {
    const file = block.marks.get("file");
    if (file !== undefined) writeFileSync(join(folder, file), block.text);
  }
  for (const { text } of blocksOf(page)) {
    const graph = /from "\.\/(\w+\.graph)"/.exec(text)?.[1];
    if (graph !== undefined) execFileSync(process.execPath, [binary, "types", graph], { cwd: folder });
    const module = /from "\.\/(\w+)\.js"/.exec(text)?.[1];
    if (module !== undefined) {
      const example = join(examples, module, `${module}.graph`);
      execFileSync(process.execPath, [binary, "build", example, "-o", folder, "--target", "web", "--quiet"]);
    }
  }
  return folder;
}

for (const page of pages) {
  test(page, (t) => {
    const folder = workplaceOf(page);
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const blocks = blocksOf(page);
    blocks.forEach((block, i) => {
      if (block.language !== "ts") return;
      const isWhole = block.text.includes('compile("') && block.text.includes("import ");
      const declared = /\b(?:const|using) session\b/.test(block.text)
        ? prelude.replace(/^.*session: .*\n/m, "")
        : prelude;
      const own = /\bconst program\b/.test(block.text) ? declared.replace(/^.*program: .*\n/m, "") : declared;
      writeFileSync(join(folder, `block${i}.ts`), isWhole ? block.text : merged(own, block.text));
    });
    const { status, stdout } = compileTypeScript(folder);
    t.is(status, 0, stdout);
    blocks.forEach((block, i) => {
      if (block.language !== "ts" || !block.marks.has("run")) return;
      const output = execFileSync(process.execPath, [join(folder, "out", `block${i}.js`)], {
        cwd: folder,
        encoding: "utf8",
      });
      const shown = blocks.slice(i).find(({ language }) => language === "text");
      t.is(output, shown?.text ?? "", `${page}:${block.line}`);
    });
  });
}

/** The prelude without the names that the block imports itself. */
function merged(before: string, text: string): string {
  const imported = new Set(
    (/import \{([^}]*)\} from "graphc"/.exec(text)?.[1] ?? "").split(",").map((name) => name.trim()),
  );
  const names = ["compile", "Session", "type Program"].filter((name) => !imported.has(name.replace("type ", "")));
  return before.replace(/\{.*\}/, `{ ${names.join(", ")} }`) + text;
}
