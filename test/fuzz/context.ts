import type { RunState } from "../../compiler/backends/executable.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { staticShape } from "../../compiler/ir/type.js";
import type { ReferenceContext } from "../../compiler/ops/define.js";
import { numericDType, referenceFromTensor } from "../../compiler/ops/precision.js";
import type { Contents } from "../backends/bound.js";

/** A run as the reference evaluator takes it: the first one of a file whose seed is 42, unless `state` says otherwise. */
export function contextOf(
  { placeholders, variables }: Computation,
  feeds: Contents,
  contents: Contents,
  state: RunState = { seed: 42n, step: 0n, runsSinceStep: 0n },
): ReferenceContext {
  const given = (parameters: Computation["placeholders"], data: Contents) =>
    new Map(
      parameters.map(({ name, type }) => {
        const own = data.get(name);
        if (own === undefined) throw new Error(`${name} has no content`);
        const tensor = { dtype: numericDType(type.dtype), shape: staticShape(type), data: own };
        return [name, referenceFromTensor(tensor)] as const;
      }),
    );
  return { ...state, feeds: given(placeholders, feeds), variables: given(variables, contents) };
}
