import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export type ToolName = "opt" | "llc" | "linker";

/** The names under which each tool is looked for, the fastest linker first, and the Debian package that has it. */
const toolTable: Readonly<Record<ToolName, { readonly names: readonly string[]; readonly debianPackage: string }>> = {
  opt: { names: ["opt-14"], debianPackage: "llvm-14" },
  llc: { names: ["llc-14"], debianPackage: "llvm-14" },
  linker: {
    names: ["ld", "ld.bfd", "ld.gold", "ld.lld-14", "ld.lld", "cc", "gcc", "clang"],
    debianPackage: "binutils",
  },
};

/** A tool that native code needs is not installed. */
export class ToolchainMissing extends Error {
  override readonly name = "ToolchainMissing";
  readonly tool: ToolName;
  readonly debianPackage: string;

  constructor(tool: ToolName) {
    const { names, debianPackage } = toolTable[tool];
    super(`no ${tool} found (looked for ${names.join(", ")}); on Debian: apt-get install ${debianPackage}`);
    this.tool = tool;
    this.debianPackage = debianPackage;
  }
}

/** The folder in which LLVM's Debian packages put their tools under plain names. */
const llvmFolder = "/usr/lib/llvm-14/bin";

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a tool, or nothing when it is not installed. */
export function findTool(tool: ToolName, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { PATH: path = "/usr/bin:/bin" } = environment;
  // A relative folder in PATH would let the working directory choose what runs.
  const folders = path.split(delimiter).filter((folder) => folder.startsWith("/"));
  for (const name of toolTable[tool].names) {
    for (const folder of folders) {
      const candidate = join(folder, name);
      if (isExecutable(candidate)) return candidate;
    }
  }
  const inLlvmFolder = join(llvmFolder, tool);
  return tool !== "linker" && isExecutable(inLlvmFolder) ? inLlvmFolder : undefined;
}

/** The Debian package that has a tool. */
export function packageOf(tool: ToolName): string {
  return toolTable[tool].debianPackage;
}
