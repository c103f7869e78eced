/**
 * Which values of a graph every back end must have to the last bit: those in which there is no sum of floats, no elementary function
 * and no gradient. A gradient hangs on the way that the graph is written.
 */
import { isFloat } from "../../compiler/ir/dtype.js";
import { type Node, type Region, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";

/** Element-wise ops whose floats have one value on every device; others give no floats, or are a few units off somewhere. */
const roundedOnce: ReadonlySet<string> = new Set([
  ...["neg", "abs", "sign", "floor", "ceil", "round"],
  ...["add", "sub", "mul", "maximum", "minimum", "select", "cast"],
]);

/** Of the float results of an op whose operands are exact. */
function keepsFloats({ op, attributes }: Node): boolean {
  const { kernel } = opNamed(op);
  switch (kernel.kind) {
    case "elementwise":
      return roundedOnce.has(op);
    case "reduce":
      return op === "max" || op === "min";
    case "contract":
    case "composite":
      return op === "select_and_gather" || (op === "reduce_window" && attributes["combiner"] !== "sum");
    case "routine":
      return op === "cummax" || op === "cummin";
    case "source":
    case "generator":
    case "view":
    case "arg_reduce":
    case "concatenate":
    case "pad":
    case "dynamic_view":
    case "dynamic_store":
    case "check":
      return true;
    case "region":
      return false;
    case "pseudo":
      return op === "stop_gradient";
  }
}

/** All exact values at or below `roots`, those of regions too. */
export function exactValues(roots: readonly Value[]): Set<Value> {
  const exact = new Set<Value>();
  addBlock(roots, exact, new Set());
  return exact;
}

/** `inexact` are the parameters of regions that stand for what is not exact. */
function addBlock(roots: readonly Value[], exact: Set<Value>, inexact: ReadonlySet<Value>): void {
  for (const node of topologicalOrder(roots)) {
    const flags = node.regions.length > 0 ? ofRegions(node, exact) : plainly(node, exact, inexact);
    node.outputs.forEach((value, i) => {
      if (flags[i] === true) exact.add(value);
    });
  }
}

function plainly(node: Node, exact: ReadonlySet<Value>, inexact: ReadonlySet<Value>): readonly boolean[] {
  const areExact = node.inputs.every((input) => exact.has(input));
  return node.outputs.map((value) => {
    if (!areExact || inexact.has(value)) return false;
    return !isFloat(numericDType(value.type.dtype)) || keepsFloats(node);
  });
}

function ofRegions(node: Node, exact: Set<Value>): readonly boolean[] {
  const given = node.inputs.map((input) => exact.has(input));
  const results = (region: Region, parameters: readonly boolean[]): readonly boolean[] => {
    // What was found of the region by stronger assumptions no longer holds.
    for (const one of everyValue(region)) exact.delete(one);
    addBlock(region.results, exact, new Set(region.parameters.filter((_, i) => parameters[i] !== true)));
    return region.results.map((value) => exact.has(value));
  };
  const [first, second] = node.regions as readonly [Region, Region | undefined];
  if (node.op === "if" && second !== undefined) {
    const [predicate, ...captures] = given;
    const both = [results(first, captures), results(second, captures)] as const;
    return node.outputs.map((_, i) => predicate === true && both.every((one) => one[i] === true));
  }
  const fixed = Number(node.attributes["captures"]) + Number(node.attributes["sequences"] ?? 0);
  const body = second ?? first;
  let carries = given.slice(fixed);
  for (;;) {
    const parameters = [true, ...given.slice(0, fixed), ...carries];
    const found = results(body, parameters);
    const next = carries.map((isExact, i) => isExact && found[i] === true);
    if (next.some((isExact, i) => isExact !== carries[i])) {
      carries = next;
      continue;
    }
    const goesOn = second === undefined || results(first, parameters)[0] === true;
    return node.outputs.map((_, i) => goesOn && (i < carries.length ? carries[i] === true : found[i] === true));
  }
}

function everyValue({ parameters, results }: Region): readonly Value[] {
  return [...parameters, ...topologicalOrder(results).flatMap(({ outputs }) => outputs)];
}
