import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The checkout, from `dist/test/language/harness`. */
export const root = join(import.meta.dirname, "..", "..", "..", "..");

/** The folder of the test files, as they stand in the checkout. */
export const languageFolder = join(root, "test", "language");

/** Every test file, by its path from the folder. What stands in a folder `parts` is imported by others and no test. */
export function testFiles(): readonly string[] {
  return readdirSync(languageFolder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".graph") && !/(^|[\\/])parts[\\/]/.test(name))
    .sort();
}
