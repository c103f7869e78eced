// Bundles the client of the VS Code extension: editor/vscode/dist/extension.js, with the licences of what is in it beside it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
export const extensionFolder = join(root, "editor", "vscode");

export async function bundleExtension() {
  const folder = join(extensionFolder, "dist");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(extensionFolder, "client", "extension.ts")],
    outfile: join(folder, "extension.js"),
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    // VS Code 1.91 has Node 20.
    target: "node20",
    external: ["vscode"],
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  writeFileSync(join(folder, "LICENSES.txt"), licensesOf(Object.keys(metafile.inputs)));
}

/** MIT and its like ask that their text goes along. */
function licensesOf(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []));
  return [...folders]
    .sort()
    .map(licenseOf)
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const files = ["LICENSE", "LICENSE.md", "LICENSE.txt", "License.txt", "license.txt"];
  const file = files.map((one) => join(root, folder, one)).find(existsSync);
  if (file === undefined) throw new Error(`${folder} has no licence to go along with it`);
  return `${name} ${version} (${license})\n\n${readFileSync(file, "utf8").trim()}\n`;
}
