import { readdirSync, statSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { DeviceProbe } from "../compiler/backends/gpu/devices/device.js";
import { probeDevices } from "../compiler/backends/gpu/devices/probe.js";
import { type Availability, probe, type Requirement } from "../compiler/backends/llvm/availability.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { cacheCapBytes, openCacheFolder } from "../compiler/cache/folder.js";
import { version } from "../compiler/version.js";
import type { Console } from "./console.js";
import { type ExitCode, exitCodes } from "./failure.js";
import { bytesText, countText, plural } from "./numbers.js";

/**
 * Says what native code needs, what of it is here, and the commands that provide the rest; and which devices of the GPU
 * target work, and why the others do not.
 */
export async function doctor(console: Console): Promise<ExitCode> {
  const devices = await probeDevices();
  const availability = probe({ versions: true });
  const target = hostTarget();
  const cache = inspectCache();
  const fix = mendingCommand(availability);
  const code = availability.available ? exitCodes.fine : exitCodes.missing;
  if (console.isJson) {
    console.object({
      version,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      native: availability.available,
      requirements: availability.requirements.map(({ name, found, detail, fix: command }) => ({
        name,
        found,
        detail,
        fix: command ?? null,
      })),
      fix: fix ?? null,
      devices: devices.map(({ name, available, adapter, reason, hint }) => ({
        name,
        available,
        adapter: adapter ?? null,
        reason: reason ?? null,
        fix: hint ?? null,
      })),
      cpu: {
        model: cpuModel(),
        cores: cpus().length,
        level: target.level,
        l1_bytes: target.l1Bytes,
        l2_bytes: target.l2Bytes,
        l3_bytes: target.l3Bytes,
      },
      memory_bytes: totalmem(),
      cache,
    });
    return code;
  }
  const line = (name: string, text: string): string => `  ${name.padEnd(14)}${text}`;
  const caches = [target.l1Bytes, target.l2Bytes, target.l3Bytes]
    .map((bytes) => `${countText(bytes / 1024)}`)
    .join(" / ");
  const lines = [
    `graphc ${version}`,
    line("node", `${process.versions.node}, ${process.platform} ${process.arch}`),
    line("processor", `${cpuModel()}, ${plural(cpus().length, "core")}`),
    line("", `code for ${target.level}, caches ${caches} KiB`),
    line("memory", bytesText(totalmem())),
    line(
      "code cache",
      `${cache.path}: ${plural(cache.entries, "entry").replace("entrys", "entries")}, ${bytesText(cache.bytes)} of ${bytesText(cache.cap_bytes)}`,
    ),
    ...(cache.warning === null ? [] : [line("", console.paint("yellow", cache.warning))]),
    "",
    "native code",
    ...availability.requirements.map((requirement) => requirementLine(console, requirement)),
    "",
    ...verdict(console, availability, fix),
    "",
    "GPU devices",
    ...devices.flatMap((device) => deviceLines(console, device)),
  ];
  console.print(lines.join("\n"));
  return code;
}

function requirementLine(console: Console, { name, found, detail }: Requirement): string {
  const mark = found ? console.paint("green", "ok     ") : console.paint("red", "missing");
  return `  ${name.padEnd(14)}${mark}  ${detail}`;
}

function deviceLines(console: Console, { name, available, adapter, reason, hint }: DeviceProbe): readonly string[] {
  const head = `  ${name.padEnd(14)}`;
  if (available) return [`${head}${console.paint("green", "ok     ")}  ${adapter ?? ""}`];
  const line = `${head}${console.paint("yellow", "-      ")}  ${reason ?? ""}`;
  return hint === undefined ? [line] : [line, `${" ".repeat(25)}${hint}`];
}

function verdict(console: Console, availability: Availability, fix: string | undefined): readonly string[] {
  if (availability.available) return [console.paint("green", "Native code works here.")];
  const head = "Without it the reference back end serves: right, and much slower.";
  if (fix === undefined) {
    const hints = availability.requirements.flatMap((requirement) => requirement.fix ?? []);
    return [head, ...hints];
  }
  return [head, "", "To mend it:", `  ${console.paint("bold", fix)}`];
}

/** One command for all that is missing: the Debian packages in one go, then the rest. None where no command would help. */
function mendingCommand({ requirements }: Availability): string | undefined {
  const missing = requirements.filter(({ found }) => !found);
  if (missing.some(({ name }) => name === "platform")) return undefined;
  const packages = new Set<string>();
  const others = new Set<string>();
  for (const { fix } of missing) {
    for (const command of fix?.split(" && ") ?? []) {
      const names = /^sudo apt-get install (.+)$/.exec(command)?.[1];
      if (names === undefined) others.add(command);
      else for (const name of names.split(" ")) packages.add(name);
    }
  }
  const commands = [...(packages.size === 0 ? [] : [`sudo apt-get install ${[...packages].join(" ")}`]), ...others];
  return commands.length === 0 ? undefined : commands.join(" && ");
}

function cpuModel(): string {
  return cpus()[0]?.model.replace(/\s+/g, " ").trim() ?? "unknown";
}

function inspectCache() {
  const folder = openCacheFolder();
  let entries = 0;
  let bytes = 0;
  for (const name of readdirSync(folder.path)) {
    const status = statSync(join(folder.path, name), { throwIfNoEntry: false });
    if (status?.isFile() !== true || name.startsWith(".")) continue;
    entries += 1;
    bytes += status.size;
  }
  return { path: folder.path, entries, bytes, cap_bytes: cacheCapBytes(), warning: folder.warning ?? null };
}
