/** `node:os` in a page. A browser tells at most a coarse figure of the machine's memory; what it refuses, it refuses itself. */
export function totalmem(): number {
  return Number.POSITIVE_INFINITY;
}

/** Each browser that there is runs on a little-endian machine, and WebAssembly is little-endian everywhere. */
export function endianness(): "LE" {
  return "LE";
}
