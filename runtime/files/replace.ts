import { GraphError } from "../../compiler/ir/diagnostic.js";
import { InputFile } from "./bytes.js";
import { fileError, quotePath } from "./errors.js";
import { kindOf } from "./kinds.js";
import { longestHeader } from "./safetensors_header.js";

/** A kind of file that is written over only where a file of its kind, or an empty one, stands. */
export interface Replaceable {
  /** As in "is no checkpoint". */
  readonly name: string;
  /** A name that such a file could have. */
  readonly example: string;
  /** Whether a file that is not empty may be one, by its first bytes: a damaged one is not worth keeping. */
  readonly mayBegin: (bytes: Uint8Array) => boolean;
}

export const checkpointFile: Replaceable = {
  name: "checkpoint",
  example: "model.safetensors",
  mayBegin: (bytes) =>
    bytes.length < 9
      ? kindOf(bytes) === undefined
      : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) <= BigInt(longestHeader) &&
        bytes[8] === 0x7b,
};

export const traceFile: Replaceable = {
  name: "trace",
  example: "profile.json",
  mayBegin: (bytes) => /^\s*\{[\s\S]*"traceEvents"/.test(new TextDecoder().decode(bytes)),
};

/** How a checkpoint's header says that it is one, as safetensors files of others don't. */
const checkpointKey = "graphc.checkpoint";

function isCheckpoint(bytes: Uint8Array): boolean {
  return checkpointFile.mayBegin(bytes) && Buffer.from(bytes).includes(checkpointKey);
}

/** A tensor that a run writes. A checkpoint is none, though both are safetensors files. */
export const resultFiles: Readonly<Record<".npy" | ".safetensors" | ".csv", Replaceable>> = {
  ".npy": {
    name: "result",
    example: "result.npy",
    mayBegin: (bytes) => "\x93NUMPY".startsWith(Buffer.from(bytes.subarray(0, 6)).toString("latin1")),
  },
  ".safetensors": {
    name: "result",
    example: "result.safetensors",
    mayBegin: (bytes) => checkpointFile.mayBegin(bytes) && !isCheckpoint(bytes),
  },
  ".csv": {
    name: "result",
    example: "result.csv",
    mayBegin: (bytes) => kindOf(bytes.subarray(0, 64))?.startsWith("text") === true,
  },
};

/** Source that graphc writes says so in its first line: what has another one is somebody's own. */
const isWritten = (bytes: Uint8Array): boolean =>
  new TextDecoder().decode(bytes.subarray(0, 64)).startsWith("// Written by `graphc ");

export const declarationFile: Replaceable = {
  name: "declaration file that graphc wrote",
  example: "model.d.ts",
  mayBegin: isWritten,
};

export const moduleFile: Replaceable = {
  name: "module that graphc wrote",
  example: "one in another folder",
  mayBegin: isWritten,
};

/** Pictures by the ending of their names. A page may be somebody's own, and is replaced where graphc wrote it. */
export const pictureFiles: Readonly<Record<".svg" | ".png" | ".html" | ".dot", Replaceable>> = {
  ".svg": {
    name: "picture",
    example: "picture.svg",
    mayBegin: (bytes) => new TextDecoder().decode(bytes).includes("<svg"),
  },
  ".png": {
    name: "picture",
    example: "picture.png",
    mayBegin: (bytes) => "\x89PNG".startsWith(Buffer.from(bytes.subarray(0, 4)).toString("latin1")),
  },
  ".html": {
    name: "page that graphc wrote",
    example: "model.html",
    mayBegin: (bytes) => new TextDecoder().decode(bytes).includes('<meta name="generator" content="graphc">'),
  },
  ".dot": {
    name: "graph in DOT",
    example: "model.dot",
    mayBegin: (bytes) => /\b(?:di)?graph\b[^{]*\{/.test(new TextDecoder().decode(bytes)),
  },
};

/** Sees that no file of another kind would be lost. @throws GraphError G092 where one stands there. */
export async function requireReplaceable(path: string, kind: Replaceable): Promise<void> {
  const file = await InputFile.open(path).catch((error: unknown) => {
    // What is not there, or cannot be read, is nothing that could be known.
    if (error instanceof GraphError) return undefined;
    throw error;
  });
  if (file === undefined) return;
  try {
    const beginning = new Uint8Array(4096);
    const bytes = beginning.subarray(0, await file.readAt(0, beginning));
    if (bytes.length === 0 || kind.mayBegin(bytes)) return;
    const found = isCheckpoint(bytes) ? "a checkpoint" : kindOf(bytes.subarray(0, 64));
    throw fileError(
      "G092",
      `cannot save ${quotePath(path)}: the file there is no ${kind.name}${found === undefined ? "" : ` but ${found}`}, and would be lost`,
      `name another file, such as ${kind.example}, or remove this one`,
    );
  } finally {
    await file.close();
  }
}
