import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "devalue";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { saveGraph } from "../compiler/ir/saved.js";
import { staticShape } from "../compiler/ir/type.js";
import { numericDType } from "../compiler/ops/precision.js";
import { version } from "../compiler/version.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import { readWeights } from "../runtime/files/checkpoint.js";
import { compareWithModel } from "../runtime/files/compare.js";
import { checkpointFile, moduleFile, requireReplaceable } from "../runtime/files/replace.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes } from "./failure.js";
import { openGraph } from "./front_end.js";
import { type LoadOptions, warn } from "./load.js";
import { requireOutputFolder } from "./outputs.js";
import { pageNotes } from "./page_notes.js";
import { modelInterface } from "./types.js";

export interface BuildOptions extends CommonOptions, LoadOptions {
  readonly output: string;
  readonly weights?: string | undefined;
}

/** All of graphc that a page needs, in one file; made with graphc itself. */
const library = fileURLToPath(import.meta.resolve("../web/graphc.js"));

/** Writes a module for pages. Throws GraphError for a file that does not check, and for weights that do not fit it. */
export async function build(console: Console, file: string, options: BuildOptions): Promise<ExitCode> {
  if (!existsSync(library)) {
    const message = "the library for pages was not built, since the npm package gpu.js was missing";
    throw new GraphError([problem("G120", undefined, message, { hint: "`npm install`, then `npm run build`" })]);
  }
  const graph = openGraph(console, file, options);
  await requireOutputFolder(console, options.output);
  const name = basename(file).replace(/\.graph$/, "");
  const { output, weights } = options;
  const { warnings, remarks } = pageNotes(graph);
  if (weights !== undefined) await requireFitting(graph, weights);
  const copy = join(output, basename(library));
  for (const path of [`${name}.js`, `${name}.d.ts`].map((one) => join(output, one)))
    await requireReplaceable(path, moduleFile);
  await requireReplaceable(copy, moduleFile);
  if (weights !== undefined) await requireReplaceable(join(output, `${name}.safetensors`), checkpointFile);
  const written: string[] = [];
  const write = async (suffix: string, text: string): Promise<void> => {
    const path = join(output, `${name}${suffix}`);
    await writeFileAtomic(path, [Buffer.from(text)]);
    written.push(path);
  };
  await write(".js", moduleText(graph, name, weights !== undefined));
  await write(".d.ts", declarationText(graph, name));
  if (weights !== undefined) {
    const path = join(output, `${name}.safetensors`);
    await writeFileAtomic(path, [await readFile(weights)]);
    written.push(path);
  }
  const header = `// Written by \`graphc build --target web\`, graphc ${version}: the library of the modules beside it.\n`;
  await writeFileAtomic(copy, [Buffer.from(header), await readFile(library)]);
  written.push(copy);
  warn(console, warnings);
  for (const remark of remarks) console.note(remark);
  if (console.isJson) console.object({ output, files: written });
  else console.say(written.join("\n"));
  return exitCodes.fine;
}

/** What a page would only find out when it loads them. */
async function requireFitting(graph: Graph, path: string): Promise<void> {
  const loaded = await readWeights(path);
  const variables = loaded.kind === "checkpoint" ? loaded.checkpoint.variables : loaded.variables;
  const expected = graph.variables.map(({ path: name, value: { type } }) => {
    return [name, { dtype: numericDType(type.dtype), shape: staticShape(type) }] as const;
  });
  const problems = compareWithModel(path, variables, new Map(expected));
  if (problems.length > 0) throw new GraphError(problems);
}

function moduleText(graph: Graph, name: string, weighs: boolean): string {
  const saved = saveGraph(graph);
  if (saved === undefined) {
    const hint = "keep large constants in a data file, and feed them";
    throw new GraphError([problem("G102", undefined, "the graph is too large for a module", { hint })]);
  }
  const own = `new URL(${JSON.stringify(`./${name}.safetensors`)}, import.meta.url)`;
  const given = weighs ? `{ ...options, weights: options.weights ?? ${own} }` : "options";
  return `// Written by \`graphc build --target web\`, graphc ${version}: do it again when the graph has changed.
import { openModel } from "./graphc.js";

export * from "./graphc.js";

const graph = ${JSON.stringify(stringify(saved))};

export function open(options = {}) {
  return openModel(graph, ${weighs ? `options.fresh ? options : ${given}` : given});
}
`;
}

function declarationText(graph: Graph, name: string): string {
  return `// Written by \`graphc build --target web\`, graphc ${version}: do it again when the graph has changed.
import type { OpenOptions, Session } from "graphc/web";

export * from "graphc/web";

${modelInterface(graph)}
/** A session of ${name} in this page. Rejects with GraphError. */
export declare function open(options?: OpenOptions): Promise<Session<Model>>;
`;
}
