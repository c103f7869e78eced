import type { Computation } from "../ir/graph.js";
import { rewrite } from "../ir/rewrite.js";
import { reapply } from "../ops/define.js";
import { opNamed } from "../ops/table.js";
import { semanticsOf } from "./semantics.js";

/** Replaces composites (convolutions, pooling) by the ops that they are made of, until none is left. */
export function expandComposites(computation: Computation): Computation {
  return rewrite(computation, {
    rebuild: (node, inputs, regions) => reapply(node, inputs, regions),
    step: (node) => (semanticsOf(node).kind === "composite" ? [opNamed(node.op).expand(node)] : undefined),
  });
}
