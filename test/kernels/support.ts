import { evaluate } from "../../compiler/backends/reference/evaluate.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { staticShape } from "../../compiler/ir/type.js";
import { buildKernels, type KernelOptions } from "../../compiler/kernels/build.js";
import type { KernelProgram } from "../../compiler/kernels/form.js";
import type { TargetLimits } from "../../compiler/kernels/schedule.js";
import { type ReferenceContext, ReferenceFailure, type ReferenceTensor } from "../../compiler/ops/define.js";
import { numericDType, referenceFromTensor, tensorOf } from "../../compiler/ops/precision.js";
import { interpretKernels } from "./interpreter.js";

export const avx512: TargetLimits = {
  vectorBytes: 64,
  registers: 32,
  l1Bytes: 32768,
  l2Bytes: 1 << 20,
  l3Bytes: 32 << 20,
};
export const avx2: TargetLimits = {
  vectorBytes: 32,
  registers: 16,
  l1Bytes: 32768,
  l2Bytes: 1 << 18,
  l3Bytes: 8 << 20,
};

/** A computation out of named outputs and assignments. */
export function computationOf(
  outputs: Readonly<Record<string, Value>>,
  assignments: Readonly<Record<string, Value>> = {},
  name = "test",
): Computation {
  const roots = [...Object.values(outputs), ...Object.values(assignments)];
  const sources = topologicalOrder(roots).map((node) => node.outputs[0] as Value);
  const named = (op: string, key: string) =>
    sources
      .filter(({ node }) => node.op === op)
      .map((value) => ({ name: String(value.node.attributes[key]), type: value.type }));
  return {
    name,
    placeholders: named("placeholder", "name"),
    variables: named("variable", "path"),
    outputs: Object.entries(outputs).map(([output, value]) => ({ name: output, value })),
    assignments: Object.entries(assignments).map(([path, value]) => ({ path, value })),
    sources: new SourceTable(),
  };
}

export function build(computation: Computation, options: Partial<KernelOptions> = {}, target = avx512): KernelProgram {
  return buildKernels(computation, target, { checkNumerics: false, ...options });
}

/** Feeds and variables by a deterministic fill. */
export function contextOf(
  computation: Computation,
  fill: (position: number, name: string) => number = wave,
): ReferenceContext {
  const sources = topologicalOrder([
    ...computation.outputs.map((output) => output.value),
    ...computation.assignments.map((assignment) => assignment.value),
  ]).flatMap((node) => node.outputs);
  const feeds = new Map<string, ReferenceTensor>();
  const variables = new Map<string, ReferenceTensor>();
  const make = (value: Value, name: string): ReferenceTensor => {
    const shape = staticShape(value.type);
    const count = shape.reduce((product, size) => product * size, 1);
    const dtype = numericDType(value.type.dtype);
    return referenceFromTensor(
      tensorOf(
        dtype,
        shape,
        Array.from({ length: count }, (_, i) => elementFor(dtype, fill(i, name))),
      ),
    );
  };
  for (const value of sources) {
    if (value.node.op === "placeholder") {
      const name = String(value.node.attributes["name"]);
      feeds.set(name, make(value, name));
    }
    if (value.node.op === "variable") {
      const path = String(value.node.attributes["path"]);
      variables.set(path, make(value, path));
    }
  }
  for (const { path, value } of computation.assignments)
    if (!variables.has(path)) variables.set(path, make(value, path));
  return { seed: 7n, step: 3n, runsSinceStep: 1n, feeds, variables };
}

function elementFor(dtype: string, x: number): number {
  if (dtype.startsWith("f") || dtype === "bf16") return x;
  const whole = Math.trunc(x * 3);
  return dtype === "bool" ? Math.abs(whole) % 2 : dtype === "u8" ? Math.abs(whole) : whole;
}

/** Numbers in [-2, 2] without a pattern that a wrong index would hit by chance. */
function wave(position: number, name: string): number {
  let hash = 2166136261;
  for (const character of `${name}/${position}`) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  return ((hash >>> 8) % 4001) / 1000 - 2;
}

/** Where the kernels and the reference evaluator disagree; empty when they agree. */
export function disagreements(
  computation: Computation,
  program: KernelProgram,
  context: ReferenceContext = contextOf(computation),
  tolerance = 2e-4,
): readonly string[] {
  const found: string[] = [];
  const interpreted = interpretKernels(program, context);
  let expected: ReturnType<typeof evaluate>;
  try {
    expected = evaluate(computation, context);
  } catch (error) {
    if (!(error instanceof ReferenceFailure)) throw error;
    if (interpreted.failure?.code !== error.code)
      found.push(`the reference fails with ${error.code}, the kernels with ${interpreted.failure?.code}`);
    for (const [path, before] of context.variables) {
      const after = interpreted.variables.get(path);
      if (after !== undefined) compare(found, `variable ${path} after a failure`, after, before, 0);
    }
    return found;
  }
  if (interpreted.failure !== undefined) found.push(`the kernels fail with ${interpreted.failure.message}`);
  computation.outputs.forEach(({ name }, i) => {
    compare(found, name, interpreted.outputs[i] as ReferenceTensor, expected.outputs[i] as ReferenceTensor, tolerance);
  });
  for (const [path, before] of context.variables) {
    const after = interpreted.variables.get(path);
    if (after !== undefined) compare(found, path, after, expected.assignments.get(path) ?? before, tolerance);
  }
  return found;
}

function compare(
  found: string[],
  name: string,
  actual: ReferenceTensor,
  expected: ReferenceTensor,
  tolerance: number,
): void {
  if (actual.data.length !== expected.data.length) {
    found.push(`${name} has ${actual.data.length} elements, not ${expected.data.length}`);
    return;
  }
  for (let i = 0; i < expected.data.length; i++) {
    const [x, y] = [Number(actual.data[i]), Number(expected.data[i])];
    if (Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y))) continue;
    found.push(`${name}[${i}] is ${x}, not ${y}`);
    return;
  }
}
