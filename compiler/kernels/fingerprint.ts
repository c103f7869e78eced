import { createHash } from "node:crypto";
import type { KernelProgram } from "./form.js";

/** What code does not depend on: texts for people, and the contents of constants, which are passed by address. */
const ignored: ReadonlySet<string> = new Set(["spans", "label", "data", "failures"]);

/**
 * A digest of all that a program's machine code depends on: equal programs have equal code for a target, so it names the code in
 * the cache without building the code first. Shared expressions are numbered where they first occur, as the code shares them.
 */
export function fingerprint(program: KernelProgram): string {
  const hash = createHash("sha256");
  const numbers = new Map<object, number>();
  const write = (value: unknown): void => {
    if (typeof value !== "object" || value === null) {
      hash.update(Object.is(value, -0) ? "-0;" : `${typeof value} ${String(value)};`);
      return;
    }
    const known = numbers.get(value);
    if (known !== undefined) {
      hash.update(`&${known};`);
      return;
    }
    numbers.set(value, numbers.size);
    if (value instanceof Map) {
      hash.update("map(");
      for (const [key, item] of value) {
        write(key);
        write(item);
      }
    } else if (Array.isArray(value)) {
      hash.update("list(");
      for (const item of value) write(item);
    } else {
      hash.update("record(");
      for (const [key, item] of Object.entries(value)) {
        if (ignored.has(key)) continue;
        hash.update(`${key}=`);
        write(item);
      }
    }
    hash.update(")");
  };
  write({ ...program, name: "" });
  return hash.digest("hex");
}
