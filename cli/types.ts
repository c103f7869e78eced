import { basename, dirname, join } from "node:path";
import type { Graph, Signature } from "../compiler/ir/graph.js";
import { type TensorType, typeText } from "../compiler/ir/type.js";
import { version } from "../compiler/version.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import { declarationFile, requireReplaceable } from "../runtime/files/replace.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { LoadOptions } from "./load.js";
import { requireApart, requireOutputs } from "./outputs.js";
import { signatureText } from "./signatures.js";

export interface TypesOptions extends CommonOptions, LoadOptions {
  readonly output?: string | undefined;
}

/** Writes what TypeScript has to know of a graph. Throws GraphError for a file that does not check. */
export async function types(console: Console, file: string, options: TypesOptions): Promise<ExitCode> {
  const output = options.output ?? besideGraph(file);
  if (!/\.d(?:\.[^.]+)?\.ts$/.test(output)) {
    const whole = output.replace(/(?:\.d)?(?:\.[cm]?[jt]sx?)?$/, ".d.ts");
    throw new UsageError(`--output ${output}: the name of a declaration file ends in .d.ts, such as ${whole}`);
  }
  requireApart([output], [file]);
  const graph = openGraph(console, file, options);
  await requireOutputs(console, [output]);
  await requireReplaceable(output, declarationFile);
  await writeFileAtomic(output, [Buffer.from(declarations(graph, basename(file)))]);
  if (console.isJson) console.object({ output });
  else console.say(`${output}: ${graph.signatures.map((signature) => signatureText(graph, signature)).join("\n  ")}`);
  return exitCodes.fine;
}

/** Where TypeScript looks for the types of `import model from "./mnist.graph"`: `mnist.d.graph.ts` beside it. */
function besideGraph(file: string): string {
  return join(dirname(file), `${basename(file).replace(/\.graph$/, "")}.d.graph.ts`);
}

/** The edges of an object type: the text of each property's type, and what its comment says. */
interface Property {
  readonly name: string;
  readonly type: string;
  readonly optional?: boolean;
  readonly doc?: string | undefined;
}

/** The module that the file is to TypeScript. */
function declarations(graph: Graph, file: string): string {
  return `// Written by \`graphc types ${oneLine(file)}\`, graphc ${version}: run it again when the graph has changed.
import type { Program } from "graphc";

${modelInterface(graph)}
declare const model: Program<Model>;
export default model;
`;
}

/** What TypeScript knows of a graph, as the interface `Model`. */
export function modelInterface(graph: Graph): string {
  const parts: readonly Property[] = [
    {
      name: "signatures",
      type: objectType(
        graph.signatures.map((one) => signatureProperty(graph, one)),
        2,
      ),
    },
    { name: "placeholders", type: objectType(placeholders(graph, allPlaceholders(graph)), 2) },
    {
      name: "variables",
      type: objectType(
        graph.variables.map(({ path, value, doc }) => edge(path, value.type, doc)),
        2,
      ),
    },
    { name: "edges", type: objectType(edges(graph), 2), doc: "All that can be fetched." },
    { name: "updates", type: union([...graph.training.updates.keys()].map((name) => JSON.stringify(name))) },
  ];
  const body = parts.map((part) => property(part, 1)).join("\n");
  return `/** The graph \`${oneLine(graph.name)}\`. */
export interface Model {
${body}
}
`;
}

function signatureProperty(graph: Graph, signature: Signature): Property {
  const results = signature.outputs.map((name) => edgeOf(graph, name, [signature.training ? "training" : "inference"]));
  const feeds = placeholders(graph, signature.inputs);
  const type = objectType(
    [
      { name: "feeds", type: objectType(feeds, 4) },
      { name: "results", type: objectType(results, 4) },
    ],
    3,
  );
  const shown = signatureText(graph, signature);
  return { name: signature.name, type, doc: [shown, signature.doc ?? ""].join("\n\n").trim() };
}

function allPlaceholders(graph: Graph): readonly string[] {
  return graph.placeholders.map(({ name }) => name);
}

function placeholders(graph: Graph, names: readonly string[]): readonly Property[] {
  return graph.placeholders
    .filter(({ name }) => names.includes(name))
    .map(({ name, value, defaultValue, doc }) => ({
      ...edge(name, value.type, doc),
      optional: defaultValue !== undefined,
    }));
}

function edges(graph: Graph): readonly Property[] {
  const names = [
    ...allPlaceholders(graph),
    ...graph.variables.map(({ path }) => path),
    ...graph.inference.names.keys(),
    ...graph.training.names.keys(),
    ...graph.strings.keys(),
  ];
  return [...new Set(names)].map((name) => edgeOf(graph, name, ["inference", "training"]));
}

/** A name that can be fetched, with its type in each of these modes, in which it may differ. */
function edgeOf(graph: Graph, name: string, modes: readonly ("inference" | "training")[]): Property {
  if (graph.strings.has(name)) return { name, type: '["string"]' };
  const declared =
    graph.placeholders.find((placeholder) => placeholder.name === name) ??
    graph.variables.find(({ path }) => path === name);
  const values = modes.map((mode) => graph[mode].names.get(name) ?? declared?.value);
  const texts = values.flatMap((value) => (value === undefined ? [] : [tupleText(value.type)]));
  return { name, type: union([...new Set(texts)]) };
}

function edge(name: string, type: TensorType, doc: string | undefined): Property {
  return { name, type: tupleText(type), doc: [typeText(type), doc ?? ""].join("\n\n").trim() };
}

/** `["u8", "N", 28, 28]`. */
function tupleText({ dtype, shape }: TensorType): string {
  return `[${[dtype, ...shape.map((dim) => (typeof dim === "number" ? dim : dim.key))].map((part) => JSON.stringify(part)).join(", ")}]`;
}

function union(texts: readonly string[]): string {
  return texts.length === 0 ? "never" : texts.join(" | ");
}

function objectType(properties: readonly Property[], depth: number): string {
  if (properties.length === 0) return "Record<never, never>";
  return `{\n${properties.map((one) => property(one, depth)).join("\n")}\n${"  ".repeat(depth - 1)}}`;
}

function property({ name, type, optional, doc }: Property, depth: number): string {
  const indent = "  ".repeat(depth);
  const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
  const line = `${indent}readonly ${key}${optional === true ? "?" : ""}: ${type};`;
  return doc === undefined ? line : `${comment(doc, indent)}\n${line}`;
}

/** A doc comment; what users write cannot end it. */
function comment(text: string, indent: string): string {
  const lines = text.replaceAll("*/", "*\\/").split(/\r\n|[\r\n\u2028\u2029]/);
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join("\n");
}

function oneLine(text: string): string {
  return text.replaceAll("*/", "*\\/").replace(/[\r\n\u2028\u2029]/g, " ");
}
