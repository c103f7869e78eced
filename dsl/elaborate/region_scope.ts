import { type Node, newRegionParameters, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import type { SourceTable } from "../../compiler/ir/sources.js";
import { tensorType } from "../../compiler/ir/type.js";
import { substitute } from "../../compiler/ops/region_parts.js";
import type { Meaning } from "./meaning.js";

/** Storage that a region must be given as an operand, since a region is closed; the run's state is the same everywhere. */
const sources: ReadonlySet<string> = new Set(["placeholder", "variable"]);

/**
 * The inside of a scan, while or if while it is elaborated. An edge from outside becomes a parameter of the region (a capture) when
 * it is first mentioned; what the region's own calls declare (their variables) when the region is finished.
 */
export class RegionScope {
  readonly parent: RegionScope | undefined;
  /** How many regions are around what stands in it. */
  readonly depth: number;
  /** The number of the iteration; undefined in an `if`. */
  readonly index: Value | undefined;
  readonly #captures = new Map<Value, Value>();

  constructor(parent: RegionScope | undefined, isLoop: boolean) {
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
    this.index = isLoop ? newRegionParameters([tensorType("i64")])[0] : undefined;
  }

  /** Outside edges, and the parameters that stand for them inside. */
  get outside(): readonly Value[] {
    return [...this.#captures.keys()];
  }

  get parameters(): readonly Value[] {
    return [...this.#captures.values()];
  }

  /** What a name that was bound under `depth` regions means in here. */
  capture(meaning: Meaning, depth: number): Meaning {
    if (depth >= this.depth) return meaning;
    if (meaning.kind === "tensor") return { kind: "tensor", value: this.captureEdge(meaning.value, depth) };
    if (meaning.kind !== "list") return meaning;
    return {
      kind: "list",
      items: meaning.items.map(({ meaning: inner, span }) => ({ meaning: this.capture(inner, depth), span })),
    };
  }

  captureEdge(value: Value, depth: number): Value {
    if (depth >= this.depth || isConstant(value.node)) return value;
    const outer = this.parent === undefined ? value : this.parent.captureEdge(value, depth);
    return this.#parameterFor(outer);
  }

  /** The parameters of the edges of `outside`, in this order, for regions of one node that have different captures. */
  parametersFor(outside: readonly Value[]): readonly Value[] {
    return outside.map((value) => this.#parameterFor(value));
  }

  /** The numbers of the iterations of all loops around, outermost first. */
  loopIndices(): readonly Value[] {
    const outer = this.parent?.loopIndices().map((index) => this.#parameterFor(index)) ?? [];
    return this.index === undefined ? outer : [...outer, this.index];
  }

  /** The region's results once all sources in its body are captures, too; what that makes anew comes from where it came from before. */
  close(results: readonly Value[], table: SourceTable): readonly Value[] {
    const replaced = new Map<Value, Value>();
    for (const { op, outputs } of topologicalOrder(results)) {
      const [value] = outputs;
      if (!sources.has(op) || value === undefined) continue;
      const parameter = this.#parameterFor(value);
      table.copy(parameter, value.node);
      replaced.set(value, parameter);
    }
    return substitute(results, replaced, ([value], from) => {
      if (value !== undefined) table.copy(value, from);
    });
  }

  #parameterFor(outer: Value): Value {
    const known = this.#captures.get(outer);
    if (known !== undefined) return known;
    const [parameter] = newRegionParameters([outer.type]) as readonly [Value];
    this.#captures.set(outer, parameter);
    return parameter;
  }
}

/** What any of the regions of one node captures. */
export function capturesOf(scopes: readonly RegionScope[]): readonly Value[] {
  return [...new Set(scopes.flatMap((scope) => scope.outside))];
}

function isConstant(node: Node): boolean {
  return node.op === "constant";
}
