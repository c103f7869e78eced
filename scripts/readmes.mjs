// Runs the commands that README.md and the examples' READMEs show, and writes what they print below them. Needs a build and
// native code; run it on a quiet machine, since the outputs have times in them. What differs is a change to look at. With
// --tests it runs the tests, too, which takes minutes. Names of examples, such as `iris`, rerun their READMEs only; `bench` runs
// `make bench` for bench/README.md, which takes minutes and is not done without its name.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const cli = join(root, "dist", "cli", "main.js");
// The commands run in a folder of their own, so that what they save does not lie about in the checkout.
const folder = mkdtempSync(join(tmpdir(), "graphc-readmes-"));
for (const name of ["examples", "dist", "package.json"]) symlinkSync(join(root, name), join(folder, name));

/** The graphs that README.md works on: its own first block, and one with two mistakes. */
function writeGraphs() {
  const [, digits = ""] = /```graph\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  writeFileSync(join(folder, "digits.graph"), digits);
  writeFileSync(
    join(folder, "bad.graph"),
    `graph bad {
  dim N <= 100
  placeholder image: f32[N, 28, 28]
  variable w: f32[512, 10] = glorot_uniform()

  pixels = reshape(image, [N, 28 * 28])
  logits = pixels @ w
  probs = sofmax(logits)
}
`,
  );
}

/** What a command prints, both streams in one as a terminal shows them; undefined for one that is not rerun here. */
function outputOf(command) {
  const line = command.replace(/\\\n\s*/g, "");
  if (line === "make test") return process.argv.includes("--tests") ? countOfTests() : undefined;
  const real =
    line === "make demo"
      ? "node dist/examples/demo.js"
      : line.endsWith("make bench")
        ? `${line.slice(0, -"make bench".length)}${JSON.stringify(process.execPath)} dist/bench/main.js`
        : line.replace(/^npx graphc /, () => `${JSON.stringify(process.execPath)} ${JSON.stringify(cli)} `);
  if (real === line && !line.startsWith("node ")) return undefined;
  const { stdout, status } = spawnSync(`${real} 2>&1`, { cwd: folder, shell: true, encoding: "utf8" });
  if (status !== 0 && !line.endsWith("bad.graph")) throw new Error(`${line} ended with ${status}:\n${stdout}`);
  const text = stdout.trimEnd();
  return line === "make demo" ? abridged(text.trimStart()) : text;
}

/** How a passing run of the tests ends. */
function countOfTests() {
  const { stdout, status } = spawnSync('npx ava "dist/test/**/*.test.js"', {
    cwd: root,
    shell: true,
    encoding: "utf8",
  });
  const [last] = /^ *\d+ tests? passed$/m.exec(stdout) ?? [];
  if (status !== 0 || last === undefined) throw new Error(`the tests do not pass:\n${stdout.slice(-2000)}`);
  return `...\n\n${last}`;
}

/** Long runs of reports, cut in the middle. */
function abridged(text) {
  return text.replace(/(?:^step .*\n){5,}/gm, (lines) => {
    const all = lines.trimEnd().split("\n");
    return `${[all[0], all[1], "...", all.at(-1)].join("\n")}\n`;
  });
}

function refresh(page) {
  const path = join(root, page);
  const before = readFileSync(path, "utf8");
  const after = before.replace(/^```\n\$ ((?:.*\\\n)*.*)\n[\s\S]*?^```$/gm, (block, command) => {
    const output = outputOf(command);
    return output === undefined ? block : `\`\`\`\n$ ${command}\n${output}\n\`\`\``;
  });
  if (after !== before) writeFileSync(path, after);
  console.log(`${page}: ${after === before ? "as it was" : "written"}`);
}

try {
  writeGraphs();
  const examples = readdirSync(join(root, "examples"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const pages = ["README.md", ...examples.map(({ name }) => `examples/${name}/README.md`)];
  if (chosen.includes("bench")) refresh("bench/README.md");
  for (const page of pages) if (chosen.length === 0 || chosen.includes(page.split("/").at(-2) ?? ".")) refresh(page);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
