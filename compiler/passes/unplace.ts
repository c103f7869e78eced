import { buildOn } from "../ir/device.js";
import type { Computation } from "../ir/graph.js";
import { rewrite } from "../ir/rewrite.js";
import { opNamed } from "../ops/table.js";

/** The same computation with nothing placed anywhere, for a target that has one place: what differed in that alone is one node again. */
export function withoutPlaces(computation: Computation): Computation {
  return rewrite(computation, {
    rebuild: (node, inputs, regions) =>
      buildOn(undefined, () => opNamed(node.op).apply(inputs, node.attributes, regions)),
    step: (node) =>
      node.device === undefined
        ? undefined
        : buildOn(undefined, () => opNamed(node.op).apply(node.inputs, node.attributes, node.regions)),
  });
}
