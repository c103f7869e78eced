// Prepares a checkout: Debian packages, npm packages, the LLVM bindings, the data of the examples. Does nothing that is already
// done, so that every make target can begin with it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackagesFor, installDebianPackages } from "./debian.mjs";
import { writeIris } from "./iris.mjs";
import { linkMnist } from "./mnist.mjs";

const root = join(import.meta.dirname, "..");
const stampFile = join(root, "node_modules", ".graphc-setup");

function npm(...parameters) {
  // Through a shell, since npm is a script of its own kind on Windows; the parameters are this file's own words.
  const { status } = spawnSync(["npm", ...parameters].join(" "), { cwd: root, stdio: "inherit", shell: true });
  if (status !== 0) process.exit(status ?? 1);
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`setup: graphc needs Node 20.19 or later; this is ${process.version} (https://nodejs.org)`);
  process.exit(1);
}

/** Whether the LLVM bindings are compiled and load; asked in a process of its own, since a bad build may crash it. */
function bindingsLoad() {
  return spawnSync(process.execPath, ["-e", 'require("llvm-bindings")'], { cwd: root, stdio: "ignore" }).status === 0;
}

/** What the installed npm packages follow from: they are up to date while it stays the same. */
function dependencyStamp() {
  const hash = createHash("sha256");
  for (const name of ["package.json", "package-lock.json"]) hash.update(readFileSync(join(root, name)));
  return hash.digest("hex");
}

function installNpmPackages(compiles) {
  const stamp = dependencyStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  if (compiles) console.log("setup: installing npm packages; the LLVM bindings compile for a minute or two, once");
  // `npm ci` deletes node_modules, and the compiled bindings with it: only the first installation may.
  if (existsSync(join(root, "node_modules"))) npm("install", "--no-save", "--no-audit", "--no-fund");
  else npm("ci", "--no-audit", "--no-fund");
  writeFileSync(stampFile, stamp);
}

/** Where LLVM came after the npm packages, the bindings are not there or not compiled: this brings them in. */
function compileBindings() {
  console.log("setup: compiling the LLVM bindings for a minute or two, once");
  if (existsSync(join(root, "node_modules", "llvm-bindings"))) npm("rebuild", "llvm-bindings");
  else npm("install", "--no-save", "--no-audit", "--no-fund");
}

requireNode();
const loaded = bindingsLoad();
const native = installDebianPackages(debianPackagesFor({ compiling: !loaded }));
installNpmPackages(native && !loaded);
if (native && !bindingsLoad()) {
  compileBindings();
  if (!bindingsLoad()) {
    console.error(
      "setup: the LLVM bindings did not compile; `npm rebuild llvm-bindings --foreground-scripts` shows why",
    );
    process.exit(1);
  }
}
linkMnist(join(root, "examples"));
writeIris(join(root, "examples"));
