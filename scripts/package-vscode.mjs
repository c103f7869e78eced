// Packages the VS Code extension with the usual tool, and checks what is in the package. Needs a build.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fromBuffer } from "yauzl";
import { extensionFolder } from "./vscode.mjs";

/** The last that runs on Node 20. */
const tool = "@vscode/vsce@3.9.2";
const { version } = JSON.parse(readFileSync(join(extensionFolder, "package.json"), "utf8"));
const target = join(extensionFolder, `graphc-${version}.vsix`);

const { status } = spawnSync(
  // Through a shell, since npx is a script of its own kind on Windows; all words are this file's own.
  `npx --yes ${tool} package --no-dependencies --allow-missing-repository -o "${target}"`,
  { cwd: extensionFolder, stdio: ["ignore", "ignore", "inherit"], shell: true },
);
if (status !== 0) process.exit(status ?? 1);

/** The texts of the files in a zip, by their names. */
function filesOf(path) {
  return new Promise((resolve, reject) => {
    const files = new Map();
    fromBuffer(readFileSync(path), { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error);
      zip.on("entry", (entry) =>
        zip.openReadStream(entry, async (failure, stream) => {
          if (failure) return reject(failure);
          const parts = [];
          for await (const part of stream) parts.push(part);
          files.set(entry.fileName, Buffer.concat(parts).toString("utf8"));
          zip.readEntry();
        }),
      );
      zip.on("end", () => resolve(files));
      zip.on("error", reject);
      zip.readEntry();
    });
  });
}

const required = [
  "package.json",
  "dist/extension.js",
  "dist/LICENSES.txt",
  "icon.png",
  "language-configuration.json",
  "snippets/graph.json",
  "syntaxes/graph.tmLanguage.json",
  "syntaxes/markdown.tmLanguage.json",
  "readme.md",
  "changelog.md",
  "LICENSE.txt",
].map((name) => `extension/${name}`);
const made = ["extension.vsixmanifest", "[Content_Types].xml"];

const files = await filesOf(target);
const names = [...files.keys()];
const bundle = files.get("extension/dist/extension.js") ?? "";
const modules = [...bundle.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
const { isBuiltin } = await import("node:module");
const problems = [
  ...required.filter((name) => !files.has(name)).map((name) => `${name} is missing`),
  ...names.filter((name) => ![...required, ...made].includes(name)).map((name) => `${name} should not be in it`),
  ...modules.filter((name) => name !== "vscode" && !isBuiltin(name)).map((name) => `${name} is not bundled`),
  // What a bundler may leave in: places of this machine, and sources.
  ...names
    .filter((name) => files.get(name)?.includes(extensionFolder))
    .map((name) => `${name} names a folder of this machine`),
  ...(/sourceMappingURL/.test(bundle) ? ["the bundle names a source map"] : []),
];
for (const problem of problems) console.error(`vscode: ${problem}`);
if (problems.length > 0) process.exit(1);
const kilobytes = Math.ceil(statSync(target).size / 1000);
console.log(
  `vscode: ${relative(process.cwd(), target)}, ${names.length} files, ${kilobytes} kB, all as they should be`,
);
console.log(`        install it: code --install-extension ${relative(process.cwd(), target)}`);
