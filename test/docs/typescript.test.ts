import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { blocksOf, root, writtenPages } from "./pages.js";

/** The TypeScript of the manual compiles against the package's own types; blocks marked `run` print what stands below them. */

const build = join(import.meta.dirname, "..", "..");
const pages = writtenPages.filter((page) => blocksOf(page).some(({ language }) => language === "ts"));

/** Blocks that show a fragment work on these. */
const prelude = `import { compile, Session, type Program } from "graphc";
declare const program: Program;
declare const session: Session;
`;

/** A folder in which `import ... from "graphc"` finds this build, with the graphs of the page. */
function workplace(page: string): string {
  const folder = mkdtempSync(join(tmpdir(), "graphc-typescript-"));
  const installed = join(folder, "node_modules", "graphc");
  mkdirSync(installed, { recursive: true });
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(installed, "package.json"), JSON.stringify({ name: "graphc", type: "module", exports }));
  symlinkSync(build, join(installed, "dist"), "dir");
  const options = {
    strict: true,
    noUncheckedIndexedAccess: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    noEmit: false,
    outDir: "out",
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
    skipLibCheck: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const block of blocksOf(page)) {
    const file = block.marks.get("file");
    if (file !== undefined) writeFileSync(join(folder, file), block.text);
  }
  return folder;
}

for (const page of pages) {
  test(page, (t) => {
    const folder = workplace(page);
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
    const compiler = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
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
