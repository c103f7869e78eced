// docs/ops.md from the table of core ops.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The families, in the order of the page; an op of no family stands under the last. */
const families = [
  ["Element by element", ({ kernel }) => kernel.kind === "elementwise"],
  ["Reductions", ({ kernel }) => kernel.kind === "reduce" || kernel.kind === "arg_reduce"],
  ["Contraction", ({ kernel }) => kernel.kind === "contract"],
  ["Shapes and places", ({ kernel }) => ["view", "concatenate", "pad"].includes(kernel.kind)],
  ["Linear algebra", ({ kernel }) => kernel.kind === "routine"],
  ["Sources and generators", ({ kernel }) => kernel.kind === "source" || kernel.kind === "generator"],
  ["Checks, and what the compiler expands", () => true],
];

const groups = (operands) => [
  [operands.anyDType, "any"],
  [operands.numbers, "numbers"],
  [operands.floats, "floats"],
  [operands.integers, "integers"],
  [operands.bools, "bool"],
];

/** The text of docs/ops.md. */
export async function opsPage(dist) {
  const { ops } = await import(pathToFileURL(join(dist, "compiler", "ops", "table.js")));
  const operands = await import(pathToFileURL(join(dist, "compiler", "ops", "operands.js")));
  const named = new Map(groups(operands).map(([dtypes, name]) => [dtypes.join(), name]));
  const all = [...ops.values()].sort((a, b) => (a.opName < b.opName ? -1 : 1));
  const left = new Set(all);
  const sections = families.map(([title, belongs]) => {
    const members = all.filter((op) => left.has(op) && belongs(op));
    for (const op of members) left.delete(op);
    return [`## ${title}`, ...members.map((op) => describe(op, named))].join("\n\n");
  });
  return `${[intro(all.length, operands), ...sections].join("\n\n")}\n`;
}

function intro(count, { floats, integers }) {
  return `<!-- Made from the op table by scripts/docs.mjs: change an op's \`doc\` there, then \`npm run docs\`. -->

# Core ops

The ${count} primitives that every graph comes down to, as \`graphc inspect FILE --stage graph\` prints them. A \`.graph\`
file reaches them through operators and the [functions of the language](std.md), which broadcast and give literals their
dtype; the ops themselves take operands of equal shapes.

Where a line says StableHLO, the op has the meaning that the [specification of
StableHLO](https://openxla.org/stablehlo/spec) gives the op of that name (\`chlo\` is its companion dialect). *Floats* are
${floats.join(", ")}; *integers* are ${integers.join(", ")}; *numbers* are both. Operands marked with one letter have one
dtype. A *dims* attribute is a list of sizes that may hold symbolic dims.`;
}

function describe(op, named) {
  const operands = op.operands.map(({ name, dtypes, group, variadic }) => {
    const allowed = named.get(dtypes.join()) ?? dtypes.join(", ");
    return `\`${name}${variadic ? "..." : ""}\` (${allowed}${group === undefined ? "" : `, ${group}`})`;
  });
  const attributes = Object.entries(op.schema).map(([name, kind]) => `\`${name}\`: ${kind}`);
  const lines = [
    `- Operands: ${operands.length === 0 ? "none" : operands.join(", ")}`,
    ...(attributes.length === 0 ? [] : [`- Attributes: ${attributes.join(", ")}`]),
    ...(op.stablehlo === undefined ? [] : [`- StableHLO: \`${op.stablehlo}\``]),
    `- Gradient: ${op.differentiable ? "yes" : `none; ${op.cut}`}`,
  ];
  return [`### ${op.opName}`, op.doc, lines.join("\n")].join("\n\n");
}
