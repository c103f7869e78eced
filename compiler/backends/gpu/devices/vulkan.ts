import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";

/** The software device that Debian's package chromium-common brings, which no Vulkan program finds by itself. */
export const swiftShaderDriver = "/usr/lib/chromium/vk_swiftshader_icd.json";

/**
 * The Vulkan drivers that a program finds on Linux: their manifests, by the rules of the Vulkan loader
 * (https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md). Only whether there are any
 * matters here: without one, Dawn prints warnings of its own.
 */
export function vulkanDrivers(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const variable = vulkanVariable(env);
  if (variable !== undefined) return pathsOf(env[variable] ?? "").flatMap(manifestsIn);
  const home = homedir();
  const roots = [
    env["XDG_CONFIG_HOME"] ?? join(home, ".config"),
    ...pathsOf(env["XDG_CONFIG_DIRS"] ?? "/etc/xdg"),
    "/usr/local/etc",
    "/etc",
    env["XDG_DATA_HOME"] ?? join(home, ".local", "share"),
    ...pathsOf(env["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share"),
  ];
  const folders = roots.map((root) => join(root, "vulkan", "icd.d"));
  return [...pathsOf(env["VK_ADD_DRIVER_FILES"] ?? ""), ...folders].flatMap(manifestsIn);
}

/** The variable of the environment that says which drivers there are, instead of the system's folders. */
export function vulkanVariable(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].find((name) => (env[name] ?? "") !== "");
}

export function driverNames(manifests: readonly string[]): string {
  return manifests.map((path) => basename(path, ".json")).join(", ");
}

function pathsOf(list: string): readonly string[] {
  return list.split(delimiter).filter((path) => path !== "");
}

/** A manifest, or those in a folder. */
function manifestsIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(path, name));
}
