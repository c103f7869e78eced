import { createHash } from "node:crypto";
import type { KernelProgram } from "./form.js";

/** What code does not depend on: texts for people, and the contents of constants, which are passed by address. */
const ignored: ReadonlySet<string> = new Set(["spans", "label", "data", "failures"]);

/**
 * A digest of all that a program's machine code depends on: equal programs have equal code for a target, so it names the code in
 * the cache without building the code first. Shared expressions are numbered where they first occur, as the code shares them.
 */
export function fingerprint(program: KernelProgram): string {
  // One text, hashed at once: a call into the hash for each word would take longer than all else here.
  const words: string[] = [];
  const numbers = new Map<object, number>();
  const write = (value: unknown): void => {
    if (typeof value !== "object" || value === null) {
      words.push(Object.is(value, -0) ? "-0;" : `${typeof value} ${String(value)};`);
      return;
    }
    const known = numbers.get(value);
    if (known !== undefined) {
      words.push(`&${known};`);
      return;
    }
    numbers.set(value, numbers.size);
    if (value instanceof Map) {
      words.push("map(");
      for (const [key, item] of value) {
        write(key);
        write(item);
      }
    } else if (Array.isArray(value)) {
      words.push("list(");
      for (const item of value) write(item);
    } else {
      words.push("record(");
      for (const [key, item] of Object.entries(value)) {
        if (ignored.has(key)) continue;
        words.push(`${key}=`);
        write(item);
      }
    }
    words.push(")");
  };
  write({ ...program, name: "" });
  return createHash("sha256").update(words.join("")).digest("hex");
}
