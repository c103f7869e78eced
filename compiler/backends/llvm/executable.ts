import { InternalError } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import { copyElements, elementCount, type TensorData } from "../../ir/tensor.js";
import type { Buffer, KernelProgram, ProgramOutput } from "../../kernels/form.js";
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
import { firstPlace } from "../rows.js";
import { placeOfFeed } from "./feeds.js";
import type { NativeEntry } from "./library.js";
import {
  blockWords,
  interrupted,
  placeholderWord,
  placeholderWords,
  reportWords,
  scalarOutputs,
  statusWords,
  variableWord,
} from "./lower/block.js";
import type { Layout } from "./lower/layout.js";
import { allocateNative, type NativeBuffer } from "./memory.js";
import { type ProfiledFacts, Recorder } from "./profile.js";
import { addressOf } from "./storage.js";

/** Reports that one native call can leave before it must return. */
const reportRoom = 4096;
const laneBytes = 64;

/** What of a kernel program is needed to run it once there is code. */
export type RunFacts = Pick<KernelProgram, "name" | "outputs" | "failures" | "memory">;

/** What an executable is made of; the code and the constants are shared by all executables of one compilation. */
export interface NativeProgram {
  readonly program: RunFacts;
  readonly layout: Layout;
  readonly info: ExecutableInfo;
  readonly entry: NativeEntry;
  readonly constants: NativeBuffer;
  readonly profile: ProfiledFacts | undefined;
}

/** Binds native code to variables: allocates its block, arena and feed buffers once, so that runs allocate nothing native. */
export function bindNative(native: NativeProgram, variables: ReadonlyMap<string, StorageBlock>): Executable {
  return new NativeExecutable(native, variables);
}

/** Where a feed is copied to, unless it is read where the caller has it. */
interface FeedBuffer {
  readonly slot: number;
  readonly buffer: NativeBuffer;
  readonly data: TensorData;
}

class NativeExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #native: NativeProgram;
  readonly #block: NativeBuffer;
  readonly #words: BigInt64Array;
  readonly #arena: NativeBuffer;
  readonly #feeds = new Map<string, FeedBuffer>();
  readonly #stop: NativeBuffer;
  readonly #reports: NativeBuffer;
  readonly #sums: NativeBuffer;
  readonly #variables: ReadonlyMap<string, StorageBlock>;
  readonly #scalars: readonly ProgramOutput[];
  readonly #recorder: Recorder | undefined;
  #order: { readonly rows: number; readonly seed: bigint; readonly buffer: NativeBuffer } | undefined;
  #busy = false;
  #closed = false;

  constructor(native: NativeProgram, variables: ReadonlyMap<string, StorageBlock>) {
    const { layout, program } = native;
    this.#native = native;
    this.#variables = variables;
    this.info = native.info;
    const words = variableWord(layout.placeholders.length, layout.variables.length);
    this.#block = allocateNative(words * 8);
    this.#words = this.#block.view("i64", 0, words) as BigInt64Array;
    this.#arena = allocateNative(program.memory.arenaBytes);
    this.#stop = allocateNative(laneBytes);
    this.#scalars = scalarOutputs(program);
    this.#reports = allocateNative(reportRoom * reportWords(program) * 8);
    this.#sums = allocateNative(2 * this.#scalars.length * 8);
    layout.placeholders.forEach((buffer, slot) => this.#addFeed(buffer, slot));
    layout.variables.forEach((buffer, slot) => {
      this.#words[variableWord(layout.placeholders.length, slot)] = addressOf(this.#variableBlock(buffer));
    });
    this.#set("stop", this.#stop.address);
    this.#set("arena", this.#arena.address);
    this.#set("constants", native.constants.address);
    this.#set("reports", this.#reports.address);
    this.#set("reportRoom", BigInt(reportRoom));
    this.#set("sums", this.#sums.address);
    this.#set("orderEpoch", -1n);
    if (native.profile !== undefined) this.#recorder = new Recorder(native.profile, program.memory.arenaBytes);
    this.#set("profile", this.#recorder?.address ?? 0n);
  }

  profile(): ExecutionProfile | undefined {
    this.#begin();
    return this.#recorder?.profile(() => {
      this.#set("steps", 0n);
      this.#native.entry.call(this.#block.address);
    });
  }

  run(feeds: ReadonlyMap<string, TensorData>, state: RunState): RunOutcome {
    this.#begin();
    this.#prepareRun(feeds, state, "in place");
    this.#recorder?.enter();
    this.#native.entry.call(this.#block.address);
    const outcome = this.#runOutcome(feeds);
    for (const feed of this.#feeds.values()) this.#read(feed, feed.buffer.address);
    return outcome;
  }

  async runAside(
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
  ): Promise<InterruptibleOutcome> {
    if (signal?.aborted === true) return { kind: "interrupted" };
    return this.#aside(
      signal,
      () => this.#prepareRun(feeds, state, "copied"),
      () => {
        return this.#wasInterrupted() ? { kind: "interrupted" } : this.#runOutcome(feeds);
      },
    );
  }

  loop(request: LoopRequest): Promise<LoopOutcome> {
    return this.#aside(
      request.signal,
      () => {
        const place = firstPlace(request, this.info.placeholders);
        this.#prepareLoop(place === undefined ? { ...request, steps: 0 } : { ...request, ...place });
      },
      () => this.#loopOutcome(),
    );
  }

  close(): void {
    if (this.#closed) return;
    if (this.#busy) throw new InternalError("an executable is closed while it runs");
    this.#closed = true;
    const feeds = [...this.#feeds.values()].map((feed) => feed.buffer);
    const order = this.#order === undefined ? [] : [this.#order.buffer];
    this.#recorder?.free();
    for (const buffer of [this.#block, this.#arena, this.#stop, this.#reports, this.#sums, ...feeds, ...order])
      buffer.free();
  }

  #begin(): void {
    if (this.#closed) throw new InternalError("an executable is used after it was closed");
    if (this.#busy) throw new InternalError("an executable is used while it runs");
  }

  /** Calls the code on a thread of its own; a signal makes it end. */
  async #aside<T>(signal: AbortSignal | undefined, prepare: () => void, outcome: () => T): Promise<T> {
    this.#begin();
    this.#busy = true;
    const stop = this.#stop.view("i32", 0, 1) as Int32Array;
    const abort = (): void => {
      stop[0] = 1;
    };
    try {
      prepare();
      if (signal?.aborted === true) abort();
      signal?.addEventListener("abort", abort);
      this.#recorder?.enter();
      await this.#native.entry.callAsync(this.#block.address);
      return outcome();
    } finally {
      signal?.removeEventListener("abort", abort);
      stop[0] = 0;
      this.#busy = false;
    }
  }

  #addFeed(buffer: Buffer, slot: number): void {
    if (buffer.storage.kind !== "placeholder") throw new InternalError("a feed that is no placeholder");
    const elementBytes = byteSize(buffer.dtype);
    const native = allocateNative(buffer.length * elementBytes, elementBytes);
    this.#feeds.set(buffer.storage.name, { slot, buffer: native, data: native.view(buffer.dtype, 0, buffer.length) });
    this.#words[placeholderWord(slot, placeholderWords.address)] = native.address;
    this.#words[placeholderWord(slot, placeholderWords.staging)] = native.address;
  }

  #variableBlock(buffer: Buffer): StorageBlock {
    if (buffer.storage.kind !== "variable") throw new InternalError("a variable's buffer was expected");
    const block = this.#variables.get(buffer.storage.path);
    if (block === undefined) throw new InternalError(`the variable ${buffer.storage.path} has no storage`);
    return block;
  }

  #set(word: keyof typeof blockWords, value: bigint): void {
    this.#words[blockWords[word]] = value;
  }

  #get(word: keyof typeof blockWords): bigint {
    return this.#words[blockWords[word]] as bigint;
  }

  /** Where a feed is read from. */
  #read({ slot }: FeedBuffer, address: bigint): void {
    this.#words[placeholderWord(slot, placeholderWords.address)] = address;
  }

  #prepare(feeds: ReadonlyMap<string, TensorData>, state: RunState, large: "in place" | "copied" = "copied"): void {
    for (const [name, feed] of this.#feeds) {
      this.#words[placeholderWord(feed.slot, placeholderWords.column)] = 0n;
      const data = feeds.get(name);
      const place = data === undefined || large === "copied" ? undefined : placeOfFeed(data, feed.data);
      if (data !== undefined && place === undefined) copyFeed(feed.data, data);
      this.#read(feed, place ?? feed.buffer.address);
    }
    this.#words[blockWords.status + statusWords.failure] = 0n;
    this.#words[blockWords.status + statusWords.value] = 0n;
    this.#words[blockWords.runState] = state.seed;
    this.#words[blockWords.runState + 1] = state.step;
    this.#words[blockWords.runState + 2] = state.runsSinceStep;
    this.#set("done", 0n);
    this.#set("reportCount", 0n);
  }

  #prepareRun(feeds: ReadonlyMap<string, TensorData>, state: RunState, large: "in place" | "copied"): void {
    this.#set("rows", 0n);
    this.#set("steps", 1n);
    this.#set("advance", 1n);
    this.#set("every", 0n);
    this.#set("untilReport", 0n);
    this.#prepare(feeds, state, large);
  }

  #prepareLoop(request: LoopRequest): void {
    // The code of an update may make outputs as well: it cannot be left out here.
    if (!request.advance && this.info.assigned.length > 0)
      throw new InternalError("an evaluation that assigns variables");
    this.#prepare(request.feeds, request.state);
    for (const [name, column] of request.columns) {
      const feed = this.#feeds.get(name);
      if (feed === undefined) continue;
      this.#words[placeholderWord(feed.slot, placeholderWords.column)] = addressOf(column);
      this.#words[placeholderWord(feed.slot, placeholderWords.rowBytes)] = BigInt(
        feed.buffer.byteLength / request.batch,
      );
    }
    this.#set("steps", BigInt(request.steps));
    this.#set("rows", BigInt(request.rows));
    this.#set("batch", BigInt(request.batch));
    this.#set("position", BigInt(request.position));
    this.#set("epoch", request.epoch);
    this.#set("shuffle", request.shuffle ? 1n : 0n);
    this.#set("stopAtEpochEnd", request.stopAtEpochEnd ? 1n : 0n);
    this.#set("advance", request.advance ? 1n : 0n);
    const every = BigInt(request.every);
    this.#set("every", every);
    this.#set("untilReport", every === 0n ? 0n : every - (request.state.step % every));
    (this.#sums.view("f64", 0, 2 * this.#scalars.length) as Float64Array).fill(0);
    if (request.shuffle) this.#prepareOrder(request.rows, request.state.seed);
  }

  /** The row order is kept from call to call; another data set or seed needs another. */
  #prepareOrder(rows: number, seed: bigint): void {
    if (this.#order?.rows === rows && this.#order.seed === seed) return;
    this.#order?.buffer.free();
    this.#order = { rows, seed, buffer: allocateNative(rows * 4) };
    this.#set("order", this.#order.buffer.address);
    this.#set("orderEpoch", -1n);
  }

  #runOutcome(feeds: ReadonlyMap<string, TensorData>): RunOutcome {
    const failure = this.#failure(0);
    if (failure !== undefined) return { kind: "failed", failure };
    return { kind: "done", outputs: this.#native.program.outputs.map((output) => this.#output(output, feeds)) };
  }

  #wasInterrupted(): boolean {
    return this.#words[blockWords.status + statusWords.failure] === interrupted;
  }

  #loopOutcome(): LoopOutcome {
    const steps = Number(this.#get("done"));
    const words = 1 + this.#scalars.length;
    const count = Number(this.#get("reportCount"));
    const rows = this.#reports.view("f64", 0, count * words) as Float64Array;
    const reports = Array.from({ length: count }, (_, index) => ({
      step: BigInt(rows[index * words] as number),
      values: Array.from(rows.subarray(index * words + 1, (index + 1) * words)),
    }));
    const totals = this.#sums.view("f64", 0, 2 * this.#scalars.length) as Float64Array;
    return {
      steps,
      epoch: this.#get("epoch"),
      position: Number(this.#get("position")),
      reports,
      last: Array.from(totals.subarray(this.#scalars.length)),
      sums: Array.from(totals.subarray(0, this.#scalars.length)),
      failure: this.#failure(steps),
    };
  }

  #failure(stepsDone: number): RunFailure | undefined {
    const number = Number(this.#words[blockWords.status + statusWords.failure]);
    if (number === 0 || this.#wasInterrupted()) return undefined;
    const failure = this.#native.program.failures[number - 1];
    if (failure === undefined) throw new InternalError(`the code reports an unknown failure ${number}`);
    const value = this.#words[blockWords.status + statusWords.value];
    const message = failure.message.replaceAll("{value}", failure.code === "G110" ? floatText(value) : String(value));
    return { code: failure.code, message, spans: failure.spans, stepsDone };
  }

  /** A copy of an output, where it lies after the run. */
  #output(output: ProgramOutput, feeds: ReadonlyMap<string, TensorData>): TensorData {
    const { layout } = this.#native;
    const buffer = layout.buffers.get(output.buffer);
    const place = layout.places.get(output.buffer);
    if (buffer === undefined || place === undefined) throw new InternalError(`the output ${output.name} has no buffer`);
    const length = elementCount(output.shape);
    switch (buffer.storage.kind) {
      case "temporary":
        return this.#arena.view(output.dtype, place.offset, length).slice();
      case "constant":
        return this.#native.constants.view(output.dtype, place.offset, length).slice();
      case "variable":
        return this.#variableBlock(buffer).data.slice();
      case "placeholder": {
        const feed = this.#feeds.get(buffer.storage.name);
        if (feed === undefined) throw new InternalError(`the placeholder ${buffer.storage.name} has no buffer`);
        const data = feeds.get(buffer.storage.name);
        return (data?.constructor === feed.data.constructor ? data : feed.data).slice();
      }
      case "run_state":
        return this.#words.slice(blockWords.runState, blockWords.runState + 3);
    }
  }
}

/** A float that is not finite, by its bits. */
function floatText(bits: bigint | undefined): string {
  const [x = Number.NaN] = new Float64Array(BigInt64Array.of(bits ?? 0n).buffer);
  if (Number.isNaN(x)) return "a NaN";
  return x > 0 ? "an infinity" : "minus infinity";
}

function copyFeed(target: TensorData, source: TensorData): void {
  if (target.length !== source.length) throw new InternalError("a feed of the wrong size reached native code");
  copyElements(target, source);
}
