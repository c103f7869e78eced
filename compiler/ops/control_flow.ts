/**
 * The ops with regions. A region is closed: its nodes see its own parameters and constants, and whatever else its text mentions is
 * an operand of the op and a parameter of the region (a capture). So a pass that rewrites a block need not look into the regions
 * of its nodes, and every dependence of a node is one of its inputs.
 */
import { InternalError } from "../ir/diagnostic.js";
import { type Dim, dimEquals, dimText, staticSize } from "../ir/dim.js";
import type { Region, Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeEquals, typeText } from "../ir/type.js";
import { pullBackIf } from "./branch_gradient.js";
import { drawBranch, drawScan, drawWhile } from "./control_flow_samples.js";
import { type CallableOp, defineOp, type ReferenceTensor, type SourceOp } from "./define.js";
import { OpError } from "./op_error.js";
import { anyDType, type Operand, operand, variadicOperand } from "./operands.js";
import { pullBackScan } from "./scan_gradient.js";

type Single = Operand & { readonly variadic: false };
type Many = Operand & { readonly variadic: true };

/** What `newRegionParameters` makes; its type is its own, and its value the region's. */
export const parameter: SourceOp<{ readonly region: "int"; readonly index: "int" }> = defineOp({
  name: "parameter",
  doc: "What a region is given: an operand of its node, an element of a sequence, a carry, or the number of the iteration.",
  inputs: [],
  attributes: { region: "int", index: "int" },
  infer: () => {
    throw new InternalError("a region's parameter is made with its region");
  },
  vjp: () => [],
  kernel: { kind: "source" },
  reference: () => {
    throw new InternalError("a region's parameter is evaluated outside its region");
  },
  samples: "its node belongs to a region, and the samples of the ops with regions have some",
});

export type ScanSchema = {
  readonly captures: "int";
  readonly sequences: "int";
  readonly length: "dims";
  readonly reverse: "bool";
  readonly checkpoint: "bool";
};

export const scan: CallableOp<readonly [Many], ScanSchema> = defineOp({
  name: "scan",
  doc:
    "A loop over axis 0 of its sequences. The region gets the position, the captures, an element of each sequence and the carries, " +
    "and gives the next carries and what is stacked. Results: the last carries, then the stacks.",
  inputs: [variadicOperand("operands", anyDType, null)],
  attributes: { captures: "int", sequences: "int", length: "dims", reverse: "bool", checkpoint: "bool" },
  infer: (types, { captures, sequences, length: [length] }, regions) => {
    const body = onlyRegion("scan", regions);
    if (length === undefined) throw new InternalError("a scan without its length");
    const elements = types
      .slice(captures, captures + sequences)
      .map((type, i) => elementType(type, length, captures + i, captures));
    const carries = types.slice(captures + sequences);
    requireParameters("scan", body, [tensorType("i64"), ...types.slice(0, captures), ...elements, ...carries]);
    requireCarries("scan", body.results.slice(0, carries.length), carries, captures + sequences);
    const stacked = body.results.slice(carries.length);
    return [...carries, ...stacked.map(({ type }) => tensorType(type.dtype, [length, ...type.shape]))];
  },
  vjp: (call) => [pullBackScan(call)],
  kernel: { kind: "region", form: "scan" },
  *reference({ inputs, attributes, outputs, regions: [body] }) {
    if (body === undefined) throw new InternalError("a scan without its body");
    const { captures, sequences, length, reverse } = attributes;
    const steps = staticSize(length[0] as Dim);
    const fixed = inputs.slice(0, captures);
    const stacks = outputs.slice(inputs.length - captures - sequences).map((output) => zeros(output));
    let carries: readonly ReferenceTensor[] = inputs.slice(captures + sequences);
    for (let turn = 0; turn < steps; turn++) {
      const at = reverse ? steps - 1 - turn : turn;
      const elements = inputs.slice(captures, captures + sequences).map((sequence) => elementOf(sequence, at));
      yield;
      const results = yield* body([counter(at), ...fixed, ...elements, ...carries]);
      carries = results.slice(0, carries.length);
      results.slice(carries.length).forEach(({ data }, i) => {
        setElement(stacks[i] as ReferenceTensor, at, data);
      });
    }
    return [...carries, ...stacks].map(({ data }) => data.slice());
  },
  samples: { fixed: [], random: drawScan },
});

export const whileLoop: CallableOp<readonly [Many], { readonly captures: "int" }> = defineOp({
  name: "while",
  doc:
    "A loop that goes on as long as its first region gives true. Both regions get the number of the iteration, the captures and the " +
    "carries; the second gives the next carries. Results: the last carries.",
  stablehlo: "while",
  inputs: [variadicOperand("operands", anyDType, null)],
  attributes: { captures: "int" },
  infer: (types, { captures }, regions) => {
    const [condition, body] = regions;
    if (condition === undefined || body === undefined) throw new InternalError("a while without its two regions");
    const expected = [tensorType("i64"), ...types];
    requireParameters("while", condition, expected);
    requireParameters("while", body, expected);
    requirePredicate("while", condition.results);
    requireCarries("while", body.results, types.slice(captures), captures);
    return types.slice(captures);
  },
  vjp: "how often it goes round is known only in the run; a `scan` over a fixed number of steps has a gradient",
  kernel: { kind: "region", form: "while" },
  *reference({ inputs, attributes: { captures }, regions: [condition, body] }) {
    if (condition === undefined || body === undefined) throw new InternalError("a while without its two regions");
    const fixed = inputs.slice(0, captures);
    let carries: readonly ReferenceTensor[] = inputs.slice(captures);
    for (let turn = 0; ; turn++) {
      const state = [counter(turn), ...fixed, ...carries];
      yield;
      const [goesOn] = yield* condition(state);
      if (Number(goesOn?.data[0]) === 0) return carries.map(({ data }) => data.slice());
      carries = yield* body(state);
    }
  },
  samples: { fixed: [], random: drawWhile },
});

export const branch: CallableOp<readonly [Single, Many], Readonly<Record<never, never>>> = defineOp({
  name: "if",
  doc: "The results of its first region where the predicate is true, else of the second; the other one is not computed.",
  stablehlo: "if",
  inputs: [operand("predicate", ["bool"], null), variadicOperand("captures", anyDType, null)],
  attributes: {},
  infer: ([predicate, ...captures], _, regions) => {
    const [first, second] = regions;
    if (first === undefined || second === undefined) throw new InternalError("an if without its two regions");
    if (predicate !== undefined && predicate.shape.length > 0) {
      throw new OpError("G025", `the predicate of an if is a scalar, not ${typeText(predicate)}`, {
        operand: 0,
        hint: "`select(condition, x, y)` chooses element by element; `all` or `any` makes one bool of several",
      });
    }
    requireParameters("if", first, captures);
    requireParameters("if", second, captures);
    return first.results.map(({ type }, i) => {
      const other = second.results[i]?.type;
      if (other !== undefined && first.results.length === second.results.length && typeEquals(type, other)) return type;
      throw new OpError(
        "G054",
        `the two branches of an if give ${typeText(type)} and ${other === undefined ? "nothing" : typeText(other)}`,
      );
    });
  },
  vjp: (call) => pullBackIf(call, (inputs, regions) => branch.apply(inputs, {}, regions)),
  kernel: { kind: "region", form: "if" },
  *reference({ inputs: [predicate, ...captures], regions: [first, second] }) {
    const chosen = Number(predicate?.data[0]) === 0 ? second : first;
    if (chosen === undefined) throw new InternalError("an if without its two regions");
    const results = yield* chosen(captures);
    return results.map(({ data }) => data.slice());
  },
  samples: { fixed: [], random: drawBranch },
});

function onlyRegion(name: string, regions: readonly Region[]): Region {
  const [body] = regions;
  if (body === undefined || regions.length > 1) throw new InternalError(`a ${name} has one region`);
  return body;
}

function elementType(type: TensorType, length: Dim, operandAt: number, first: number): TensorType {
  const [size, ...rest] = type.shape;
  if (size === undefined) {
    throw new OpError("G025", `scan goes through axis 0 of a sequence, and ${typeText(type)} is a scalar`, {
      operand: operandAt,
    });
  }
  if (!dimEquals(size, length)) {
    throw new OpError(
      "G020",
      `scan goes through sequences of one length, and these have ${dimText(length)} and ${dimText(size)}`,
      { operand: operandAt, against: first },
    );
  }
  return tensorType(type.dtype, rest);
}

function requireParameters(name: string, region: Region, expected: readonly TensorType[]): void {
  const fits =
    region.parameters.length === expected.length &&
    region.parameters.every(({ type }, i) => typeEquals(type, expected[i] as TensorType));
  if (fits) return;
  const found = region.parameters.map(({ type }) => typeText(type)).join(", ");
  throw new InternalError(`the region of a ${name} takes ${found}, not ${expected.map(typeText).join(", ")}`);
}

function requireCarries(
  name: string,
  next: readonly Value[],
  carries: readonly TensorType[],
  firstOperand: number,
): void {
  carries.forEach((type, i) => {
    const found = next[i]?.type;
    if (found !== undefined && typeEquals(found, type)) return;
    throw new OpError(
      "G053",
      `a carry of ${name} is ${typeText(type)} at first and ${found === undefined ? "nothing" : typeText(found)} next`,
      { operand: firstOperand + i },
    );
  });
}

function requirePredicate(name: string, results: readonly Value[]): void {
  const [type] = results.map((result) => result.type);
  if (results.length === 1 && type?.dtype === "bool" && type.shape.length === 0) return;
  throw new OpError(
    "G024",
    `the condition of a ${name} is one bool, not ${type === undefined ? "nothing" : typeText(type)}`,
  );
}

function counter(at: number): ReferenceTensor {
  return { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(at)) };
}

function zeros({ dtype, shape }: Pick<ReferenceTensor, "dtype" | "shape">): ReferenceTensor {
  const count = elementCount(shape);
  return { dtype, shape, data: dtype === "i64" ? new BigInt64Array(count) : new Float64Array(count) };
}

function elementOf({ dtype, shape: [, ...shape], data }: ReferenceTensor, at: number): ReferenceTensor {
  const count = elementCount(shape);
  return { dtype, shape, data: data.slice(at * count, (at + 1) * count) };
}

function setElement({ data }: ReferenceTensor, at: number, element: Float64Array | BigInt64Array): void {
  if (data instanceof BigInt64Array) {
    if (element instanceof BigInt64Array) data.set(element, at * element.length);
  } else if (element instanceof Float64Array) data.set(element, at * element.length);
}
