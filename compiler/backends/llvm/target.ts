import { readFileSync } from "node:fs";
import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";

/** The three levels of x86-64 for which kernels are generated; a machine takes the highest that it has. */
export const targetLevels = ["sse2", "avx2", "avx512"] as const;
export type TargetLevel = (typeof targetLevels)[number];

/** What code generation needs to know of a processor, as data. The program cache keys on it. */
export interface CpuTarget {
  readonly level: TargetLevel;
  /** For `-mcpu`: the baseline, since features are listed one by one and no host detection is trusted. */
  readonly llvmCpu: string;
  /** For `-mattr`: `+avx,+avx2,...`. */
  readonly features: string;
  /** Bytes of one vector register: 64, 32 or 16. */
  readonly vectorBytes: 64 | 32 | 16;
  /** Number of vector registers: 32 or 16. */
  readonly registers: 32 | 16;
  readonly fma: boolean;
  /** Loads and stores under a lane mask are single instructions; elsewhere LLVM branches for each lane. */
  readonly maskedAccess: boolean;
  /** roundps and friends (SSE4.1). */
  readonly rounding: boolean;
  /** Hardware conversions between half and single precision. */
  readonly f16c: boolean;
  /** Bits, for LLVM's `prefer-vector-width`. */
  readonly preferVectorWidth: number;
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  /** The last-level cache, or the L2 where there is no other. */
  readonly l3Bytes: number;
}

const avx2Flags = ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "movbe", "abm", "popcnt", "sse4_2", "ssse3", "cx16"];
const avx512Flags = ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"];
const avx2Features = "+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe";
const avx512Features = `${avx2Features},+avx512f,+avx512dq,+avx512bw,+avx512vl,+avx512cd`;

/** The highest level whose every feature stands in the flags line of /proc/cpuinfo. */
export function levelOfFlags(flags: ReadonlySet<string>): TargetLevel {
  if (!avx2Flags.every((flag) => flags.has(flag))) return "sse2";
  return avx512Flags.every((flag) => flags.has(flag)) ? "avx512" : "avx2";
}

/** The feature flags of the first processor in the text of /proc/cpuinfo; empty where there is no such line. */
export function parseCpuFlags(cpuinfo: string): ReadonlySet<string> {
  const line = /^flags\s*:(.*)$/m.exec(cpuinfo);
  return new Set((line?.[1] ?? "").trim().split(/\s+/).filter(Boolean));
}

interface CacheSizes {
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  readonly l3Bytes: number;
}

/** The target of a level with given cache sizes. */
export function targetOfLevel(level: TargetLevel, caches: CacheSizes): CpuTarget {
  const common = { level, llvmCpu: "x86-64", ...caches };
  switch (level) {
    case "avx512":
      return {
        ...common,
        features: avx512Features,
        vectorBytes: 64,
        registers: 32,
        fma: true,
        maskedAccess: true,
        rounding: true,
        f16c: true,
        preferVectorWidth: 512,
      };
    case "avx2":
      return {
        ...common,
        features: avx2Features,
        vectorBytes: 32,
        registers: 16,
        fma: true,
        maskedAccess: false,
        rounding: true,
        f16c: true,
        preferVectorWidth: 256,
      };
    case "sse2":
      return {
        ...common,
        features: "+sse2",
        vectorBytes: 16,
        registers: 16,
        fma: false,
        maskedAccess: false,
        rounding: false,
        f16c: false,
        preferVectorWidth: 128,
      };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Sizes in sysfs are written `32K`, `1024K`, `32M`. */
export function parseCacheSize(text: string): number | undefined {
  const match = /^(\d+)([KM]?)$/.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const unit = match[2] === "M" ? 1024 * 1024 : match[2] === "K" ? 1024 : 1;
  return Number(match[1]) * unit;
}

function readCaches(): CacheSizes {
  const found = new Map<number, number>();
  for (let index = 0; index < 6; index++) {
    const folder = `/sys/devices/system/cpu/cpu0/cache/index${index}`;
    if (readText(`${folder}/type`).trim() === "Instruction") continue;
    const size = parseCacheSize(readText(`${folder}/size`));
    if (size !== undefined && size > 0) found.set(Number(readText(`${folder}/level`)), size);
  }
  // Where a container hides the caches: the smallest sizes that x86-64 server and desktop cores have had for years.
  const l1Bytes = found.get(1) ?? 32 * 1024;
  const l2Bytes = found.get(2) ?? 256 * 1024;
  return { l1Bytes, l2Bytes, l3Bytes: found.get(3) ?? l2Bytes };
}

let detected: { readonly flags: ReadonlySet<string>; readonly caches: CacheSizes } | undefined;

/**
 * The target of this machine. LLVM's own host detection names the wrong processor on several servers, so features come
 * from /proc/cpuinfo. `GRAPHC_CPU=sse2|avx2|avx512` lowers the level (never raises it above what the machine has).
 * Throws GraphError for another value of it.
 */
export function hostTarget(request: string | undefined = process.env.GRAPHC_CPU): CpuTarget {
  detected ??= {
    flags: parseCpuFlags(readText("/proc/cpuinfo")),
    caches: readCaches(),
  };
  const best = levelOfFlags(detected.flags);
  if (request === undefined || request === "") return targetOfLevel(best, detected.caches);
  const asked = targetLevels.find((level) => level === request);
  if (asked === undefined) {
    const message = `GRAPHC_CPU is "${request}", which is no processor level`;
    const hint = `use one of ${targetLevels.join(", ")}`;
    throw new GraphError([problem("G120", undefined, message, { hint })]);
  }
  const level = targetLevels.indexOf(asked) <= targetLevels.indexOf(best) ? asked : best;
  return targetOfLevel(level, detected.caches);
}

/** A string that names everything of the target that machine code depends on: part of every cache key. */
export function targetKey(target: CpuTarget): string {
  return `${target.llvmCpu} ${target.features} ${target.preferVectorWidth}`;
}
