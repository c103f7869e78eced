/** One random graph on both back ends: outputs, variables and failures of several runs and of a loop. */

import type { RunState } from "../../compiler/backends/executable.js";
import type { CpuTarget } from "../../compiler/backends/llvm/target.js";
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Computation } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { TensorData } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { type ReferenceContext, ReferenceFailure } from "../../compiler/ops/define.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { contextOf } from "../fuzz/context.js";
import { type Contents, copyInto, startState } from "./bound.js";
import { formProblems } from "./forms.js";
import { roundings, spread } from "./noise.js";
import type { ReadyGraph } from "./ready.js";
import { bindBoth } from "./support.js";
import { exact, firstDifference, type Tolerance } from "./tolerance.js";

type Both = Awaited<ReturnType<typeof bindBoth>>;

/** Where the back ends disagree, with what the variables held before that run. */
export interface Disagreement {
  readonly problems: readonly string[];
  readonly run: number;
  readonly contents: Contents;
}

/**
 * Compares two runs of a graph by the reference with those of native code, which may be made of another form of it. Undefined where they
 * agree. Throws what a back end throws.
 */
export async function disagreement(
  graph: ReadyGraph,
  native: Computation,
  target: CpuTarget,
  first: RunState = startState,
): Promise<Disagreement | undefined> {
  const { computation, contents } = graph;
  const problems = formProblems(native, target);
  if (problems.length > 0) return { problems, run: 0, contents };
  const both = await bindBoth(computation, contents, target, { checkNumerics: false }, native);
  try {
    for (let run = 0; run < 2; run++) {
      const before = new Map([...both.reference.variables].map(([name, { data }]) => [name, data.slice()]));
      const found = differences(graph, both, before, { ...first, step: first.step + BigInt(run) });
      if (found.length > 0) return { problems: found.map((one) => `run ${run}: ${one}`), run, contents: before };
    }
  } finally {
    both.close();
  }
  return undefined;
}

/** Does one run on both back ends, and makes their variables equal after it: errors do not add up. */
function differences(graph: ReadyGraph, both: Both, before: Contents, state: RunState): readonly string[] {
  const { computation, feeds } = graph;
  const context = contextOf(computation, feeds, before, state);
  const bound = magnitudeBound(graph, context);
  const expected = both.reference.executable.run(feeds, state);
  const actual = both.native.executable.run(feeds, state);
  const found: string[] = [];
  if (expected.kind === "failed" || actual.kind === "failed") {
    const codes = [actual, expected].map((outcome) => (outcome.kind === "failed" ? outcome.failure.code : "done"));
    if (codes[0] !== codes[1]) found.push(`${codes[0]}, not ${codes[1]}`);
  } else {
    computation.outputs.forEach(({ name, value }, i) => {
      const [x, y] = [actual.outputs[i], expected.outputs[i]];
      if (x === undefined || y === undefined) throw new Error(`the output ${name} is missing`);
      const difference = firstDifference(numericDType(value.type.dtype), x, y, toleranceOf(graph, value, bound));
      if (difference !== undefined && !isUndetermined(graph, value, context, x, y))
        found.push(`${name} (${describe(value)}) ${difference}`);
    });
  }
  for (const { name, type } of computation.variables) {
    const [x, y] = [both.native.variables.get(name), both.reference.variables.get(name)];
    if (x === undefined || y === undefined) throw new Error(`the variable ${name} is missing`);
    const assigned = computation.assignments.find(({ path }) => path === name)?.value;
    const tolerance =
      assigned === undefined || expected.kind === "failed" ? exact : toleranceOf(graph, assigned, bound);
    const difference = firstDifference(numericDType(type.dtype), x.data, y.data, tolerance);
    const free = assigned !== undefined && isUndetermined(graph, assigned, context, x.data, y.data);
    if (difference !== undefined && !free) found.push(`variable ${name} ${difference}`);
    copyInto(x.data, y.data);
  }
  return found;
}

function describe(value: Value): string {
  return `${value.node.op} ${value.type.dtype}[${staticShape(value.type).join(", ")}]`;
}

/** Results that differ by no more than rounding can change them. */
function isUndetermined(
  { exact: exactValues }: ReadyGraph,
  value: Value,
  context: ReferenceContext,
  actual: TensorData,
  expected: TensorData,
): boolean {
  if (exactValues.has(value)) return false;
  const dtype = numericDType(value.type.dtype);
  const tolerance = { ulps: 4, relative: 0, absolute: 16 * spread(value, exactValues, context), zeroSigns: false };
  if (tolerance.absolute === Number.POSITIVE_INFINITY) return true;
  return firstDifference(dtype, actual, expected, tolerance) === undefined;
}

/** The greatest finite magnitude of any float on the way: errors are proportional to it, and products of it. */
function magnitudeBound({ computation }: ReadyGraph, context: ReferenceContext): number {
  let most = 1;
  try {
    const reached = reachable(
      computation.outputs.map(({ value }) => value).concat(computation.assignments.map(({ value }) => value)),
    );
    for (const { dtype, data } of evaluateValues([...reached], context)) {
      if (!isFloat(dtype) || data instanceof BigInt64Array) continue;
      for (const x of data) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
    }
  } catch (error) {
    if (!(error instanceof ReferenceFailure)) throw error;
  }
  return most;
}

function reachable(roots: readonly Value[]): ReadonlySet<Value> {
  const seen = new Set<Value>();
  const stack = [...roots];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    stack.push(...value.node.inputs);
  }
  return seen;
}

/** Exact where all that leads to the value is; otherwise the coarsest float on the way sets the error. */
function toleranceOf({ exact: exactValues }: ReadyGraph, value: Value, bound: number): Tolerance {
  const reached = reachable([value]);
  if (exactValues.has(value)) return { ...exact, zeroSigns: ![...reached].some(isExtreme) };
  let rounding = 0;
  for (const { type } of reached) {
    const own = numericDType(type.dtype);
    if (isFloat(own)) rounding = Math.max(rounding, roundings[own as keyof typeof roundings]);
  }
  const absolute = 64 * rounding * bound ** 2;
  return { ulps: 4, relative: 0, absolute, zeroSigns: false };
}

/** max and min take either of two zeros, whose signs then travel on. */
function isExtreme({ node }: Value): boolean {
  return ["maximum", "minimum", "max", "min", "sum", "prod", "dot_general", "scatter"].includes(node.op);
}
