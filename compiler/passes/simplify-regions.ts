import type { Dim } from "../ir/dim.js";
import { isDimAttribute, isList, type Region, topologicalOrder, type Value } from "../ir/node.js";
import { broadcastScalar } from "../ops/build.js";
import { type Rebuilt, regionOf, type ScanParts, scanParts, substitute, whileParts } from "../ops/region_parts.js";
import { opNamed } from "../ops/table.js";
import { countsOf, type RegionNode, type Simplified } from "./blocks.js";
import { liftedProducts } from "./lift-sequences.js";
import { invariantsOf } from "./loop-invariants.js";
import { scalarOf } from "./values.js";

type Fired = ((name: string) => void) | undefined;

/** The operands of a region that it reads by a name, each once; others and constants become part of its body. */
class Captures {
  readonly inputs: Value[] = [];
  readonly parameters: Value[] = [];
  readonly inlined = new Map<Value, Value>();
  changed = false;

  constructor(outer: readonly Value[], parameters: readonly Value[], isRead: (parameter: Value) => boolean) {
    const known = new Map<Value, Value>();
    parameters.forEach((parameter, i) => {
      const value = outer[i] as Value;
      if (!isRead(parameter)) {
        this.changed = true;
        return;
      }
      const constant = constantInside(value);
      const twin = known.get(value);
      if (constant !== undefined || twin !== undefined) {
        this.inlined.set(parameter, constant ?? (twin as Value));
        this.changed = true;
        return;
      }
      known.set(value, parameter);
      this.add(value, parameter);
    });
  }

  add(value: Value, parameter: Value): void {
    this.inputs.push(value);
    this.parameters.push(parameter);
  }
}

/** A constant, or one number in every element: known inside as well as outside. */
function constantInside(value: Value): Value | undefined {
  if (value.node.op === "constant") return value;
  const scalar = scalarOf(value);
  return scalar === undefined ? undefined : broadcastScalar(scalar, value.type.shape);
}

function reachedBy(results: readonly Value[]): (parameter: Value) => boolean {
  const nodes = new Set(topologicalOrder(results));
  return (parameter) => nodes.has(parameter.node);
}

/** Undefined where there is nothing to do. */
export function simplifyScan(node: RegionNode, fired: Fired, rebuilt: Rebuilt): Simplified | undefined {
  const [body] = node.regions;
  if (body === undefined) return undefined;
  const counts = countsOf(node);
  const parts = scanParts(counts, body);
  const carryCount = parts.carries.length;
  const { captures: captureCount, sequences: sequenceCount } = counts;
  const initials = node.inputs.slice(captureCount + sequenceCount);

  const fixed = parts.carries.map((carry, i) => parts.next[i] === carry);
  const stackUsed = parts.stacked.map((_, i) => node.used[carryCount + i] === true);
  const live = liveCarries(parts, node.used, stackUsed);
  const keptCarries = parts.carries.flatMap((_, i) => (live[i] && !fixed[i] ? [i] : []));
  const keptStacks = stackUsed.flatMap((isUsed, i) => (isUsed ? [i] : []));
  let results = [
    ...keptCarries.map((i) => parts.next[i] as Value),
    ...keptStacks.map((i) => parts.stacked[i] as Value),
  ];

  // A carry that never changes is a capture.
  const unchanging = parts.carries.flatMap((carry, i) =>
    fixed[i] && live[i] ? [{ carry, value: initials[i] as Value }] : [],
  );
  const isRead = reachedBy(results);
  const captures = new Captures(
    [...node.inputs.slice(0, captureCount), ...unchanging.map(({ value }) => value)],
    [...parts.captures, ...unchanging.map(({ carry }) => carry)],
    isRead,
  );
  const sequences: Value[] = [];
  const elements: Value[] = [];
  parts.elements.forEach((element, i) => {
    const sequence = node.inputs[captureCount + i] as Value;
    const scalar = scalarOf(sequence);
    if (!isRead(element)) return;
    if (scalar !== undefined) captures.inlined.set(element, broadcastScalar(scalar, element.type.shape));
    else {
      sequences.push(sequence);
      elements.push(element);
    }
  });
  results = [...substitute(results, captures.inlined, rebuilt)];

  const moving = [parts.index, ...elements, ...keptCarries.map((i) => parts.carries[i] as Value)];
  const outside = new Map(captures.parameters.map((parameter, i) => [parameter, captures.inputs[i] as Value]));
  const invariants = invariantsOf(results, moving, outside, rebuilt);
  for (const { inside, value, parameter } of invariants) {
    captures.add(value, parameter);
    results = [...substitute(results, new Map([[inside, parameter]]), rebuilt)];
  }
  const length = lengthOf(node);
  // A loop that is to save memory computes its products in each iteration: their stack would be as large as what it does not keep.
  const products =
    length === undefined || node.attributes["checkpoint"] === true
      ? []
      : liftedProducts(results, { length, elements, sequences, captures, index: parts.index });
  for (const { inside, stack, parameter } of products) {
    rebuilt([stack], inside.node);
    sequences.push(stack);
    elements.push(parameter);
    results = [...substitute(results, new Map([[inside, parameter]]), rebuilt)];
  }

  const same =
    !captures.changed &&
    invariants.length === 0 &&
    products.length === 0 &&
    unchanging.length === 0 &&
    sequences.length === sequenceCount &&
    keptCarries.length === carryCount &&
    keptStacks.length === parts.stacked.length;
  if (same) return undefined;
  if (products.length > 0) fired?.("lift-products");
  if (invariants.length > 0) fired?.("hoist-invariants");
  fired?.("simplify-scan");
  // What was moved out may have been all that read a capture or a sequence.
  const stillRead = reachedBy(results);
  const kept = captures.parameters.flatMap((parameter, i) =>
    stillRead(parameter) ? [{ parameter, value: captures.inputs[i] as Value }] : [],
  );
  const keptSequences = elements.flatMap((parameter, i) =>
    stillRead(parameter) ? [{ parameter, value: sequences[i] as Value }] : [],
  );
  const outputs = opNamed("scan").apply(
    [
      ...kept.map(({ value }) => value),
      ...keptSequences.map(({ value }) => value),
      ...keptCarries.map((i) => initials[i] as Value),
    ],
    { ...node.attributes, captures: kept.length, sequences: keptSequences.length },
    [
      regionOf(
        [
          parts.index,
          ...kept.map(({ parameter }) => parameter),
          ...keptSequences.map(({ parameter }) => parameter),
          ...keptCarries.map((i) => parts.carries[i] as Value),
        ],
        results,
        rebuilt,
      ),
    ],
  );
  return [
    ...parts.carries.map((_, i) => (fixed[i] ? initials[i] : outputs[keptCarries.indexOf(i)])),
    ...parts.stacked.map((_, i) => (stackUsed[i] ? outputs[keptCarries.length + keptStacks.indexOf(i)] : undefined)),
  ];
}

/** Carries that are read after the loop, or by what is. */
function liveCarries(parts: ScanParts, used: readonly boolean[], stackUsed: readonly boolean[]): readonly boolean[] {
  const live = parts.carries.map((_, i) => used[i] === true);
  const roots = parts.stacked.filter((_, i) => stackUsed[i]);
  return growLive(live, parts.carries, parts.next, roots);
}

function growLive(
  live: boolean[],
  carries: readonly Value[],
  next: readonly Value[],
  roots: readonly Value[],
): readonly boolean[] {
  for (;;) {
    const isRead = reachedBy([...roots, ...next.filter((_, i) => live[i])]);
    const grown = carries.map((carry, i) => live[i] === true || isRead(carry));
    if (grown.every((isLive, i) => isLive === live[i])) return live;
    live.splice(0, live.length, ...grown);
  }
}

function lengthOf({ attributes }: RegionNode): Dim | undefined {
  const length = attributes["length"];
  const first = length !== undefined && isList(length) ? length[0] : undefined;
  return first !== undefined && !isList(first) && isDimAttribute(first) ? first : undefined;
}

export function simplifyWhile(node: RegionNode, fired: Fired, rebuilt: Rebuilt): Simplified | undefined {
  const [condition, body] = node.regions;
  if (condition === undefined || body === undefined) return undefined;
  const captureCount = Number(node.attributes["captures"]);
  // Both regions may have parameters of their own: the body's are those that count.
  const inCondition = substitute(
    condition.results,
    new Map(condition.parameters.map((parameter, i) => [parameter, body.parameters[i] as Value])),
    rebuilt,
  );
  const { index, captures: parameters, carries } = whileParts(captureCount, body);
  const initials = node.inputs.slice(captureCount);
  const live = growLive(
    carries.map((_, i) => node.used[i] === true),
    carries,
    body.results,
    inCondition,
  );
  const kept = carries.flatMap((_, i) => (live[i] ? [i] : []));
  let results: readonly Value[] = [...inCondition, ...kept.map((i) => body.results[i] as Value)];
  const captures = new Captures(node.inputs.slice(0, captureCount), parameters, reachedBy(results));
  results = substitute(results, captures.inlined, rebuilt);
  const moving = [index, ...kept.map((i) => carries[i] as Value)];
  const outside = new Map(captures.parameters.map((parameter, i) => [parameter, captures.inputs[i] as Value]));
  const invariants = invariantsOf(results, moving, outside, rebuilt);
  for (const { inside, value, parameter } of invariants) {
    captures.add(value, parameter);
    results = substitute(results, new Map([[inside, parameter]]), rebuilt);
  }
  if (!captures.changed && invariants.length === 0 && kept.length === carries.length) return undefined;
  fired?.("simplify-while");
  const all = [index, ...captures.parameters, ...kept.map((i) => carries[i] as Value)];
  const region = regionOf(all, results, rebuilt);
  const split: readonly Region[] = [
    { parameters: region.parameters, results: region.results.slice(0, 1) },
    { parameters: region.parameters, results: region.results.slice(1) },
  ];
  const outputs = opNamed("while").apply(
    [...captures.inputs, ...kept.map((i) => initials[i] as Value)],
    { captures: captures.inputs.length },
    split,
  );
  return carries.map((_, i) => (live[i] ? outputs[kept.indexOf(i)] : undefined));
}

export function simplifyBranch(node: RegionNode, fired: Fired, rebuilt: Rebuilt): Simplified | undefined {
  const [first, second] = node.regions;
  const [predicate, ...operands] = node.inputs;
  if (first === undefined || second === undefined || predicate === undefined) return undefined;
  const known = scalarOf(predicate)?.node.attributes["value"];
  if (known !== undefined && typeof known === "object" && "data" in known) {
    const chosen = Number(known.data[0]) === 0 ? second : first;
    fired?.("known-branch");
    return substitute(chosen.results, new Map(chosen.parameters.map((p, i) => [p, operands[i] as Value])), rebuilt);
  }
  const parameters = first.parameters;
  const other = substitute(
    second.results,
    new Map(second.parameters.map((p, i) => [p, parameters[i] as Value])),
    rebuilt,
  );
  const kept = node.used.flatMap((isUsed, i) => (isUsed ? [i] : []));
  let results: readonly Value[] = [
    ...kept.map((i) => first.results[i] as Value),
    ...kept.map((i) => other[i] as Value),
  ];
  const captures = new Captures(operands, parameters, reachedBy(results));
  if (!captures.changed && kept.length === node.used.length) return undefined;
  fired?.("simplify-if");
  results = substitute(results, captures.inlined, rebuilt);
  const region = regionOf(captures.parameters, results, rebuilt);
  const outputs = opNamed("if").apply([predicate, ...captures.inputs], {}, [
    { parameters: region.parameters, results: region.results.slice(0, kept.length) },
    { parameters: region.parameters, results: region.results.slice(kept.length) },
  ]);
  return node.used.map((isUsed, i) => (isUsed ? outputs[kept.indexOf(i)] : undefined));
}
