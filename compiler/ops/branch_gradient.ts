import { isFloat } from "../ir/dtype.js";
import { newRegionParameters, type Region, type Value } from "../ir/node.js";
import { standFor } from "../ir/stand_ins.js";
import { zerosLike } from "./build.js";
import type { Accumulate } from "./define.js";
import { regionOf } from "./region_parts.js";

/**
 * The gradient of an `if` is an `if` on the same predicate. Each branch computes what it needs of the forward branch again: what
 * one branch would keep has no counterpart in the other.
 */
export function pullBackIf(
  call: {
    readonly inputs: readonly [Value, readonly Value[]];
    readonly cotangents: readonly Value[];
    readonly regions: readonly Region[];
    readonly accumulate: Accumulate;
  },
  apply: (inputs: readonly Value[], regions: readonly Region[]) => readonly Value[],
): [undefined, readonly (Value | undefined)[]] {
  const [predicate, captures] = call.inputs;
  const given = call.cotangents.filter(({ type }) => isFloat(type.dtype));
  const regions = call.regions.map((region) => {
    const cotangents = newRegionParameters(given.map(({ type }) => type));
    const results = region.results.filter(({ type }) => isFloat(type.dtype));
    cotangents.forEach((cotangent, i) => {
      standFor(cotangent, results[i] as Value, "gradient");
    });
    const wanted = region.parameters.filter(({ type }) => isFloat(type.dtype));
    const found = call.accumulate(
      results.map((result, i) => [result, cotangents[i] as Value]),
      wanted,
    );
    return regionOf(
      [...region.parameters, ...cotangents],
      wanted.map((x) => found.get(x) ?? zerosLike(x)),
    );
  });
  const floats = captures.filter(({ type }) => isFloat(type.dtype));
  const gradients = floats.length === 0 ? [] : apply([predicate, ...captures, ...given], regions);
  let next = 0;
  return [undefined, captures.map(({ type }) => (isFloat(type.dtype) ? gradients[next++] : undefined))];
}
