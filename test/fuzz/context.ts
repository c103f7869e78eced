import type { Computation } from "../../compiler/ir/graph.js";
import { staticShape } from "../../compiler/ir/type.js";
import type { ReferenceContext } from "../../compiler/ops/define.js";
import { numericDType, referenceFromTensor } from "../../compiler/ops/precision.js";
import type { Contents } from "../backends/bound.js";

/** The first run of a file whose seed is 42, as the reference evaluator takes it. */
export function contextOf(computation: Computation, feeds: Contents, contents: Contents): ReferenceContext {
  const given = (parameters: Computation["placeholders"], data: Contents) =>
    new Map(
      parameters.map(({ name, type }) => {
        const own = data.get(name);
        if (own === undefined) throw new Error(`${name} has no content`);
        const tensor = { dtype: numericDType(type.dtype), shape: staticShape(type), data: own };
        return [name, referenceFromTensor(tensor)] as const;
      }),
    );
  return {
    seed: 42n,
    step: 0n,
    runsSinceStep: 0n,
    feeds: given(computation.placeholders, feeds),
    variables: given(computation.variables, contents),
  };
}
