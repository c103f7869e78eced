import type { Node } from "../ir/node.js";
import type { Op, ReferenceContext, ReferenceTensor } from "./define.js";
import { numericDType, roundTo } from "./precision.js";
import { completed } from "./stepwise.js";
import { opNamed } from "./table.js";

/** Nothing that is known when the graph is compiled reads the run. */
const noRun: ReferenceContext = { seed: 0n, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() };

/**
 * What a node of static shapes gives for these operands, each result rounded to its dtype as at run time. Throws ReferenceFailure where the
 * op's check fails. The op may not read the run, nor have regions.
 */
export function evaluateNode(node: Node, inputs: readonly ReferenceTensor[]): readonly ReferenceTensor[] {
  const op = opNamed(node.op);
  const outputs = node.outputs.map(({ type }) => ({
    dtype: numericDType(type.dtype),
    shape: type.shape.filter((dim) => typeof dim === "number"),
  }));
  const attributes = node.attributes as Parameters<Op["evaluate"]>[0]["attributes"];
  const results = completed(op.evaluate({ inputs, attributes, outputs, context: noRun, regions: [] }));
  return outputs.flatMap(({ dtype, shape }, i) => {
    const data = results[i];
    return data === undefined ? [] : [{ dtype, shape, data: roundTo(dtype, data) }];
  });
}
