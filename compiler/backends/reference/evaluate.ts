import { InternalError } from "../../ir/diagnostic.js";
import { isFloat } from "../../ir/dtype.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { type Node, type Region, topologicalOrder, type Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import {
  type ReferenceContext,
  ReferenceFailure,
  type ReferenceRegion,
  type ReferenceTensor,
} from "../../ops/define.js";
import { numericDType, type ReferenceData, roundTo } from "../../ops/precision.js";
import { completed, isStepwise, type Stepwise } from "../../ops/stepwise.js";
import { opNamed } from "../../ops/table.js";

export interface EvaluateOptions {
  /** Fail (G110) at the first op that makes a NaN or an infinity of finite operands. */
  readonly checkNumerics?: boolean;
  /** Told of each op of the computation itself (those of a region count as their owner's), in milliseconds. */
  readonly onStep?: ((step: number, start: number, end: number) => void) | undefined;
}

/** What a run gives: the outputs in the computation's order, and the new values of the assigned variables by path. */
export interface Evaluation {
  readonly outputs: readonly ReferenceTensor[];
  readonly assignments: ReadonlyMap<string, ReferenceTensor>;
}

/**
 * Runs a static computation without pseudo-ops, op by op, in float64; each result is rounded to its dtype. Nothing in the
 * context is changed. Throws ReferenceFailure, with the node, when a check of the run fails.
 */
export function evaluate(computation: Computation, context: ReferenceContext, options?: EvaluateOptions): Evaluation {
  return completed(planOf(computation)(context, options));
}

/** The same for many runs, turn by turn: the order of the ops and the ends of lives are found once. */
export function planOf(
  computation: Computation,
): (context: ReferenceContext, options?: EvaluateOptions) => Stepwise<Evaluation> {
  const plan = planValues(rootsOf(computation));
  const count = computation.outputs.length;
  return function* (context, options) {
    const results = yield* runPlan(plan, context, options);
    return {
      outputs: results.slice(0, count),
      assignments: new Map(computation.assignments.map(({ path }, i) => [path, results[count + i] as ReferenceTensor])),
    };
  };
}

/** The same for any edges. */
export function evaluateValues(
  roots: readonly Value[],
  context: ReferenceContext,
  options?: EvaluateOptions,
): readonly ReferenceTensor[] {
  return completed(runPlan(planValues(roots), context, options));
}

export interface EvaluationPlan {
  readonly roots: readonly Value[];
  readonly steps: readonly { readonly node: Node; readonly freed: readonly Value[] }[];
}

export function planValues(roots: readonly Value[]): EvaluationPlan {
  const order = topologicalOrder(roots);
  const lastUses = lastUsesOf(order, roots);
  return { roots, steps: order.map((node) => ({ node, freed: lastUses.get(node) ?? [] })) };
}

/** `given` are the values of a region's parameters. */
function* runPlan(
  { roots, steps }: EvaluationPlan,
  context: ReferenceContext,
  options: EvaluateOptions = {},
  given: readonly (readonly [Value, ReferenceTensor])[] = [],
): Stepwise<readonly ReferenceTensor[]> {
  const results = new Map<Value, ReferenceTensor>(given);
  const { onStep } = options;
  const inner = onStep === undefined ? options : { ...options, onStep: undefined };
  for (const [step, { node, freed }] of steps.entries()) {
    if (node.op === "parameter") continue;
    const inputs = node.inputs.map((input) => resultOf(results, input));
    const start = onStep === undefined ? 0 : performance.now();
    const outputs = yield* evaluateNode(node, inputs, context, inner);
    onStep?.(step, start, performance.now());
    // What a region makes has been checked inside.
    if (options.checkNumerics === true && node.regions.length === 0) checkFinite(node, inputs, outputs);
    node.outputs.forEach((output, i) => {
      results.set(output, outputs[i] as ReferenceTensor);
    });
    for (const value of freed) results.delete(value);
  }
  return roots.map((root) => resultOf(results, root));
}

const regionPlans = new WeakMap<Region, EvaluationPlan>();

function evaluatorOf(region: Region, context: ReferenceContext, options: EvaluateOptions): ReferenceRegion {
  const plan = regionPlans.get(region) ?? planValues(region.results);
  regionPlans.set(region, plan);
  return (parameters) =>
    runPlan(
      plan,
      context,
      options,
      region.parameters.map((parameter, i) => [parameter, parameters[i] as ReferenceTensor]),
    );
}

function* evaluateNode(
  node: Node,
  inputs: readonly ReferenceTensor[],
  context: ReferenceContext,
  options: EvaluateOptions,
): Stepwise<readonly ReferenceTensor[]> {
  const op = opNamed(node.op);
  const outputs = node.outputs.map(({ type }) => ({ dtype: numericDType(type.dtype), shape: staticShape(type) }));
  let data: readonly ReferenceData[];
  try {
    const work = op.evaluate({
      inputs,
      attributes: node.attributes as Parameters<typeof op.evaluate>[0]["attributes"],
      outputs,
      context,
      regions: node.regions.map((region) => evaluatorOf(region, context, options)),
    });
    data = isStepwise(work) ? yield* work : work;
  } catch (error) {
    // A failure inside a region has its own place.
    if (error instanceof ReferenceFailure) throw error.node === undefined ? error.at(node) : error;
    throw error;
  }
  return outputs.map(({ dtype, shape }, i) => {
    const raw = data[i];
    if (raw?.length !== elementCount(shape)) {
      throw new InternalError(`${node.op} gave ${raw?.length} elements for ${dtype}[${shape.join(", ")}]`);
    }
    // A source gives the caller's own storage, which is not to be changed.
    return { dtype, shape, data: roundTo(dtype, op.kernel.kind === "source" ? raw.slice() : raw) };
  });
}

/** The edges that each node is the last to read (or that nobody reads), roots excepted: what can be freed after it. */
function lastUsesOf(order: readonly Node[], roots: readonly Value[]): ReadonlyMap<Node, readonly Value[]> {
  const kept = new Set(roots);
  const seen = new Set<Value>();
  const lastUses = new Map<Node, Value[]>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const freed = [...node.inputs, ...node.outputs].filter((value) => !kept.has(value) && !seen.has(value));
    for (const value of freed) seen.add(value);
    lastUses.set(node, freed);
  }
  return lastUses;
}

function resultOf(results: ReadonlyMap<Value, ReferenceTensor>, value: Value): ReferenceTensor {
  const result = results.get(value);
  if (result === undefined) throw new InternalError(`the result of ${value.node.op} was freed before its last use`);
  return result;
}

/** A constant may be infinite (a mask of attention, say), and so may what is made of it. */
function checkFinite(node: Node, inputs: readonly ReferenceTensor[], outputs: readonly ReferenceTensor[]): void {
  if (node.op === "constant" || !inputs.every((input) => firstNotFinite(input) === undefined)) return;
  for (const output of outputs) {
    const found = firstNotFinite(output);
    if (found === undefined) continue;
    const what = Number.isNaN(found) ? "a NaN" : found > 0 ? "an infinity" : "minus infinity";
    const message =
      inputs.length === 0 ? `\`${node.op}\` holds ${what}` : `\`${node.op}\` makes ${what} of finite operands`;
    throw new ReferenceFailure("G110", message, { node });
  }
}

function firstNotFinite({ dtype, data }: ReferenceTensor): number | undefined {
  if (!isFloat(dtype) || data instanceof BigInt64Array) return undefined;
  return data.find((x) => !Number.isFinite(x));
}
