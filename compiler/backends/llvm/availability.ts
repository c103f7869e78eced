import { isInstalled, isLlvmBuilt, type LoadFailure, loadKoffi, loadLlvm } from "./bindings.js";
import { findTool, packageOf, type ToolName } from "./tools.js";

/** One thing that native code needs, as `graphc doctor` shows it. */
export interface Requirement {
  readonly name: string;
  readonly found: boolean;
  /** Version and place when found, the reason when not. */
  readonly detail: string;
  /** The command that provides it; absent when found. */
  readonly fix?: string;
}

export interface Availability {
  readonly available: boolean;
  readonly requirements: readonly Requirement[];
}

/** The major version of LLVM that llvm-bindings is built on; bitcode of another one may not be read by the tools. */
const llvmMajor = "14";

function packageRequirement(
  name: string,
  loaded: { readonly ok: true; readonly version: string } | LoadFailure,
  fix: string,
): Requirement {
  if (loaded.ok) return { name, found: true, detail: loaded.version };
  return { name, found: false, detail: loaded.reason, fix };
}

/** `npm rebuild` does nothing for a package that is not there, and `npm install` nothing for one that is. */
function npmCommand(name: "llvm-bindings" | "koffi", version: string): string {
  return isInstalled(name) ? `npm rebuild ${name}` : `npm install ${name}@${version}`;
}

function toolRequirement(tool: ToolName, withVersion: boolean): Requirement {
  const path = findTool(tool);
  const fix = `sudo apt-get install ${packageOf(tool)}`;
  if (path === undefined) return { name: tool, found: false, detail: "not installed", fix };
  if (!withVersion) return { name: tool, found: true, detail: path };
  // For people only: what a start does not need is not loaded then.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const run = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 });
  if (run.error !== undefined || run.status !== 0)
    return { name: tool, found: false, detail: `${path} does not run`, fix };
  const version = /(\d+\.\d+(?:\.\d+)?)/.exec(run.stdout)?.[1] ?? "unknown version";
  if (tool !== "linker" && !version.startsWith(`${llvmMajor}.`)) {
    return { name: tool, found: false, detail: `${path} is of LLVM ${version}, not ${llvmMajor}`, fix };
  }
  return { name: tool, found: true, detail: `${version} (${path})` };
}

/**
 * What native code needs and whether it is here. With `versions`, for people, llvm-bindings is loaded and each tool asked;
 * without, nothing slow happens, so that a program from the cache starts at once. Never throws.
 */
export function probe(options: { readonly versions?: boolean } = {}): Availability {
  const withVersions = options.versions ?? false;
  const platform: Requirement =
    process.platform === "linux" && process.arch === "x64"
      ? { name: "platform", found: true, detail: "linux x64" }
      : {
          name: "platform",
          found: false,
          detail: `${process.platform} ${process.arch}`,
          fix: "native code needs Linux on x86-64; the reference back end serves elsewhere",
        };
  const requirements = [
    platform,
    packageRequirement(
      "llvm-bindings",
      withVersions ? loadLlvm() : isLlvmBuilt(),
      `sudo apt-get install llvm-14-dev cmake ninja-build g++ && ${npmCommand("llvm-bindings", "0.4")}`,
    ),
    packageRequirement("koffi", loadKoffi(), npmCommand("koffi", "3")),
    toolRequirement("opt", withVersions),
    toolRequirement("llc", withVersions),
    toolRequirement("linker", withVersions),
  ];
  return { available: requirements.every(({ found }) => found), requirements };
}
