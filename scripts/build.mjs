// Builds dist/: compiles the TypeScript, drops what its sources no longer produce, and adds the files that are read at
// run time.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeIris } from "./iris.mjs";
import { linkMnist } from "./mnist.mjs";
import { bundleExtension } from "./vscode.mjs";
import { bundleLibrary, licencesOf } from "./web.mjs";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

/** The files under a folder, as paths relative to the root. */
function filesUnder(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function compile(project) {
  const typescript = dirname(fileURLToPath(import.meta.resolve("typescript/package.json")));
  const { status } = spawnSync(process.execPath, [join(typescript, "bin", "tsc"), "-p", project], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * A page: its browser code in one script, with its style in one file that graphc fills and gives out. `notices` are the licences of
 * the packages in it.
 */
async function bundlePage(name, { notices }) {
  const folder = join(root, "viewer", name);
  if (!existsSync(folder)) return;
  const [script, style] = await Promise.all(
    ["main.ts", "page.css"].map(async (entry) => {
      const { outputFiles, metafile } = await build({
        entryPoints: [join(folder, entry)],
        bundle: true,
        minify: true,
        write: false,
        metafile: true,
        platform: "browser",
        target: ["chrome105", "firefox113", "safari16.4"],
        logLevel: "warning",
      });
      const notice = notices && entry === "main.ts" ? licencesOf(Object.keys(metafile.inputs)) : "";
      return `${outputFiles[0].text.trim()}\n${notice}`.trim();
    }),
  );
  // esbuild writes `<\\/script` and `<\\/style` in strings, so that neither ends its element.
  const page = readFileSync(join(folder, "page.html"), "utf8")
    .replace("{{style}}", () => style)
    .replace("{{script}}", () => script);
  mkdirSync(join(dist, "viewer", name), { recursive: true });
  writeFileSync(join(dist, "viewer", name, "page.html"), page);
}

/** A renamed test would otherwise go on running, and a deleted module would go on being found. */
function prune() {
  for (const file of filesUnder("dist")) {
    const source = relative("dist", file).replace(/(\.d\.ts|\.js|\.js\.map)$/, ".ts");
    if (!existsSync(join(root, source))) rmSync(join(root, file));
  }
}

/** The standard library and the examples are read at run time, from beside the code that names them. */
function copyAssets() {
  for (const file of [...filesUnder("dsl"), ...filesUnder("examples")].filter((name) => name.endsWith(".graph"))) {
    const target = join(dist, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, file), target);
  }
  linkMnist(join(dist, "examples"));
  writeIris(join(dist, "examples"));
}

/**
 * npm makes the binary of an installed package executable and links it; in a checkout the build does. `npx` alone would
 * also do, but remembers for good that there was no such file where it is called before the first build.
 */
function linkProgram() {
  const program = join(dist, "cli", "main.js");
  if (process.platform === "win32") return;
  chmodSync(program, 0o755);
  const folder = join(root, "node_modules", ".bin");
  const link = join(folder, "graphc");
  rmSync(link, { force: true });
  symlinkSync(relative(folder, program), link);
}

compile(root);
const pages = ["page", "watch"];
for (const page of pages) compile(join(root, "viewer", page));
compile(join(root, "editor", "vscode"));
compile(join(root, "examples", "web_digits", "page"));
prune();
for (const page of pages) await bundlePage(page, { notices: page === "watch" });
copyAssets();
await bundleLibrary();
await bundleExtension();
linkProgram();
