/** What a graph at fault may be shrunk to: each is smaller and well typed, and may or may not show the fault. */

import { differentiateValues } from "../../compiler/autodiff/differentiate.js";
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import type { Computation, Output } from "../../compiler/ir/graph.js";
import { rootsOf } from "../../compiler/ir/graph.js";
import { type Node, nodesBelow, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { elementCount, type TensorData } from "../../compiler/ir/tensor.js";
import { staticShape, typeEquals } from "../../compiler/ir/type.js";
import { fill } from "../../compiler/ops/build.js";
import { ReferenceFailure } from "../../compiler/ops/define.js";
import { OpError } from "../../compiler/ops/op_error.js";
import { tensorFromReference } from "../../compiler/ops/precision.js";
import { substitute } from "../../compiler/ops/region_parts.js";
import { placeholder } from "../../compiler/ops/sources.js";
import { beforeGradients, runPipeline } from "../../compiler/passes/pipeline.js";
import { type AskedGraph, NoGradient } from "../backends/ready.js";
import { contextOf } from "./context.js";
import { bodiesOf, withSmallerRegion } from "./smaller_regions.js";
import { resized } from "./smaller_sizes.js";

/** The boldest first. Those that break a rule of an op, or a gradient's path, are left out. */
export function* smaller(graph: AskedGraph): Generator<AskedGraph> {
  for (const candidate of candidates(graph)) {
    const made = attempt(candidate);
    if (made !== undefined) yield made;
  }
}

/** Undefined where what it asks for is refused. */
function attempt(make: () => AskedGraph | undefined): AskedGraph | undefined {
  try {
    const made = make();
    if (made === undefined) return undefined;
    const { diagnostics } = differentiateValues(rootsOf(made.asked), new SourceTable());
    return diagnostics.length > 0 ? undefined : made;
  } catch (error) {
    if (error instanceof OpError || error instanceof NoGradient || error instanceof ReferenceFailure) return undefined;
    throw error;
  }
}

type Candidate = () => AskedGraph | undefined;

function* candidates(graph: AskedGraph): Generator<Candidate> {
  const { asked } = graph;
  const roots = rootsOf(asked);
  if (asked.outputs.length + asked.assignments.length > 1 || asked.outputs.length === 0)
    for (const root of roots) yield () => withOutputs(graph, [root]);
  if (roots.length === 1) {
    const [root] = roots as readonly [Value];
    yield () => cut(graph, atDistance(root, 1));
    for (const input of root.node.inputs) yield () => withOutputs(graph, [input]);
    for (const distance of [2, 3, 5, 8]) yield () => cut(graph, atDistance(root, distance));
  }
  yield () => simplified(graph);
  const nodes = [...topologicalOrder(roots)].reverse();
  for (const node of nodes) {
    for (const value of node.outputs) if (isComputed(value)) yield () => cut(graph, [value]);
    for (const replacement of bodiesOf(node)) yield () => substituted(graph, node, replacement);
    for (const region of withSmallerRegion(node)) yield () => substituted(graph, node, region);
    for (const [i, value] of node.outputs.entries()) {
      for (const input of node.inputs) {
        if (typeEquals(input.type, value.type))
          yield () =>
            substituted(
              graph,
              node,
              node.outputs.map((output, j) => (i === j ? input : output)),
            );
      }
    }
    if (isLargeConstant(node)) {
      yield () => substituted(graph, node, [fill((node.outputs[0] as Value).type, 1)]);
    }
  }
  for (const candidate of resized(graph)) yield candidate;
  for (const name of [...graph.feeds.keys(), ...graph.contents.keys()]) {
    for (const one of [undefined, 0] as const) yield () => withEqualElements(graph, name, one);
  }
}

const isComputed = ({ node }: Value): boolean => node.inputs.length > 0;
const isLargeConstant = ({ op, outputs }: Node): boolean =>
  op === "constant" && outputs.some(({ type }) => elementCount(staticShape(type)) > 8);

/** The values that lie so many nodes below one. */
function atDistance(root: Value, distance: number): readonly Value[] {
  let level = [root];
  for (let i = 0; i < distance; i++) level = [...new Set(level.flatMap(({ node }) => node.inputs))];
  return level.filter(isComputed);
}

/** Only these, as outputs. */
function withOutputs(graph: AskedGraph, values: readonly Value[]): AskedGraph {
  const outputs = values.map((value, i): Output => ({ name: `y${i}`, value }));
  return pruned(graph, { ...graph.asked, outputs, assignments: [] });
}

/** Without the placeholders and variables that nothing reaches or assigns. */
function pruned(graph: AskedGraph, asked: Computation, fed = graph.feeds): AskedGraph {
  const nodes = nodesBelow(rootsOf(asked));
  const named = (op: string, key: string): readonly Value[] =>
    nodes.flatMap((node) => (node.op === op && node.attributes[key] !== undefined ? node.outputs : []));
  const assigned = new Set(asked.assignments.map(({ path }) => path));
  const placeholders = named("placeholder", "name").map(({ node, type }) => ({
    name: String(node.attributes["name"]),
    type,
  }));
  const read = named("variable", "path").map(({ node, type }) => ({ name: String(node.attributes["path"]), type }));
  const others = asked.variables.filter(
    ({ name }) => assigned.has(name) && !read.some((variable) => variable.name === name),
  );
  const variables = [...read, ...others];
  const only = (contents: ReadonlyMap<string, TensorData>, kept: readonly { readonly name: string }[]) =>
    new Map([...contents].filter(([name]) => kept.some((one) => one.name === name)));
  return {
    asked: { ...asked, placeholders, variables },
    feeds: only(fed, placeholders),
    contents: only(graph.contents, variables),
  };
}

/** The same roots, with other edges in the place of some. */
function replaced(asked: Computation, others: ReadonlyMap<Value, Value>): Computation {
  const roots = substitute(rootsOf(asked), others);
  const count = asked.outputs.length;
  return {
    ...asked,
    outputs: asked.outputs.map(({ name }, i) => ({ name, value: roots[i] as Value })),
    assignments: asked.assignments.map(({ path }, i) => ({ path, value: roots[count + i] as Value })),
  };
}

function substituted(graph: AskedGraph, node: Node, values: readonly Value[]): AskedGraph | undefined {
  if (values.length !== node.outputs.length) return undefined;
  return pruned(graph, replaced(graph.asked, new Map(node.outputs.map((output, i) => [output, values[i] as Value]))));
}

/** Placeholders in the place of these values, fed with what they are. */
function cut(graph: AskedGraph, values: readonly Value[]): AskedGraph | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  const contents = valuesOf(graph, values);
  const fed = new Map(graph.feeds);
  const others = new Map(
    values.map((value, i): [Value, Value] => {
      let name = `x${fed.size}`;
      while (fed.has(name) || graph.contents.has(name)) name = `${name}_`;
      fed.set(name, contents[i] as TensorData);
      return [value, placeholder({ name, dtype: value.type.dtype, shape: value.type.shape })];
    }),
  );
  return pruned(graph, replaced(graph.asked, others), fed);
}

/** By the reference. */
function valuesOf({ asked, feeds, contents }: AskedGraph, values: readonly Value[]): readonly TensorData[] {
  const { rewritten } = differentiateValues(values, new SourceTable());
  return evaluateValues(values.map(rewritten), contextOf(asked, feeds, contents)).map(
    (value) => tensorFromReference(value).data,
  );
}

/** As the first passes leave it, if that is less. */
function simplified(graph: AskedGraph): AskedGraph | undefined {
  const asked = runPipeline(beforeGradients, graph.asked);
  const count = (of: Computation): number => nodesBelow(rootsOf(of)).length;
  return count(asked) < count(graph.asked) ? pruned(graph, asked) : undefined;
}

/** One number in every element of a placeholder or a variable: the first that it has, or 0. */
function withEqualElements(graph: AskedGraph, name: string, element: 0 | undefined): AskedGraph | undefined {
  const own = graph.feeds.get(name) ?? graph.contents.get(name);
  if (own === undefined || own.length === 0) return undefined;
  const data = own.slice();
  if (data instanceof BigInt64Array) data.fill(element === undefined ? (data[0] as bigint) : 0n);
  else data.fill(element ?? (data[0] as number));
  if (own.every((one: number | bigint, i: number) => Object.is(one, data[i]))) return undefined;
  const changed = (contents: ReadonlyMap<string, TensorData>): ReadonlyMap<string, TensorData> =>
    contents.has(name) ? new Map([...contents, [name, data]]) : contents;
  return { ...graph, feeds: changed(graph.feeds), contents: changed(graph.contents) };
}
