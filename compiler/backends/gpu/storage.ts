import type { NumericDType } from "../../ir/dtype.js";
import type { TensorData } from "../../ir/tensor.js";
import type { Mirror, StorageBlock, TargetMemory } from "../executable.js";
import { type DeviceArray, type DeviceWork, fromFloats, toFloats } from "./arrays.js";
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

  readonly #release: () => void;

  constructor(dtype: NumericDType, host: StorageBlock, lease: DeviceLease) {
    this.#release = lease.hold();
    this.dtype = dtype;
    this.host = host;
    this.#lease = lease;
  }

  get data(): TensorData {
    return this.host.data;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  async pull(): Promise<void> {
    if (this.#isCurrent || this.#array === undefined) return;
    const memory = await this.#lease.memory();
    const floats = await memory.download(this.#array);
    const data = fromFloats(this.dtype, floats);
    if (this.host.data instanceof BigInt64Array) this.host.data.set(data as BigInt64Array);
    else this.host.data.set(data as Float32Array);
    this.#isCurrent = true;
  }

  written(): void {
    this.#array?.release();
    this.#array = undefined;
    this.#isCurrent = true;
  }

  /** What the device has, brought there if need be; the block's own. */
  async onDevice(memory: DeviceWork): Promise<DeviceArray> {
    this.#array ??= await memory.upload(toFloats(this.host.data));
    return this.#array;
  }

  /** Takes over a new value that the device has made. */
  assign(array: DeviceArray): void {
    this.#array?.release();
    this.#array = array;
    this.#isCurrent = false;
  }

  /** The value as it is, for another variable to take over. */
  share(): DeviceArray | TensorData {
    return this.#isCurrent || this.#array === undefined ? this.host.data.slice() : this.#array.retain();
  }

  free(): void {
    this.#array?.release();
    this.#array = undefined;
    this.host.free();
    this.#release();
  }
}

/** Where a device's program keeps variables: `host` gives the copies in this process's memory. */
export function deviceStorage(host: TargetMemory, lease: DeviceLease): TargetMemory {
  return {
    allocate: (dtype, length) => new DeviceBlock(dtype, host.allocate(dtype, length), lease),
  };
}
