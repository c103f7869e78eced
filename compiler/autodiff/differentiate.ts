import type { Diagnostic } from "../ir/diagnostic.js";
import { type Computation, rootsOf } from "../ir/graph.js";
import { type Node, type Region, topologicalOrder, type Value } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { zerosLike } from "../ops/build.js";
import { reapply } from "../ops/define.js";
import { accumulate } from "./accumulate.js";
import { noPath } from "./no-path.js";

/** What became of a set of edges. */
export interface Differentiation {
  /** The edge without pseudo-ops that has the same meaning; only for edges at or below the roots. */
  readonly rewritten: (value: Value) => Value;
  /** G050 for each x that no gradient reaches. Zeros stand in for its gradient, so that the rest can be looked at. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Expands every `gradients` at or below the roots by reverse accumulation, inner ones first, and then drops `stop_gradient`.
 * What is built carries the source spans of the op that it is the gradient of.
 */
export function differentiateValues(roots: readonly Value[], sources: SourceTable): Differentiation {
  const diagnostics: Diagnostic[] = [];
  const expand = (node: Node, y: Value, xs: readonly Value[]): readonly Value[] => {
    const cotangents = accumulate(y, xs, sources, node);
    return xs.map((x) => {
      const cotangent = cotangents.get(x);
      if (cotangent !== undefined) return cotangent;
      diagnostics.push(noPath(y, x, sources, sources.spansOf(node)));
      return zerosLike(x);
    });
  };
  const expanded = rewrite(roots, sources, (node, [y, ...xs]) =>
    node.op === "gradients" && y !== undefined ? expand(node, y, xs) : undefined,
  );
  const stripped = rewrite(roots.map(expanded), sources, (node, inputs) =>
    node.op === "stop_gradient" ? inputs : undefined,
  );
  return { rewritten: (value) => stripped(expanded(value)), diagnostics };
}

/** One run, cut out of a graph: its outputs and assignments. */
export function differentiate(computation: Computation): {
  readonly computation: Computation;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { rewritten, diagnostics } = differentiateValues(rootsOf(computation), computation.sources);
  return {
    computation: {
      ...computation,
      outputs: computation.outputs.map((output) => ({ ...output, value: rewritten(output.value) })),
      assignments: computation.assignments.map((assignment) => ({ ...assignment, value: rewritten(assignment.value) })),
    },
    diagnostics,
  };
}

/**
 * Rebuilds the nodes below the roots in order, those of a region before its node; `replace` gives the outputs of a node that does
 * not stay as it is.
 */
function rewrite(
  roots: readonly Value[],
  sources: SourceTable,
  replace: (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
): (value: Value) => Value {
  const outputs = new Map<Node, readonly Value[]>();
  const rewritten = (value: Value): Value => outputs.get(value.node)?.[value.index] ?? value;
  const region = (one: Region): Region => {
    block(one.results);
    const results = one.results.map(rewritten);
    return results.every((result, i) => result === one.results[i]) ? one : { parameters: one.parameters, results };
  };
  const block = (blockRoots: readonly Value[]): void => {
    for (const node of topologicalOrder(blockRoots)) {
      if (outputs.has(node)) continue;
      const inputs = node.inputs.map(rewritten);
      const regions = node.regions.map(region);
      const replaced = replace(node, inputs);
      if (replaced !== undefined) outputs.set(node, replaced);
      else if (
        inputs.some((input, position) => input !== node.inputs[position]) ||
        regions.some((one, i) => one !== node.regions[i])
      ) {
        const rebuilt = reapply(node, inputs, regions);
        sources.replaceAll(rebuilt, node);
        outputs.set(node, rebuilt);
      }
    }
  };
  block(roots);
  return rewritten;
}
