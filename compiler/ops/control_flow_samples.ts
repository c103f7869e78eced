/** Random loops and branches for the generated tests. */
import { isFloat } from "../ir/dtype.js";
import { newRegionParameters, type Region, type Value } from "../ir/node.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { add, mul, sub } from "./arithmetic.js";
import { lt } from "./comparison.js";
import type { ScanSchema } from "./control_flow.js";
import { type Draw, drawFlag, drawOne, drawShape } from "./draw.js";
import { tanh } from "./exponential.js";
import { and, or, xor } from "./logic.js";
import { type Sample, uniform, wholeNumbers } from "./samples.js";

/** What a body does with two of its values. */
type Combination = readonly [combine: number, left: number, right: number];

/** Any two of `count` values; what that means is the dtype's. */
function drawCombination(draw: Draw, count: number): Combination {
  return [draw.integer(0, 2), draw.integer(0, count - 1), draw.integer(0, count - 1)];
}

/** All of one type. Sums of floats are squashed, so that what goes round many times stays small. */
function combined(values: readonly Value[], [combine, left, right]: Combination): Value {
  const [x, y] = [values[left] as Value, values[right] as Value];
  const { dtype } = x.type;
  if (dtype === "bool") return [xor, and, or][combine]?.(x, y) ?? x;
  if (!isFloat(dtype)) return [add, mul, sub][combine]?.(x, y) ?? x;
  return [(a: Value, b: Value) => tanh(add(a, b)), mul, (a: Value, b: Value) => tanh(sub(a, b))][combine]?.(x, y) ?? x;
}

const element = uniform(-1, 1);

/** All of what a loop reads and carries has the shape of its elements. */
export function drawScan(draw: Draw): Sample<ScanSchema> {
  const shape = drawShape(draw, 0, 4);
  const length = drawOne(draw, [2, 1, 0, 3, 4]);
  const [captures, sequences, carries] = [draw.integer(0, 2), draw.integer(0, 2), draw.integer(1, 2)];
  const given = captures + sequences + carries;
  const next = Array.from({ length: carries }, () => drawCombination(draw, given));
  // What is stacked is made of what the iteration was given, or of what it gives on.
  const stacked = Array.from({ length: draw.integer(0, 2) }, () => drawCombination(draw, given + carries));
  const reads = (count: number, of: readonly number[]) =>
    Array.from({ length: count }, () => ({ shape: of, fill: element }));
  return {
    inputs: [...reads(captures, shape), ...reads(sequences, [length, ...shape]), ...reads(carries, shape)],
    attributes: { captures, sequences, length: [length], reverse: drawFlag(draw), checkpoint: drawFlag(draw) },
    regions: (inputs) => {
      const types = inputs.map(({ type }, i) =>
        i < captures || i >= captures + sequences ? type : tensorType(type.dtype, shape),
      );
      return [
        regionOn([tensorType("i64"), ...types], ([, ...values]) => {
          const carried = next.map((one) => combined(values, one));
          return [...carried, ...stacked.map((one) => combined([...values, ...carried], one))];
        }),
      ];
    },
  };
}

/** As many turns as its first operand says, which is captured. */
export function drawWhile(draw: Draw): Sample<{ readonly captures: "int" }> {
  const shape = drawShape(draw);
  const [captures, carries] = [draw.integer(0, 2), draw.integer(1, 2)];
  const next = Array.from({ length: carries }, () => drawCombination(draw, captures + carries));
  const turns = { shape: [], fill: wholeNumbers(0, 4), dtype: "i64" as const };
  return {
    inputs: [turns, ...Array.from({ length: captures + carries }, () => ({ shape, fill: element }))],
    attributes: { captures: 1 + captures },
    regions: (inputs) => {
      const types = [tensorType("i64"), ...inputs.map(({ type }) => type)];
      return [
        regionOn(types, ([turn, limit]) => [lt(turn as Value, limit as Value)]),
        regionOn(types, ([, , ...values]) => next.map((one) => combined(values, one))),
      ];
    },
  };
}

export function drawBranch(draw: Draw): Sample<Record<never, never>> {
  const shape = drawShape(draw);
  const captures = draw.integer(1, 3);
  const results = draw.integer(1, 2);
  const bodies = [0, 1].map(() => Array.from({ length: results }, () => drawCombination(draw, captures)));
  const predicate = { shape: [], fill: wholeNumbers(0, 1), dtype: "bool" as const };
  return {
    inputs: [predicate, ...Array.from({ length: captures }, () => ({ shape, fill: element }))],
    regions: ([, ...inputs]) => {
      const types = inputs.map(({ type }) => type);
      return bodies.map((body) => regionOn(types, (values) => body.map((one) => combined(values, one))));
    },
  };
}

function regionOn(types: readonly TensorType[], body: (values: readonly Value[]) => readonly Value[]): Region {
  const parameters = newRegionParameters(types);
  return { parameters, results: body(parameters) };
}
