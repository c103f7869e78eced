// Checks what `npm pack` would publish: everything that a user needs, and nothing else. Needs a build.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const required = [
  "package.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "dist/viewer/page/page.html",
  "dist/viewer/watch/page.html",
  ...Object.values(bin),
  ...Object.values(exports["."]),
  ...Object.values(exports["./register"]),
  "dist/import_hook.js",
  ...readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/")] : [],
  ),
  ...readdirSync(join(root, "dsl", "std")).map((name) => `dist/dsl/std/${name}`),
].map((path) => path.replace(/^\.\//, ""));

const allowed = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^docs\/([a-z_]+\.md|(pictures\/)?[a-z_]+\.(svg|png))$/,
  /^dist\/(index|register|import_hook)\.(js|d\.ts)$/,
  /^dist\/viewer\/(page|watch)\/page\.html$/,
  /^dist\/(compiler|dsl|runtime|cli|editor|viewer|web)\/.*\.(js|d\.ts)$/,
  /^(dist\/)?dsl\/std\/[a-z_]+\.graph$/,
  /^examples\/([a-z_]+\/)?([a-z_]+\.(graph|ts|svg|png)|README\.md)$/,
  /^(bench|editor\/vscode|test\/language)\/README\.md$/,
  /^bench\/([a-z_]+\.graph|workloads\.ts)$/,
];

// Through a shell, since npm is a script of its own kind on Windows.
const output = execFileSync("npm pack --dry-run --json --ignore-scripts", {
  cwd: root,
  shell: true,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
});
const [{ files }] = JSON.parse(output);
const packed = new Set(files.map(({ path }) => path));

const problems = [
  ...required
    .filter((path) => !packed.has(path))
    .map(
      (path) =>
        `${path} is missing${existsSync(join(root, path)) ? " though it exists: see `files` in package.json" : ""}`,
    ),
  ...[...packed]
    .filter((path) => !allowed.some((pattern) => pattern.test(path)))
    .map((path) => `${path} should not be published: see \`files\` in package.json`),
];
// cmake-js 6, which compiles llvm-bindings, adds a `nan` beside it to its include paths, and the script of llvm-bindings cannot read
// two paths: it then fails, and native code is silently missing. gl (of gpu.js) brings nan in, so package.json gives the name at the
// top to a package without nan.h.
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
const nan = packages["node_modules/nan"];
if (nan !== undefined && nan.name === undefined)
  problems.push("nan stands beside llvm-bindings, which then does not compile: see the `nan` of package.json");

/** Links of pages that are published lead to what is published. */
const folders = new Set(
  [...packed].flatMap((path) => path.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
);
for (const page of [...packed].filter((path) => path.endsWith(".md"))) {
  const text = readFileSync(join(root, page), "utf8")
    .replace(/^```[\s\S]*?^```$/gm, "")
    .replace(/`[^`\n]*`/g, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(
    ([, link, source]) => link ?? source,
  );
  for (const target of targets.filter((link) => !/^(https?:|#)/.test(link))) {
    const path = posix.normalize(posix.join(posix.dirname(page), target.split("#")[0])).replace(/\/$/, "");
    if (!packed.has(path) && !folders.has(path)) problems.push(`${page} links to ${target}, which is not published`);
  }
}

for (const problem of problems) console.error(`package: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(`package: ${packed.size} files, all as they should be`);
