/**
 * How far the last digits of a random graph's results are determined: the same computation with every result that is rounded, and
 * every operand of a sum, moved by a few units of its last place. What varies by as much as two back ends differ is not wrong on
 * either: errors grow in loops by as much as the loops do (Monte Carlo arithmetic: Parker, 1997).
 */
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import { type Node, type Region, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { mul } from "../../compiler/ops/arithmetic.js";
import { literal } from "../../compiler/ops/build.js";
import { type ReferenceContext, ReferenceFailure } from "../../compiler/ops/define.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import { generator } from "../support/samples.js";

export const roundings = { f64: 2 ** -52, f32: 2 ** -23, f16: 2 ** -10, bf16: 2 ** -7 };

const trials = 4;
const most = 2;

/** The greatest change of any element of `value`; infinite where it changes between a number and none. */
export function spread(value: Value, exact: ReadonlySet<Value>, context: ReferenceContext): number {
  try {
    const plain = evaluateValues([value], context)[0]?.data;
    let greatest = 0;
    for (let trial = 0; trial < trials; trial++) {
      const moved = evaluateValues(new Noise(exact, trial).applied([value]), context)[0]?.data;
      plain?.forEach((element: number | bigint, i: number) => {
        const [x, y] = [Number(element), Number(moved?.[i])];
        if (Object.is(x, y)) return;
        const distance = Math.abs(x - y);
        greatest = Math.max(greatest, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
      });
    }
    return greatest;
  } catch (error) {
    // Whether a matrix is singular may hang on the last digits, too.
    if (error instanceof ReferenceFailure) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

class Noise {
  readonly #exact: ReadonlySet<Value>;
  readonly #trial: number;
  #stream = 0;

  constructor(exact: ReadonlySet<Value>, trial: number) {
    this.#exact = exact;
    this.#trial = trial;
  }

  applied(roots: readonly Value[]): readonly Value[] {
    const outputs = new Map<Node, readonly Value[]>();
    const final = (value: Value): Value => outputs.get(value.node)?.[value.index] ?? value;
    for (const node of topologicalOrder(roots)) outputs.set(node, this.#node(node, node.inputs.map(final)));
    return roots.map(final);
  }

  #node(node: Node, inputs: readonly Value[]): readonly Value[] {
    const { kernel, apply } = opNamed(node.op);
    if (kernel.kind === "source" || inputs.length === 0) return node.outputs;
    const regions = node.regions.map(
      ({ parameters, results }): Region => ({ parameters, results: this.applied(results) }),
    );
    const isExact = node.outputs.every((output) => this.#exact.has(output));
    if (isExact || regions.length > 0 || !rounds(node)) return apply(inputs, node.attributes, regions);
    const given = sums.has(kernel.kind) ? inputs.map((input) => this.#moved(input)) : inputs;
    return apply(given, node.attributes, regions).map((output) => this.#moved(output));
  }

  #moved(value: Value): Value {
    const dtype = numericDType(value.type.dtype);
    if (!isFloat(dtype)) return value;
    const shape = staticShape(value.type);
    const random = generator(this.#trial, this.#stream++);
    const unit = roundings[dtype as keyof typeof roundings];
    const factors = Array.from(
      { length: elementCount(shape) },
      (_, i) => 1 + unit * (Math.floor(random(i) * (2 * most + 1)) - most),
    );
    return mul(value, literal(dtype, shape, factors));
  }
}

const sums: ReadonlySet<string> = new Set(["reduce", "contract", "composite", "routine"]);
const moves: ReadonlySet<string> = new Set([
  "view",
  "concatenate",
  "pad",
  "dynamic_view",
  "check",
  "arg_reduce",
  "generator",
]);
const choosing: ReadonlySet<string> = new Set([
  "neg",
  "abs",
  "sign",
  "select",
  "maximum",
  "minimum",
  "max",
  "min",
  "cummax",
  "cummin",
  "reduce_window",
  "select_and_gather",
  "dynamic_update_slice",
]);

/** Not what only chooses among its operands' elements, or moves them: what compares them with its operands has to find them. */
function rounds({ op, attributes }: Node): boolean {
  if (moves.has(opNamed(op).kernel.kind)) return false;
  if (op === "reduce_window" || op === "scatter")
    return attributes["combiner"] === "sum" || attributes["combiner"] === "add";
  return !choosing.has(op);
}
