import { fileError, quotePath } from "../../runtime/files/errors.js";

/** `runtime/files/bytes.ts` in a page: a file is what an address gives, and lies in memory as a whole. */

export interface ByteReader {
  readonly name: string;
  readonly limit: number;
  readonly exact: boolean;
  fill(target: Uint8Array): Promise<number>;
  skip(count: number): Promise<number>;
  close(): Promise<void>;
}

/** Files that the page has itself, by the name under which they are then read. */
export const givenFiles = new Map<string, Uint8Array>();

export class InputFile {
  readonly path: string;
  readonly size: number;
  readonly bytes: Uint8Array;

  private constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.size = bytes.length;
    this.bytes = bytes;
  }

  /** @throws GraphError G064. */
  static async open(path: string): Promise<InputFile> {
    return new InputFile(path, await fetchBytes(path));
  }

  async readAt(position: number, target: Uint8Array): Promise<number> {
    const part = this.bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  async close(): Promise<void> {}
}

async function fetchBytes(address: string): Promise<Uint8Array> {
  const given = givenFiles.get(address);
  if (given !== undefined) return given;
  let reason: string;
  try {
    const response = await fetch(address);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    reason = `the server says ${response.status} ${response.statusText}`.trim();
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw fileError("G064", `cannot read ${quotePath(address.slice(0, 200))}: ${reason}`);
}

/** Opens a file to read in order; one that begins with gzip's signature is unpacked. */
export async function openBytes(path: string): Promise<ByteReader> {
  const { bytes } = await InputFile.open(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new Reader(path, bytes);
  try {
    const unpacked = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Reader(path, new Uint8Array(await new Response(unpacked).arrayBuffer()));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw fileError("G078", `${quotePath(path)} cannot be unpacked: ${reason}`);
  }
}

class Reader implements ByteReader {
  readonly name: string;
  readonly limit: number;
  readonly exact = true;
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.limit = bytes.length;
    this.#bytes = bytes;
  }

  async fill(target: Uint8Array): Promise<number> {
    const part = this.#bytes.subarray(this.#position, this.#position + target.length);
    target.set(part);
    this.#position += part.length;
    return part.length;
  }

  async skip(count: number): Promise<number> {
    const passed = Math.max(0, Math.min(count, this.limit - this.#position));
    this.#position += passed;
    return passed;
  }

  async close(): Promise<void> {}
}
