import type { Computation } from "../../ir/graph.js";
import type { TensorData } from "../../ir/tensor.js";
import { ReferenceFailure, type ReferenceTensor } from "../../ops/define.js";
import { referenceFromTensor } from "../../ops/precision.js";
import type { ExecutableInfo, RunFailure, RunState, TensorSlot } from "../executable.js";
import { evaluate } from "../reference/evaluate.js";

/** The first op of a run that makes a NaN or an infinity of finite operands, or fails otherwise, by the reference evaluator. */
export function findNonFinite(
  computation: Computation,
  info: ExecutableInfo,
  feeds: ReadonlyMap<string, TensorData>,
  variables: ReadonlyMap<string, TensorData>,
  state: RunState,
): Omit<RunFailure, "stepsDone"> | undefined {
  const context = {
    ...state,
    feeds: tensorsOf(info.placeholders, feeds),
    variables: tensorsOf(info.variables, variables),
  };
  try {
    evaluate(computation, context, { checkNumerics: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof ReferenceFailure)) throw error;
    const spans = error.node === undefined ? [] : computation.sources.spansOf(error.node);
    return { code: error.code, message: error.message, spans };
  }
}

function tensorsOf(
  slots: readonly TensorSlot[],
  contents: ReadonlyMap<string, TensorData>,
): ReadonlyMap<string, ReferenceTensor> {
  return new Map(
    slots.flatMap(({ name, dtype, shape }) => {
      const data = contents.get(name);
      return data === undefined ? [] : [[name, referenceFromTensor({ dtype, shape, data })] as const];
    }),
  );
}
