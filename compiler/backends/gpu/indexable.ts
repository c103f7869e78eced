import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { type Node, nodesBelow, type Value } from "../../ir/node.js";
import { typeText } from "../../ir/type.js";
import { writtenBy } from "../../kernels/access.js";
import type { Buffer, KernelProgram } from "../../kernels/form.js";
import { countOf } from "../../kernels/views.js";
import { EdgeNames } from "./edge_names.js";
import { exactIntegers } from "./form.js";

/**
 * Positions are computed in f32, which counts to 2^24. Views are no arrays: what they are read through is not stored. Throws GraphError
 * G102 for an array of more elements, with its name, shape and line.
 */
export function requireIndexable(computation: Computation, { buffers, compute, commit }: KernelProgram): void {
  const isLarge = (value: Value | undefined): boolean => value !== undefined && countOf(value) > exactIntegers;
  const nodes = nodesBelow(rootsOf(computation));
  const drawn = nodes.find(({ op, outputs: [y] }) => op === "random_uniform" && isLarge(y));
  const large = buffers.find(({ length }) => length > exactIntegers);
  if (large === undefined && drawn === undefined) return;
  const value = drawn?.outputs[0] ?? (large === undefined ? undefined : valueIn(large, nodes));
  const writer = [...compute, ...commit].find((kernel) => large !== undefined && writtenBy(kernel).has(large.id));
  const [declared] = value === undefined ? [] : computation.sources.spansOf(value.node);
  // What is fed and cut out of the run has no place of its own: the first that reads it has.
  const reader = nodes.find(({ inputs }) => value !== undefined && inputs.includes(value));
  const [read] = reader === undefined ? [] : computation.sources.spansOf(reader);
  const elements = value === undefined ? (large?.length ?? 0) : countOf(value);
  const name = value === undefined ? (large?.label ?? "") : nameOf(computation, value);
  const type = value === undefined ? "" : `, ${typeText(value.type)},`;
  const message = `\`${name}\`${type} has ${elements.toLocaleString("en")} elements, and kernels of the target gpu index 16,777,216`;
  const hint =
    'compute it on the processor: `on "cpu"` at the end of its statement, or --target cpu; or use a smaller batch or smaller dims';
  throw new GraphError([problem("G102", declared ?? writer?.spans[0] ?? read, message, { hint })]);
}

/** What lies in a buffer: what is fed or kept, or a value of its size, by the op that it is labelled with. */
function valueIn({ storage, length, label }: Buffer, nodes: readonly Node[]): Value | undefined {
  const outputs = nodes.flatMap((node) => node.outputs).filter((value) => countOf(value) === length);
  const stored = (op: string, attribute: string, name: string): Value | undefined =>
    outputs.find(({ node }) => node.op === op && node.attributes[attribute] === name);
  switch (storage.kind) {
    case "placeholder":
      return stored("placeholder", "name", storage.name);
    case "variable":
      return stored("variable", "path", storage.path);
    default:
      return outputs.find(({ node }) => node.op === label) ?? outputs.find(({ node }) => node.inputs.length > 0);
  }
}

function nameOf(computation: Computation, value: Value): string {
  const { op, attributes } = value.node;
  if (op === "placeholder") return String(attributes["name"]);
  if (op === "variable") return String(attributes["path"]);
  const output = computation.outputs.find((one) => one.value === value);
  return output?.name ?? new EdgeNames(computation).nameOf(value);
}
