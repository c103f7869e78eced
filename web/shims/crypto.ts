import { sha256 } from "@noble/hashes/sha2.js";
import { Buffer } from "buffer";

/** `node:crypto` in a page: the one hash that graphc uses, at once and not by promise as a browser's own is. */
export function createHash(name: "sha256"): Hash {
  if (name !== "sha256") throw new Error(`no hash ${String(name)} in a page`);
  return new Hash();
}

class Hash {
  readonly #state = sha256.create();

  update(part: string | Uint8Array): this {
    this.#state.update(typeof part === "string" ? Buffer.from(part, "utf8") : part);
    return this;
  }

  digest(): Buffer;
  digest(encoding: "hex"): string;
  digest(encoding?: "hex"): Buffer | string {
    const bytes = Buffer.from(this.#state.digest());
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }
}
