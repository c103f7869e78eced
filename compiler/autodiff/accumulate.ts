import { buildOn } from "../ir/device.js";
import { InternalError } from "../ir/diagnostic.js";
import { isFloat } from "../ir/dtype.js";
import { type Node, topologicalOrder, type Value } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { typeEquals, typeText } from "../ir/type.js";
import { add } from "../ops/arithmetic.js";
import { onesLike, zerosLike } from "../ops/build.js";
import { passesGradient } from "../ops/reach.js";
import { opNamed } from "../ops/table.js";

/** Where what is built is said to come from. */
interface Account {
  readonly sources: SourceTable;
  /** The `gradients` that is expanded. */
  readonly request: Node;
  /** Has the places of what no op of the text accounts for. */
  readonly around: Node;
}

/**
 * Reverse accumulation: the gradients of the sum of `y` in each of `xs` that is reached; no entry for the others. `request`
 * has the places of what no op of the text accounts for.
 */
export function accumulate(
  y: Value,
  xs: readonly Value[],
  sources: SourceTable,
  request: Node,
): ReadonlyMap<Value, Value> {
  const seed = buildOn(y.node.device, () => onesLike(y));
  sources.inheritGradient(seed, request, request);
  return accumulateFrom([[y, seed]], xs, { sources, request, around: request });
}

/**
 * The same from any cotangents of any edges. Edges that no x is below get none, and where nothing has arrived nothing is added, so
 * that no zeros are built but for the unused outputs of an op with several.
 */
function accumulateFrom(
  seeds: readonly (readonly [edge: Value, cotangent: Value])[],
  xs: readonly Value[],
  account: Account,
): ReadonlyMap<Value, Value> {
  const order = topologicalOrder(seeds.map(([edge]) => edge));
  const active = activeEdges(order, xs);
  const cotangents = new Map<Value, Value>();
  for (const [edge, cotangent] of seeds) {
    if (!active.has(edge)) continue;
    const before = cotangents.get(edge);
    cotangents.set(edge, before === undefined ? cotangent : buildOn(edge.node.device, () => add(before, cotangent)));
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const reached = node.outputs.some((output) => cotangents.has(output));
    if (!reached || !node.inputs.some((input, position) => active.has(input) && passesGradient(node, position)))
      continue;
    pullBack(node, active, cotangents, account);
  }
  return cotangents;
}

/** The edges at or below y that one of xs is below, by ways that gradients pass. */
function activeEdges(order: readonly Node[], xs: readonly Value[]): ReadonlySet<Value> {
  const active = new Set(xs);
  for (const node of order) {
    if (!node.inputs.some((input, position) => active.has(input) && passesGradient(node, position))) continue;
    for (const output of node.outputs) if (isFloat(output.type.dtype)) active.add(output);
  }
  return active;
}

function pullBack(node: Node, active: ReadonlySet<Value>, cotangents: Map<Value, Value>, account: Account): void {
  const { sources, request, around } = account;
  const from = sources.spansOf(node).length > 0 ? node : around;
  // The gradient of an op lies where the op lies.
  const results = buildOn(node.device, () =>
    opNamed(node.op).pullBack({
      inputs: node.inputs,
      attributes: node.attributes,
      outputs: node.outputs,
      cotangents: node.outputs.map((output) => cotangents.get(output) ?? zerosLike(output)),
      regions: node.regions,
      accumulate: (seeds, xs) => accumulateFrom(seeds, xs, { ...account, around: from }),
    }),
  );
  node.inputs.forEach((input, position) => {
    const result = results[position];
    if (result === undefined || !active.has(input) || !passesGradient(node, position)) return;
    if (!typeEquals(result.type, input.type)) {
      const types = `${typeText(result.type)} for an operand of type ${typeText(input.type)}`;
      throw new InternalError(`the gradient of ${node.op} gives ${types} (operand ${position})`);
    }
    const before = cotangents.get(input);
    // What several ops send to one edge is added where that is made; an edge that is only there lies with its readers.
    const { device } = input.node.inputs.length > 0 ? input.node : node;
    const total = before === undefined ? result : buildOn(device, () => add(before, result));
    sources.inheritGradient(total, from, request);
    cotangents.set(input, total);
  });
}
