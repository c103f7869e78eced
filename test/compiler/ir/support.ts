import type { Dim } from "../../../compiler/ir/dim.js";
import type { DType } from "../../../compiler/ir/dtype.js";
import type { Computation, Parameter } from "../../../compiler/ir/graph.js";
import { rootsOf } from "../../../compiler/ir/graph.js";
import { topologicalOrder, type Value } from "../../../compiler/ir/node.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { placeholder, variable } from "../../../compiler/ops/sources.js";

/** A placeholder edge. */
export function input(name: string, dtype: DType, shape: readonly Dim[] = []): Value {
  return placeholder({ name, dtype, shape });
}

/** A variable edge. */
export function state(path: string, dtype: DType, shape: readonly Dim[] = []): Value {
  return variable({ path, dtype, shape });
}

/** A computation of these outputs and assignments, with the placeholders and variables that it reads. */
export function computationOf(
  outputs: Readonly<Record<string, Value>>,
  assignments: Readonly<Record<string, Value>> = {},
  name = "test",
): Computation {
  const draft = {
    name,
    placeholders: [],
    variables: [],
    outputs: Object.entries(outputs).map(([output, value]) => ({ name: output, value })),
    assignments: Object.entries(assignments).map(([path, value]) => ({ path, value })),
    sources: new SourceTable(),
  };
  const placeholders = new Map<string, Parameter>();
  const variables = new Map<string, Parameter>();
  for (const [path, value] of Object.entries(assignments)) variables.set(path, { name: path, type: value.type });
  for (const node of topologicalOrder(rootsOf(draft))) {
    const type = node.outputs[0]?.type ?? tensorType("f32");
    const label = String(node.attributes["name"] ?? node.attributes["path"]);
    if (node.op === "placeholder") placeholders.set(label, { name: label, type });
    if (node.op === "variable") variables.set(label, { name: label, type });
  }
  return { ...draft, placeholders: [...placeholders.values()], variables: [...variables.values()] };
}
