import { buildOn } from "./device.js";
import { type Computation, rootsOf } from "./graph.js";
import type { Node, Region, Value } from "./node.js";

/** How a computation is rewritten; both functions give one value for each output of the node. */
export interface Rewriting {
  /** The same op on other inputs, with other regions. */
  readonly rebuild: (node: Node, inputs: readonly Value[], regions: readonly Region[]) => readonly Value[];
  /** One step at a node whose inputs are in their final form; undefined where there is nothing to do. */
  readonly step: (node: Node) => readonly Value[] | undefined;
  /** At most this many steps, so that rules that undo each other end. */
  readonly fuel?: number;
}

/**
 * Rewrites from the inputs up to the roots, each node once, and goes on inside what a step built until no step applies.
 * Iterative and memoised by node. What steps build gets the source places and the device of the node that it replaces. Dead nodes are gone by
 * construction (only what the roots reach is visited), and interning merges what has become equal. Regions are closed, so each is
 * rewritten by itself, before its node.
 */
export function rewrite(computation: Computation, rewriting: Rewriting): Computation {
  const roots = rootsOf(computation);
  const rewriter = new Rewriter(computation, rewriting);
  rewriter.run(roots);
  if (roots.every((root) => rewriter.final(root) === root)) return computation;
  return {
    ...computation,
    outputs: computation.outputs.map(({ name, value }) => ({ name, value: rewriter.final(value) })),
    assignments: computation.assignments.map(({ path, value }) => ({ path, value: rewriter.final(value) })),
  };
}

class Rewriter {
  readonly #computation: Computation;
  readonly #rewriting: Rewriting;
  readonly #done = new Map<Node, readonly Value[]>();
  /** Nodes on the stack that wait for what they are replaced by. */
  readonly #replaced = new Map<Node, readonly Value[]>();
  #fuel: number;

  constructor(computation: Computation, rewriting: Rewriting) {
    this.#computation = computation;
    this.#rewriting = rewriting;
    this.#fuel = rewriting.fuel ?? 1_000_000;
  }

  /** What a value has become; itself while its node is still being rewritten (a rule that goes round in a circle). */
  final(value: Value): Value {
    return this.#done.get(value.node)?.[value.index] ?? value;
  }

  run(roots: readonly Value[]): void {
    for (const root of roots) this.#run(root.node);
  }

  #run(root: Node): void {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const next = this.#done.has(node) ? undefined : this.#advance(node);
      if (next === undefined) stack.pop();
      else stack.push(...next);
    }
  }

  /** The nodes that must be done first; undefined when this one is done. */
  #advance(node: Node): readonly Node[] | undefined {
    const replaced = this.#replaced.get(node);
    if (replaced !== undefined) {
      this.#finish(
        node,
        replaced.map((value) => this.final(value)),
      );
      return undefined;
    }
    const waiting = this.#waiting(node.inputs);
    if (waiting.length > 0) return waiting;
    const replacement = this.#replace(node);
    if (replacement === undefined) {
      this.#finish(node, node.outputs);
      return undefined;
    }
    this.#inherit(node, replacement);
    this.#replaced.set(node, replacement);
    return this.#waiting(replacement);
  }

  /** The node on final inputs, or what a step makes of it; undefined when it stays. */
  #replace(node: Node): readonly Value[] | undefined {
    const inputs = node.inputs.map((input) => this.final(input));
    const regions = node.regions.map((region) => this.#region(region));
    const changed =
      inputs.some((input, i) => input !== node.inputs[i]) || regions.some((region, i) => region !== node.regions[i]);
    if (changed) return this.#rewriting.rebuild(node, inputs, regions);
    if (this.#fuel <= 0) return undefined;
    const result = buildOn(node.device, () => this.#rewriting.step(node));
    if (result === undefined || result.every((value, i) => value === node.outputs[i])) return undefined;
    this.#fuel--;
    return result;
  }

  #region(region: Region): Region {
    this.run(region.results);
    const results = region.results.map((result) => this.final(result));
    return results.every((result, i) => result === region.results[i])
      ? region
      : { parameters: region.parameters, results };
  }

  /** May name a node twice: it is done when its second turn comes. */
  #waiting(values: readonly Value[]): readonly Node[] {
    const nodes: Node[] = [];
    for (const { node } of values) if (!this.#done.has(node) && !this.#replaced.has(node)) nodes.push(node);
    return nodes;
  }

  #finish(node: Node, values: readonly Value[]): void {
    this.#done.set(node, values);
    this.#replaced.delete(node);
  }

  #inherit(node: Node, replacement: readonly Value[]): void {
    this.#computation.sources.inheritAll(replacement, node);
  }
}
