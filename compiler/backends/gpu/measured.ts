import { type ExecutionProfile, eventRoom, type KernelEvent } from "../profile.js";
import { measurementSeconds } from "../reference/profile.js";
import type { DeviceArray, DeviceMemory, DeviceWork } from "./arrays.js";
import { type DeviceKernel, kernelsOf, type Step } from "./form.js";

interface Row {
  readonly name: string;
  readonly kernel: DeviceKernel | undefined;
  calls: number;
  milliseconds: number;
  /** The most bytes that the device held when it was done. */
  bytes: number;
}

/**
 * Measures what a device does for one program. Each launch is waited for, from when it is given to the device until the device says that
 * it is done: so its own time is found, with what handing it over takes, and nothing overlaps as it otherwise would.
 */
export class DeviceRecorder {
  readonly #rows: Row[];
  readonly #places: ReadonlyMap<DeviceKernel, number>;
  readonly #up: number;
  readonly #down: number;
  readonly #stacks: number;
  readonly #fixed: ExecutionProfile["fixedBytes"];
  readonly #events: KernelEvent[] = [];
  readonly #moved = { up: 0, down: 0 };
  #origin: number | undefined;
  #entries = 0;
  #entered = 0;
  #total = 0;
  #waiting = 0;

  constructor(steps: readonly Step[], fixed: ExecutionProfile["fixedBytes"]) {
    const kernels = kernelsOf(steps);
    const seen = new Map<string, number>();
    const numbered = (name: string): string => {
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return count === 1 ? name : `${name}_${count}`;
    };
    const row = (name: string, kernel?: DeviceKernel): Row => ({ name, kernel, calls: 0, milliseconds: 0, bytes: 0 });
    this.#rows = kernels.map((kernel) => row(numbered(kernel.name), kernel));
    this.#places = new Map(kernels.map((kernel, i) => [kernel, i]));
    this.#up = this.#rows.push(row("(to the device)")) - 1;
    this.#down = this.#rows.push(row("(from the device)")) - 1;
    this.#stacks = this.#rows.push(row("(stacks)")) - 1;
    this.#fixed = fixed;
  }

  enter(): void {
    this.#entries++;
    this.#entered = performance.now();
  }

  leave(): void {
    this.#total += performance.now() - this.#entered;
  }

  /** The same memory, of which each use is measured. */
  async measured(memory: DeviceMemory): Promise<DeviceWork> {
    await memory.settle();
    this.#waiting = await leastSeconds(() => memory.settle());
    const timed = async <T>(row: number, work: () => Promise<T>): Promise<T> => {
      const { bytesUp, bytesDown } = memory.counts;
      const start = performance.now();
      const result = await work();
      await memory.settle();
      this.#take(row, start, performance.now(), memory.bytes);
      this.#moved.up += memory.counts.bytesUp - bytesUp;
      this.#moved.down += memory.counts.bytesDown - bytesDown;
      return result;
    };
    return {
      get loss() {
        return memory.loss;
      },
      upload: (data) => timed(this.#up, () => memory.upload(data)),
      download: (array: DeviceArray) => timed(this.#down, () => memory.download(array)),
      launch: (kernel, arrays, numbers) => {
        // What a loop stacks is joined by kernels of their own.
        const row = this.#places.get(kernel) ?? this.#stacks;
        return timed(row, () => memory.launch(kernel, arrays, numbers));
      },
    };
  }

  #take(row: number, start: number, end: number, bytes: number): void {
    const found = this.#rows[row];
    if (found === undefined) return;
    found.calls++;
    found.milliseconds += end - start;
    found.bytes = Math.max(found.bytes, bytes);
    if (this.#events.length >= eventRoom) return;
    this.#origin ??= start;
    this.#events.push({ kernel: row, start: (start - this.#origin) / 1000, seconds: (end - start) / 1000 });
  }

  profile(): ExecutionProfile {
    const fixed = this.#fixed.variables + this.#fixed.constants;
    const live = ({ bytes }: Row): number => Math.max(0, bytes - fixed);
    return {
      entries: this.#entries,
      seconds: this.#total / 1000,
      secondsPerMeasurement: this.#waiting + measurementSeconds(),
      kernels: this.#rows.map((row) => ({
        name: row.name,
        kind: row.kernel === undefined ? "op" : "nest",
        work: row.kernel?.work,
        liveBytes: live(row),
        spans: row.kernel?.spans ?? [],
        calls: row.calls,
        seconds: row.milliseconds / 1000,
      })),
      origin: this.#origin ?? 0,
      events: [...this.#events],
      fixedBytes: this.#fixed,
      arenaBytes: this.#rows.reduce((most, row) => Math.max(most, live(row)), 0),
      movedBytes: { ...this.#moved },
    };
  }
}

async function leastSeconds(run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    await run();
    times.push((performance.now() - start) / 1000);
  }
  return Math.min(...times);
}
