import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";

const biome = join(dirname(createRequire(import.meta.url).resolve("@biomejs/biome/package.json")), "bin", "biome");

const rows: readonly (readonly [room: string, specifier: string, refused: boolean])[] = [
  ["compiler/ir", "./node.js", false],
  ["compiler/ir/codes", "../diagnostic.js", false],
  ["compiler/ir", "../ops/table.js", true],
  ["compiler/ops", "../ir/node.js", false],
  ["compiler/ops", "../autodiff/differentiate.js", true],
  ["compiler/passes", "../autodiff/differentiate.js", false],
  ["compiler/passes", "../kernels/form.js", true],
  ["compiler/kernels", "../backends/backend.js", true],
  ["compiler/backends/llvm/lower", "../../../kernels/form.js", false],
  ["compiler/backends/llvm/lower", "../../../passes/pipeline.js", true],
  ["compiler", "../dsl/parse.js", true],
  ["dsl", "../compiler/ops/table.js", false],
  ["dsl/elaborate", "../../compiler/passes/pipeline.js", true],
  ["dsl", "../compiler/program.js", true],
  ["runtime", "../compiler/program.js", false],
  ["runtime/data", "../../dsl/parse.js", true],
  ["runtime", "koffi", true],
  ["compiler/backends/llvm", "koffi", false],
  ["cli", "../dsl/parse.js", false],
  ["cli", "../examples/demo.js", true],
];

/** The files, `probe0.ts` and on by row, in which the project's linter refuses an import; tests run from the root. */
function refusedFiles(): ReadonlySet<string> {
  const folder = mkdtempSync(join(tmpdir(), "graphc-imports-"));
  try {
    for (const name of ["biome.json", ".gitignore"]) cpSync(name, join(folder, name));
    for (const [row, [room, specifier]] of rows.entries()) {
      mkdirSync(join(folder, room), { recursive: true });
      writeFileSync(join(folder, room, `probe${row}.ts`), `import { it } from "${specifier}";\nit();\n`);
    }
    const parameters = ["lint", "--only=style/noRestrictedImports", "--reporter=github", "--max-diagnostics=none"];
    const { stdout } = spawnSync(process.execPath, [biome, ...parameters], { cwd: folder, encoding: "utf8" });
    return new Set([...stdout.matchAll(/noRestrictedImports,file=[^,]*(probe\d+\.ts)/g)].map(([, name]) => name ?? ""));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("imports go one way between the folders", (t) => {
  const refused = refusedFiles();
  for (const [row, [room, specifier, expected]] of rows.entries()) {
    t.is(refused.has(`probe${row}.ts`), expected, `${room} imports ${specifier}`);
  }
});
