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
 * The largest errors that were measured (`make accuracy`), in units of the last place of f32, with SwiftShader for webgpu: of the
 * result, or, of what sums, of the sum of the terms' magnitudes. Rounded to the next f32, a result is within half a unit.
 */
export const measuredErrors = {
  "add, sub, mul": { webgpu: 0.5, headlessgl: 0.5, webgl2: 0.5, webasm: 0.5, cpu: 0.5 },
  div: { webgpu: 0.5, headlessgl: 0.5, webgl2: 0.5, webasm: 0.5, cpu: 0.5 },
  "sqrt, rsqrt, cbrt": { webgpu: 1.5, headlessgl: 1.5, webgl2: 1.5, webasm: 1.5, cpu: 0.5 },
  "exp, expm1": { webgpu: 61.6, headlessgl: 61.5, webgl2: 61.6, webasm: 2, cpu: 0.7 },
  "log, log1p": { webgpu: 5.3, headlessgl: 3.7, webgl2: 5.3, webasm: 2.8, cpu: 0.8 },
  "sin, cos": { webgpu: 1.5, headlessgl: 2.1, webgl2: 1.5, webasm: 1.5, cpu: 0.6 },
  atan2: { webgpu: 2.9, headlessgl: 2.9, webgl2: 2.9, webasm: 2.9, cpu: 0.9 },
  "tanh, sigmoid": { webgpu: 61.5, headlessgl: 61.5, webgl2: 61.5, webasm: 2.4, cpu: 0.7 },
  "erf, erfc": { webgpu: 66.9, headlessgl: 66.9, webgl2: 66.9, webasm: 7.3, cpu: 5.8 },
  pow: { webgpu: 73, headlessgl: 73, webgl2: 73, webasm: 0.5, cpu: 0.5 },
  "floor_div, mod": { webgpu: 0.5, headlessgl: 0.5, webgl2: 0.5, webasm: 0.5, cpu: 0.5 },
  sum: { webgpu: 1.2, headlessgl: 1.2, webgl2: 1.2, webasm: 1.2, cpu: 0.2 },
  "dot_general, convolution": { webgpu: 2.8, headlessgl: 2.8, webgl2: 2.8, webasm: 2.8, cpu: 0.3 },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<DeviceName, number>>>>>;
/** Ops whose results are equally near. */
export type AccuracyFamily = keyof typeof measuredErrors;

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
