// Debian packages: which native code needs, and how packages are installed.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));

export function hasCommand(...names) {
  return names.some((name) => path.some((folder) => existsSync(join(folder, name))));
}

/** What generated code is compiled with, and what compiles the LLVM bindings: each package and the sign of its presence. */
const running = [
  { name: "llvm-14", present: () => hasCommand("opt-14") && hasCommand("llc-14") },
  { name: "binutils", present: () => hasCommand("ld") },
];
const compiling = [
  { name: "llvm-14-dev", present: () => existsSync("/usr/lib/llvm-14/lib/cmake/llvm/LLVMConfig.cmake") },
  { name: "zlib1g-dev", present: () => existsSync("/usr/include/zlib.h") },
  { name: "cmake", present: () => hasCommand("cmake") },
  { name: "ninja-build", present: () => hasCommand("ninja") },
  { name: "g++", present: () => hasCommand("g++", "clang++") },
];

/** The packages that are missing for running native code, and with `compiling` for compiling the LLVM bindings too. */
export function debianPackagesFor(options) {
  const needed = options.compiling ? [...running, ...compiling] : running;
  return needed.filter(({ present }) => !present()).map(({ name }) => name);
}

function reference(reason) {
  console.log(`setup: ${reason}: graphc will use its reference back end, which is slower`);
  return false;
}

function stop(reason, command) {
  console.error(`setup: ${reason}; run this, then make again:

  ${command}

GRAPHC_NATIVE=0 make ... goes on without it, with the slower reference back end.`);
  process.exit(1);
}

function run(command, stdout) {
  const [program, ...parameters] = command;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(program, parameters, { stdio: ["ignore", stdout, stdout], env }).status === 0;
}

/**
 * Installs packages where this process may. Returns undefined when they are there, else why not: `reason`, with `command`
 * where the user can do it by hand.
 */
export function aptInstall(packages) {
  const list = packages.join(" ");
  if (packages.length === 0) return undefined;
  if (!hasCommand("apt-get")) return { reason: `${list} by Debian's names are needed, and there is no apt-get` };
  const isRoot = process.getuid?.() === 0;
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  const byHand = `${isRoot ? "" : "sudo "}${install.join(" ")}`;
  const mayInstall = isRoot || (hasCommand("sudo") && run(["sudo", "-n", "true"], "ignore"));
  if (!mayInstall) return { reason: "a few Debian packages are needed", command: byHand };

  const asRoot = (command) => (isRoot ? command : ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", ...command]);
  console.log(`setup: installing the Debian packages ${list}`);
  // The lists of packages may be absent or out of date; they are refreshed only when the first try fails.
  if (run(asRoot(install), "inherit")) return undefined;
  const refreshed = run(asRoot(["apt-get", "update"]), "inherit");
  if (refreshed && run(asRoot(install), "inherit")) return undefined;
  if (refreshed && !run(["apt-cache", "show", "--no-all-versions", ...packages], "ignore")) {
    return { reason: `this distribution does not have all of ${list}` };
  }
  return { reason: "the Debian packages could not be installed", command: byHand };
}

/**
 * Installs what native code needs; returns whether native code is possible here. Ends the process, with the one command to
 * run, when only the user may install it.
 */
export function installDebianPackages(packages) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return reference(`native code needs Linux on x86-64, this is ${process.platform} ${process.arch}`);
  }
  if (packages.length > 0 && process.env.GRAPHC_NATIVE === "0") return reference("GRAPHC_NATIVE=0");
  const failure = aptInstall(packages);
  if (failure === undefined) return true;
  const reason = `for native code ${failure.reason}`;
  return failure.command === undefined ? reference(reason) : stop(reason, failure.command);
}
