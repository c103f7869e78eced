import { buildOn } from "../../ir/device.js";
import { byteSize, isFloat } from "../../ir/dtype.js";
import type { Computation } from "../../ir/graph.js";
import type { Node, Value } from "../../ir/node.js";
import { elementCount, type TensorData } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { fill, literal } from "../../ops/build.js";
import { failurePlaces, failureText, outOfRange } from "../../ops/messages.js";
import { numericDType } from "../../ops/precision.js";
import type { RunFailure } from "../executable.js";
import { apply, type FlagGroup, joinedFlags, type Watched, watched } from "./watch.js";

/** What a flag tells of: an index that names no place, or a number that is not finite. */
export type Mark =
  | { readonly kind: "index"; readonly node: Node; readonly least: number; readonly size: number }
  | { readonly kind: "number"; readonly node: Node; readonly operands: readonly Value[]; readonly result: Value };

/** Flags of what is computed at a stretch, as one array: an output of the computation by this number. */
export interface RunFlags {
  readonly output: number;
  readonly marks: readonly Mark[];
}

export interface FlaggedComputation {
  readonly computation: Computation;
  readonly flags: readonly RunFlags[];
}

/**
 * A computation with outputs more, after its own: what is told of the checks of positions that a device computes, and, where
 * `finite` is asked, of each float. `stageOf`: nodes of one stage have their flags in one array, so that they can be read with it.
 */
export function withFlags(
  computation: Computation,
  checks: ReadonlySet<Node>,
  finite: boolean,
  stageOf: (node: Node) => string | undefined,
): FlaggedComputation {
  if (checks.size === 0 && !finite) return { computation, flags: [] };
  const look = (node: Node, inputs: readonly Value[], outputs: readonly Value[]): readonly Watched<Mark>[] => {
    const [x] = inputs;
    if (checks.has(node) && x !== undefined) return positionOf(node, x);
    return finite ? numbersOf(node, outputs) : [];
  };
  const found = watched(computation, look);
  const stages = new Map<string, FlagGroup<Mark>[]>();
  for (const group of found.groups) {
    // Which number was the first that is not finite is seen by all of them together.
    const key = finite ? "all" : `${stageOf(group.node)} ${group.node.device}`;
    stages.set(key, [...(stages.get(key) ?? []), group]);
  }
  const outputs = [...found.computation.outputs];
  const flags = [...stages.values()].map((groups): RunFlags => {
    const device = finite ? undefined : groups[0]?.node.device;
    const value = buildOn(device, () => joinedFlags(groups.map((group) => group.flags)));
    outputs.push({ name: finite ? "flags" : "flags of positions", value });
    return { output: outputs.length - 1, marks: groups.flatMap(({ marks }) => marks) };
  });
  return { computation: { ...found.computation, outputs }, flags };
}

/** What is wrong in a run, of the flags of one stretch; undefined while all is well. */
export function firstFailure(
  { sources }: Computation,
  { marks }: RunFlags,
  flags: TensorData,
): Omit<RunFailure, "stepsDone"> | undefined {
  const isSet = (i: number): boolean => Number(flags[i]) !== 0;
  const wrong = new Set(marks.flatMap((mark, i) => (mark.kind === "number" && isSet(i) ? [mark.result] : [])));
  const at = marks.findIndex((mark, i) => {
    if (!isSet(i)) return false;
    // A constant may be infinite, and so may what is made of it.
    return (
      mark.kind === "index" || (mark.node.op !== "constant" && !mark.operands.some((operand) => wrong.has(operand)))
    );
  });
  const mark = marks[at];
  if (mark === undefined) return undefined;
  if (mark.kind === "number") {
    const message = `\`${mark.node.op}\` makes a number that is not finite of finite operands`;
    return { code: "G110", message, spans: sources.spansOf(mark.node) };
  }
  const { node, least, size } = mark;
  const value = Number(flags[at]);
  const message =
    failureText("G086", node, sources.spansOf(node)) ??
    outOfRange(saturated(value === wrongZero ? 0 : value, node).toString(), size, least);
  return { code: "G086", message, spans: failurePlaces(node, sources) };
}

/** An index as its dtype has it: f32 holds no largest integer of i32 and i64, but the one after it. */
function saturated(index: number, { inputs: [x] }: Node): bigint {
  const bits = x === undefined ? 64 : 8 * byteSize(numericDType(x.type.dtype));
  const exact = BigInt(index);
  return exact === 2n ** BigInt(bits - 1) ? exact - 1n : exact;
}

/** The flag of a wrong index is its value, and this where that is 0, which there is no place for on an axis without elements. */
const wrongZero = 0.5;

/** One number for each element of another edge; a constant where that has one, since what is computed of it would be an argument of launches. */
function filled({ type }: Value, value: number): Value {
  return elementCount(staticShape(type)) === 1 ? literal("f32", staticShape(type), [value]) : fill(type, value);
}

/** The first index of a check that is out of range. */
function positionOf(node: Node, x: Value): readonly Watched<Mark>[] {
  const count = elementCount(staticShape(x.type));
  const [size] = node.attributes["size"] as readonly number[];
  if (count === 0 || size === undefined) return [];
  const least = node.op === "wrap_index" ? -size : 0;
  const flat = apply("cast", [apply("reshape", [x], { shape: [count] })], { to: "f32" });
  const isOutside = (index: Value): Value => {
    const bound = (limit: number): Value => filled(index, limit);
    return apply("or", [apply("lt", [index, bound(least)]), apply("ge", [index, bound(size)])]);
  };
  const at = apply("argmax", [apply("cast", [isOutside(flat)], { to: "f32" })], { axis: 0 });
  const first = count === 1 ? flat : apply("gather", [flat, apply("reshape", [at], { shape: [1] })], { axes: [0] });
  const value = apply("select", [apply("eq", [first, filled(first, 0)]), filled(first, wrongZero), first]);
  const flag = apply("select", [isOutside(first), value, filled(first, 0)]);
  return [{ mark: { kind: "index", node, least, size }, flag }];
}

/** For each float of a node, whether one of its elements is NaN or infinite. */
function numbersOf(node: Node, outputs: readonly Value[]): readonly Watched<Mark>[] {
  return node.outputs.flatMap((result, i) => {
    const value = outputs[i];
    if (value === undefined || !isFloat(result.type.dtype)) return [];
    const elements = elementCount(staticShape(value.type));
    const flat = apply("reshape", [value], { shape: [elements] });
    const wrong = apply("any", [apply("not", [apply("is_finite", [flat])])], { axes: [0] });
    const flag = apply("cast", [apply("reshape", [wrong], { shape: [1] })], { to: "f32" });
    return [{ mark: { kind: "number", node, operands: node.inputs, result } satisfies Mark, flag }];
  });
}
