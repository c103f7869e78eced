// docs/errors.md from the catalogue of codes, each example run for its real output.
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { makeSandbox, models, runExample } from "./sandbox.mjs";

const groups = [
  ["G00", "The text"],
  ["G01", "Names"],
  ["G02", "Types and shapes"],
  ["G03", "Functions and variables"],
  ["G04", "Updates, signatures and train"],
  ["G05", "Gradients"],
  ["G06", "Imports and files"],
  ["G07", "Data"],
  ["G08", "Sessions and runs"],
  ["G09", "Checkpoints"],
  ["G1", "Limits, the machine and numbers"],
  ["G15", "What is hardly meant"],
];

/** The text of docs/errors.md. */
export async function errorsPage(dist) {
  const { catalogue } = await import(pathToFileURL(join(dist, "compiler", "ir", "codes", "catalogue.js")));
  const folder = await makeSandbox(dist);
  try {
    const outputs = await runAll(catalogue, dist, folder);
    const sections = groups.flatMap(([prefix, title]) => [
      `## ${title}`,
      ...catalogue.filter(({ code }) => groupOf(code) === prefix).map((row) => describe(row, outputs.get(row.code))),
    ]);
    return `${[intro(catalogue), ...sections].join("\n\n")}\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The longest prefix that a code has. */
function groupOf(code) {
  return groups.map(([prefix]) => prefix).findLast((prefix) => code.startsWith(prefix));
}

function intro(catalogue) {
  return `<!-- Made from compiler/ir/codes by scripts/docs.mjs: change a row there, then \`npm run docs\`. -->

# Errors

Each problem that graphc finds has one of these ${catalogue.length} codes. A code never changes its meaning. The command line prints
problems as below, with a caret at the place, marks where the other side comes from, and a hint where one is known;
\`--json\` gives the same as data; in TypeScript they are the \`diagnostics\` of a \`GraphError\`. All problems of a file are
reported at once. The outputs on this page are real; \`mnist.graph\` in them is

\`\`\`graph
${models["mnist.graph"].trimEnd()}
\`\`\``;
}

/** The outputs of all examples by code. Some processes run beside each other, since each of them mostly starts up. */
async function runAll(catalogue, dist, folder) {
  const outputs = new Map();
  const waiting = [...catalogue];
  const work = async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      // Two examples write the same file: these take turns.
      const isAlone = row.example.includes("generated.graph");
      if (!isAlone) outputs.set(row.code, await runExample(row, dist, folder));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  for (const row of catalogue.filter(({ code }) => !outputs.has(code))) {
    outputs.set(row.code, await runExample(row, dist, folder));
  }
  return outputs;
}

const noOutput = new Map([["G120", "*What it says depends on what the machine lacks.*"]]);

function describe({ code, title, explain, example }, output) {
  const parts = [`### ${code}: ${title}`, explain];
  const shown = example
    .trimEnd()
    .replace(/\({20,}/, "((((...")
    .replace(/\){20,}/, "...))))");
  if (example.startsWith("$ ")) {
    const [file] = /\w+\.graph/.exec(example) ?? [];
    const text = file === "mnist.graph" ? undefined : models[file];
    if (text !== undefined) parts.push(fence(text.trimEnd(), "graph"));
    parts.push(fence(output === undefined ? shown : `${shown}\n${output}`));
  } else {
    parts.push(fence(shown, "graph"));
    if (output !== undefined) parts.push(fence(output));
  }
  if (output === undefined) parts.push(noOutput.get(code) ?? "*This version has no input that gives it.*");
  return parts.join("\n\n");
}

function fence(text, language = "") {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
