import type { Tensor } from "../../compiler/ir/tensor.js";
import { fileError, quoteName, quotePath } from "./errors.js";
import { readSafetensors, type SafetensorsContent, writeSafetensors } from "./safetensors.js";

/** Where in the data a training run stands. Shuffling is a function of (seed, epoch), so these are its whole state. */
export interface DataPosition {
  /** Epochs that are finished. */
  readonly epoch: number;
  /** Rows of the current epoch, in its shuffled order, that have been used. */
  readonly row: number;
}

/** All that a run needs to go on exactly where it stopped. */
export interface Checkpoint {
  /** Weights and optimizer slots alike, by variable path. */
  readonly variables: ReadonlyMap<string, Tensor>;
  readonly graph: string;
  /** The graphc version that wrote it. */
  readonly version: string;
  /** Updates done. */
  readonly step: number;
  /** The run's seed, a 64-bit integer. */
  readonly seed: bigint;
  /** Runs since the last step; random ops count them. */
  readonly runsSinceStep: number;
  readonly position: DataPosition;
  /** Further strings to keep, such as the best metric so far. Their keys don't begin with "graphc.". */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a file of weights gives: variables, and the state of training where the file is a checkpoint of ours. */
export type LoadedWeights =
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  | {
      readonly kind: "weights";
      readonly variables: ReadonlyMap<string, Tensor>;
      readonly metadata: ReadonlyMap<string, string>;
    };

const prefix = "graphc.";
/** The layout that this version writes; a file with a higher number is from a later graphc. */
const layout = 1;

/**
 * The file that holds a checkpoint: the variables as tensors, and as readable metadata strings `graphc.checkpoint` (the
 * layout, "1"), `graphc.graph`, `graphc.version`, `graphc.step`, `graphc.seed`, `graphc.runs_since_step`, `graphc.epoch`,
 * `graphc.row`, `graphc.sha256`, then the caller's own.
 * @throws GraphError G092 where the caller's metadata uses a key of ours.
 */
export function checkpointContent(checkpoint: Checkpoint): SafetensorsContent {
  const foreign = [...checkpoint.metadata.keys()].find((key) => key.startsWith(prefix));
  if (foreign !== undefined) {
    throw fileError(
      "G092",
      `cannot save metadata under ${quoteName(foreign)}: keys that begin with "${prefix}" are graphc's own`,
    );
  }
  const metadata = new Map([
    ...checkpoint.metadata,
    ["graphc.checkpoint", String(layout)],
    ["graphc.graph", checkpoint.graph],
    ["graphc.version", checkpoint.version],
    ["graphc.step", String(checkpoint.step)],
    ["graphc.seed", String(checkpoint.seed)],
    ["graphc.runs_since_step", String(checkpoint.runsSinceStep)],
    ["graphc.epoch", String(checkpoint.position.epoch)],
    ["graphc.row", String(checkpoint.position.row)],
  ]);
  return { tensors: checkpoint.variables, metadata };
}

/** Writes a checkpoint atomically. @throws GraphError G092. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeSafetensors(path, checkpointContent(checkpoint));
}

/**
 * Reads a checkpoint of ours, or any safetensors file as plain weights.
 * @throws GraphError G064, G077, G091 (damaged), G093 (from a later graphc), G102.
 */
export async function readWeights(path: string): Promise<LoadedWeights> {
  const { tensors, metadata } = await readSafetensors(path);
  const ours = [...metadata.keys()].filter((key) => key.startsWith(prefix));
  if (ours.length === 0) {
    return { kind: "weights", variables: tensors, metadata };
  }
  if (!metadata.has("graphc.sha256")) {
    throw damaged(path, "its checksum is missing");
  }
  const written = metadata.get("graphc.checkpoint");
  if (written === undefined) {
    return { kind: "weights", variables: tensors, metadata: withoutOurs(metadata) };
  }
  if (written !== String(layout)) {
    throw fileError(
      "G093",
      `${quotePath(path)} is a checkpoint of layout ${quoteName(written)}, this graphc reads layout ${layout}`,
      "a newer graphc wrote it: update graphc",
    );
  }
  const whole = (key: string): number => {
    const value = Number(requireKey(path, metadata, key, /^\d{1,16}$/));
    if (!Number.isSafeInteger(value)) {
      throw damaged(path, `its ${key} is not a number`);
    }
    return value;
  };
  return {
    kind: "checkpoint",
    checkpoint: {
      variables: tensors,
      graph: requireKey(path, metadata, "graphc.graph", /^/),
      version: requireKey(path, metadata, "graphc.version", /^/),
      step: whole("graphc.step"),
      seed: BigInt(requireKey(path, metadata, "graphc.seed", /^-?\d{1,20}$/)),
      runsSinceStep: whole("graphc.runs_since_step"),
      position: { epoch: whole("graphc.epoch"), row: whole("graphc.row") },
      metadata: withoutOurs(metadata),
    },
  };
}

/** Reads a checkpoint to resume from. @throws GraphError as `readWeights`, and G093 for plain weights. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const loaded = await readWeights(path);
  if (loaded.kind === "weights") {
    throw fileError(
      "G093",
      `${quotePath(path)} holds weights without the state of a training run (step, seed, position in the data)`,
      "read it with `--weights`; in TypeScript, with the session's option `weights`",
    );
  }
  return loaded.checkpoint;
}

function withoutOurs(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...metadata].filter(([key]) => !key.startsWith(prefix)));
}

function requireKey(path: string, metadata: ReadonlyMap<string, string>, key: string, pattern: RegExp): string {
  const value = metadata.get(key);
  if (value === undefined || !pattern.test(value)) {
    throw damaged(path, value === undefined ? `its metadata lacks ${key}` : `its ${key} is ${quoteName(value)}`);
  }
  return value;
}

function damaged(path: string, reason: string): Error {
  return fileError("G091", `${quotePath(path)} is damaged: ${reason}`, "take an earlier checkpoint");
}
