import type { KernelProgram, ProgramOutput } from "../../../kernels/form.js";

/**
 * The argument block: the one thing that native code is given. Words of 8 bytes; the JavaScript side writes them through a
 * BigInt64Array over the same memory. Addresses and counts are i64.
 */
export const blockWords = {
  /** Steps to do; steps done (written by the code). */
  steps: 0,
  done: 1,
  /** The record of a failed check: see failure.ts. Two words. */
  status: 2,
  /** Address of an i32 that asks for the end when it is not 0. */
  stop: 4,
  /** seed, step, runs since the last step: what random draws read. */
  runState: 5,
  /** Rows of the data set (0: there is none), rows a batch, rows used of this epoch, epochs done. */
  rows: 8,
  batch: 9,
  position: 10,
  epoch: 11,
  /** 1: the row order is shuffled; the address of the order (i32 a row); the epoch that it was made for (-1: none). */
  shuffle: 12,
  order: 13,
  orderEpoch: 14,
  /** 1: return at the end of an epoch. */
  stopAtEpochEnd: 15,
  /** 1: a step counts (training); 0: only a run (evaluation), and the outputs are summed. */
  advance: 16,
  /** Steps to the next report (0: never), steps from one to the next, the reports' address, room and number so far. */
  untilReport: 17,
  every: 18,
  reports: 19,
  reportRoom: 20,
  reportCount: 21,
  /** An address of f64: the sums of the scalar outputs x batch, then these outputs at the last step done. */
  sums: 22,
  arena: 23,
  constants: 24,
  /** The address of what profiled code measures: see profile.ts. */
  profile: 25,
  /** From here: four words a placeholder, then one (its address) a variable. */
  first: 26,
} as const;

/** The words of one placeholder. */
export const placeholderWords = {
  /** Where the step reads it. */
  address: 0,
  /** The whole column of the data set; 0 when the feed stays the same. */
  column: 1,
  rowBytes: 2,
  /** Room for one shuffled batch. */
  staging: 3,
  count: 4,
} as const;

export function placeholderWord(placeholder: number, word: number): number {
  return blockWords.first + placeholder * placeholderWords.count + word;
}

export function variableWord(placeholders: number, variable: number): number {
  return blockWords.first + placeholders * placeholderWords.count + variable;
}

/** Words of the status record: the number of the failed check plus one (0: none), and what it saw. */
export const statusWords = { failure: 0, value: 1 } as const;

/** In place of a failed check's number: the run was told to end in the middle of a `while`. */
export const interrupted = -1n;

/** The outputs that a report records: those of one element, in the program's order. */
export function scalarOutputs(program: Pick<KernelProgram, "outputs">): readonly ProgramOutput[] {
  return program.outputs.filter((output) => output.shape.every((size) => size === 1));
}

/** f64 words of one report: the step, then each scalar output. */
export function reportWords(program: Pick<KernelProgram, "outputs">): number {
  return 1 + scalarOutputs(program).length;
}

/** The name of the one function that a library exports: `i64 graphc_entry(i64 *block)`. */
export const entryName = "graphc_entry";
