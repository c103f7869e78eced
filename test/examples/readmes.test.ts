import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { hostTarget } from "../../compiler/backends/llvm/target.js";

const root = join(import.meta.dirname, "..", "..", "..");

/** The quick examples. `make examples` writes what all of them print; here it is seen that nobody forgot to. */
const examples = [
  "hello",
  "neuron",
  "activations",
  "newton",
  "mandelbrot",
  "least_squares",
  "linear_regression",
  "backpropagation",
  "lstm_by_hand",
  "placement",
];

/** The last digits of sums depend on how many lanes a register has: the READMEs say which processor printed them. */
const same = probe().available && hostTarget().level === "avx512";
if (!same)
  console.log("examples: the outputs in the READMEs are those of native code with AVX-512, and are not compared here");
const nativeTest = same ? test : test.skip;

/** A command and what stands below it. */
interface Block {
  readonly command: string;
  readonly output: string;
}

function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```\n\$ ((?:.*\\\n)*.*)\n([\s\S]*?)\n```$/gm)].map(([, command = "", output = ""]) => ({
    command: command.replace(/\\\n\s*/g, ""),
    output,
  }));
}

/** Without the times, which differ from run to run, and the name of the processor's level. */
function timeless(text: string): string {
  return text.replace(/\d[\d,.]* (m?s\b|steps\/s)/g, "TIME $1").replace(/x86-64 [A-Z0-9-]+/g, "x86-64 LEVEL");
}

for (const name of examples) {
  nativeTest(`the README of ${name} shows what its commands print`, (t) => {
    const blocks = blocksOf(readFileSync(join(root, "examples", name, "README.md"), "utf8"));
    t.true(blocks.some(({ command }) => command === `node dist/examples/${name}/run.js`));
    for (const { command, output } of blocks) {
      const [program, ...words] = command.replace(/^npx graphc /, "node dist/cli/main.js ").split(" ");
      t.is(program, "node", command);
      const { stdout, stderr, status } = spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });
      t.is(status, 0, `${command}: ${stderr}`);
      // A README shows both streams as a terminal does, in one, whose order is not known here.
      const shown = timeless(output).split("\n").sort();
      t.deepEqual(timeless(`${stderr}${stdout}`.trimEnd()).split("\n").sort(), shown, command);
    }
  });
}
