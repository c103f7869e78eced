import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { nativeIsAvailable } from "./support.js";

/** gcc prints a path where it has the library, else the bare name. */
function sanitizerIsAvailable(): boolean {
  const { stdout } = spawnSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  return typeof stdout === "string" && existsSync(stdout.trim());
}

const sanitized = nativeIsAvailable && sanitizerIsAvailable() ? test : test.skip;

sanitized("generated code keeps to its tensors under AddressSanitizer", async (t) => {
  const script = fileURLToPath(new URL("./sanitized.js", import.meta.url));
  // One graph whose positions all lie inside, and one where some do not.
  const { stdout } = await promisify(execFile)(process.execPath, [script, "2", "1"]);
  t.regex(stdout, /2 of 2 graphs kept to their buffers/);
});
