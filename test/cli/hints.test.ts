import { join } from "node:path";
import test from "ava";
import { commandLine, newOutcome } from "../../cli/commands.js";
import { folderWith, graphcHere, lineGraph, lineTable } from "./support.js";

/** The options of each command, by their long names. */
const optionsOf = new Map(
  commandLine(newOutcome()).commands.map((command) => [
    command.name(),
    new Set(["--help", ...command.options.flatMap(({ long }) => long ?? [])]),
  ]),
);

const reference = ["--target", "reference"];

/** How each command that reads graphs is called. */
const commands: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    check: ["a.graph"],
    compile: ["a.graph"],
    train: ["a.graph", ...reference],
    run: ["a.graph", "evaluate", ...reference],
    bench: ["a.graph", "evaluate", "--samples", "1", ...reference],
    inspect: ["a.graph", "--stage", "kernels"],
    explain: ["a.graph", "p"],
    diff: ["a.graph", "a.graph"],
    viz: ["a.graph", "-o", "a.svg", "--view", "kernels"],
    types: ["a.graph"],
    build: ["a.graph", "-o", "page", "--target", "web"],
  }),
);

/** Those that read data. */
const readers = ["train", "run", "bench"];

interface Situation {
  readonly text: string;
  /** The commands that come so far; all where left out. */
  readonly only?: readonly string[];
  readonly more?: Readonly<Record<string, readonly string[]>>;
}

/** What makes hints that name options, each with what the commands are given besides. */
const situations: ReadonlyMap<string, Situation> = new Map(
  Object.entries({
    "an import leaves the folder": { text: `import { f } from "../f.graph"\n${lineGraph}` },
    "the train block's data are missing": { only: readers, text: lineGraph.replaceAll("line.csv", "nowhere.csv") },
    "the train block's data leave the folder": {
      only: readers,
      text: lineGraph.replaceAll("line.csv", "../nowhere.csv"),
    },
    "a dim has no bound": { text: lineGraph.replace("dim N <= 64", "dim N").replace(/ {4}batch = 4\n/, "") },
    "a table has several columns": {
      only: readers,
      text: lineGraph.replaceAll("line.csv", "table.csv"),
      more: { run: ["--data", "x=table.csv"], bench: ["--feed", "x=table.csv"] },
    },
    "what a user names is missing": {
      only: [...readers, "build"],
      text: lineGraph,
      more: {
        train: ["--data", "x=nowhere.csv"],
        run: ["--data", "x=nowhere.csv", "--data", "y=nowhere.csv"],
        bench: ["--feed", "x=nowhere.csv"],
        build: ["--weights", "nowhere.safetensors"],
      },
    },
    "a loss is NaN": { only: readers, text: lineGraph.replace("mean((p - y) ** 2)", "mean(log(p - 1e9))") },
    "a step is not finite": {
      only: readers,
      text: lineGraph.replace("mean((p - y) ** 2)", "mean(log(p - 1e9))"),
      more: { train: ["--check-numerics"], run: ["--data", "x=line.csv", "--data", "y=line.csv", "--check-numerics"] },
    },
    "there are more variables than memory": {
      text: lineGraph.replace(
        "variable b: f32 = 0",
        "variable b: f32 = 0\n  variable huge: f32[1_000_000, 1_000_000] = zeros()",
      ),
    },
    "something is placed on a device": { text: lineGraph.replace("p = x * w + b", 'p = x * w + b on "gpu"') },
  } satisfies Record<string, Situation>),
);

/** Options that a text names, each with the command whose they are: the last `graphc NAME` before it on the line, else `command`. */
function namedOptions(text: string, command: string): readonly (readonly [string, string])[] {
  return text.split("\n").flatMap((line) => {
    let of = command;
    return [...line.matchAll(/graphc ([a-z]+)|(?<![\w-])(--[a-z][a-z-]*)/g)].flatMap(([, other, option]) => {
      if (other !== undefined) of = other;
      return option === undefined ? [] : [[of, option] as const];
    });
  });
}

for (const [name, { text, more, only }] of situations) {
  test.serial(`an option that is named is there, where ${name}`, async (t) => {
    const files = { "a.graph": text, "line.csv": lineTable, "table.csv": "a,b\n1,2\n3,4\n" };
    const cwd = join(
      folderWith({ ...Object.fromEntries(Object.entries(files).map(([file, content]) => [`in/${file}`, content])) }),
      "in",
    );
    for (const [command, words] of commands) {
      if (only !== undefined && !only.includes(command)) continue;
      const { stdout, stderr } = await graphcHere([command, ...words, ...(more?.[command] ?? [])], { cwd });
      for (const [of, option] of namedOptions(`${stdout}\n${stderr}`, command)) {
        t.true(optionsOf.get(of)?.has(option), `graphc ${command} names ${option} of graphc ${of}: ${stderr}`);
      }
    }
    t.pass();
  });
}

test("what names an option that is not there is found", (t) => {
  t.deepEqual(namedOptions("give --dim N=32, or `graphc train --save PATH`\n--data", "run"), [
    ["run", "--dim"],
    ["train", "--save"],
    ["run", "--data"],
  ]);
});
