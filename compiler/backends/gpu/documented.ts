import type { DeviceName } from "./devices/device.js";

/** How near a device's floats come to those of native code. docs/gpu.md is made from it, and every op is tested by it. */
export interface DeviceNumerics {
  /** A result is within this part of its value, or within `absolute`. */
  readonly relative: number;
  readonly absolute: number;
  /** Beyond this, `sin` and `cos` are those of the device, whose error is not bounded. */
  readonly sineLimit: number;
  /** A magnitude below 2^-126 counts as it is, or as zero, as the driver likes. Native code counts it as zero. */
  readonly subnormals: "zeros" | "kept" | "either";
  /** Whether a zero has the sign that native code gives it. */
  readonly zeroSigns: boolean;
}

const ofShaders: DeviceNumerics = {
  relative: 1e-5,
  absolute: 1e-6,
  sineLimit: 8192,
  subnormals: "either",
  zeroSigns: false,
};

/** In JavaScript and WebAssembly functions are the engine's, in float64. */
const ofEngines: DeviceNumerics = {
  relative: 1e-5,
  absolute: 1e-6,
  sineLimit: Number.POSITIVE_INFINITY,
  subnormals: "kept",
  zeroSigns: false,
};

export const deviceNumerics: Readonly<Record<DeviceName, DeviceNumerics>> = {
  webgpu: ofShaders,
  headlessgl: ofShaders,
  webgl2: ofShaders,
  webasm: ofEngines,
  cpu: ofEngines,
};

/**
 * The ops that the processor does for the target gpu though f32 holds their operands and results: of each at least one case, such
 * as an integer division, which may divide by zero. A new op stands here, or it has kernels.
 */
export const processorOps: readonly string[] = [
  "argsort",
  "cholesky",
  "count_leading_zeros",
  "cummax",
  "cummin",
  "cumprod",
  "cumsum",
  "det",
  "eigh",
  "floor_div",
  "linear_recurrence",
  "mod",
  "popcnt",
  "pow",
  "qr",
  "shift_left",
  "shift_right_arithmetic",
  "shift_right_logical",
  "slogdet",
  "solve",
  "svd",
  "triangular_solve",
];
