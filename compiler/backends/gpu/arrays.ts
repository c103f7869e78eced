import type { IKernelRunShortcut } from "gpu.js";
import { InternalError } from "../../ir/diagnostic.js";
import type { NumericDType } from "../../ir/dtype.js";
import { allocate, type TensorData } from "../../ir/tensor.js";
import type { DeviceCounts } from "../executable.js";
import { fallbackOf, type GpuDevice } from "./devices/device.js";
import { DeviceFailure, kernelFailure, transferFailure } from "./failures.js";
import { type DeviceKernel, longestLoop } from "./form.js";

/** A result that gpu.js has left where it was made: on a device a handle, in WebAssembly and JavaScript the numbers themselves. */
interface Handle {
  readonly type: string;
  readonly toArray: () => unknown;
  readonly delete: () => void;
}

type Raw = Float32Array | Handle;

/** An array of f32 on a device. It goes when its last user lets go of it. */
export class DeviceArray {
  readonly raw: Raw;
  readonly length: number;
  /** What made it: whoever cannot be given it is told of that. */
  readonly madeBy: DeviceKernel | undefined;
  #users = 1;
  readonly #gone: () => void;

  constructor(raw: Raw, length: number, madeBy: DeviceKernel | undefined, gone: () => void) {
    this.raw = raw;
    this.length = length;
    this.madeBy = madeBy;
    this.#gone = gone;
  }

  retain(): DeviceArray {
    if (this.#users <= 0) throw new InternalError("an array of a device is used after it was freed");
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    if (this.#users < 0) throw new InternalError("an array of a device is freed twice");
    if (!(this.raw instanceof Float32Array)) this.raw.delete();
    this.#gone();
  }
}

/** What a program asks of a device. */
export interface DeviceWork {
  /** An array of these numbers, which stay the caller's. `name`: what they are, for whoever measures. */
  readonly upload: (data: Float32Array, name: string) => Promise<DeviceArray>;
  /** The numbers of an array, which are the caller's. */
  readonly download: (array: DeviceArray, name: string) => Promise<Float32Array>;
  /** Whether the device may go away with all that lies on it, or has. */
  readonly loss: "never" | "possible" | "lost";
  /** What a kernel makes of arrays and numbers; `names` are those of the arrays. */
  readonly launch: (
    kernel: DeviceKernel,
    arrays: readonly (DeviceArray | Float32Array)[],
    numbers: readonly number[],
    names?: readonly string[],
  ) => Promise<DeviceArray>;
}

/**
 * A driver works later than it is asked to, and frees only after that: it is waited for each time so many bytes, or so many launches,
 * are behind. Without that, steps that bring nothing back would pile up.
 */
const mostBehind = { bytes: 2 ** 26, launches: 4096 } as const;

/** All that are open, whose kernels hold something of which there is little. */
const ofWebAssembly = new Set<DeviceMemory>();

/** The arrays and kernels of one device. Every launch makes a new array. */
export class DeviceMemory implements DeviceWork {
  readonly device: GpuDevice;
  readonly #kernels = new Map<string, IKernelRunShortcut>();
  #launches = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #bytesKept = 0;
  #arrays = 0;
  #bytes = 0;
  /** Since the device was last waited for. */
  readonly #behind = { bytes: 0, launches: 0 };

  constructor(device: GpuDevice) {
    this.device = device;
    if (device.name === "webasm") ofWebAssembly.add(this);
  }

  /** Nothing of it can be used any more. */
  async close(): Promise<void> {
    ofWebAssembly.delete(this);
    await this.device.close();
  }

  get loss(): "never" | "possible" | "lost" {
    if (this.device.isLost === undefined) return "never";
    return this.device.isLost() ? "lost" : "possible";
  }

  get counts(): DeviceCounts {
    return {
      launches: this.#launches,
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      bytesKept: this.#bytesKept,
      kernels: this.#kernels.size,
      arrays: this.#arrays,
    };
  }

  /** Of all arrays that are on the device now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Waits until the device has done all that it was given. */
  settle(): Promise<void> {
    return this.device.settle();
  }

  /** What gpu.js computes with in this process's own memory, where nothing has to be moved. */
  get #isLocal(): boolean {
    return this.device.name === "webasm" || this.device.name === "cpu";
  }

  async upload(data: Float32Array): Promise<DeviceArray> {
    if (this.#isLocal || data.length === 0) {
      this.#bytesUp += data.byteLength;
      return this.#array(data.slice(), data.length);
    }
    return this.launch(copyOf(data.length), [data], []);
  }

  download(array: DeviceArray): Promise<Float32Array> {
    this.#bytesDown += array.length * Float32Array.BYTES_PER_ELEMENT;
    return this.#numbersOf(array);
  }

  /** The same for a copy that nobody has asked for: against the loss of the device. */
  keep(array: DeviceArray): Promise<Float32Array> {
    this.#bytesKept += array.length * Float32Array.BYTES_PER_ELEMENT;
    return this.#numbersOf(array);
  }

  async #numbersOf(array: DeviceArray): Promise<Float32Array> {
    const { raw } = array;
    if (raw instanceof Float32Array) return raw.slice(0, array.length);
    let numbers: unknown;
    array.retain();
    try {
      await this.#readable();
      numbers = await raw.toArray();
      if (this.device.isAnswering?.() === false) throw new Error("the device was lost");
    } catch (error) {
      const why = this.loss === "lost" ? "the device was lost" : error;
      if (array.madeBy !== undefined) throw kernelFailure(array.madeBy, this.device.name, why);
      throw transferFailure(this.device.name, why);
    } finally {
      array.release();
    }
    const [wrong] = this.device.takeProblems();
    if (wrong !== undefined) throw new DeviceFailure(`${this.device.name} reports: ${wrong}`, []);
    const flat = flattened(numbers, array.length);
    if (flat === undefined) throw new InternalError("a device gave no numbers");
    return flat.slice(0, array.length);
  }

  async launch(
    kernel: DeviceKernel,
    arrays: readonly (DeviceArray | Float32Array)[],
    numbers: readonly number[],
  ): Promise<DeviceArray> {
    if (kernel.length === 0) return this.#array(new Float32Array(0), 0);
    await this.#keepUp();
    const raws = arrays.map((array): Raw => {
      const raw = array instanceof DeviceArray ? array.raw : array;
      // Nothing reads it; an empty argument is refused all the same.
      return raw instanceof Float32Array && raw.length === 0 ? nothing : raw;
    });
    for (const array of arrays) if (array instanceof Float32Array) this.#bytesUp += array.byteLength;
    const types = raws.map((raw) => (raw instanceof Float32Array ? "Array" : raw.type));
    const call = async (): Promise<{
      readonly run: IKernelRunShortcut;
      readonly isNew: boolean;
      readonly result: unknown;
    }> => {
      const run = this.#kernel(kernel, types, numbers.length, raws.map(shapeOf));
      const isNew = !run.kernel.built;
      return { run, isNew, result: await run(...(raws as never[]), ...(numbers as never[])) };
    };
    try {
      const { run, isNew, result } = await call().catch((error: unknown) => {
        // Each kernel of WebAssembly has a memory of its own, of which Chromium gives a process 125.
        if (this.device.name !== "webasm" || !(error instanceof RangeError)) throw error;
        for (const memory of ofWebAssembly) memory.#forgetKernels();
        return call();
      });
      this.#launches++;
      const array = this.#array(result, kernel.length, kernel);
      // gpu.js goes over to JavaScript without a word where it cannot build a kernel, and only prints what a driver reports.
      const wrong = (isNew ? fallbackOf(this.device.gpu, run) : undefined) ?? this.device.takeProblems()[0];
      if (wrong === undefined) return array;
      array.release();
      throw new Error(wrong);
    } catch (error) {
      throw kernelFailure(kernel, this.device.name, this.loss === "lost" ? "the device was lost" : error);
    }
  }

  /** They are made anew when they are launched next. */
  #forgetKernels(): void {
    for (const kernel of this.#kernels.values()) kernel.destroy();
    this.#kernels.clear();
  }

  async #keepUp(): Promise<void> {
    const { bytes, launches } = this.#behind;
    if (bytes >= mostBehind.bytes || launches >= mostBehind.launches) {
      this.#caughtUp();
      await this.device.settle();
    }
    this.#behind.launches++;
  }

  /** What is read one after another, with nothing launched in between, is waited for once. */
  async #readable(): Promise<void> {
    if (this.device.readable === undefined || this.#behind.launches === 0) return;
    const { launches } = this.#behind;
    await this.device.readable();
    if (this.#behind.launches === launches) this.#caughtUp();
  }

  #caughtUp(): void {
    this.#behind.bytes = 0;
    this.#behind.launches = 0;
  }

  #array(given: unknown, length: number, madeBy?: DeviceKernel): DeviceArray {
    const result = isRaw(given) ? given : flattened(given, length);
    if (result === undefined) throw new InternalError("a kernel gave no result");
    if (isBuffer(result)) {
      result.output = [length];
      result.componentCount = 1;
    }
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    this.#arrays++;
    this.#bytes += bytes;
    return new DeviceArray(result, length, madeBy, () => {
      this.#arrays--;
      this.#bytes -= bytes;
      this.#behind.bytes += bytes;
    });
  }

  #kernel(
    kernel: DeviceKernel,
    types: readonly string[],
    numbers: number,
    shapes: readonly string[],
  ): IKernelRunShortcut {
    const key = [kernel.grid.join("x"), ...types, ...shapes, numbers, ...kernel.functions, kernel.source].join("\n");
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    // gpu.js takes more than its types say: types of arguments in order, functions as text, and handles as arguments.
    const made = this.device.gpu.createKernel(kernel.source, {
      output: [...kernel.grid],
      pipeline: true,
      immutable: true,
      precision: "single",
      loopMaxIterations: longestLoop,
      functions: [...kernel.functions],
      argumentTypes: [...types, ...new Array<string>(numbers).fill("Float")],
    } as never);
    this.#kernels.set(key, made);
    return made;
  }
}

const nothing = new Float32Array(1);

function isRaw(value: unknown): value is Raw {
  return value instanceof Float32Array || (typeof value === "object" && value !== null && "toArray" in value);
}

/** A kernel is built for arrays of one size, one of GL for textures of one shape, which rows of threads leave as such. */
function shapeOf(raw: Raw): string {
  if (raw instanceof Float32Array) return String(raw.length);
  return "output" in raw ? String(raw.output) : "";
}

/** A handle of WebGPU. The numbers lie there one after another, whatever it says of the threads that have made them. */
interface GpuBufferHandle extends Handle {
  output: readonly number[];
  componentCount: number;
}

function isBuffer(raw: Raw): raw is GpuBufferHandle {
  return !(raw instanceof Float32Array) && raw.type === "WebGPUBuffer" && "componentCount" in raw;
}

/** The numbers of a result that gpu.js gives as arrays of arrays, row by row; undefined where it is none. */
function flattened(result: unknown, length: number): Float32Array | undefined {
  if (result instanceof Float32Array) return result;
  if (!Array.isArray(result)) return undefined;
  let first: unknown = result;
  while (Array.isArray(first)) first = first[0];
  if (!(first instanceof Float32Array)) return undefined;
  // Mostly they are views of one array.
  if (first.byteOffset === 0 && first.buffer.byteLength === length * Float32Array.BYTES_PER_ELEMENT)
    return new Float32Array(first.buffer);
  const flat = new Float32Array(length);
  let at = 0;
  const copy = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(copy);
    else if (part instanceof Float32Array) {
      flat.set(part, at);
      at += part.length;
    }
  };
  copy(result);
  return flat;
}

const copies = new Map<number, DeviceKernel>();

/** Handles are made by kernels alone: one that copies its argument brings numbers to the device. */
function copyOf(length: number): DeviceKernel {
  const known = copies.get(length);
  if (known !== undefined) return known;
  const made: DeviceKernel = {
    name: "upload",
    of: "upload",
    source: "function(a0) {\n  return a0[this.thread.x];\n}",
    functions: [],
    grid: [length],
    perThread: 1,
    length,
    work: undefined,
    arrays: [],
    numbers: [],
    spans: [],
  };
  copies.set(length, made);
  return made;
}

/** Elements as a device has them: f32, whatever the dtype. */
export function toFloats(data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  return Float32Array.from(data);
}

/** Elements of a dtype that a device holds as f32. */
export function fromFloats(dtype: NumericDType, floats: Float32Array): TensorData {
  if (dtype === "f32") return floats;
  const data = allocate(dtype, floats.length);
  for (let i = 0; i < floats.length; i++) {
    const x = floats[i] ?? 0;
    if (data instanceof BigInt64Array) data[i] = BigInt(Number.isFinite(x) ? Math.round(x) : 0);
    else data[i] = x;
  }
  return data;
}
