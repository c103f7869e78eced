import { InternalError } from "../ir/diagnostic.js";
import { isFloat, isInteger, type NumericDType } from "../ir/dtype.js";
import type { Node } from "../ir/node.js";
import { type ScatterCombiner, scatterCombiner } from "../ops/indexing_rules.js";
import { affineEquals, loopAffine, zero } from "./affine.js";
import { dtypeOf } from "./expressions.js";
import type { Access, Affine, LoopId, ScalarExpr, Statement, UpdateCombiner } from "./form.js";
import { serial } from "./lanes.js";
import { type Emission, kernelExpressions } from "./nests.js";
import { freshLoop, type Root } from "./roots.js";
import { axesIndex, countOf, inputOf, shapeOf } from "./views.js";

/**
 * scatter and dynamic_update_slice: a copy of the operand, then the updates in row-major order, one after another along the index
 * tensors, with lanes inside a slice at most. A variable that gets the result and is the operand is updated where it lies.
 */
export function emitUpdate(root: Root, emission: Emission): readonly Statement[] {
  const { node } = root.value;
  const [operand, updates] = [inputOf(node, 0), inputOf(node, 1)];
  if (countOf(root.value) === 0) return [];
  const expressions = kernelExpressions(emission, () => undefined);
  const targets = emission.places.targets(root);

  const copy = loopsOver(shapeOf(operand));
  const element = expressions.element(operand, axesIndex(copy.index));
  const copies = targets
    .map((place): Access => emission.places.access(root, place, axesIndex(copy.index)))
    .filter((target) => !isLoadOf(element, target))
    .map((target): Statement => ({ kind: "store", target, value: element }));

  const walk = loopsOver(shapeOf(updates));
  const value = expressions.element(updates, axesIndex(walk.index));
  const { axes } = expressions.positions(node, 2, walk.index);
  const combiner = combinerOf(node, dtypeOf(root.value));
  const stores = targets.map(
    (place): Statement => ({
      kind: "store",
      target: expressions.access(emission.places.access(root, place, axesIndex(axes))),
      value,
      ...(combiner === undefined ? {} : { combiner }),
    }),
  );
  return [...(copies.length === 0 ? [] : copy.around(copies)), ...(countOf(updates) === 0 ? [] : walk.around(stores))];
}

function combinerOf(node: Node, dtype: NumericDType): UpdateCombiner | undefined {
  const name = node.attributes["combiner"];
  if (name === undefined) return undefined;
  if (typeof name !== "string") throw new InternalError(`${node.op} without its combiner`);
  const combiner: ScatterCombiner = scatterCombiner(name);
  if (combiner === "set") return undefined;
  if (isFloat(dtype) || isInteger(dtype)) return combiner;
  return combiner === "add" || combiner === "max" ? "or" : "and";
}

function isLoadOf(element: ScalarExpr, target: Access): boolean {
  return (
    element.kind === "load" &&
    element.access.dynamic === undefined &&
    element.access.buffer === target.buffer &&
    affineEquals(element.access.index, target.index)
  );
}

/** A loop for each axis of more than one element, and statements inside all of them. */
function loopsOver(shape: readonly number[]): {
  readonly index: readonly Affine[];
  readonly around: (body: readonly Statement[]) => readonly Statement[];
} {
  const loops = shape.map((extent): { readonly id: LoopId; readonly extent: number } | undefined =>
    extent === 1 ? undefined : { id: freshLoop(), extent },
  );
  return {
    index: loops.map((loop) => (loop === undefined ? zero : loopAffine(loop.id))),
    around: (inner) => {
      let body = inner;
      for (const loop of [...loops].reverse()) {
        if (loop !== undefined) body = [{ kind: "loop", ...loop, accumulators: [], schedule: serial, body }];
      }
      return body;
    },
  };
}
