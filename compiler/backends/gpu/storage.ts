import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";
import type { NumericDType } from "../../ir/dtype.js";
import { copyElements, type TensorData } from "../../ir/tensor.js";
import type { Mirror, StorageBlock, TargetMemory } from "../executable.js";
import { type DeviceArray, type DeviceMemory, type DeviceWork, fromFloats, toFloats } from "./arrays.js";
import { DeviceFailure } from "./failures.js";
import type { DeviceLease } from "./lease.js";

/**
 * A variable (or a column of a data set) of a device's program: a copy in this process's memory and one on the device, of which at
 * least one is current. Whoever needs the other brings it up to date.
 */
export class DeviceBlock implements StorageBlock, Mirror {
  readonly dtype: NumericDType;
  readonly mirror: Mirror = this;
  /** The copy in this process's memory. */
  readonly host: StorageBlock;
  readonly #lease: DeviceLease;
  #array: DeviceArray | undefined;
  #isCurrent = true;
  /** Changes with each new value. */
  #version = 0;
  /** What the copy in this process's memory was when the journal began, where it has changed since. */
  #base: TensorData | undefined;
  readonly #release: () => void;

  constructor(dtype: NumericDType, host: StorageBlock, lease: DeviceLease) {
    this.#release = lease.hold();
    this.dtype = dtype;
    this.host = host;
    this.#lease = lease;
    lease.journal.add(this);
  }

  get data(): TensorData {
    return this.host.data;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** `memory`: the device's, where the caller has it; without it a device that was lost is replaced first. */
  async pull(memory?: DeviceWork, name = ""): Promise<void> {
    if (this.#isCurrent) return;
    const device = memory ?? (await this.#lease.memory());
    if (this.#isCurrent || this.#array === undefined) return;
    const floats = await downloaded(device, this.#array, name);
    this.#keepBase();
    copyElements(this.host.data, fromFloats(this.dtype, floats));
    this.#isCurrent = true;
  }

  written(): void {
    this.#array?.release();
    this.#array = undefined;
    this.#isCurrent = true;
    this.#version++;
  }

  overwrite(values: TensorData): void {
    const { journal } = this.#lease;
    if (journal.isOpen) {
      const kept = values.slice();
      const replay = async (): Promise<void> => this.write(kept);
      journal.record({ owner: undefined, assigned: [this], bytes: kept.byteLength, replay });
    }
    this.write(values);
  }

  /** Takes over a new value that the processor has made. */
  write(values: TensorData): void {
    this.#keepBase();
    copyElements(this.host.data, values);
    this.written();
  }

  /** What the device has, brought there if need be; the block's own. */
  async onDevice(memory: DeviceWork, name: string): Promise<DeviceArray> {
    this.#array ??= await memory.upload(toFloats(this.host.data), name);
    return this.#array;
  }

  /** Takes over a new value that the device has made. */
  assign(array: DeviceArray): void {
    this.#array?.release();
    this.#array = array;
    this.#isCurrent = false;
    this.#version++;
  }

  /** The value as it is, for another variable to take over. */
  share(): DeviceArray | TensorData {
    return this.#isCurrent || this.#array === undefined ? this.host.data.slice() : this.#array.retain();
  }

  /** The value as it is, to be copied while runs go on. */
  snapshot(): Snapshot {
    const version = this.#version;
    const array = this.#isCurrent ? undefined : this.#array?.retain();
    let value: TensorData | undefined =
      array === undefined && this.#base !== undefined ? this.host.data.slice() : undefined;
    return {
      download: async (memory) => {
        if (array !== undefined) value = fromFloats(this.dtype, await memory.keep(array));
      },
      keep: () => {
        if (this.#version === version) {
          if (array !== undefined && value !== undefined) copyElements(this.host.data, value);
          this.#isCurrent = true;
          this.#base = undefined;
        } else if (value !== undefined) this.#base = value;
      },
      release: () => array?.release(),
    };
  }

  /** The device is gone: the value is that of before the journal. */
  lose(): void {
    if (this.#base !== undefined) copyElements(this.host.data, this.#base);
    this.#base = undefined;
    this.written();
  }

  /** Nothing will be done again from an earlier value. */
  forget(): void {
    this.#base = undefined;
  }

  free(): void {
    this.#array?.release();
    this.#array = undefined;
    this.#lease.journal.remove(this);
    this.host.free();
    this.#release();
  }

  /** The copy in this process's memory is about to change: what it was when the journal began is needed to do things again. */
  #keepBase(): void {
    if (this.#base === undefined && this.#lease.journal.isOpen) this.#base = this.host.data.slice();
  }
}

/** Throws GraphError G124 where the device fails. */
async function downloaded(memory: DeviceWork, array: DeviceArray, name: string): Promise<Float32Array> {
  let failure: DeviceFailure;
  try {
    return await memory.download(array, name);
  } catch (error) {
    if (!(error instanceof DeviceFailure)) throw error;
    failure = error;
  }
  throw new GraphError([problem("G124", failure.spans[0], failure.message)]);
}

/** A variable's value at a moment. */
export interface Snapshot {
  readonly download: (memory: DeviceMemory) => Promise<void>;
  /** From now on it is what things are done again from. */
  readonly keep: () => void;
  readonly release: () => void;
}

/** Where a device's program keeps variables: `host` gives the copies in this process's memory. */
export function deviceStorage(host: TargetMemory, lease: DeviceLease): TargetMemory {
  return {
    allocate: (dtype, length) => new DeviceBlock(dtype, host.allocate(dtype, length), lease),
  };
}
