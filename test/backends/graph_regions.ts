/** Steps of random graphs with regions: loops with several carries, sequences and stacks, loops that end by a condition, branches. */
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import { newRegionParameters, type Region, type Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape, type TensorType, tensorType } from "../../compiler/ir/type.js";
import { fill, literal } from "../../compiler/ops/build.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import type { Choices } from "./choices.js";

export interface Block {
  readonly values: readonly Value[];
  /** Grows by what stands in regions. */
  readonly exact: Set<Value>;
  readonly tooLarge: number;
  /** A few steps on top of a region's parameters: all values of the region. `indices` are numbers of iterations. */
  readonly grow: (parameters: readonly Value[], indices: readonly Value[], steps: number) => readonly Value[];
}

interface Made {
  readonly value: Value;
  readonly exact: boolean;
}

const shapeOf = (value: Value): readonly number[] => staticShape(value.type);
const dtypeOf = (value: Value): NumericDType => numericDType(value.type.dtype);
const isOfType = (value: Value, type: TensorType): boolean =>
  value.type.dtype === type.dtype && shapeOf(value).join() === staticShape(type).join();
const apply = (op: string, inputs: readonly Value[], attributes = {}): Value =>
  opNamed(op).apply(inputs, attributes)[0] as Value;

export function withRegion(choices: Choices, block: Block): readonly Made[] {
  switch (choices.below(4)) {
    case 0:
      return whileLoop(choices, block);
    case 1:
      return branch(choices, block);
    default:
      return scan(choices, block);
  }
}

/** Up to `most` values, which may be the same ones. */
function some(choices: Choices, values: readonly Value[], most: number): readonly Value[] {
  if (values.length === 0) return [];
  return Array.from({ length: choices.below(most + 1) }, () => choices.of(values));
}

/** Parameters that stand for values; those of exact ones are exact. */
function parametersFor(
  { exact }: Block,
  types: readonly TensorType[],
  isExact: (position: number) => boolean,
): readonly Value[] {
  const parameters = newRegionParameters(types);
  parameters.forEach((parameter, i) => {
    if (isExact(i)) exact.add(parameter);
  });
  return parameters;
}

const lengths = [2, 3, 0, 1, 5];
const longest = 17;

function scan(choices: Choices, block: Block): readonly Made[] {
  const { values, exact, tooLarge } = block;
  const captured = some(choices, values, 3);
  const long = values.filter((value) => value.type.shape.length > 0 && Number(value.type.shape[0]) <= longest);
  const first = long.length > 0 && choices.below(4) > 0 ? choices.of(long) : undefined;
  const length = first === undefined ? choices.of(lengths) : Number(first.type.shape[0]);
  const equal = long.filter(({ type }) => type.shape[0] === length);
  const sequences = first === undefined ? [] : [first, ...some(choices, equal, 2)];
  const initial = some(choices, values, 3);
  const given = [...captured, ...sequences, ...initial];
  const isElement = (i: number): boolean => i >= captured.length && i < captured.length + sequences.length;
  const types = given.map(({ type }, i) => (isElement(i) ? tensorType(type.dtype, type.shape.slice(1)) : type));
  const parameters = parametersFor(
    block,
    [tensorType("i64"), ...types],
    (i) => i === 0 || exact.has(given[i - 1] as Value),
  );
  const index = parameters[0] as Value;
  const inner = block.grow(parameters, [index], 1 + choices.below(7));
  const carries = parameters.slice(parameters.length - initial.length);
  const next = initial.length === 0 ? [] : carries.map((carry) => nextOf(choices, inner, carry, exact));
  const stackable = inner.filter(
    (value) => elementCount(shapeOf(value)) * length <= tooLarge && value.type.shape.length < 5,
  );
  const stacks = Array.from({ length: choices.below(3) }, () => late(choices, stackable));
  if (next.length + stacks.length === 0) return [];
  const attributes = {
    captures: captured.length,
    sequences: sequences.length,
    length: [length],
    reverse: choices.below(2) === 0,
    checkpoint: choices.below(3) === 0,
  };
  const region = { parameters, results: [...next, ...stacks] };
  return opNamed("scan")
    .apply(given, attributes, [region])
    .map((value, i) => ({ value, exact: exact.has(region.results[i] as Value) && isExactAtFirst(i, initial, exact) }));
}

/** A loop that is not entered gives what its carries are at first. */
function isExactAtFirst(i: number, initial: readonly Value[], exact: ReadonlySet<Value>): boolean {
  const first = initial[i];
  return first === undefined || exact.has(first);
}

/** Of the carry's type, and exact where the carry is: so all carries that are exact at first stay so. */
function nextOf(choices: Choices, inner: readonly Value[], carry: Value, exact: ReadonlySet<Value>): Value {
  const fitting = inner.filter((value) => isOfType(value, carry.type) && (!exact.has(carry) || exact.has(value)));
  return late(choices, fitting);
}

/** One of the last four. */
function late(choices: Choices, values: readonly Value[]): Value {
  return values[values.length - 1 - choices.below(Math.min(4, values.length))] as Value;
}

function whileLoop(choices: Choices, block: Block): readonly Made[] {
  const { values, exact } = block;
  const captured = some(choices, values, 3);
  const initial = [choices.of(values), ...some(choices, values, 2)];
  const given = [...captured, ...initial];
  const types = [tensorType("i64"), ...given.map(({ type }) => type)];
  const isExact = (i: number): boolean => i === 0 || exact.has(given[i - 1] as Value);

  const seen = parametersFor(block, types, isExact);
  const index = seen[0] as Value;
  const bounded = apply("lt", [index, literal("i64", [], [choices.below(5)])]);
  // What else is true of its carries and captures, where it is the same on every back end.
  const further = choices.below(2) === 0 ? [] : block.grow(seen, [index], 2).filter((value) => exact.has(value));
  const condition: Region = {
    parameters: seen,
    results: [further.length === 0 ? bounded : apply("and", [bounded, truthOf(choices, further, exact)])],
  };

  const parameters = parametersFor(block, types, isExact);
  const inner = block.grow(parameters, [parameters[0] as Value], 1 + choices.below(6));
  const next = parameters.slice(1 + captured.length).map((carry) => nextOf(choices, inner, carry, exact));
  return opNamed("while")
    .apply(given, { captures: captured.length }, [condition, { parameters, results: next }])
    .map((value, i) => ({ value, exact: exact.has(next[i] as Value) && isExactAtFirst(i, initial, exact) }));
}

/** One bool that is made of an exact value. */
function truthOf(choices: Choices, values: readonly Value[], exact: ReadonlySet<Value>): Value {
  const known = values.filter((value) => exact.has(value));
  if (known.length === 0) return literal("bool", [], [choices.below(2)]);
  const x = late(choices, known);
  const flags = dtypeOf(x) === "bool" ? x : apply(choices.of(["gt", "le"]), [x, fill(x.type, choices.below(2))]);
  return apply(choices.of(["any", "all"]), [flags], { axes: x.type.shape.map((_, axis) => axis) });
}

function branch(choices: Choices, block: Block): readonly Made[] {
  const { values, exact } = block;
  const predicate = truthOf(choices, values, exact);
  const captured = [choices.of(values), ...some(choices, values, 3)];
  const [first, second] = [0, 1].map(() => {
    const types = captured.map(({ type }) => type);
    const parameters = parametersFor(block, types, (i) => exact.has(captured[i] as Value));
    return { parameters, inner: block.grow(parameters, [], 1 + choices.below(6)) };
  }) as [
    { parameters: readonly Value[]; inner: readonly Value[] },
    { parameters: readonly Value[]; inner: readonly Value[] },
  ];
  const results = Array.from({ length: 1 + choices.below(2) }, () => late(choices, first.inner));
  const others = results.map(({ type }) => {
    const fitting = second.inner.filter((value) => isOfType(value, type));
    if (fitting.length > 0) return late(choices, fitting);
    const constant = fill(type, isFloat(numericDType(type.dtype)) ? 0.5 : 1);
    exact.add(constant);
    return constant;
  });
  return opNamed("if")
    .apply([predicate, ...captured], {}, [
      { parameters: first.parameters, results },
      { parameters: second.parameters, results: others },
    ])
    .map((value, i) => ({
      value,
      exact: exact.has(results[i] as Value) && exact.has(others[i] as Value),
    }));
}
