import type { GPU, IKernelRunShortcut } from "gpu.js";
import { problem } from "../../../ir/codes.js";
import { GraphError } from "../../../ir/diagnostic.js";

/** What gpu.js runs kernels on, in the order in which one is taken where none is asked for. */
export const deviceNames = ["webgpu", "headlessgl", "webgl2", "webasm", "cpu"] as const;
export type DeviceName = (typeof deviceNames)[number];

/** Whether a device computes on the processor, as what stands in for a GPU in tests does too. */
export function isSoftware({ name, adapter }: Pick<GpuDevice, "name" | "adapter">): boolean {
  return name === "webasm" || name === "cpu" || /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i.test(adapter);
}

/**
 * Whether a kernel that returns several numbers leaves them as one array. Textures of GL have them in channels, which flat indices
 * pass over; JavaScript makes an array for each thread.
 */
export function returnsVectors(name: DeviceName): boolean {
  return name === "webgpu" || name === "webasm";
}

/** What is known of a device on this machine, for `graphc doctor`. */
export interface DeviceProbe {
  readonly name: DeviceName;
  readonly available: boolean;
  /** What does the work, as its driver calls itself; undefined where the device is not available. */
  readonly adapter: string | undefined;
  /** Why it is not available. */
  readonly reason: string | undefined;
  /** How to mend that, where it can be. */
  readonly hint: string | undefined;
}

export interface GpuDevice {
  readonly name: DeviceName;
  readonly adapter: string;
  /** gpu.js with its mode forced. A kernel may still fall back to JavaScript: see `fallbackOf`. */
  readonly gpu: GPU;
  /**
   * What the driver has reported since it was last asked (webgpu: an invalid kernel, no memory, a lost device). gpu.js only
   * prints these, and gives zeros for a result.
   */
  readonly takeProblems: () => readonly string[];
  /** Waits until the device has done all that it was given: what was freed is free then. */
  readonly settle: () => Promise<void>;
  /** Waits until results can be read at once. Present where reading holds up the thread for all the work that is before it. */
  readonly readable?: () => Promise<void>;
  /** Whether it went away, with all that lay on it. Absent where that does not happen. */
  readonly isLost?: () => boolean;
  /** Asks whether what was just read came from it. Present where one that went away may give zeros, and say so only later. */
  readonly isAnswering?: () => boolean;
  /** The devices before this one in the order, and why they were passed over; none where this one was asked for. */
  readonly passedOver: readonly DeviceProbe[];
  /** Kernels and their results cannot be used any more. */
  readonly close: () => Promise<void>;
}

/** A device that a platform has opened, or why it could not. */
export type Opening = Opened | Refusal;

export interface Opened {
  readonly adapter: string;
  readonly gpu: GPU;
  readonly takeProblems: () => readonly string[];
  readonly settle: () => Promise<void>;
  readonly readable?: () => Promise<void>;
  readonly isLost?: () => boolean;
  readonly isAnswering?: () => boolean;
  readonly close: () => Promise<void>;
}

export interface Refusal {
  readonly reason: string;
  readonly hint: string | undefined;
}

export type Openers = Readonly<Record<DeviceName, () => Promise<Opening>>>;

/**
 * The device asked for, or the first that works. Throws GraphError: G122 where the one asked for does not work, with the
 * reason.
 */
export async function openFirst(openers: Openers, wish: DeviceName | undefined): Promise<GpuDevice> {
  const passedOver: DeviceProbe[] = [];
  for (const name of wish === undefined ? deviceNames : [wish]) {
    const opening = await openChecked(openers[name]);
    if ("gpu" in opening) return { name, ...opening, passedOver };
    passedOver.push(probeOf(name, opening));
  }
  throw unavailable(passedOver, wish === undefined ? [] : await workingBeside(openers, wish));
}

/** The other devices that work here. */
async function workingBeside(openers: Openers, wish: DeviceName): Promise<readonly DeviceName[]> {
  const working: DeviceName[] = [];
  for (const name of deviceNames) {
    if (name === wish) continue;
    const opening = await openChecked(openers[name]);
    if (!("gpu" in opening)) continue;
    working.push(name);
    await opening.close();
  }
  return working;
}

export function probeOf(name: DeviceName, opening: Opening): DeviceProbe {
  return "gpu" in opening
    ? { name, available: true, adapter: opening.adapter, reason: undefined, hint: undefined }
    : { name, available: false, adapter: undefined, reason: opening.reason, hint: opening.hint };
}

function unavailable(probes: readonly DeviceProbe[], working: readonly DeviceName[]): GraphError {
  const [only] = probes;
  if (only !== undefined && probes.length === 1) {
    const [first, ...others] = working;
    const instead =
      first === undefined
        ? undefined
        : `here works \`--device ${first}\`${others.length === 0 ? "" : `, and ${others.join(", ")}`}`;
    const hint = [only.hint, instead ?? "`graphc doctor` lists the devices"]
      .filter((part) => part !== undefined)
      .join("; ");
    return new GraphError([
      problem("G122", undefined, `device ${only.name} is not available: ${only.reason}`, { hint }),
    ]);
  }
  const notes = probes.map(({ name, reason }) => ({ span: undefined, message: `${name}: ${reason}` }));
  const hint = "`graphc doctor` says how to install what is missing";
  return new GraphError([problem("G122", undefined, "no device is available", { notes, hint })]);
}

/** Opens a device and runs a kernel on it: only then it counts as working. */
export async function openChecked(open: () => Promise<Opening>): Promise<Opening> {
  const opening = await open();
  if (!("gpu" in opening)) return opening;
  const wrong = await runCheck(opening);
  if (wrong === undefined) return opening;
  await opening.close();
  return { reason: wrong, hint: undefined };
}

/** Exact in f32, so that each device has to give the same. */
async function runCheck({ gpu, takeProblems }: Opened): Promise<string | undefined> {
  let kernel: IKernelRunShortcut | undefined;
  try {
    kernel = gpu.createKernel("function(a) { return a[this.thread.x] * 3.0 + this.constants.c; }", {
      output: [4],
      precision: "single",
      constants: { c: 0.5 },
    });
    const result = await kernel(Float32Array.of(0, 1, -2, 1024));
    const wrong = fallbackOf(gpu, kernel) ?? takeProblems()[0];
    if (wrong !== undefined) return `a kernel did not run: ${wrong}`;
    const values = result instanceof Float32Array ? [...result] : [];
    return String(values) === "0.5,3.5,-5.5,3072.5"
      ? undefined
      : `a kernel gave [${values}], not [0.5,3.5,-5.5,3072.5]`;
  } catch (error) {
    return `a kernel did not run: ${takeProblems()[0] ?? messageOf(error)}`;
  } finally {
    kernel?.destroy();
  }
}

/**
 * Why a kernel that has run was not run by the device; undefined where it was. gpu.js runs in JavaScript what a device
 * refuses, and only prints a warning.
 */
export function fallbackOf(gpu: GPU, kernel: IKernelRunShortcut): string | undefined {
  if (kernel.kernel.constructor === gpu.Kernel) return undefined;
  return kernel.kernel.fallbackReason ?? `it fell back to ${kernel.kernel.constructor.name}`;
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
