import { Transform } from "node:stream";
import { crc32 } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { corrupt, InputFile, largestDeflateRatio, StreamReader } from "../files/bytes.js";
import { fileError, quoteName, quotePath, systemErrorCode, systemFailure } from "../files/errors.js";
import type { LoadRequest } from "./elements.js";
import { readNpy } from "./npy.js";

/** An open .npz: a zip whose entries `NAME.npy` are its columns. */
export interface NpzFile {
  readonly columns: ReadonlyMap<string, Entry>;
  /** @throws what `readNpy` throws, and G078 where the entry is damaged. */
  load(column: string, request: LoadRequest): Promise<Tensor>;
  close(): void;
}

/** More entries than this are taken for an attack: each costs memory before it is looked at. */
const mostEntries = 100_000;

/** Opens a .npz and reads its directory. @throws GraphError G064, G071 (not a zip), G078 (damaged directory). */
export async function openNpz(path: string): Promise<NpzFile> {
  // Refuses folders and devices with the messages that all formats share.
  const file = await InputFile.open(path);
  const signature = new Uint8Array(2);
  const found = await file.readAt(0, signature);
  await file.close();
  if (found < 2 || Buffer.from(signature).toString("latin1") !== "PK") {
    throw fileError("G071", `${quotePath(path)} is not a .npz file: it does not begin as a zip does`);
  }
  const zip = await guarded(path, () => openPromise(path, { autoClose: false, strictFileNames: true }));
  try {
    const columns = await guarded(path, () => readDirectory(path, zip));
    return {
      columns,
      load: (column, request) => loadEntry(path, zip, columns, column, request),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readDirectory(path: string, zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > mostEntries) {
    throw fileError("G071", `${quotePath(path)} lists ${zip.entryCount} entries; at most ${mostEntries} are accepted`);
  }
  const columns = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (name.endsWith("/")) {
      continue;
    }
    if (!name.endsWith(".npy")) {
      throw fileError("G071", `${quotePath(path)} is not a .npz file: its entry ${quoteName(name)} is not a .npy`);
    }
    const column = name.slice(0, -".npy".length);
    if (columns.has(column)) {
      throw fileError("G071", `${quotePath(path)} has two entries named ${quoteName(name)}`);
    }
    columns.set(column, entry);
  }
  return columns;
}

async function loadEntry(
  path: string,
  zip: ZipFile,
  columns: ReadonlyMap<string, Entry>,
  column: string,
  request: LoadRequest,
): Promise<Tensor> {
  const entry = columns.get(column);
  if (entry === undefined) {
    throw fileError("G079", `${quotePath(path)} has no column ${quoteName(column)}`);
  }
  const name = `${path}:${entry.fileName}`;
  if (entry.uncompressedSize > entry.compressedSize * largestDeflateRatio + 64) {
    throw fileError(
      "G078",
      `${quotePath(name)} claims to unpack ${entry.compressedSize} bytes to ${entry.uncompressedSize}, which deflate can't do`,
    );
  }
  return guarded(path, async () => {
    const unpacked = await zip.openReadStreamPromise(entry);
    const checked = checksummed(entry);
    unpacked.on("error", (error) => checked.destroy(error));
    unpacked.pipe(checked);
    const reader = new StreamReader(name, entry.uncompressedSize, checked, async () => {
      unpacked.destroy();
    });
    try {
      return await readNpy(reader, request);
    } finally {
      await reader.close();
    }
  });
}

/** Passes bytes on and fails at the end where they don't have the checksum of the zip's directory (yauzl leaves that to us). */
function checksummed(entry: Entry): Transform {
  let sum = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush(done) {
      done(sum === entry.crc32 ? null : new Error("its checksum does not match"));
    },
  });
}

/** Runs a step of yauzl, whose errors are plain Errors with good messages. */
async function guarded<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof GraphError) {
      throw error;
    }
    throw systemErrorCode(error) === undefined
      ? corrupt(path, error)
      : systemFailure("G064", "cannot read", path, error);
  }
}
