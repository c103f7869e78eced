/** A computation, what it is fed and what its variables hold, as a `.graph` file that a run of its one signature needs nothing else for. */
import { rootsOf } from "../../compiler/ir/graph.js";
import { nodesBelow, type Value } from "../../compiler/ir/node.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import { staticShape, type TensorType } from "../../compiler/ir/type.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { format } from "../../dsl/format.js";
import type { AskedGraph } from "../backends/ready.js";
import { Block, type File, type Style } from "./block.js";
import { typedLiteral, writtenType } from "./literals.js";
import { grouped } from "./parts.js";
import { tight } from "./written.js";

export const plain: Style = () => 0;
/** The signature that computes all outputs and assigns all variables. */
export const signatureName = "all";

/** The file, formatted. Throws TypeError where the language has no words for an op. */
export function sourceOf(graph: AskedGraph, style: Style = plain): string {
  const text = unformatted(graph, style);
  const result = format(text, "random.graph");
  if (!result.ok)
    throw new Error(
      `what was written does not parse: ${result.diagnostics.map(({ message }) => message).join("; ")}\n${text}`,
    );
  return result.text;
}

export function unformatted({ asked: computation, feeds, contents }: AskedGraph, style: Style): string {
  const counts = new Map<string, number>();
  const file: File = {
    style,
    functions: [],
    types: new Map(),
    name: (start) => {
      const number = counts.get(start) ?? 0;
      counts.set(start, number + 1);
      return `${start}${number}`;
    },
  };
  const roots = rootsOf(computation);
  const given = new Map(
    nodesBelow(roots).flatMap(({ op, attributes, outputs }) => {
      const name = op === "placeholder" ? attributes["name"] : op === "variable" ? attributes["path"] : undefined;
      return name === undefined ? [] : [[outputs[0] as Value, tight(String(name))] as const];
    }),
  );
  for (const { name, type } of [...computation.placeholders, ...computation.variables]) file.types.set(name, type);
  const block = new Block(file, roots, given);
  const outputs = computation.outputs.map(({ name, value }) => {
    const { text } = block.text(value);
    block.add({ text: `${name} = ${text}`, binds: [name] }, [value]);
    return name;
  });
  // An update reads what it has assigned: the values of the run's start have names of their own.
  const assigned = computation.assignments.map(({ path, value }) => `${path} := ${block.name(value, "n")}`);
  const sources = [...computation.placeholders, ...computation.variables].map(({ name }) => name);
  const statements = grouped(
    file,
    block.statements,
    sources,
    new Set([...outputs, ...assigned.map((line) => lastWord(line))]),
  );
  const lines = [
    "seed 42",
    ...computation.placeholders.map(({ name, type }) => declaration("placeholder", name, type, feeds)),
    ...computation.variables.map(({ name, type }) => declaration("variable", name, type, contents)),
    ...statements.map(({ text }) => text),
    ...(assigned.length === 0 ? [] : [`update step {\n${assigned.join("\n")}\n}`]),
    `signature ${signatureName}(${computation.placeholders.map(({ name }) => name).join(", ")})${
      assigned.length === 0 ? "" : " does step"
    } -> (${outputs.join(", ")})`,
  ];
  return [...file.functions, `graph random {\n${lines.join("\n")}\n}`].join("\n\n");
}

const lastWord = (line: string): string => line.slice(line.lastIndexOf(" ") + 1);

function declaration(kind: string, name: string, type: TensorType, contents: ReadonlyMap<string, TensorData>): string {
  const data = contents.get(name);
  if (data === undefined) throw new Error(`${name} has no content`);
  const tensor: Tensor = { dtype: numericDType(type.dtype), shape: staticShape(type), data };
  return `${kind} ${name}: ${writtenType(type)} = ${typedLiteral(tensor)}`;
}
