import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { fileError, quotePath, systemErrorCode, systemFailure } from "./errors.js";

/** Bytes in order, from a plain file or out of a compressed one; nothing is held but the current piece. */
export interface ByteReader {
  /** What messages call it: the path, or the path and the entry. */
  readonly name: string;
  /** No more bytes than this can be there: the file's size, or what its compressed size can unpack to. */
  readonly limit: number;
  /** Whether `limit` is the exact size. */
  readonly exact: boolean;
  /** Reads into `target`; gives the number of bytes read, which is less than asked for only at the end. */
  fill(target: Uint8Array): Promise<number>;
  /** Passes over bytes; gives how many there were. */
  skip(count: number): Promise<number>;
  close(): Promise<void>;
}

/** Deflate can't do better than 1032 to 1 (258 bytes from 2 bits), so a larger claim is false before a byte is unpacked. */
export const largestDeflateRatio = 1032;

/** One read call takes at most this much; the kernel's own limit is just under 2 GiB. */
const largestRead = 1 << 26;

/** A regular file opened to read at any place. A folder, a pipe or a device is refused: they have no size to check against. */
export class InputFile {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  /** @throws GraphError G064. */
  static async open(path: string): Promise<InputFile> {
    let handle: FileHandle | undefined;
    try {
      // Looked at before it is opened: opening a pipe without a writer would wait for ever.
      requireRegularFile(path, await stat(path));
      handle = await open(path, "r");
      const status = await handle.stat();
      requireRegularFile(path, status);
      return new InputFile(path, status.size, handle);
    } catch (error) {
      await handle?.close();
      throw systemFailure("G064", "cannot read", path, error);
    }
  }

  /** Reads at `position` into `target`; gives the number of bytes, less than asked for only at the end of the file. */
  async readAt(position: number, target: Uint8Array): Promise<number> {
    let done = 0;
    try {
      while (done < target.length) {
        const most = Math.min(target.length - done, largestRead);
        const { bytesRead } = await this.#handle.read(target, done, most, position + done);
        if (bytesRead === 0) {
          break;
        }
        done += bytesRead;
      }
    } catch (error) {
      throw systemFailure("G064", "cannot read", this.path, error);
    }
    return done;
  }

  /** The file from its start, as a stream that leaves the file open. */
  stream(): Readable {
    return this.#handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 18 });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function requireRegularFile(path: string, status: Stats): void {
  if (!status.isFile()) {
    const kind = status.isDirectory() ? "a folder" : "not a regular file";
    throw fileError("G064", `${quotePath(path)} is ${kind}`, "name a file");
  }
}

/** Opens a file to read in order; one that begins with gzip's signature is unpacked on the way. */
export async function openBytes(path: string): Promise<ByteReader> {
  const file = await InputFile.open(path);
  try {
    const signature = new Uint8Array(2);
    await file.readAt(0, signature);
    if (signature[0] !== 0x1f || signature[1] !== 0x8b) {
      return new FileReader(file);
    }
    const unpacked = createGunzip();
    const source = file.stream();
    source.on("error", (error) => unpacked.destroy(error));
    source.pipe(unpacked);
    const limit = file.size * largestDeflateRatio;
    return new StreamReader(path, limit, unpacked, async () => {
      source.destroy();
      await file.close();
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}

class FileReader implements ByteReader {
  readonly name: string;
  readonly limit: number;
  readonly exact = true;
  readonly #file: InputFile;
  #position = 0;

  constructor(file: InputFile) {
    this.name = file.path;
    this.limit = file.size;
    this.#file = file;
  }

  async fill(target: Uint8Array): Promise<number> {
    const count = await this.#file.readAt(this.#position, target);
    this.#position += count;
    return count;
  }

  async skip(count: number): Promise<number> {
    const passed = Math.max(0, Math.min(count, this.limit - this.#position));
    this.#position += passed;
    return passed;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Reads a stream in order. Errors of the unpacking become G078. */
export class StreamReader implements ByteReader {
  readonly name: string;
  readonly limit: number;
  readonly exact = false;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #release: () => Promise<void>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(name: string, limit: number, stream: Readable, release: () => Promise<void>) {
    this.name = name;
    this.limit = limit;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#release = release;
  }

  async fill(target: Uint8Array): Promise<number> {
    return this.#take(target.length, (piece, at) => target.set(piece, at));
  }

  async skip(count: number): Promise<number> {
    return this.#take(count, () => {});
  }

  async close(): Promise<void> {
    // A stream destroyed while it still unpacks may report an error to nobody, which would end the process.
    this.#stream.on("error", () => {});
    this.#stream.destroy();
    await this.#release();
  }

  async #take(count: number, use: (piece: Uint8Array, at: number) => void): Promise<number> {
    let done = 0;
    while (done < count) {
      if (this.#rest.length === 0) {
        const next = await this.#next();
        if (next === undefined) {
          break;
        }
        this.#rest = next;
      }
      const piece = this.#rest.subarray(0, Math.min(count - done, this.#rest.length));
      use(piece, done);
      done += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return done;
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? undefined : value;
    } catch (error) {
      if (systemErrorCode(error) !== undefined) {
        throw systemFailure("G064", "cannot read", this.name, error);
      }
      throw corrupt(this.name, error);
    }
  }
}

/** G078: the compressed data does not unpack. */
export function corrupt(name: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return fileError(
    "G078",
    `${quotePath(name)} is damaged: its compressed data does not unpack (${reason})`,
    "get the file again",
  );
}
