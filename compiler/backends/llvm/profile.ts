import { InternalError } from "../../ir/diagnostic.js";
import type { FixedBytes, KernelFacts } from "../../kernels/kernel_facts.js";
import { type ExecutionProfile, eventRoom, type KernelEvent } from "../profile.js";
import { eventWord, eventWords, kernelWord, kernelWords, profileWords } from "./lower/profile.js";
import { allocateNative, type NativeBuffer } from "./memory.js";

/** What has to be known of profiled code to read what it measures. */
export interface ProfiledFacts {
  readonly kernels: readonly KernelFacts[];
  readonly fixedBytes: FixedBytes;
}

/** The rate of the processor's counter is taken over at least this long: a call from JavaScript takes microseconds. */
const calibrationMilliseconds = 20;

/** A moment on both clocks: milliseconds of the system's, cycles of the processor's counter. */
interface Moment {
  readonly milliseconds: number;
  readonly cycles: bigint;
}

/** The memory that profiled code writes to, and the way back from cycles to seconds. */
export class Recorder {
  readonly #facts: ProfiledFacts;
  readonly #arenaBytes: number;
  readonly #memory: NativeBuffer;
  readonly #words: BigInt64Array;
  #entered = 0;
  #first: Moment | undefined;

  constructor(facts: ProfiledFacts, arenaBytes: number) {
    this.#facts = facts;
    this.#arenaBytes = arenaBytes;
    const words = eventWord(facts.kernels.length, eventRoom);
    this.#memory = allocateNative(words * 8);
    this.#words = this.#memory.view("i64", 0, words) as BigInt64Array;
    this.#words[profileWords.room] = BigInt(eventRoom);
    this.#words[profileWords.measurement] = 2n ** 62n;
  }

  get address(): bigint {
    return this.#memory.address;
  }

  /** Called right before the code. */
  enter(): void {
    this.#first ??= this.#lastEntry();
    this.#entered = performance.now();
  }

  /** `enterIdle` enters the code for no step: for the clocks. */
  profile(enterIdle: () => void): ExecutionProfile {
    const { kernels } = this.#facts;
    const entries = this.#number(profileWords.entries);
    const cycles = this.#number(profileWords.cycles);
    if (entries === 0) return this.#empty();
    const { rate, first } = this.#clock(enterIdle);
    // What was entered for the clocks alone does not count.
    this.#words[profileWords.entries] = BigInt(entries);
    this.#words[profileWords.cycles] = BigInt(cycles);
    return {
      entries,
      seconds: cycles / rate,
      secondsPerMeasurement: this.#number(profileWords.measurement) / rate,
      kernels: kernels.map((facts, kernel) => ({
        ...facts,
        calls: this.#number(kernelWord(kernel, kernelWords.calls)),
        seconds: this.#number(kernelWord(kernel, kernelWords.cycles)) / rate,
      })),
      origin: first.milliseconds + (Number(this.#eventAt(0, eventWords.begin) - first.cycles) / rate) * 1000,
      events: this.#events(rate),
      fixedBytes: this.#facts.fixedBytes,
      arenaBytes: this.#arenaBytes,
    };
  }

  free(): void {
    this.#memory.free();
  }

  #empty(): ExecutionProfile {
    const { kernels, fixedBytes } = this.#facts;
    return {
      entries: 0,
      seconds: 0,
      secondsPerMeasurement: 0,
      kernels: kernels.map((facts) => ({ ...facts, calls: 0, seconds: 0 })),
      origin: 0,
      events: [],
      fixedBytes,
      arenaBytes: this.#arenaBytes,
    };
  }

  #lastEntry(): Moment | undefined {
    const cycles = this.#words[profileWords.begun] ?? 0n;
    return cycles === 0n ? undefined : { milliseconds: this.#entered, cycles };
  }

  /** Cycles a second, and a moment on both clocks. */
  #clock(enterIdle: () => void): { readonly rate: number; readonly first: Moment } {
    const first = this.#first ?? this.#lastEntry();
    if (first === undefined) throw new InternalError("code that was entered has left no time");
    this.#first = first;
    for (;;) {
      this.#entered = performance.now();
      const milliseconds = this.#entered - first.milliseconds;
      if (milliseconds < calibrationMilliseconds) continue;
      enterIdle();
      const last = this.#lastEntry();
      if (last === undefined || last.cycles <= first.cycles)
        throw new InternalError("the processor's counter stands still");
      return { rate: (Number(last.cycles - first.cycles) / milliseconds) * 1000, first };
    }
  }

  #events(rate: number): readonly KernelEvent[] {
    const at = (event: number, word: number): bigint => this.#eventAt(event, word);
    const origin = at(0, eventWords.begin);
    return Array.from({ length: this.#number(profileWords.events) }, (_, event) => ({
      kernel: Number(at(event, eventWords.kernel)),
      start: Number(at(event, eventWords.begin) - origin) / rate,
      seconds: Number(at(event, eventWords.end) - at(event, eventWords.begin)) / rate,
    }));
  }

  #eventAt(event: number, word: number): bigint {
    return this.#words[eventWord(this.#facts.kernels.length, event) + word] ?? 0n;
  }

  #number(word: number): number {
    return Number(this.#words[word] ?? 0n);
  }
}
