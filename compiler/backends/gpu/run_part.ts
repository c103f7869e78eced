import { InternalError } from "../../ir/diagnostic.js";
import type { Buffer, BufferId, KernelProgram, LoopId, ScalarExpr } from "../../kernels/form.js";
import type { RunState } from "../executable.js";
import { type DeviceArray, type DeviceWork, toFloats } from "./arrays.js";
import type { NumberArgument, Step } from "./form.js";
import { joined } from "./joins.js";
import type { Lowered } from "./lower.js";
import { keyParts } from "./random.js";

/** What a part of a run on the device is given. */
export interface PartInputs {
  /** What is fed, or what another part has left; in whichever memory it lies. */
  readonly placeholder: (name: string) => DeviceArray | Float32Array | Promise<DeviceArray | Float32Array>;
  /** The variables' arrays, which stay the session's. */
  readonly variable: (path: string) => Promise<DeviceArray>;
  readonly state: RunState;
  /** Aborted: a `while` ends after its current iteration. */
  readonly signal: AbortSignal | undefined;
}

export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Runs the launches of one part. Its constants stay on the device between runs. */
export class PartRunner {
  readonly #program: KernelProgram;
  readonly #steps: readonly Step[];
  readonly #lengths: readonly number[];
  readonly #constants = new Map<BufferId, DeviceArray>();
  /** Where the constants lie. */
  #memory: DeviceWork | undefined;
  /** By their length; they stay on the device, too. */
  readonly #zeros = new Map<number, DeviceArray>();
  /** For each step, the buffers that no later one mentions. */
  readonly #dying: readonly (readonly BufferId[])[];
  /** How many launches read each buffer: what one alone reads is given to it as it is. */
  readonly #readers: ReadonlyMap<BufferId, number>;

  constructor(program: KernelProgram, { steps, lengths }: Lowered) {
    this.#program = program;
    this.#steps = steps;
    this.#lengths = lengths;
    const kept = new Set(program.outputs.map(({ buffer }) => buffer));
    this.#dying = lastMentions(steps, kept);
    this.#readers = readersOf(steps, 1);
  }

  /** The arrays of the part's outputs, which are the caller's. */
  async run(memory: DeviceWork, inputs: PartInputs): Promise<readonly DeviceArray[]> {
    if (memory !== this.#memory) this.close();
    this.#memory = memory;
    const arrays = new Map<BufferId, DeviceArray>();
    const run: PartRun = {
      memory,
      inputs,
      arrays,
      loops: new Map(),
      keys: new Map(),
      source: (buffer) => this.#source(buffer, memory, inputs, arrays),
      nameOf: (buffer) => this.#nameOf(buffer),
    };
    try {
      for (const [i, step] of this.#steps.entries()) {
        await runStep(step, run);
        for (const buffer of this.#dying[i] ?? []) {
          arrays.get(buffer)?.release();
          arrays.delete(buffer);
        }
      }
      const outputs: DeviceArray[] = [];
      for (const { buffer } of this.#program.outputs) outputs.push(await this.#output(buffer, run));
      return outputs.map((array) => array.retain());
    } finally {
      for (const array of arrays.values()) array.release();
    }
  }

  close(): void {
    for (const array of [...this.#constants.values(), ...this.#zeros.values()]) array.release();
    this.#constants.clear();
    this.#zeros.clear();
  }

  #nameOf(buffer: BufferId): string {
    const { storage, label = "" } = this.#program.buffers[buffer] ?? {};
    return storage?.kind === "placeholder" ? storage.name : storage?.kind === "variable" ? storage.path : label;
  }

  async #output(buffer: BufferId, run: PartRun): Promise<DeviceArray> {
    const found = run.arrays.get(buffer) ?? (await run.source(buffer));
    if (!(found instanceof Float32Array)) return found;
    const array = await run.memory.upload(found, this.#nameOf(buffer));
    run.arrays.set(buffer, array);
    return array;
  }

  async #source(
    id: BufferId,
    memory: DeviceWork,
    inputs: PartInputs,
    arrays: Map<BufferId, DeviceArray>,
  ): Promise<DeviceArray | Float32Array> {
    const buffer: Buffer | undefined = this.#program.buffers[id];
    const storage = buffer?.storage;
    switch (storage?.kind) {
      case "placeholder": {
        const given = await inputs.placeholder(storage.name);
        if (!(given instanceof Float32Array)) return given;
        if ((this.#readers.get(id) ?? 0) <= 1) return given;
        const array = await memory.upload(given, storage.name);
        arrays.set(id, array);
        return array;
      }
      case "variable":
        return inputs.variable(storage.path);
      case "constant": {
        const known = this.#constants.get(id);
        if (known !== undefined) return known;
        const array = await memory.upload(toFloats(storage.data), "constants");
        this.#constants.set(id, array);
        return array;
      }
      case "run_state":
        throw new InternalError("the run's state is no array");
      default: {
        // Written in parts, or read where nothing has been written: it begins with zeros, which no launch changes.
        const length = this.#lengths[id] ?? 0;
        const known = this.#zeros.get(length) ?? (await memory.upload(new Float32Array(length), "zeros"));
        this.#zeros.set(length, known);
        return known;
      }
    }
  }
}

interface PartRun {
  readonly memory: DeviceWork;
  readonly inputs: PartInputs;
  /** What this run has made; a buffer that is not here is what it was before the run. */
  readonly arrays: Map<BufferId, DeviceArray>;
  readonly loops: Map<LoopId, number>;
  /** Keys of draws, which several kernels share. */
  readonly keys: Map<string, readonly number[]>;
  readonly source: (buffer: BufferId) => Promise<DeviceArray | Float32Array>;
  readonly nameOf: (buffer: BufferId) => string;
}

async function runStep(step: Step, run: PartRun): Promise<void> {
  switch (step.kind) {
    case "launch": {
      const { kernel, output } = step;
      const arrays: (DeviceArray | Float32Array)[] = [];
      for (const buffer of kernel.arrays) arrays.push(run.arrays.get(buffer) ?? (await run.source(buffer)));
      const numbers: number[] = [];
      for (const argument of kernel.numbers) numbers.push(await numberOf(argument, run));
      replace(run, output, await run.memory.launch(kernel, arrays, numbers, kernel.arrays.map(run.nameOf)));
      return;
    }
    case "alias": {
      const from = run.arrays.get(step.from) ?? (await run.source(step.from));
      replace(
        run,
        step.to,
        from instanceof Float32Array ? await run.memory.upload(from, run.nameOf(step.from)) : from.retain(),
      );
      return;
    }
    case "loop":
      await runLoop(step, run);
      return;
    case "while":
      for (let turn = 0; ; turn++) {
        run.loops.set(step.loop, turn);
        for (const inner of step.condition) await runStep(inner, run);
        if (!(await isTrue(step.predicate, run))) return;
        if (run.inputs.signal?.aborted === true) throw new Interrupted();
        for (const inner of step.body) await runStep(inner, run);
      }
    case "branch": {
      const chosen = (await isTrue(step.predicate, run)) ? step.whenTrue : step.whenFalse;
      for (const inner of chosen) await runStep(inner, run);
      return;
    }
  }
}

async function runLoop(step: Extract<Step, { kind: "loop" }>, run: PartRun): Promise<void> {
  const slabs = step.stacks.map((): DeviceArray[] => []);
  try {
    for (let at = 0; at < step.extent; at++) {
      run.loops.set(step.loop, at);
      for (const inner of step.body) await runStep(inner, run);
      step.stacks.forEach(({ slab }, i) => {
        const array = run.arrays.get(slab);
        if (array === undefined) throw new InternalError("an iteration left nothing to stack");
        slabs[i]?.push(array.retain());
      });
    }
    for (const [i, { to, isReversed }] of step.stacks.entries()) {
      const arrays = slabs[i] ?? [];
      replace(run, to, await joined(run.memory, isReversed ? arrays.toReversed() : arrays));
    }
  } finally {
    for (const array of slabs.flat()) array.release();
  }
}

function replace(run: PartRun, buffer: BufferId, array: DeviceArray): void {
  run.arrays.get(buffer)?.release();
  run.arrays.set(buffer, array);
}

async function isTrue(buffer: BufferId, run: PartRun): Promise<boolean> {
  const array = run.arrays.get(buffer) ?? (await run.source(buffer));
  const numbers = array instanceof Float32Array ? array : await run.memory.download(array, run.nameOf(buffer));
  return (numbers[0] ?? 0) > 0.5;
}

async function numberOf(argument: NumberArgument, run: PartRun): Promise<number> {
  switch (argument.kind) {
    case "loop": {
      const at = run.loops.get(argument.loop);
      if (at === undefined) throw new InternalError("a kernel mentions a loop that is not around it");
      return at;
    }
    case "scalar": {
      const given = run.arrays.get(argument.buffer) ?? (await run.source(argument.buffer));
      const numbers =
        given instanceof Float32Array ? given : await run.memory.download(given, run.nameOf(argument.buffer));
      return numbers[0] ?? 0;
    }
    case "key": {
      const { path, index, loopIndices } = argument;
      const places = loopIndices.map((at) => BigInt(countOf(at, run.loops)));
      const name = [path, index, ...places].join("\n");
      const known = run.keys.get(name);
      const parts = known ?? keyParts({ ...run.inputs.state, path, index, loopIndices: places });
      if (known === undefined) run.keys.set(name, parts);
      return parts[argument.part] ?? 0;
    }
    case "special":
      return Number(argument.value);
  }
}

/** Where a loop stands, as a draw's key takes it. */
function countOf(expression: ScalarExpr, loops: ReadonlyMap<LoopId, number>): number {
  if (expression.kind === "constant") return Number(expression.value);
  if (expression.kind === "apply" && expression.op === "cast" && expression.args[0] !== undefined)
    return countOf(expression.args[0], loops);
  if (expression.kind !== "index") throw new InternalError("a draw depends on what only the device knows");
  const { offset, terms } = expression.value;
  return terms.reduce((sum, { loop, stride }) => sum + stride * (loops.get(loop) ?? 0), offset);
}

function mentioned(step: Step): readonly BufferId[] {
  switch (step.kind) {
    case "launch":
      return [...step.kernel.arrays, step.output];
    case "alias":
      return [step.from, step.to];
    case "loop":
      return [...step.body.flatMap(mentioned), ...step.stacks.flatMap(({ slab, to }) => [slab, to])];
    case "while":
      return [...step.condition.flatMap(mentioned), step.predicate, ...step.body.flatMap(mentioned)];
    case "branch":
      return [step.predicate, ...step.whenTrue.flatMap(mentioned), ...step.whenFalse.flatMap(mentioned)];
  }
}

function lastMentions(steps: readonly Step[], kept: ReadonlySet<BufferId>): readonly (readonly BufferId[])[] {
  const seen = new Set<BufferId>(kept);
  const dying: (readonly BufferId[])[] = new Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    const last = [...new Set(mentioned(steps[i] as Step))].filter((buffer) => !seen.has(buffer));
    for (const buffer of last) seen.add(buffer);
    dying[i] = last;
  }
  return dying;
}

/** A launch in a loop counts as many. */
function readersOf(steps: readonly Step[], times: number): ReadonlyMap<BufferId, number> {
  const readers = new Map<BufferId, number>();
  const add = (buffer: BufferId, more: number): void => {
    readers.set(buffer, (readers.get(buffer) ?? 0) + more);
  };
  for (const step of steps) {
    if (step.kind === "launch") for (const buffer of step.kernel.arrays) add(buffer, times);
    else if (step.kind === "alias") add(step.from, times);
    else for (const buffer of mentioned(step)) add(buffer, 2);
  }
  return readers;
}
