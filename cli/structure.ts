import { attributeKey, type Node, topologicalOrder, type Value } from "../compiler/ir/node.js";

/**
 * Numbers what values compute: equal numbers for equal computations, also of two graphs. Interning nearly does that, but the
 * parameters of a loop's body are nodes of their own in each graph.
 */
export class Structures {
  readonly #numbers = new Map<string, number>();
  readonly #ofNode = new Map<Node, number>();

  constructor(roots: readonly Value[]) {
    for (const node of topologicalOrder(roots)) this.#node(node);
  }

  /** The number of a value that the roots are computed from. */
  of({ node, index }: Value): string {
    return `${this.ofNode(node)}.${index}`;
  }

  /** The number of a node, which may be one of a loop. */
  ofNode(node: Node): string {
    return String(this.#ofNode.get(node));
  }

  #node(node: Node): void {
    if (this.#ofNode.has(node)) return;
    const regions = node.regions.map(({ parameters, results }) => {
      // A body is closed: its parameters are known by their places.
      for (const [place, parameter] of parameters.entries()) this.#number(parameter.node, `parameter ${place}`);
      for (const inner of topologicalOrder(results)) this.#node(inner);
      return results.map((result) => this.of(result)).join(" ");
    });
    const attributes = Object.entries(node.attributes)
      .map(([name, attribute]) => `${name}=${attributeKey(attribute)}`)
      .sort()
      .join();
    const inputs = node.inputs.map((input) => this.of(input));
    this.#number(node, [node.op, node.device ?? "", attributes, inputs.join(" "), ...regions].join("\n"));
  }

  #number(node: Node, key: string): void {
    const known = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, known);
    this.#ofNode.set(node, known);
  }
}
