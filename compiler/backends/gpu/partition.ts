import { InternalError } from "../../ir/diagnostic.js";
import { type Computation, type Parameter, rootsOf } from "../../ir/graph.js";
import { type Node, topologicalOrder, type Value } from "../../ir/node.js";
import { staticShape } from "../../ir/type.js";
import { semanticsOf } from "../../kernels/semantics.js";
import { reapply } from "../../ops/define.js";
import { numericDType } from "../../ops/precision.js";
import { placeholder } from "../../ops/sources.js";
import { EdgeNames } from "./edge_names.js";
import type { Placement } from "./place.js";

/** A part of a run that one side computes at a stretch, as a computation of its own. */
export interface Part {
  readonly side: "host" | "device";
  /** Its placeholders are those of the run, and edges by the names that other parts give them. It assigns nothing. */
  readonly computation: Computation;
}

/** What a run's output or assigned variable is: an edge that a part gives, or something that was there before. */
export type Origin =
  | { readonly kind: "edge"; readonly name: string }
  | { readonly kind: "variable"; readonly path: string };

export interface Partition {
  /** In order. */
  readonly parts: readonly Part[];
  readonly outputs: readonly Origin[];
  readonly assignments: readonly { readonly path: string; readonly origin: Origin }[];
  /** What the names of edges between parts stand for. */
  readonly edges: ReadonlyMap<string, Value>;
}

/**
 * Cuts a computation into parts by the sides of its nodes. Nodes are taken by the number of changes of side on the way to them, so
 * that there are as few parts as changes.
 */
export function partition(computation: Computation, placement: Placement): Partition {
  const roots = rootsOf(computation);
  const order = topologicalOrder(roots);
  const stages = stagesOf(order, placement);
  const names = new EdgeNames(computation);
  const wanted = new Map<string, Set<Value>>();
  const want = (value: Value, by: string | undefined): void => {
    const stage = stages.get(value.node);
    if (stage === undefined) {
      // Computed by whoever needs it, from what that is made of.
      for (const input of value.node.inputs) want(input, by);
    } else if (stage !== by) {
      if (isShared(value.node, by)) for (const input of value.node.inputs) want(input, by);
      const list = wanted.get(stage) ?? new Set();
      list.add(value);
      wanted.set(stage, list);
    }
  };
  for (const node of order) {
    const stage = stages.get(node);
    if (stage !== undefined) for (const input of node.inputs) want(input, stage);
  }
  // What is free (a view of a feed, a constant) is an output all the same: of the processor where it can be.
  const last = (value: Value): string => {
    const isOfDevice = dependsOnDevice(value, stages, placement);
    return isOfDevice ? deviceStage(largestStage(value, stages) + 1) : hostStage(largestStage(value, stages) + 1);
  };
  const originOf = (value: Value, name: string): Origin => {
    if (value.node.op === "variable") return { kind: "variable", path: String(value.node.attributes["path"]) };
    const stage = stages.get(value.node) ?? last(value);
    const list = wanted.get(stage) ?? new Set();
    list.add(value);
    wanted.set(stage, list);
    if (!stages.has(value.node)) for (const input of value.node.inputs) want(input, stage);
    return { kind: "edge", name: names.give(value, name) };
  };
  // What is assigned is called so, fetched or not: kernels keep their names whatever a run reports.
  for (const { path, value } of computation.assignments)
    if (value.node.op !== "variable") names.give(value, `${path} update`);
  const outputs = computation.outputs.map(({ name, value }) => originOf(value, name));
  const assignments = computation.assignments.map(({ path, value }) => ({
    path,
    origin: originOf(value, `${path} update`),
  }));
  const parts = [...wanted]
    .sort(([a], [b]) => numberOf(a) - numberOf(b))
    .map(([stage, values]): Part => {
      const side = stage.startsWith("host") ? "host" : "device";
      return { side, computation: cutOut(computation, stage, [...values], stages, (value) => names.nameOf(value)) };
    });
  return { parts, outputs, assignments, edges: names.edges() };
}

/** What the processor has checked is not sent once more: the device reads what was checked, of which it may have a copy. */
function isShared(node: Node, by: string | undefined): boolean {
  return by?.startsWith("device") === true && semanticsOf(node).kind === "check";
}

function hostStage(number: number): string {
  return `host ${number % 2 === 0 ? number : number + 1}`;
}

function deviceStage(number: number): string {
  return `device ${number % 2 === 1 ? number : number + 1}`;
}

function numberOf(stage: string): number {
  return Number(stage.split(" ")[1]);
}

/** The stage of each node that has a side. Those of the processor are even, those of the device odd. */
export function stagesOf(order: readonly Node[], placement: Placement): ReadonlyMap<Node, string> {
  const stages = new Map<Node, string>();
  const numbers = new Map<Node, number>();
  for (const node of order) {
    const before = node.inputs.reduce((most, input) => Math.max(most, numbers.get(input.node) ?? 0), 0);
    const side = placement.sideOf(node);
    if (side === "either") {
      numbers.set(node, before);
      continue;
    }
    const stage = side === "host" ? hostStage(before) : deviceStage(before);
    numbers.set(node, numberOf(stage));
    stages.set(node, stage);
  }
  return stages;
}

function largestStage(value: Value, stages: ReadonlyMap<Node, string>): number {
  const stage = stages.get(value.node);
  if (stage !== undefined) return numberOf(stage);
  return value.node.inputs.reduce((most, input) => Math.max(most, largestStage(input, stages)), -1);
}

/** Whether a free edge is made of what only the device has. */
function dependsOnDevice(value: Value, stages: ReadonlyMap<Node, string>, placement: Placement): boolean {
  const stage = stages.get(value.node);
  if (stage !== undefined) return stage.startsWith("device");
  if (value.node.op === "variable") return !placement.hostVariables.has(String(value.node.attributes["path"]));
  return value.node.inputs.some((input) => dependsOnDevice(input, stages, placement));
}

function cutOut(
  computation: Computation,
  stage: string,
  values: readonly Value[],
  stages: ReadonlyMap<Node, string>,
  nameOf: (value: Value) => string,
): Computation {
  const isElsewhere = (node: Node): boolean => stages.has(node) && stages.get(node) !== stage && !isShared(node, stage);
  const order = topologicalOrder(values);
  const needed = new Set(values.map((value) => value.node));
  for (const node of [...order].reverse()) {
    if (needed.has(node) && !isElsewhere(node)) for (const input of node.inputs) needed.add(input.node);
  }
  const made = new Map<Value, Value>();
  for (const node of order) {
    if (!needed.has(node)) continue;
    const inputs = node.inputs.map((input) => made.get(input) ?? input);
    const isSame = inputs.every((input, i) => input === node.inputs[i]);
    const outputs = isElsewhere(node)
      ? node.outputs.map((output) =>
          placeholder({ name: nameOf(output), dtype: output.type.dtype, shape: staticShape(output.type) }),
        )
      : isSame
        ? node.outputs
        : reapply(node, inputs);
    node.outputs.forEach((output, i) => {
      const result = outputs[i];
      if (result === undefined) throw new InternalError(`${node.op} lost an output`);
      made.set(output, result);
    });
    computation.sources.replaceAll(outputs, node);
  }
  const cut: Computation = {
    ...computation,
    outputs: values.map((value) => ({ name: nameOf(value), value: made.get(value) ?? value })),
    assignments: [],
  };
  const nodes = topologicalOrder(rootsOf(cut));
  const named = (op: "placeholder" | "variable", attribute: "name" | "path"): readonly Parameter[] =>
    nodes
      .filter((node) => node.op === op)
      .map((node) => {
        const [output] = node.outputs;
        if (output === undefined) throw new InternalError(`a ${op} without its value`);
        numericDType(output.type.dtype);
        return { name: String(node.attributes[attribute]), type: output.type };
      });
  return {
    ...cut,
    placeholders: named("placeholder", "name"),
    variables: named("variable", "path"),
  };
}
