import type { KernelWork } from "../../kernels/work.js";
import { type ExecutionProfile, eventRoom, type KernelEvent, type KernelProfile, type Moved } from "../profile.js";
import { measurementSeconds } from "../reference/profile.js";
import { DeviceArray, type DeviceMemory, type DeviceWork } from "./arrays.js";
import { type DeviceKernel, kernelsOf, type Step } from "./form.js";

/** A row for what is sent is made when something is. */
interface Row {
  readonly name: string;
  readonly kind: KernelProfile["kind"];
  readonly kernel: DeviceKernel | undefined;
  /** The part that launches it. */
  readonly part: number | undefined;
  calls: number;
  /** What was sent, all calls together. */
  sent: number;
  milliseconds: number;
  /** The most bytes that the device held when it was done. */
  bytes: number;
}

type Direction = "up" | "down";

/** What a device did for a program, with the part of the run that each row belongs to; none for transfers. */
export interface DeviceProfile {
  readonly profile: ExecutionProfile;
  readonly parts: readonly (number | undefined)[];
}

/**
 * Measures what a device does for one program. Each launch is waited for, from when it is given to the device until the device says that
 * it is done: so its own time is found, with what handing it over takes, and nothing overlaps as it otherwise would. What a launch
 * would bring with it is sent before, so that it has a time of its own.
 */
export class DeviceRecorder {
  readonly #rows: Row[];
  readonly #places: ReadonlyMap<DeviceKernel, number>;
  readonly #sent: Readonly<Record<Direction, Map<string, number>>> = { up: new Map(), down: new Map() };
  readonly #stacks: number;
  readonly #fixed: ExecutionProfile["fixedBytes"];
  readonly #events: KernelEvent[] = [];
  #origin: number | undefined;
  #entries = 0;
  #entered = 0;
  #total = 0;
  #waiting = 0;

  /** `steps`: those of each part of the run, none of a part of the processor. */
  constructor(steps: readonly (readonly Step[])[], fixed: ExecutionProfile["fixedBytes"]) {
    this.#rows = steps.flatMap((own, part) =>
      kernelsOf(own).map((kernel) => emptyRow({ name: kernel.name, kind: "nest", kernel, part })),
    );
    this.#places = new Map(this.#rows.flatMap(({ kernel }, i) => (kernel === undefined ? [] : [[kernel, i] as const])));
    this.#stacks = this.#rows.push(emptyRow({ name: "(stacks)", kind: "op" })) - 1;
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
      const before = memory.counts;
      const start = performance.now();
      const result = await work();
      await memory.settle();
      const end = performance.now();
      const after = memory.counts;
      const sent = after.bytesUp - before.bytesUp + after.bytesDown - before.bytesDown;
      this.#take(row, start, end, { held: memory.bytes, sent });
      return result;
    };
    const upload = (data: Float32Array, name: string): Promise<DeviceArray> =>
      timed(this.#sentRow("up", name), () => memory.upload(data));
    return {
      get loss() {
        return memory.loss;
      },
      upload,
      download: (array, name) => timed(this.#sentRow("down", name), () => memory.download(array)),
      launch: async (kernel, arrays, numbers, names = []) => {
        // What a loop stacks is joined by kernels of their own.
        const row = this.#places.get(kernel) ?? this.#stacks;
        const sent: DeviceArray[] = [];
        try {
          const there: DeviceArray[] = [];
          for (const [i, array] of arrays.entries()) {
            const own = array instanceof DeviceArray ? array : await upload(array, names[i] ?? "");
            if (own !== array) sent.push(own);
            there.push(own);
          }
          return await timed(row, () => memory.launch(kernel, there, numbers));
        } finally {
          for (const array of sent) array.release();
        }
      },
    };
  }

  #sentRow(direction: Direction, name: string): number {
    const rows = this.#sent[direction];
    const known = rows.get(name);
    if (known !== undefined) return known;
    const row = this.#rows.push(emptyRow({ name: `${direction} ${name}`.trimEnd(), kind: "transfer" })) - 1;
    rows.set(name, row);
    return row;
  }

  #take(row: number, start: number, end: number, bytes: { readonly held: number; readonly sent: number }): void {
    const found = this.#rows[row];
    if (found === undefined) return;
    found.calls++;
    found.milliseconds += end - start;
    found.bytes = Math.max(found.bytes, bytes.held);
    found.sent += bytes.sent;
    if (this.#events.length >= eventRoom) return;
    this.#origin ??= start;
    this.#events.push({ kernel: row, start: (start - this.#origin) / 1000, seconds: (end - start) / 1000 });
  }

  #moved(direction: Direction): Moved {
    const rows = [...this.#sent[direction].values()].flatMap((row) => this.#rows[row] ?? []);
    const sum = (of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0);
    return {
      transfers: sum(({ calls }) => calls),
      bytes: sum(({ sent }) => sent),
      seconds: sum(({ milliseconds }) => milliseconds) / 1000,
    };
  }

  profile(): DeviceProfile {
    return { profile: this.#measured(), parts: this.#rows.map(({ part }) => part) };
  }

  #measured(): ExecutionProfile {
    const fixed = this.#fixed.variables + this.#fixed.constants;
    const live = ({ bytes }: Row): number => Math.max(0, bytes - fixed);
    return {
      entries: this.#entries,
      seconds: this.#total / 1000,
      secondsPerMeasurement: this.#waiting + measurementSeconds(),
      kernels: this.#rows.map((row) => ({
        name: row.name,
        kind: row.kind,
        work: row.kind === "transfer" ? sentWork(row) : row.kernel?.work,
        liveBytes: live(row),
        spans: row.kernel?.spans ?? [],
        calls: row.calls,
        seconds: row.milliseconds / 1000,
      })),
      origin: this.#origin ?? 0,
      events: [...this.#events],
      fixedBytes: this.#fixed,
      arenaBytes: this.#rows.reduce((most, row) => Math.max(most, live(row)), 0),
      moved: { up: this.#moved("up"), down: this.#moved("down") },
    };
  }
}

function emptyRow({
  name,
  kind,
  kernel,
  part,
}: Pick<Row, "name" | "kind"> & Partial<Pick<Row, "kernel" | "part">>): Row {
  return { name, kind, kernel, part, calls: 0, sent: 0, milliseconds: 0, bytes: 0 };
}

/** A transfer computes nothing: its rate is that of the bytes that cross. */
function sentWork({ calls, sent }: Row): KernelWork {
  return { operations: 0, transcendentals: 0, readBytes: 0, writtenBytes: sent / Math.max(1, calls), dtype: undefined };
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
