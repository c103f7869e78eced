/** The same graph on smaller tensors. */
import { rootsOf } from "../../compiler/ir/graph.js";
import {
  type Attribute,
  type Attributes,
  isList,
  isTensor,
  topologicalOrder,
  type Value,
} from "../../compiler/ir/node.js";
import { elementCount, type Tensor, type TensorData } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import type { AskedGraph } from "../backends/ready.js";

/** Each size in turn, wherever it stands in a shape, made 1, 2 or half of what it is. Regions stay as they are. */
export function* resized(graph: AskedGraph): Generator<() => AskedGraph | undefined> {
  const nodes = topologicalOrder(rootsOf(graph.asked));
  if (nodes.some(({ regions }) => regions.length > 0)) return;
  const sizes = new Set(nodes.flatMap(({ outputs }) => outputs.flatMap(({ type }) => staticShape(type))));
  for (const size of [...sizes].sort((a, b) => b - a)) {
    for (const to of new Set([1, 2, Math.ceil(size / 2)])) if (to < size) yield () => withSize(graph, size, to);
  }
}

function withSize(graph: AskedGraph, from: number, to: number): AskedGraph {
  const resize = (size: number): number => (size === from ? to : size);
  const { asked } = graph;
  const made = new Map<Value, Value>();
  const final = (value: Value): Value => made.get(value) ?? value;
  for (const node of topologicalOrder(rootsOf(asked))) {
    const op = opNamed(node.op);
    const attributes: Attributes = Object.fromEntries(
      Object.entries(node.attributes).map(([name, value]) => [
        name,
        op.schema[name] === "dims" ? sizesIn(value, resize) : isTensor(value) ? cropped(value, resize) : value,
      ]),
    );
    op.apply(node.inputs.map(final), attributes).forEach((value, i) => made.set(node.outputs[i] as Value, value));
  }
  const contents = (given: ReadonlyMap<string, TensorData>, parameters: AskedGraph["asked"]["placeholders"]) =>
    new Map(
      parameters.map(({ name, type }) => {
        const data = given.get(name);
        if (data === undefined) throw new Error(`${name} has no content`);
        return [name, cropped({ dtype: numericDType(type.dtype), shape: staticShape(type), data }, resize).data];
      }),
    );
  const typed = ({ name, type }: AskedGraph["asked"]["placeholders"][number]) => ({
    name,
    type: { ...type, shape: staticShape(type).map(resize) },
  });
  return {
    asked: {
      ...asked,
      placeholders: asked.placeholders.map(typed),
      variables: asked.variables.map(typed),
      outputs: asked.outputs.map(({ name, value }) => ({ name, value: final(value) })),
      assignments: asked.assignments.map(({ path, value }) => ({ path, value: final(value) })),
    },
    feeds: contents(graph.feeds, asked.placeholders),
    contents: contents(graph.contents, asked.variables),
  };
}

function sizesIn(attribute: Attribute, resize: (size: number) => number): Attribute {
  if (isList(attribute)) return attribute.map((one) => sizesIn(one, resize));
  return typeof attribute === "number" ? resize(attribute) : attribute;
}

/** The corner of a tensor. */
function cropped(tensor: Tensor, resize: (size: number) => number): Tensor {
  const shape = tensor.shape.map(resize);
  const count = elementCount(shape);
  const data = tensor.data.slice(0, count);
  for (let at = 0; at < count; at++) {
    let [rest, from, step] = [at, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      from += (rest % size) * step;
      rest = Math.floor(rest / size);
      step *= tensor.shape[axis] as number;
    }
    if (data instanceof BigInt64Array) data[at] = tensor.data[from] as bigint;
    else data[at] = tensor.data[from] as number;
  }
  return { ...tensor, shape, data };
}
