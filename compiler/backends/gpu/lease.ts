import { DeviceMemory } from "./arrays.js";
import type { DeviceName, GpuDevice } from "./devices/device.js";
import { Journal } from "./journal.js";

/** A device that nobody holds is closed after this long: an open one may keep the process alive. */
const idleMilliseconds = 200;

/**
 * The device of a back end, open while somebody holds it (a variable, a bound program) and opened again when it is needed after
 * that.
 */
export class DeviceLease {
  readonly name: DeviceName;
  readonly #open: () => Promise<GpuDevice>;
  readonly journal = new Journal();
  #memory: Promise<DeviceMemory> | undefined;
  #recovery: Promise<DeviceMemory> | undefined;
  #holders = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(first: GpuDevice, open: () => Promise<GpuDevice>) {
    this.name = first.name;
    this.#open = open;
    this.#memory = Promise.resolve(new DeviceMemory(first));
    this.#closeSoon();
  }

  /** What was lost with a device is made again on the next. Rejects with GraphError G122 where none can be opened any more. */
  async memory(): Promise<DeviceMemory> {
    this.#memory ??= this.#open().then((device) => new DeviceMemory(device));
    const memory = await this.#memory;
    if (memory.loss !== "lost") return memory;
    this.#recovery ??= this.#recover(memory).finally(() => {
      this.#recovery = undefined;
    });
    return this.#recovery;
  }

  /** Until it is done, nobody else is given the new device. */
  async #recover(lost: DeviceMemory): Promise<DeviceMemory> {
    await lost.close();
    const memory = new DeviceMemory(await this.#open());
    await this.journal.recover(memory);
    this.#memory = Promise.resolve(memory);
    return memory;
  }

  /** Keeps the device open until what is returned is called. */
  hold(): () => void {
    this.#holders++;
    clearTimeout(this.#timer);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders--;
      if (this.#holders === 0) this.#closeSoon();
    };
  }

  #closeSoon(): void {
    clearTimeout(this.#timer);
    // Not a reason to stay alive by itself; an open device is one, and then the timer runs.
    this.#timer = setTimeout(() => this.#close(), idleMilliseconds);
    this.#timer.unref?.();
  }

  #close(): void {
    if (this.#holders > 0) return;
    const memory = this.#memory;
    this.#memory = undefined;
    memory?.then((opened) => opened.close()).catch(() => undefined);
  }
}
