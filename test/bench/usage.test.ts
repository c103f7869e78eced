import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "ava";

const folder = join(import.meta.dirname, "..", "..", "bench");

function run(program: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, `${program}.js`), ...words], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

for (const [program, wrong] of [
  ["main", "nothing"],
  ["gpu", "nothing"],
  ["keystrokes", "often"],
] as const) {
  test(`${program}: --help prints the usage, and what is wrong is told without measuring`, (t) => {
    const help = run(program, "--help");
    t.is(help.status, 0, help.stderr);
    t.regex(help.stdout, new RegExp(`^usage: node dist/bench/${program}\\.js`));
    const refused = run(program, wrong);
    t.is(refused.status, 2);
    t.is(refused.stdout, "");
    t.regex(refused.stderr, /^bench: .+/);
  });
}
