import { InternalError } from "../ir/diagnostic.js";
import { staticSize } from "../ir/dim.js";
import { type Attributes, isDimAttribute, isList, type Node, type Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { staticShape } from "../ir/type.js";
import { addAffine, affineKey, constantAffine, rowMajorStrides, scaleAffine, zero } from "./affine.js";
import type { Affine, LoopId } from "./form.js";

/**
 * Which element of a tensor is meant, as affine functions of loops: one for each axis, or, after a reshape that merges or
 * re-cuts axes, the row-major position alone (numpy's "no-copy attempt": a position can be read from dense storage and passed
 * on through element-wise ops, but not through a transpose).
 */
export type Index =
  | { readonly kind: "axes"; readonly axes: readonly Affine[] }
  | { readonly kind: "position"; readonly position: Affine };

/** Loops that no kernel has: they stand for run-time positions while an index is followed through views. */
const firstStandIn = -1024;
let nextStandIn = firstStandIn;

export function freshStandIn(): LoopId {
  return nextStandIn--;
}

export function isStandIn(loop: LoopId): boolean {
  return loop <= firstStandIn;
}

export function axesIndex(axes: readonly Affine[]): Index {
  return { kind: "axes", axes };
}

/** The row-major position in a tensor of `shape`. */
export function positionOf(index: Index, shape: readonly number[]): Affine {
  if (index.kind === "position") return index.position;
  const strides = rowMajorStrides(shape);
  return index.axes.reduce<Affine>((sum, axis, i) => addAffine(sum, scaleAffine(axis, strides[i] ?? 0)), zero);
}

export function indexKey(index: Index): string {
  return index.kind === "position" ? `@${affineKey(index.position)}` : index.axes.map(affineKey).join(",");
}

export function shapeOf(value: Value): readonly number[] {
  return staticShape(value.type);
}

export function countOf(value: Value): number {
  return elementCount(shapeOf(value));
}

/** A list attribute of sizes or axes, as numbers. */
export function numbersAttribute(attributes: Attributes, name: string): readonly number[] {
  const list = attributes[name];
  if (list === undefined || !isList(list)) throw new InternalError(`the attribute ${name} is not a list`);
  return list.map((item) => {
    if (typeof item === "object" && !isList(item) && isDimAttribute(item)) return staticSize(item);
    if (typeof item !== "number") throw new InternalError(`the attribute ${name} holds something that is no number`);
    return item;
  });
}

export function numberAttribute(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new InternalError(`the attribute ${name} is no number`);
  return value;
}

export function inputOf(node: Node, position: number): Value {
  const value = node.inputs[position];
  if (value === undefined) throw new InternalError(`${node.op} lacks operand ${position}`);
  return value;
}

/**
 * The element of the operand that an element of the view is. Undefined where a position can't be taken apart: the plan makes
 * such an operand dense first (see `acceptsPosition`).
 */
export function throughView(node: Node, index: Index): Index | undefined {
  const operand = inputOf(node, 0);
  const shape = shapeOf(operand);
  // One element, or none at all: any place will do.
  if (elementCount(shape) <= 1) return axesIndex(shape.map(() => zero));
  const result = node.outputs[0];
  if (result === undefined) throw new InternalError(`${node.op} has no output`);
  if (node.op === "reshape") return throughReshape(shapeOf(result), shape, index);
  if (index.kind === "position") return undefined;
  const { axes } = index;
  const at = (axis: number): Affine => axes[axis] ?? zero;
  switch (node.op) {
    case "broadcast_in_dim": {
      const target = numbersAttribute(node.attributes, "axes");
      return axesIndex(shape.map((size, axis) => (size === 1 ? zero : at(target[axis] ?? 0))));
    }
    case "transpose": {
      const permutation = numbersAttribute(node.attributes, "permutation");
      const source = new Array<Affine>(shape.length).fill(zero);
      permutation.forEach((from, to) => {
        source[from] = at(to);
      });
      return axesIndex(source);
    }
    case "slice": {
      const start = numbersAttribute(node.attributes, "start");
      const strides = numbersAttribute(node.attributes, "strides");
      return axesIndex(
        shape.map((_, axis) => addAffine(constantAffine(start[axis] ?? 0), scaleAffine(at(axis), strides[axis] ?? 1))),
      );
    }
    case "windows": {
      const windowed = numbersAttribute(node.attributes, "axes");
      const strides = numbersAttribute(node.attributes, "strides");
      const dilation = numbersAttribute(node.attributes, "dilation");
      return axesIndex(
        shape.map((_, axis) => {
          const which = windowed.indexOf(axis);
          if (which < 0) return at(axis);
          const inside = scaleAffine(at(shape.length + which), dilation[which] ?? 1);
          return addAffine(scaleAffine(at(axis), strides[which] ?? 1), inside);
        }),
      );
    }
    case "reverse": {
      const reversed = new Set(numbersAttribute(node.attributes, "axes"));
      return axesIndex(
        shape.map((size, axis) =>
          reversed.has(axis) ? addAffine(constantAffine(size - 1), scaleAffine(at(axis), -1)) : at(axis),
        ),
      );
    }
    default:
      throw new InternalError(`${node.op} is no view`);
  }
}

function throughReshape(result: readonly number[], operand: readonly number[], index: Index): Index {
  if (index.kind === "position") return index;
  const groups = coarsening(result, operand);
  if (groups === undefined) return { kind: "position", position: positionOf(index, result) };
  return axesIndex(
    groups.map((group) =>
      group.reduce<Affine>(
        (sum, { axis, stride }) => addAffine(sum, scaleAffine(index.axes[axis] ?? zero, stride)),
        zero,
      ),
    ),
  );
}

/**
 * For each operand axis, the result axes that it is cut into, with their strides inside it; undefined when an operand axis
 * takes part in two groups or several operand axes merge. Axes of size 1 come and go freely.
 */
export function coarsening(
  result: readonly number[],
  operand: readonly number[],
): readonly (readonly { readonly axis: number; readonly stride: number }[])[] | undefined {
  const groups: { axis: number; stride: number }[][] = operand.map(() => []);
  let axis = result.length - 1;
  for (let target = operand.length - 1; target >= 0; target--) {
    const size = operand[target] ?? 1;
    let covered = 1;
    while (covered < size) {
      while (axis >= 0 && result[axis] === 1) axis--;
      const part = result[axis];
      if (part === undefined || size % (covered * part) !== 0) return undefined;
      groups[target]?.push({ axis, stride: covered });
      covered *= part;
      axis--;
    }
  }
  return groups;
}
