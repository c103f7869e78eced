// Draws examples/placement/placement.svg: the kernels of a prediction on both sides. Needs a build; takes a second.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const example = "examples/placement/placement";
const words = ["viz", `${example}.graph`, "-o", `${example}.svg`, "--view", "kernels", "--signature", "predict"];
const { status } = spawnSync(process.execPath, [join(root, "dist", "cli", "main.js"), ...words], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
