import type { Node, Value } from "./node.js";
import type { Span } from "./span.js";

/**
 * Where in the text each node came from. A side table, because an interned node may come from several places. It only grows:
 * passes call `inherit`, so that what they build points at the line it came from.
 */
export class SourceTable {
  readonly #spans = new WeakMap<Node, Span[]>();

  /** The places of a node, first written first; empty for one that no text or pass accounts for. */
  spansOf(node: Node): readonly Span[] {
    return this.#spans.get(node) ?? [];
  }

  /** Adds a place to one node. */
  add(node: Node, span: Span): void {
    const spans = this.#spans.get(node);
    if (spans === undefined) this.#spans.set(node, [span]);
    else if (!spans.some((s) => s.file === span.file && s.start === span.start && s.end === span.end)) spans.push(span);
  }

  /** Gives `spans` to `value`'s node and to every node below it, in regions too, that has none: the ones just built. */
  inherit(value: Value, spans: readonly Span[]): void {
    const stack: Node[] = [value.node];
    while (stack.length > 0) {
      const node = stack.pop();
      if (node === undefined || this.#spans.has(node)) continue;
      this.#spans.set(node, [...spans]);
      for (const input of node.inputs) stack.push(input.node);
      for (const region of node.regions) for (const result of region.results) stack.push(result.node);
    }
  }
}
