/** The parameters and results of regions by what they are; copies of regions; what an expression depends on. */

import { InternalError } from "../ir/diagnostic.js";
import {
  type Attributes,
  type Node,
  newRegionParameters,
  type Region,
  topologicalOrder,
  type Value,
} from "../ir/node.js";
import { standFor } from "../ir/stand_ins.js";
import { reapply } from "./define.js";

export interface ScanParts {
  /** The position along the sequences, as i64. */
  readonly index: Value;
  readonly captures: readonly Value[];
  readonly elements: readonly Value[];
  readonly carries: readonly Value[];
  /** The carries after the iteration. */
  readonly next: readonly Value[];
  readonly stacked: readonly Value[];
}

/** How many captures and sequences a scan has. */
export interface ScanCounts {
  readonly captures: number;
  readonly sequences: number;
}

export function scanParts({ captures, sequences }: ScanCounts, { parameters, results }: Region): ScanParts {
  const [index, ...others] = parameters;
  if (index === undefined) throw new InternalError("a scan's region without its position");
  const carries = others.slice(captures + sequences);
  return {
    index,
    captures: others.slice(0, captures),
    elements: others.slice(captures, captures + sequences),
    carries,
    next: results.slice(0, carries.length),
    stacked: results.slice(carries.length),
  };
}

export interface WhileParts {
  readonly index: Value;
  readonly captures: readonly Value[];
  readonly carries: readonly Value[];
}

export function whileParts(captures: number, { parameters }: Region): WhileParts {
  const [index, ...others] = parameters;
  if (index === undefined) throw new InternalError("a while's region without its number of iterations");
  return { index, captures: others.slice(0, captures), carries: others.slice(captures) };
}

export function countAttribute(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new InternalError(`the attribute ${name} is no number`);
  return value;
}

/** Is told what is computed in the place of a node's outputs: the same op on other operands. */
export type Rebuilt = (values: readonly Value[], from: Node) => void;

/** The same edges with others in place of those that `replaced` maps; `rebuilt` is told each node that had to be made anew. */
export function substitute(
  roots: readonly Value[],
  replaced: ReadonlyMap<Value, Value>,
  rebuilt?: Rebuilt,
): readonly Value[] {
  const outputs = new Map<Node, readonly Value[]>();
  const final = (value: Value): Value => replaced.get(value) ?? outputs.get(value.node)?.[value.index] ?? value;
  for (const node of topologicalOrder(roots)) {
    const inputs = node.inputs.map(final);
    if (inputs.every((input, i) => input === node.inputs[i])) continue;
    const made = reapply(node, inputs);
    outputs.set(node, made);
    rebuilt?.(made, node);
  }
  return roots.map(final);
}

/** A region with parameters of its own whose results are `results` with `parameters` replaced by them, one by one. */
export function regionOf(parameters: readonly Value[], results: readonly Value[], rebuilt?: Rebuilt): Region {
  const own = newRegionParameters(parameters.map(({ type }) => type));
  const replaced = new Map(parameters.map((old, i) => [old, own[i] as Value]));
  for (const [old, parameter] of replaced) standFor(parameter, old);
  return { parameters: own, results: substitute(results, replaced, rebuilt) };
}

/** The nodes below `roots` that are computed from one of `sources`, those of the sources included. */
export function dependents(roots: readonly Value[], sources: readonly Value[]): ReadonlySet<Node> {
  const found = new Set(sources.map(({ node }) => node));
  for (const node of topologicalOrder(roots)) {
    if (node.inputs.some((input) => found.has(input.node))) found.add(node);
  }
  return found;
}
