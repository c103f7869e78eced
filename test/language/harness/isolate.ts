/** A test file's computation, made to stand beside those of others in one module and to be computed, not folded. */
import type { Computation, Graph, Parameter } from "../../../compiler/ir/graph.js";
import { rootsOf } from "../../../compiler/ir/graph.js";
import { type Node, nodesBelow, type Value } from "../../../compiler/ir/node.js";
import { rewrite } from "../../../compiler/ir/rewrite.js";
import type { Tensor, TensorData } from "../../../compiler/ir/tensor.js";
import { constant, placeholder, variable } from "../../../compiler/ops/sources.js";
import { opNamed } from "../../../compiler/ops/table.js";

export interface Isolated {
  readonly computation: Computation;
  /** The tensors behind the placeholders that were constants. */
  readonly opened: ReadonlyMap<string, TensorData>;
  /** The placeholders that stand for the constants of the graph. */
  readonly names: ReadonlyMap<Node, string>;
}

/**
 * Puts `prefix` before all names, and makes placeholders of constants: of lists, and of numbers that have a name. What only
 * stands inside an expression, as the 2 of `2 * x`, stays.
 */
export function isolate(graph: Graph, computation: Computation, prefix: string): Isolated {
  const named = new Set([...graph.inference.names.values()].map(({ node }) => node));
  const names = new Map<Node, string>();
  const opened = new Map<string, TensorData>();
  const sources = new Map<Node, Value>();
  const parameters: Parameter[] = [];
  for (const node of nodesBelow(rootsOf(computation))) {
    const { attributes } = node;
    if (node.op === placeholder.opName) {
      const { name, dtype, shape } = attributes as Parameters<typeof placeholder>[0];
      sources.set(node, placeholder({ name: prefix + name, dtype, shape }));
    } else if (node.op === variable.opName) {
      const { path, dtype, shape } = attributes as Parameters<typeof variable>[0];
      sources.set(node, variable({ path: prefix + path, dtype, shape }));
    } else if (node.op === constant.opName) {
      const value = attributes["value"] as Tensor;
      if (value.shape.length === 0 && !named.has(node)) continue;
      const name = `${prefix}constant ${names.size}`;
      names.set(node, name);
      opened.set(name, value.data);
      const source = placeholder({ name, dtype: value.dtype, shape: value.shape });
      sources.set(node, source);
      parameters.push({ name, type: source.type });
    }
  }
  const rewritten = rewrite(computation, {
    rebuild: (node, inputs) => opNamed(node.op).apply(inputs, node.attributes, node.regions),
    step: (node) => {
      const source = sources.get(node);
      return source === undefined ? undefined : [source];
    },
  });
  const rename = ({ name, type }: Parameter): Parameter => ({ name: prefix + name, type });
  return {
    computation: {
      ...rewritten,
      placeholders: [...computation.placeholders.map(rename), ...parameters],
      variables: computation.variables.map(rename),
      outputs: rewritten.outputs.map(({ name, value }) => ({ name: prefix + name, value })),
      assignments: rewritten.assignments.map(({ path, value }) => ({ path: prefix + path, value })),
    },
    opened,
    names,
  };
}
