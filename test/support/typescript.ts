import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const build = join(import.meta.dirname, "..", "..");
const root = join(build, "..");

/** A new folder in which `import ... from "graphc"` finds this build, and the TypeScript compiler all `.ts` files. */
export function workplace(): string {
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
    rootDir: ".",
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
    skipLibCheck: true,
    allowArbitraryExtensions: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return folder;
}

/** Compiles a workplace; JavaScript is in its folder `out`. */
export function compileTypeScript(folder: string): { readonly status: number | null; readonly stdout: string } {
  const compiler = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin", "tsc");
  return spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8", cwd: folder });
}
