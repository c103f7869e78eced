import { InternalError } from "../ir/diagnostic.js";
import type { Node, Region, Value } from "../ir/node.js";
import type { Span } from "../ir/span.js";
import { countAttribute, scanParts, whileParts } from "../ops/region_parts.js";
import { addAffine, constantAffine, loopAffine, scaleAffine, zero } from "./affine.js";
import type { Block } from "./block.js";
import type { Affine, BufferId, Kernel, ScalarExpr } from "./form.js";
import type { Bound } from "./nests.js";
import { freshLoop, indexExpression } from "./roots.js";
import type { BufferTable, Storehouse } from "./storage.js";
import { countOf, numbersAttribute } from "./views.js";

/** What the lowering of a region asks of the block that it stands in. */
export interface RegionSurroundings {
  readonly name: string;
  readonly spans: readonly Span[];
  /** Where the node's results go. */
  readonly results: readonly Storehouse[];
  readonly at: (operand: Value) => Storehouse;
  readonly copy: (from: Storehouse, to: Storehouse, value: Value) => Kernel;
  /** The kernels of a region's body, in order. */
  readonly nested: (block: Block) => readonly Kernel[];
  readonly buffers: BufferTable;
  /** Kernels that `at` adds, which run first. */
  readonly before: Kernel[];
}

/**
 * Kernels of a scan, while or if. The body of a region is lowered as a program is: its parameters are storage outside of it (of a
 * sequence the element that the loop stands at), its carries are what an update's variables are, overwritten in place where
 * that is safe, and what it stacks goes to its place in the stack. So a loop costs no copies but those of the first carries.
 */
export function emitRegion(node: Node, around: RegionSurroundings): readonly Kernel[] {
  switch (node.op) {
    case "scan":
      return emitScan(node, around);
    case "while":
      return emitWhile(node, around);
    case "if":
      return emitBranch(node, around);
    default:
      throw new InternalError(`${node.op} has no regions`);
  }
}

function emitScan(node: Node, around: RegionSurroundings): readonly Kernel[] {
  const body = regionOf(node, 0);
  const captures = countAttribute(node.attributes, "captures");
  const sequences = countAttribute(node.attributes, "sequences");
  const parts = scanParts({ captures, sequences }, body);
  const length = lengthOf(node);
  const loop = { id: freshLoop(), extent: length };
  const at =
    node.attributes["reverse"] === true
      ? addAffine(constantAffine(length - 1), loopAffine(loop.id, -1))
      : loopAffine(loop.id);
  const bound = new Map<Value, Bound>([[parts.index, counted(at)]]);
  bindCaptures(bound, parts.captures, node.inputs, around);
  parts.elements.forEach((element, i) => {
    const sequence = around.at(inputAt(node, captures + i));
    bound.set(element, {
      kind: "stored",
      at: { ...sequence, offset: addAffine(sequence.offset, elementOffset(at, element)) },
    });
  });
  const carries = bindCarries(bound, parts.carries, around);
  const firsts = parts.carries.map((carry, i) =>
    around.copy(around.at(inputAt(node, captures + sequences + i)), carries.at(i), carry),
  );
  const stackAt = (i: number): Storehouse => {
    const whole = resultAt(around, parts.carries.length + i);
    return { ...whole, offset: addAffine(whole.offset, elementOffset(at, parts.stacked[i] as Value)) };
  };
  const kernels = around.nested({
    outputs: [],
    assignments: [
      ...parts.next.map((value, i) => ({ path: carryPath(i), value })),
      ...parts.stacked.map((value, i) => ({ path: stackPath(i), value })),
    ],
    bound,
    isVariables: false,
    isWriteOnly: (path) => path.startsWith(stackPath("")),
    pathOf: carries.pathOf,
    target: (path) => carries.target(path) ?? stackAt(stackNumber(path)),
    wantedAs: (path) =>
      carries.target(path) === undefined
        ? { kind: "stacked", result: outputAt(node, parts.carries.length + stackNumber(path)) }
        : { kind: "next", carry: parts.carries[carryNumber(path)] as Value },
  });
  const { name, spans } = around;
  return [...around.before, ...firsts, { kind: "loop", name, loop, body: kernels, spans }];
}

function emitWhile(node: Node, around: RegionSurroundings): readonly Kernel[] {
  const captures = countAttribute(node.attributes, "captures");
  const [condition, body] = [regionOf(node, 0), regionOf(node, 1)];
  const loop = freshLoop();
  const lower = (region: Region, results: readonly Value[], predicateAt: BufferId | undefined): readonly Kernel[] => {
    const parts = whileParts(captures, region);
    const bound = new Map<Value, Bound>([[parts.index, counted(loopAffine(loop))]]);
    bindCaptures(bound, parts.captures, node.inputs, around);
    const carries = bindCarries(bound, parts.carries, around);
    return around.nested({
      outputs: [],
      assignments: results.map((value, i) => ({ path: predicateAt === undefined ? carryPath(i) : "predicate", value })),
      bound,
      isVariables: false,
      isWriteOnly: () => false,
      pathOf: carries.pathOf,
      target: (path) => carries.target(path) ?? { buffer: predicateAt as BufferId, offset: zero },
      wantedAs: (path) =>
        predicateAt === undefined
          ? { kind: "next", carry: parts.carries[carryNumber(path)] as Value }
          : { kind: "condition" },
    });
  };
  const predicate = around.buffers.add("bool", 1, { kind: "temporary" }, "condition");
  const conditionKernels = lower(condition, condition.results, predicate);
  const bodyKernels = lower(body, body.results, undefined);
  const firsts = node.outputs.map((output, i) =>
    around.copy(around.at(inputAt(node, captures + i)), resultAt(around, i), output),
  );
  const { name, spans } = around;
  return [
    ...around.before,
    ...firsts,
    {
      kind: "while",
      name,
      loop,
      condition: conditionKernels,
      predicate: { buffer: predicate, index: zero },
      body: bodyKernels,
      spans,
    },
  ];
}

function emitBranch(node: Node, around: RegionSurroundings): readonly Kernel[] {
  const predicate = around.at(inputAt(node, 0));
  const lower = (region: Region): readonly Kernel[] => {
    const bound = new Map<Value, Bound>();
    bindCaptures(bound, region.parameters, node.inputs.slice(1), around);
    return around.nested({
      outputs: [],
      assignments: region.results.map((value, i) => ({ path: carryPath(i), value })),
      bound,
      isVariables: false,
      isWriteOnly: () => true,
      pathOf: () => undefined,
      target: (path) => resultAt(around, carryNumber(path)),
      wantedAs: () => ({ kind: "branch_result" }),
    });
  };
  const then = lower(regionOf(node, 0));
  const otherwise = lower(regionOf(node, 1));
  const { name, spans } = around;
  return [
    ...around.before,
    {
      kind: "branch",
      name,
      predicate: { buffer: predicate.buffer, index: predicate.offset },
      whenTrue: then,
      whenFalse: otherwise,
      spans,
    },
  ];
}

function bindCaptures(
  bound: Map<Value, Bound>,
  captures: readonly Value[],
  operands: readonly Value[],
  around: RegionSurroundings,
): void {
  captures.forEach((capture, i) => {
    bound.set(capture, { kind: "stored", at: around.at(operands[i] as Value) });
  });
}

/** Carries live where the node's results go. */
function bindCarries(
  bound: Map<Value, Bound>,
  carries: readonly Value[],
  around: RegionSurroundings,
): {
  readonly at: (i: number) => Storehouse;
  readonly pathOf: (value: Value) => string | undefined;
  readonly target: (path: string) => Storehouse | undefined;
} {
  const at = (i: number): Storehouse => resultAt(around, i);
  const paths = new Map<Value, string>();
  carries.forEach((carry, i) => {
    bound.set(carry, { kind: "stored", at: at(i) });
    paths.set(carry, carryPath(i));
  });
  const places = new Map(carries.map((_, i) => [carryPath(i), at(i)]));
  return { at, pathOf: (value) => paths.get(value), target: (path) => places.get(path) };
}

function carryPath(i: number | string): string {
  return `carry ${i}`;
}

function stackPath(i: number | string): string {
  return `stack ${i}`;
}

function carryNumber(path: string): number {
  return Number(path.slice(carryPath("").length));
}

function stackNumber(path: string): number {
  return Number(path.slice(stackPath("").length));
}

function counted(at: Affine): Bound {
  const expression: ScalarExpr = indexExpression(at);
  return { kind: "computed", expression };
}

function elementOffset(at: Affine, element: Value): Affine {
  return scaleAffine(at, countOf(element));
}

function regionOf(node: Node, i: number): Region {
  const region = node.regions[i];
  if (region === undefined) throw new InternalError(`${node.op} lacks a region`);
  return region;
}

function inputAt(node: Node, i: number): Value {
  const input = node.inputs[i];
  if (input === undefined) throw new InternalError(`${node.op} lacks the operand ${i}`);
  return input;
}

function outputAt(node: Node, i: number): Value {
  const output = node.outputs[i];
  if (output === undefined) throw new InternalError(`${node.op} lacks the result ${i}`);
  return output;
}

function resultAt(around: RegionSurroundings, i: number): Storehouse {
  const place = around.results[i];
  if (place === undefined) throw new InternalError("a region without a place for its result");
  return place;
}

function lengthOf(node: Node): number {
  const [length] = numbersAttribute(node.attributes, "length");
  if (length === undefined) throw new InternalError("a scan without its length");
  return length;
}
