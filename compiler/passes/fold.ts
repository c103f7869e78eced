import { isFloat } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { broadcastScalar } from "../ops/build.js";
import type { Op, ReferenceTensor } from "../ops/define.js";
import { ReferenceFailure } from "../ops/define.js";
import { evaluateNode } from "../ops/evaluate_node.js";
import { referenceFromTensor, tensorFromReference } from "../ops/precision.js";
import { constant } from "../ops/sources.js";
import { opNamed } from "../ops/table.js";
import { broadcastInDim } from "../ops/views.js";
import { type Pass, type Rule, ruleForAny, rules } from "./rule.js";
import { inputOf, literalOf, scalarOf, staticSizes } from "./values.js";

/** Constants beyond this many elements stay expressions: the program would carry them. */
const maximumElements = 4096;
/** A view that repeats its operand is left to the code that reads it, except for tiny ones. */
const maximumRepeated = 64;

/** What these read is known when the graph is compiled; randomness and the run's state are not. A check that fails is left to the run. */
const foldable: ReadonlySet<Op["kernel"]["kind"]> = new Set([
  "elementwise",
  "view",
  "reduce",
  "arg_reduce",
  "contract",
  "concatenate",
  "pad",
  "dynamic_view",
  "dynamic_store",
  "check",
]);

/** One number op one number is one number: works for symbolic shapes too. */
export const foldSplats: Rule = ruleForAny("fold-splats", (value) => {
  const op = opNamed(value.node.op);
  if (op.kernel.kind !== "elementwise") return undefined;
  const scalars = value.node.inputs.map((input) => scalarOf(input));
  if (!scalars.every((scalar) => scalar !== undefined)) return undefined;
  const [scalar] = op.apply(scalars, value.node.attributes);
  const folded = scalar === undefined ? undefined : evaluateConstant(scalar);
  return folded === undefined ? undefined : broadcastScalar(folded, value.type.shape);
});

/** An op on small constants is the constant that the reference evaluator gives. */
export const foldConstants: Rule = ruleForAny("fold-constants", (value) => {
  const { node } = value;
  if (!foldable.has(opNamed(node.op).kernel.kind) || scalarOf(value) !== undefined) return undefined;
  const sizes = staticSizes(value.type.shape);
  const limit = node.op === broadcastInDim.opName ? maximumRepeated : maximumElements;
  if (sizes === undefined || elementCount(sizes) > limit || !node.inputs.every(isSmall)) return undefined;
  return evaluateConstant(value);
});

/** A constant, or a scalar constant that is repeated, of moderate size. */
function isSmall(value: Value): boolean {
  const sizes = staticSizes(value.type.shape);
  if (sizes === undefined || elementCount(sizes) > maximumElements) return false;
  return (
    literalOf(value) !== undefined ||
    (value.node.op === broadcastInDim.opName && literalOf(inputOf(value)) !== undefined)
  );
}

/**
 * The constant that a node on constants computes, each result rounded to its dtype as at run time. Undefined where the run has
 * something to say about it: a check that fails, or a NaN or infinity made of finite numbers, which `--check-numerics` reports
 * with its place.
 */
function evaluateConstant(value: Value): Value | undefined {
  const { node } = value;
  const inputs = node.inputs.map(constantTensor);
  if (!inputs.every((input) => input !== undefined)) return undefined;
  try {
    const [result] = evaluateNode(value.node, inputs);
    if (result === undefined || (inputs.every(isAllFinite) && !isAllFinite(result))) return undefined;
    return constant({ value: tensorFromReference(result) });
  } catch (error) {
    if (error instanceof ReferenceFailure) return undefined;
    throw error;
  }
}

function constantTensor(value: Value): ReferenceTensor | undefined {
  const literal = literalOf(value);
  if (literal !== undefined) return referenceFromTensor(literal);
  if (value.node.op !== broadcastInDim.opName) return undefined;
  const operand = constantTensor(inputOf(value));
  return operand === undefined ? undefined : evaluateNode(value.node, [operand])[0];
}

function isAllFinite({ dtype, data }: ReferenceTensor): boolean {
  return !isFloat(dtype) || data instanceof BigInt64Array || data.every(Number.isFinite);
}

export const fold: Pass = rules(
  "fold",
  "Small constant expressions become constants, with the bits that the run would compute.",
  [foldSplats, foldConstants],
);
