import { InternalError } from "../../ir/diagnostic.js";
import { elementCount, type TensorData } from "../../ir/tensor.js";
import type {
  Executable,
  ExecutableInfo,
  InterruptibleOutcome,
  LoopOutcome,
  LoopRequest,
  RunFailure,
  RunOutcome,
  RunState,
  StorageBlock,
} from "../executable.js";
import type { ExecutionProfile } from "../profile.js";
import { StepLoop, scalarOutputs } from "../step_loop.js";
import { DeviceArray, type DeviceMemory, type DeviceWork, fromFloats, toFloats } from "./arrays.js";
import type { CompiledPart, DeviceProgram } from "./compile.js";
import { DeviceFailure } from "./failures.js";
import { joinedProfile } from "./joined_profile.js";
import type { DeviceLease } from "./lease.js";
import { DeviceRecorder } from "./measured.js";
import type { Origin } from "./partition.js";
import { firstFailure } from "./run_flags.js";
import { Interrupted, PartRunner } from "./run_part.js";
import { type Edge, fetched, letGo, type StepResult } from "./step_result.js";
import { DeviceBlock } from "./storage.js";

type BoundPart =
  | { readonly side: "host"; readonly executable: Executable; readonly part: CompiledPart["part"] }
  | { readonly side: "device"; readonly runner: PartRunner; readonly part: CompiledPart["part"] };

/** A program bound to a session's variables. All that a run makes stays on the device until it is fetched. */
export class DeviceExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #program: DeviceProgram;
  readonly #lease: DeviceLease;
  readonly #blocks: ReadonlyMap<string, StorageBlock>;
  readonly #parts: readonly BoundPart[];
  readonly #shared: ReadonlySet<string>;
  readonly #loop: StepLoop<StepResult>;
  readonly #release: () => void;
  readonly #recorder: DeviceRecorder | undefined;
  #measured: { readonly memory: DeviceMemory; readonly work: DeviceWork } | undefined;
  #busy = false;
  #closed = false;

  constructor(program: DeviceProgram, blocks: ReadonlyMap<string, StorageBlock>, lease: DeviceLease) {
    this.info = program.info;
    this.#program = program;
    this.#lease = lease;
    this.#blocks = blocks;
    this.#release = lease.hold();
    this.#recorder = program.profiled === undefined ? undefined : new DeviceRecorder(...program.profiled);
    // A part of the processor reads variables where this process has them.
    const hosted = new Map(
      [...blocks].map(([path, block]) => [path, block instanceof DeviceBlock ? block.host : block]),
    );
    this.#parts = program.parts.map((part) =>
      part.side === "host"
        ? { side: "host", part: part.part, executable: part.compiled.bind(hosted) }
        : { side: "device", part: part.part, runner: new PartRunner(part.program, part.lowered) },
    );
    this.#shared = readSeveralTimes(this.#parts);
    this.#loop = new StepLoop(this.info, {
      run: (feeds, state, stepsDone, signal) => this.#loopStep(feeds, state, stepsDone, signal),
      numbers: (result, stepsDone) => this.#numbers(result, stepsDone),
      assign: (result, stepsDone) => this.#complete(result, stepsDone),
      release: letGo,
    });
  }

  run(): RunOutcome {
    throw new InternalError("a run on a device is awaited");
  }

  async runAside(
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
  ): Promise<InterruptibleOutcome> {
    this.#begin();
    try {
      if (signal?.aborted === true) return { kind: "interrupted" };
      const result = await this.#step(await this.#open(), feeds, state, signal, 0);
      if ("code" in result) return { kind: "failed", failure: result };
      try {
        const outputs: TensorData[] = [];
        for (const i of this.info.outputs.keys()) outputs.push(await this.#fetch(result, i));
        const failure = this.#complete(result, 0);
        return failure === undefined ? { kind: "done", outputs } : { kind: "failed", failure };
      } finally {
        letGo(result);
      }
    } catch (error) {
      if (error instanceof Interrupted) return { kind: "interrupted" };
      if (error instanceof DeviceFailure) return { kind: "failed", failure: failureOf(error, 0) };
      throw error;
    } finally {
      this.#end();
    }
  }

  async loop(request: LoopRequest): Promise<LoopOutcome> {
    this.#begin();
    try {
      return await this.#loop.run(request);
    } finally {
      this.#end();
    }
  }

  profile(): ExecutionProfile | undefined {
    if (this.#recorder === undefined) return undefined;
    return joinedProfile(
      this.#recorder.profile(),
      this.#parts.map((part) => (part.side === "host" ? part.executable.profile?.() : undefined)),
    );
  }

  close(): void {
    if (this.#busy) throw new InternalError("an executable is closed while it runs");
    if (this.#closed) return;
    this.#closed = true;
    this.#lease.journal.retire(this, () => {
      for (const part of this.#parts) {
        if (part.side === "host") part.executable.close();
        else part.runner.close();
      }
      this.#release();
    });
  }

  #begin(): void {
    if (this.#closed) throw new InternalError("an executable is used after it was closed");
    if (this.#busy) throw new InternalError("an executable is used while it runs");
    this.#busy = true;
    this.#recorder?.enter();
  }

  #end(): void {
    this.#recorder?.leave();
    this.#busy = false;
  }

  async #open(): Promise<DeviceWork> {
    const memory = await this.#lease.memory();
    await this.#lease.journal.copyIfDue(memory);
    if (this.#recorder === undefined) return memory;
    if (this.#measured?.memory !== memory) this.#measured = { memory, work: await this.#recorder.measured(memory) };
    return this.#measured.work;
  }

  /** One run without its assignments. */
  async #step(
    memory: DeviceWork,
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
    stepsDone: number,
  ): Promise<StepResult | RunFailure> {
    const result: StepResult = { memory, feeds, state, edges: new Map(), copies: new Map() };
    try {
      const told = new Set<number>();
      for (const part of this.#parts) {
        // What the processor would do with numbers that are not what they should be is not to be seen.
        const failure =
          part.side === "host"
            ? ((await this.#told(result, told)) ?? (await this.#runHost(part, memory, feeds, state, signal, result)))
            : await this.#runDevice(part, memory, feeds, state, signal, result);
        if (failure === undefined) continue;
        letGo(result);
        return { ...failure, stepsDone };
      }
      const failure = await this.#told(result, told);
      if (failure === undefined) return result;
      letGo(result);
      return { ...failure, stepsDone };
    } catch (error) {
      letGo(result);
      if (error instanceof DeviceFailure) return failureOf(error, stepsDone);
      throw error;
    }
  }

  /** What the flags that are there by now, and not yet `told`, say of a run; undefined while all is well. */
  async #told(result: StepResult, told: Set<number>): Promise<Omit<RunFailure, "stepsDone"> | undefined> {
    const { flags, flagged, partition } = this.#program;
    for (const group of flags) {
      const origin = partition.outputs[group.output];
      if (told.has(group.output) || origin?.kind !== "edge") continue;
      const edge = result.edges.get(origin.name);
      if (edge === undefined) continue;
      told.add(group.output);
      const failure = firstFailure(
        flagged,
        group,
        edge instanceof DeviceArray ? await result.memory.download(edge, origin.name) : edge,
      );
      if (failure === undefined) continue;
      return (failure.code === "G110" ? await this.#findNonFinite(result) : undefined) ?? failure;
    }
    return undefined;
  }

  /** The reference evaluator says which number it was. */
  async #findNonFinite({ memory, feeds, state }: StepResult): Promise<Omit<RunFailure, "stepsDone"> | undefined> {
    const { checked } = this.#program;
    if (checked === undefined) return undefined;
    const variables = new Map<string, TensorData>();
    for (const { name } of this.info.variables) {
      const block = this.#block(name);
      await block.pull(memory, name);
      variables.set(name, block.data);
    }
    return (await import("./check_numerics.js")).findNonFinite(checked, this.info, feeds, variables, state);
  }

  async #runHost(
    { executable, part }: Extract<BoundPart, { side: "host" }>,
    memory: DeviceWork,
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
    result: StepResult,
  ): Promise<Omit<RunFailure, "stepsDone"> | undefined> {
    const { edges } = result;
    for (const { name } of executable.info.variables) await this.#block(name).pull(memory, name);
    const given = new Map<string, TensorData>();
    for (const { name, dtype } of executable.info.placeholders) {
      const edge = edges.get(name) ?? feeds.get(name);
      if (edge === undefined) throw new InternalError(`nothing gives ${name}`);
      given.set(name, edge instanceof DeviceArray ? await fetched(name, edge, dtype, memory, result) : edge);
    }
    const outcome = executable.info.unbounded
      ? await executable.runAside(given, state, signal)
      : executable.run(given, state);
    if (outcome.kind === "interrupted") throw new Interrupted();
    if (outcome.kind === "failed") return outcome.failure;
    part.computation.outputs.forEach(({ name }, i) => {
      edges.set(name, outcome.outputs[i] as TensorData);
    });
    return undefined;
  }

  async #runDevice(
    { runner, part }: Extract<BoundPart, { side: "device" }>,
    memory: DeviceWork,
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
    { edges, copies }: StepResult,
  ): Promise<undefined> {
    const outputs = await runner.run(memory, {
      placeholder: async (name) => {
        const edge = edges.get(name) ?? feeds.get(name);
        if (edge === undefined) throw new InternalError(`nothing gives ${name}`);
        if (edge instanceof DeviceArray) return edge;
        // One number is an argument of each launch.
        if (edge.length <= 1 || !this.#shared.has(name)) return toFloats(edge);
        const known = copies.get(name);
        if (known instanceof DeviceArray) return known;
        const array = await memory.upload(toFloats(edge), name);
        copies.set(name, array);
        return array;
      },
      variable: (path) => this.#block(path).onDevice(memory, path),
      state,
      signal,
    });
    part.computation.outputs.forEach(({ name }, i) => {
      edges.set(name, outputs[i] as DeviceArray);
    });
    return undefined;
  }

  /** The value of an output, downloaded. */
  async #fetch(result: StepResult, i: number): Promise<TensorData> {
    const { memory } = result;
    const slot = this.info.outputs[i];
    const origin = this.#program.partition.outputs[i];
    if (slot === undefined || origin === undefined) throw new InternalError("an output without a place");
    const edge = await this.#edge(origin, memory, result);
    const data =
      edge instanceof DeviceArray
        ? origin.kind === "edge"
          ? await fetched(origin.name, edge, slot.dtype, memory, result)
          : fromFloats(slot.dtype, await memory.download(edge, slot.name))
        : edge;
    return data.slice(0, elementCount(slot.shape));
  }

  async #edge(origin: Origin, memory: DeviceWork, { edges }: StepResult): Promise<Edge> {
    if (origin.kind === "variable") {
      const block = this.#block(origin.path);
      return block.isCurrent ? block.data : block.onDevice(memory, origin.path);
    }
    const edge = edges.get(origin.name);
    if (edge === undefined) throw new InternalError(`nothing gives ${origin.name}`);
    return edge;
  }

  /** A step of a loop; undefined where the signal has ended it. */
  async #loopStep(
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    stepsDone: number,
    signal: AbortSignal | undefined,
  ): Promise<StepResult | RunFailure | undefined> {
    try {
      return await this.#step(await this.#open(), feeds, state, signal, stepsDone);
    } catch (error) {
      if (error instanceof Interrupted) return undefined;
      throw error;
    }
  }

  async #numbers(result: StepResult, stepsDone: number): Promise<readonly number[] | RunFailure> {
    const numbers: number[] = [];
    try {
      for (const i of scalarOutputs(this.info)) numbers.push(Number((await this.#fetch(result, i))[0]));
    } catch (error) {
      if (error instanceof DeviceFailure) return failureOf(error, stepsDone);
      throw error;
    }
    return numbers;
  }

  /** The run is over: what it assigns is written down, where its device may be lost, and assigned. */
  #complete(result: StepResult, stepsDone: number): RunFailure | undefined {
    const { memory, feeds, state } = result;
    if (memory.loss === "lost") return failureOf(new DeviceFailure(`${this.#lease.name} was lost`, []), stepsDone);
    if (memory.loss === "possible" && this.info.assigned.length > 0) {
      const kept = new Map([...feeds].map(([name, data]) => [name, data.slice()]));
      this.#lease.journal.record({
        owner: this,
        assigned: this.info.assigned.map((path) => this.#block(path)),
        bytes: [...kept.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
        replay: (device) => this.#replay(device, kept, state),
      });
    }
    this.#assign(result);
    return undefined;
  }

  /** Does a run again, on a device that has taken the place of one that was lost. */
  async #replay(memory: DeviceWork, feeds: ReadonlyMap<string, TensorData>, state: RunState): Promise<void> {
    const result = await this.#step(memory, feeds, state, undefined, 0);
    if ("code" in result) throw new DeviceFailure(result.message, result.spans);
    this.#assign(result);
    letGo(result);
  }

  /** Nothing can fail any more. */
  #assign(result: StepResult): void {
    // A variable may get another's old value: all are taken before any is replaced.
    const values = this.#program.partition.assignments.map(({ path, origin }) => {
      if (origin.kind === "edge") {
        const edge = result.edges.get(origin.name);
        if (edge === undefined) throw new InternalError(`nothing gives ${origin.name}`);
        return { path, value: edge instanceof DeviceArray ? edge.retain() : edge };
      }
      return { path, value: this.#block(origin.path).share() };
    });
    for (const { path, value } of values) {
      const block = this.#block(path);
      if (value instanceof DeviceArray) block.assign(value);
      else block.write(value);
    }
  }

  #block(path: string): DeviceBlock {
    const block = this.#blocks.get(path);
    if (!(block instanceof DeviceBlock)) throw new InternalError(`the variable ${path} has no storage of a device`);
    return block;
  }
}

function failureOf({ message, spans }: DeviceFailure, stepsDone: number): RunFailure {
  return { code: "G124", message, spans, stepsDone };
}

/** What several parts of the device read: it is uploaded once. */
function readSeveralTimes(parts: readonly BoundPart[]): ReadonlySet<string> {
  const names = parts.flatMap(({ side, part }) =>
    side === "device" ? part.computation.placeholders.map(({ name }) => name) : [],
  );
  return new Set(names.filter((name, i) => names.indexOf(name) < i));
}
