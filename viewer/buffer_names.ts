import { isList, isTensor, type Value } from "../compiler/ir/node.js";
import type { SourceTable } from "../compiler/ir/sources.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { staticShape, typeText } from "../compiler/ir/type.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import type { BufferId, KernelProgram } from "../compiler/kernels/form.js";
import { standsForTyped } from "../compiler/kernels/fusion_texts.js";
import { GivenNames } from "./given_names.js";

/** What lies in a buffer, in the words of the text: kernels know its elements in a row. */
export interface BufferName {
  readonly label: string;
  readonly type: string;
}

/** What the buffers of a program hold, where that is a value of the graph and not a part of one. */
export function bufferNames(
  { buffers, outputs }: KernelProgram,
  observed: ReadonlyMap<string, ObservedKernel>,
  sources: SourceTable,
  names: ReadonlyMap<Value, string>,
): ReadonlyMap<BufferId, BufferName> {
  const words = new GivenNames(sources, names);
  const found = new Map<BufferId, BufferName>();
  const add = (id: BufferId, { type }: Value, label: string): void => {
    const isWhole = buffers[id]?.length === elementCount(staticShape(type));
    if (!found.has(id) && isWhole) found.set(id, { label, type: typeText(type) });
  };
  for (const { name, buffer, dtype, shape } of outputs)
    found.set(buffer, { label: name, type: typeText({ dtype, shape }) });
  for (const kernel of observed.values()) {
    for (const { value, targets } of kernel.roots)
      for (const id of targets())
        if (buffers[id]?.storage.kind === "temporary") add(id, value, wordOf(value, words, sources));
    for (const { inputs } of kernel.nodes)
      for (const value of inputs) {
        const label = givenAs(value);
        const id = label === undefined ? undefined : kernel.bufferOf(value);
        if (label !== undefined && id !== undefined) add(id, value, label);
      }
  }
  return found;
}

function wordOf(value: Value, words: GivenNames, sources: SourceTable): string {
  const { node } = value;
  // The gradient of an op may be one of the same kind, and has no name.
  if (sources.isBackward(node)) return `${node.op} of the gradient`;
  const word = words.wordOf(value);
  if (node.regions.length === 0 || standsForTyped(value, sources)) return word;
  const results = node.outputs.map((output) => words.wordOf(output)).find((one) => one !== "" && one !== node.op);
  return `kept by ${results ?? node.op} for the gradient`;
}

/** What a run is given has its own name. */
function givenAs({ node }: Value): string | undefined {
  const { op, attributes } = node;
  if (op === "placeholder") return String(attributes["name"]);
  if (op === "variable") return String(attributes["path"]);
  const literal = attributes["value"];
  return op === "constant" && typeof literal === "object" && !isList(literal) && isTensor(literal)
    ? "constant"
    : undefined;
}
