import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;

native("generated code keeps to its buffers: pages that may not be touched stand around each", async (t) => {
  const script = fileURLToPath(new URL("./guarded.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, "8"]);
  t.regex(stdout, /8 graphs kept to their buffers/);
});
