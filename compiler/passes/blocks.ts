import { buildOn } from "../ir/device.js";
import { type Computation, rootsOf } from "../ir/graph.js";
import { type Node, nodesBelow, type Region, topologicalOrder, type Value } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { reapply } from "../ops/define.js";
import { gradients } from "../ops/pseudo.js";
import { type Rebuilt, scanParts } from "../ops/region_parts.js";
import type { Pass } from "./rule.js";
import { simplifyBranch, simplifyScan, simplifyWhile } from "./simplify-regions.js";

/** A node with regions as the passes see it: which of its results somebody reads, and its operands in their final form. */
export interface RegionNode {
  readonly op: string;
  readonly attributes: Node["attributes"];
  readonly inputs: readonly Value[];
  readonly regions: readonly Region[];
  /** By position, which results are read. */
  readonly used: readonly boolean[];
}

/** What a simplification makes of such a node: a value for each of its results that is used. */
export type Simplified = readonly (Value | undefined)[];

/**
 * Scans, whiles and ifs, a block at a time: loops over the same data become one, what nobody reads goes, and what does not depend
 * on the iteration leaves the loop.
 */
export const regions: Pass = {
  name: "regions",
  doc: "Loops that share a body become one; unused results, carries and captures go; constants and what no iteration changes move in or out.",
  run: (computation, fired) => {
    const roots = rootsOf(computation);
    if (!nodesBelow(roots).some((node) => node.regions.length > 0)) return computation;
    const rewriter = new BlockRewriter(computation.sources, fired);
    const final = rewriter.block(roots);
    if (final.every((value, i) => value === roots[i])) return computation;
    const count = computation.outputs.length;
    return {
      ...computation,
      outputs: computation.outputs.map(({ name }, i) => ({ name, value: final[i] as Value })),
      assignments: computation.assignments.map(({ path }, i) => ({ path, value: final[count + i] as Value })),
    } satisfies Computation;
  },
};

class BlockRewriter {
  readonly #sources: SourceTable;
  readonly #fired: ((name: string) => void) | undefined;

  constructor(sources: SourceTable, fired: ((name: string) => void) | undefined) {
    this.#sources = sources;
    this.#fired = fired;
  }

  /** The roots of a block with all its regions simplified. */
  block(roots: readonly Value[]): readonly Value[] {
    const order = topologicalOrder(roots);
    const used = new Set<Value>([...roots, ...order.flatMap((node) => node.inputs)]);
    const twins = scanTwins(order);
    const outputs = new Map<Node, Simplified>();
    const final = (value: Value): Value => outputs.get(value.node)?.[value.index] ?? value;
    for (const node of order) {
      if (outputs.has(node)) continue;
      const inputs = node.inputs.map(final);
      const group = twins.get(node) ?? [node];
      if (node.regions.length === 0) {
        if (inputs.every((input, i) => input === node.inputs[i])) continue;
        const rebuilt = reapply(node, inputs);
        this.#inherit(node, rebuilt);
        outputs.set(node, rebuilt);
      } else if (group.length > 1) {
        this.#fired?.("merge-scans");
        this.#merged(group, inputs, used, outputs);
      } else
        outputs.set(
          node,
          this.#simplify(node, inputs, (i) => used.has(node.outputs[i] as Value)),
        );
    }
    return roots.map(final);
  }

  #simplify(node: Node, inputs: readonly Value[], isUsed: (i: number) => boolean): Simplified {
    const inner = node.regions.map((region): Region => {
      const results = this.block(region.results);
      return results.every((result, i) => result === region.results[i])
        ? region
        : { parameters: region.parameters, results };
    });
    const used = node.outputs.map((_, i) => isUsed(i));
    // A gradient is taken along the ways from y to x that the text has: a value moved out, or a parameter replaced by what it
    // stands for, would be another way, or none. Once gradients are expanded nothing is in the way.
    const isOpen = inner.some(({ results }) => topologicalOrder(results).some(({ op }) => op === gradients.opName));
    const before: RegionNode = { op: node.op, attributes: node.attributes, inputs, regions: inner, used };
    // What moves into another body keeps its line and its scope.
    const rebuilt: Rebuilt = (values, from) => this.#sources.replaceAll(values, from);
    const after = isOpen ? undefined : buildOn(node.device, () => simplifyOne(before, this.#fired, rebuilt));
    if (after !== undefined) {
      this.#inherit(node, after);
      return after;
    }
    if (inputs.every((input, i) => input === node.inputs[i]) && inner.every((region, i) => region === node.regions[i]))
      return node.outputs;
    const remade = reapply(node, inputs, inner);
    this.#inherit(node, remade);
    return remade;
  }

  /** One loop in place of several with the same carries over the same data: their stacks side by side. */
  #merged(
    group: readonly Node[],
    inputs: readonly Value[],
    used: ReadonlySet<Value>,
    outputs: Map<Node, Simplified>,
  ): void {
    const first = group[0] as Node;
    const [body] = first.regions as readonly [Region];
    const carries = scanParts(countsOf(first), body).carries.length;
    const stacked = [...new Set(group.flatMap((node) => node.regions[0]?.results.slice(carries) ?? []))];
    const results = [...body.results.slice(0, carries), ...stacked];
    const whole = reapply(first, first.inputs, [{ parameters: body.parameters, results }]);
    const place = (node: Node, i: number): number =>
      i < carries ? i : carries + stacked.indexOf(node.regions[0]?.results[i] as Value);
    for (const node of group)
      this.#inherit(
        node,
        node.outputs.map((_, i) => whole[place(node, i)]),
      );
    const wanted = new Set(
      group.flatMap((node) => node.outputs.flatMap((output, i) => (used.has(output) ? [place(node, i)] : []))),
    );
    const simplified = this.#simplify((whole[0] as Value).node, inputs, (i) => wanted.has(i));
    for (const node of group)
      outputs.set(
        node,
        node.outputs.map((_, i) => simplified[place(node, i)]),
      );
  }

  #inherit(node: Node, values: Simplified): void {
    this.#sources.inheritAll(values, node);
  }
}

function simplifyOne(
  node: RegionNode,
  fired: ((name: string) => void) | undefined,
  rebuilt: Rebuilt,
): Simplified | undefined {
  switch (node.op) {
    case "scan":
      return simplifyScan(node, fired, rebuilt);
    case "while":
      return simplifyWhile(node, fired, rebuilt);
    case "if":
      return simplifyBranch(node, fired, rebuilt);
    default:
      return undefined;
  }
}

export function countsOf({ attributes }: Pick<Node, "attributes">): { captures: number; sequences: number } {
  return { captures: Number(attributes["captures"]), sequences: Number(attributes["sequences"]) };
}

/**
 * Scans of one block that do the same but for what they stack: they share their parameters, since one was made from the other (the
 * forward loop that keeps what its gradient needs).
 */
function scanTwins(order: readonly Node[]): ReadonlyMap<Node, readonly Node[]> {
  const groups = new Map<string, Node[]>();
  for (const node of order) {
    const [body] = node.regions;
    if (node.op !== "scan" || body === undefined) continue;
    const carries = scanParts(countsOf(node), body).carries.length;
    const ids = (values: readonly Value[]): string => values.map((v) => `${v.node.id}.${v.index}`).join(",");
    const key = `${ids(node.inputs)} ${ids(body.parameters)} ${ids(body.results.slice(0, carries))} ${node.attributes["reverse"]} ${node.device}`;
    const group = groups.get(key) ?? [];
    group.push(node);
    groups.set(key, group);
  }
  const twins = new Map<Node, readonly Node[]>();
  for (const group of groups.values()) for (const node of group) twins.set(node, group);
  return twins;
}
