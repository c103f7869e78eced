/** Loops and branches made smaller: one body in the place of the whole, or a smaller body. */
import { type Node, type Region, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { typeEquals } from "../../compiler/ir/type.js";
import { literal } from "../../compiler/ops/build.js";
import { reapply } from "../../compiler/ops/define.js";
import { regionOf, substitute } from "../../compiler/ops/region_parts.js";
import { reshape, slice } from "../../compiler/ops/views.js";

/** What the node's outputs may be instead: those of a branch, or the carries after one turn (there are no stacks of one turn). */
export function bodiesOf(node: Node): readonly (readonly Value[])[] {
  const { op, inputs, attributes, regions } = node;
  const filled = (region: Region, given: readonly Value[]): readonly Value[] =>
    substitute(region.results, new Map(region.parameters.map((parameter, i) => [parameter, given[i] as Value])));
  if (op === "if") return regions.map((region) => filled(region, inputs.slice(1)));
  const body = regions.at(-1);
  if (body === undefined) return [];
  const captures = Number(attributes["captures"]);
  const count = Number(attributes["sequences"] ?? 0);
  const index = literal("i64", [], [0]);
  const sequences = inputs.slice(captures, captures + count);
  const carries = inputs.slice(captures + count);
  if (carries.length !== node.outputs.length || sequences.some(({ type }) => type.shape[0] === 0)) return [];
  const elements = sequences.map((sequence) => {
    const shape = sequence.type.shape;
    const first = slice(sequence, {
      start: shape.map(() => 0),
      limit: shape.map((size, axis) => (axis === 0 ? 1 : size)),
      strides: shape.map(() => 1),
    });
    return reshape(first, { shape: shape.slice(1) });
  });
  return [filled(body, [index, ...inputs.slice(0, captures), ...elements, ...carries])];
}

/** The node's outputs, with one op inside less: in its place stands an operand or a parameter of its type. */
export function* withSmallerRegion(node: Node): Generator<readonly Value[]> {
  for (const [position, region] of node.regions.entries()) {
    for (const inner of [...topologicalOrder(region.results)].reverse()) {
      if (inner.inputs.length === 0) continue;
      for (const value of inner.outputs) {
        const others = [...inner.inputs, ...region.parameters].filter(({ type }) => typeEquals(type, value.type));
        for (const other of new Set(others)) {
          if (other === value) continue;
          const results = substitute(region.results, new Map([[value, other]]));
          const made = node.regions.map((one, i) => (i === position ? regionOf(region.parameters, results) : one));
          yield reapply(node, node.inputs, made);
        }
      }
    }
  }
}
