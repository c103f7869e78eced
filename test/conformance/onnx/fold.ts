/** Values that follow from shapes and constants alone: ONNX computes shapes by nodes, where the language has them written. */
import { isFloat, type NumericDType } from "../../../compiler/ir/dtype.js";
import { allocate, elementCount, type Tensor } from "../../../compiler/ir/tensor.js";
import { typesOf } from "./infer.js";
import { partsOf, rangeCount, sizesBetween } from "./rules/shape.js";
import { range, type View } from "./view.js";

type Fold = (n: View) => readonly number[] | undefined;

const truth = (holds: boolean) => (holds ? 1 : 0);

/** The element of an operand that broadcasts to a shape. */
function elementAt(tensor: Tensor, shape: readonly number[], position: number): number {
  let [rest, index, stride] = [position, 0, 1];
  for (let back = 1; back <= shape.length; back++) {
    const size = shape.at(-back) ?? 1;
    const own = tensor.shape.at(-back) ?? 1;
    if (back <= tensor.shape.length && own !== 1) index += (rest % size) * stride;
    if (back <= tensor.shape.length) stride *= own;
    rest = Math.floor(rest / size);
  }
  return Number(tensor.data[index]);
}

const elementwise =
  (compute: (...operands: readonly number[]) => number): Fold =>
  (n) => {
    const operands = range(n.count).map((i) => n.value(i).constant);
    const shape = typesOf(n)?.[0]?.shape ?? [];
    return range(elementCount(shape)).map((position) =>
      compute(...operands.map((tensor) => (tensor === undefined ? 0 : elementAt(tensor, shape, position)))),
    );
  };

const moved: Fold = (n) => n.numbers(0);
const whole: Fold = (n) => (isFloat(n.dtype()) ? undefined : n.numbers(0));

/** Only integers: what is computed in floats is left to the graph. */
const integers =
  (fold: Fold): Fold =>
  (n) =>
    isFloat(n.dtype()) ? undefined : fold(n);

const table: Readonly<Record<string, Fold>> = {
  Add: integers(elementwise((x = 0, y = 0) => x + y)),
  Sub: integers(elementwise((x = 0, y = 0) => x - y)),
  Mul: integers(elementwise((x = 0, y = 0) => x * y)),
  Div: integers(elementwise((x = 0, y = 0) => Math.trunc(x / y))),
  Mod: integers(elementwise((x = 0, y = 0) => x - y * Math.floor(x / y))),
  Abs: integers(elementwise((x = 0) => Math.abs(x))),
  Neg: integers(elementwise((x = 0) => 0 - x)),
  Max: integers(elementwise((...all) => Math.max(...all))),
  Min: integers(elementwise((...all) => Math.min(...all))),
  Equal: elementwise((x, y) => truth(x === y)),
  Less: elementwise((x = 0, y = 0) => truth(x < y)),
  Greater: elementwise((x = 0, y = 0) => truth(x > y)),
  And: elementwise((x, y) => truth(x === 1 && y === 1)),
  Or: elementwise((x, y) => truth(x === 1 || y === 1)),
  Not: elementwise((x) => truth(x === 0)),
  Where: elementwise((condition, x = 0, y = 0) => (condition === 0 ? y : x)),
  Identity: moved,
  Reshape: moved,
  Squeeze: moved,
  Unsqueeze: moved,
  Cast: whole,
  CastLike: whole,
  ConstantOfShape: (n) => {
    const value = n.tensor("value");
    return range(elementCount(n.numbers(0))).map(() => Number(value?.data[0] ?? 0));
  },
  Range: integers((n) => {
    const [start = 0] = n.numbers(0);
    return range(rangeCount(n)).map((i) => start + i * (n.numbers(2)[0] ?? 1));
  }),
  Concat: (n) => (n.rank() === 1 ? range(n.count).flatMap((i) => n.numbers(i)) : undefined),
  Gather: (n) => (n.rank() === 1 ? n.numbers(1).map((i) => n.numbers(0).at(i) ?? 0) : undefined),
  Slice: (n) => {
    const [part] = partsOf(n);
    if (n.rank() !== 1 || part === undefined) return undefined;
    return range(part.count).map((i) => n.numbers(0)[part.from + i * part.step] ?? 0);
  },
};

/** The value of a node's output where its operands are known, and the language would have it written. */
export function fold(n: View): Tensor | undefined {
  const known = fromTypes(n);
  if (known !== undefined) return known;
  if (!range(n.count).every((i) => !n.has(i) || n.value(i).constant !== undefined)) return undefined;
  const type = typesOf(n)?.[0];
  const numbers = table[n.op]?.(n);
  return type === undefined || numbers === undefined ? undefined : tensorOf(type.dtype, type.shape, numbers);
}

/** What no operand's elements decide. */
function fromTypes(n: View): Tensor | undefined {
  switch (n.op) {
    case "Constant":
      return constantOf(n);
    case "Shape":
      return vector(n.shape().slice(...sizesBetween(n)));
    case "Size":
      return tensorOf("i64", [], [elementCount(n.shape())]);
    default:
      return undefined;
  }
}

function constantOf(n: View): Tensor | undefined {
  const ints = n.ints("value_ints");
  if (ints !== undefined) return vector(ints);
  const attribute = (name: string) => (n.node.attributes.has(name) ? n.number(name, 0) : undefined);
  const [float, int] = [attribute("value_float"), attribute("value_int")];
  if (float !== undefined) return tensorOf("f32", [], [float]);
  if (int !== undefined) return tensorOf("i64", [], [int]);
  return n.tensor("value");
}

const vector = (numbers: readonly number[]) => tensorOf("i64", [numbers.length], numbers);

function tensorOf(dtype: NumericDType, shape: readonly number[], numbers: readonly number[]): Tensor {
  const data = allocate(dtype, numbers.length);
  if (data instanceof BigInt64Array) data.set(numbers.map(BigInt));
  else data.set(numbers);
  return { dtype, shape, data };
}
