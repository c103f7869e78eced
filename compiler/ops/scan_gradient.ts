import { InternalError } from "../ir/diagnostic.js";
import type { Dim } from "../ir/dim.js";
import { isFloat } from "../ir/dtype.js";
import { newRegionParameters, type Region, type Value } from "../ir/node.js";
import { standFor } from "../ir/stand_ins.js";
import { add } from "./arithmetic.js";
import { zerosLike } from "./build.js";
import { type Accumulate, definedOp } from "./define.js";
import { dependents, regionOf, type ScanParts, scanParts } from "./region_parts.js";
import { residualsOf } from "./scan_residuals.js";
import { planSum, type Stacks } from "./scan_sums.js";

interface ScanAttributes {
  readonly captures: number;
  readonly sequences: number;
  readonly length: readonly Dim[];
  readonly reverse: boolean;
  readonly checkpoint: boolean;
}

/**
 * The gradient of a scan is a scan in the other direction: its carries are the cotangents of the carries, its sequences what the
 * forward loop keeps for it (`residualsOf`) and the cotangents of the stacks, its stacks the cotangents of the sequences'
 * elements. The forward loop is repeated here with the residuals as further stacks; `mergeScans` makes one loop of the two.
 * The cotangent of a capture is a sum over all iterations: where it is one of products or of sums, the factors are stacked and
 * one contraction after the loop takes the place of one an iteration; else, and where memory is to be saved, it is a carry.
 */
export function pullBackScan(call: {
  readonly inputs: readonly [readonly Value[]];
  readonly attributes: ScanAttributes;
  readonly outputs: readonly Value[];
  readonly cotangents: readonly Value[];
  readonly regions: readonly Region[];
  readonly accumulate: Accumulate;
}): readonly (Value | undefined)[] {
  const [inputs] = call.inputs;
  const [body] = call.regions;
  if (body === undefined) throw new InternalError("a scan without its body");
  const { captures, sequences, length, reverse, checkpoint } = call.attributes;
  const parts = scanParts(call.attributes, body);
  const scan = definedOp("scan");
  const count = parts.carries.length;

  // The cotangents of one iteration's float results, as parameters that the backward region will have.
  const floatCarries = floatPositions(parts.next);
  const floatStacks = floatPositions(parts.stacked);
  const carryCotangents = newRegionParameters(floatCarries.map((i) => (parts.next[i] as Value).type));
  const stackCotangents = newRegionParameters(floatStacks.map((i) => (parts.stacked[i] as Value).type));
  carryCotangents.forEach((cotangent, k) => {
    standFor(cotangent, parts.carries[floatCarries[k] as number] as Value, "gradient");
  });
  stackCotangents.forEach((cotangent, k) => {
    standFor(cotangent, call.outputs[count + (floatStacks[k] as number)] as Value, "gradient");
  });
  const seeds = [
    ...floatCarries.map((i, k) => [parts.next[i], carryCotangents[k]] as const),
    ...floatStacks.map((i, k) => [parts.stacked[i], stackCotangents[k]] as const),
  ] as readonly (readonly [Value, Value])[];
  const wanted = [...parts.captures, ...parts.elements, ...parts.carries].filter(({ type }) => isFloat(type.dtype));
  const found = call.accumulate(seeds, wanted);

  const residuals = residualsOf([...found.values()], [...carryCotangents, ...stackCotangents], parts, checkpoint);
  const kept = [...parts.stacked, ...residuals.filter((value) => !parts.stacked.includes(value))];
  const forward = scan.apply(inputs, { ...call.attributes }, [
    { parameters: body.parameters, results: [...parts.next, ...kept] },
  ]);
  const residualStacks = residuals.map((value) => forward[count + kept.indexOf(value)] as Value);

  const known: Stacks = new Map([
    ...parts.elements.map((element, i) => [element, inputs[captures + i] as Value] as const),
    ...residuals.map((value, i) => [value, residualStacks[i] as Value] as const),
    ...stackCotangents.map(
      (value, k) => [value, call.cotangents[count + (floatStacks[k] as number)] as Value] as const,
    ),
  ]);
  const backward = new BackwardScan([...found.values()], parts, residuals, known, [
    ...carryCotangents,
    ...stackCotangents,
  ]);
  const sums = parts.captures.map((capture) => {
    const cotangent = found.get(capture);
    if (cotangent === undefined) return undefined;
    return checkpoint ? ({ kind: "carry", term: cotangent } as const) : backward.sum(cotangent);
  });
  const perElement = parts.elements.map((element) => {
    const cotangent = found.get(element);
    return cotangent === undefined ? undefined : backward.stack(cotangent);
  });

  const accumulated = sums.flatMap((sum) => (sum?.kind === "carry" ? [sum.term] : []));
  const accumulators = newRegionParameters(accumulated.map(({ type }) => type));
  const carried = parts.captures.filter((_, i) => sums[i]?.kind === "carry");
  accumulators.forEach((accumulator, k) => {
    standFor(accumulator, carried[k] as Value, "gradient");
  });
  const parameters = [
    parts.index,
    ...parts.captures,
    ...parts.elements,
    ...residuals,
    ...stackCotangents,
    ...carryCotangents,
    ...accumulators,
  ];
  const results = [
    ...floatCarries.map((i) => found.get(parts.carries[i] as Value) ?? zerosLike(parts.carries[i] as Value)),
    ...accumulated.map((term, k) => add(accumulators[k] as Value, term)),
    ...backward.stacked,
  ];
  const operands = [
    ...inputs.slice(0, captures + sequences),
    ...residualStacks,
    ...floatStacks.map((i) => call.cotangents[count + i] as Value),
    ...floatCarries.map((i) => call.cotangents[i] as Value),
    ...accumulated.map((term) => zerosLike(term)),
  ];
  const attributes = {
    captures,
    sequences: sequences + residuals.length + floatStacks.length,
    length,
    reverse: !reverse,
    checkpoint,
  };
  const outputs = scan.apply(operands, attributes, [regionOf(parameters, results)]);
  const firstStack = floatCarries.length + accumulated.length;
  const stackOf = (value: Value): Value => {
    const at = backward.stacked.indexOf(value);
    const stack = known.get(value) ?? outputs[firstStack + at];
    if (stack === undefined) throw new InternalError("a factor was not stacked");
    return stack;
  };
  let nextAccumulator = floatCarries.length;
  const ofCaptures = sums.map((sum) => {
    if (sum === undefined) return undefined;
    return sum.kind === "carry" ? outputs[nextAccumulator++] : sum.build(stackOf);
  });
  const ofElements = perElement.map((value) => (value === undefined ? undefined : stackOf(value)));
  const ofCarries = parts.carries.map((_, i) => {
    const at = floatCarries.indexOf(i);
    return at < 0 ? undefined : outputs[at];
  });
  return [...ofCaptures, ...ofElements, ...ofCarries];
}

type CaptureSum =
  | { readonly kind: "carry"; readonly term: Value }
  | { readonly kind: "outside"; readonly build: (stackOf: (value: Value) => Value) => Value };

/** Collects what the backward loop has to stack. */
class BackwardScan {
  readonly stacked: Value[] = [];
  readonly #known: Stacks;
  readonly #isVarying: (value: Value) => boolean;

  constructor(
    gradients: readonly Value[],
    parts: ScanParts,
    residuals: readonly Value[],
    known: Stacks,
    cotangents: readonly Value[],
  ) {
    this.#known = known;
    const moving = dependents(gradients, [
      parts.index,
      ...parts.elements,
      ...parts.carries,
      ...residuals,
      ...cotangents,
    ]);
    this.#isVarying = (value) => moving.has(value.node);
  }

  stack(value: Value): Value {
    if (!this.#known.has(value) && !this.stacked.includes(value)) this.stacked.push(value);
    return value;
  }

  sum(cotangent: Value): CaptureSum {
    const plan = planSum(cotangent, this.#isVarying);
    if (plan === undefined) return { kind: "carry", term: cotangent };
    for (const factor of plan.factors) this.stack(factor);
    return { kind: "outside", build: plan.build };
  }
}

function floatPositions(values: readonly Value[]): readonly number[] {
  return values.flatMap(({ type }, i) => (isFloat(type.dtype) ? [i] : []));
}
