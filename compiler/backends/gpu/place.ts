import type { DeviceKind } from "../../ir/device.js";
import { isFloat, type NumericDType } from "../../ir/dtype.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { type Node, topologicalOrder, type Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { dividesByUnknown } from "../../kernels/expressions.js";
import { semanticsOf } from "../../kernels/semantics.js";
import { numericDType } from "../../ops/precision.js";
import { isExact, Ranges } from "./ranges.js";
import { unspelt } from "./scalar.js";
import { isSortedByCounting } from "./sorts.js";

/** Where a node is computed; "either" is what costs nothing, and is computed by whoever needs it. */
export type Side = "host" | "device" | "either";

/** What is computed by the processor though the device was asked for, and why. */
export interface HostReason {
  readonly node: Node;
  /** What the device lacks: the node, or one inside a loop or branch, which is computed on one side as a whole. */
  readonly lacking: Node;
  readonly reason: string;
}

export interface Placement {
  readonly sideOf: (node: Node) => Side;
  /** The variables that the processor keeps. */
  readonly hostVariables: ReadonlySet<string>;
  /** Work of more than one number that devices cannot do. */
  readonly reasons: readonly HostReason[];
  /** Checks of positions that the device computes, in loops too, and of which it is not known that they never fail. */
  readonly checks: ReadonlySet<Node>;
  /** What the device sorts, in loops too. */
  readonly sorts: ReadonlySet<Node>;
}

/** Whole dtypes that kernels do not compute in: their numbers are f32. */
const beyond: ReadonlySet<NumericDType> = new Set<NumericDType>(["f64", "f16", "bf16"]);

/**
 * Decides for each node of a static computation: it lies where the text places it, else on `unplaced`. The device does what its
 * numbers (f32) hold; single numbers that depend on no result of the device are computed beforehand by the processor, wherever they
 * are placed, and given to kernels as arguments: counts of steps, what depends on them, sizes. Checks of what is fed are made before
 * anything is sent.
 */
export function place(computation: Computation, unplaced: DeviceKind = "gpu"): Placement {
  const roots = rootsOf(computation);
  const order = topologicalOrder(roots);
  const casts = new Set(positionCasts(order, roots));
  const assigned = new Map(computation.assignments.map(({ path, value }) => [path, value]));
  // Variables of one number stay with the processor while nothing of the device goes into them.
  const hostVariables = new Set<string>();
  for (const { name, type } of computation.variables) {
    const shape = staticShape(type);
    if (needsHost(numericDType(type.dtype)) || elementCount(shape) <= 1) hostVariables.add(name);
  }
  for (;;) {
    const { sides, reasons, checks, sorts } = sidesOf(order, { hostVariables, unplaced, casts });
    const moved = [...hostVariables].filter((path) => {
      const value = assigned.get(path);
      return value !== undefined && sides.get(value.node) === "device";
    });
    const movable = moved.filter((path) => {
      const type = computation.variables.find(({ name }) => name === path)?.type;
      return type !== undefined && !needsHost(numericDType(type.dtype));
    });
    for (const path of movable) hostVariables.delete(path);
    if (movable.length === 0)
      return { sideOf: (node) => sides.get(node) ?? "either", hostVariables, reasons, checks, sorts };
  }
}

function needsHost(dtype: NumericDType): boolean {
  return beyond.has(dtype) || dtype === "i64" || dtype === "i32";
}

interface Setting {
  readonly hostVariables: ReadonlySet<string>;
  readonly unplaced: DeviceKind;
  /** What `positionCasts` finds. */
  readonly casts: ReadonlySet<Node>;
}

/**
 * Casts of floats to integers that are read as checked positions and as f32 alone, which hold what comes of them, however large it is.
 */
function positionCasts(order: readonly Node[], roots: readonly Value[]): readonly Node[] {
  const readers = new Map<Value, Node[]>();
  for (const node of order) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const results = new Set(roots);
  const isChecked = (value: Value): boolean => {
    const reading = readers.get(value) ?? [];
    return (
      !results.has(value) &&
      reading.every((node) => {
        const { kind } = semanticsOf(node);
        if (node.op === "cast") return node.outputs.every(({ type }) => type.dtype === "f32");
        return kind === "check" || (kind === "view" && node.outputs.every(isChecked));
      })
    );
  };
  const inside = order.flatMap(({ regions }) =>
    regions.flatMap(({ results: own }) => positionCasts(topologicalOrder(own), own)),
  );
  const own = order.filter(({ op, inputs: [x], outputs }) => {
    const isWhole = op === "cast" && x !== undefined && isFloat(x.type.dtype) && !outputs.some(isFloating);
    return isWhole && outputs.every(isChecked);
  });
  return [...own, ...inside];
}

function isFloating({ type }: Value): boolean {
  return isFloat(type.dtype);
}

function sidesOf(
  order: readonly Node[],
  { hostVariables, unplaced, casts }: Setting,
): Pick<Placement, "reasons" | "checks" | "sorts"> & { readonly sides: ReadonlyMap<Node, Side> } {
  const ranges = new Ranges();
  const checks = new Set<Node>();
  const sorts = new Set<Node>();
  const sides = new Map<Node, Side>();
  /** What the processor has without asking the device. */
  const known = new Set<Node>();
  const reasons: HostReason[] = [];
  for (const node of order) {
    const { kind } = semanticsOf(node);
    if (kind === "source" || node.op === "run_state") {
      sides.set(node, "either");
      if (node.op !== "variable" || hostVariables.has(String(node.attributes["path"]))) known.add(node);
      continue;
    }
    const isKnown = node.inputs.every((input) => known.has(input.node));
    const isOne = node.outputs.every(({ type }) => elementCount(staticShape(type)) <= 1);
    // What views take from its operand is less to send than the operand.
    const follows =
      node.device === undefined && kind === "view" && shrinks(node)
        ? sides.get(node.inputs[0]?.node ?? node)
        : undefined;
    const isHost =
      follows === undefined || follows === "either" ? (node.device ?? unplaced) === "cpu" : follows === "host";
    const found = { unproven: [], sorting: [] };
    const refused = isHost ? undefined : refusal(node, { ranges, casts, ...found });
    let side: Side = isHost ? "host" : "device";
    if (isHost) {
      // A number that is repeated, or a view of what is fed or of a variable, is there wherever it is read.
      const isFree = isKnown || node.inputs.every((input) => sides.get(input.node) === "either");
      if (isFree && (node.op === "iota" || (kind === "view" && !shrinks(node)))) side = "either";
    } else if (refused !== undefined) {
      side = "host";
      const isNews = kind !== "view" && !(isOne && isKnown) && !(kind === "check" && isKnown);
      if (isNews) reasons.push({ node, ...refused });
    } else if (isKnown && (isOne || kind === "check")) side = "host";
    else if (isKnown && (kind === "view" || node.op === "cast" || node.op === "iota")) side = "either";
    sides.set(node, side);
    if (side === "device") {
      for (const check of found.unproven) checks.add(check);
      for (const sort of found.sorting) sorts.add(sort);
    }
    if (isKnown && side !== "device") known.add(node);
    else if (side === "host") known.add(node);
  }
  return { sides, reasons, checks, sorts };
}

/** Whether a view has fewer elements than its operand. */
function shrinks({ inputs: [x], outputs: [y] }: Node): boolean {
  return x !== undefined && y !== undefined && elementCount(staticShape(y.type)) < elementCount(staticShape(x.type));
}

interface Search {
  readonly ranges: Ranges;
  readonly casts: ReadonlySet<Node>;
  /** Checks that are found and may fail. */
  readonly unproven: Node[];
  /** Sorts that are found. */
  readonly sorting: Node[];
}

/** Why a device cannot compute a node, and what in it; undefined where it can. */
function refusal(node: Node, search: Search): Omit<HostReason, "node"> | undefined {
  const { ranges } = search;
  if (semanticsOf(node).kind === "region") {
    ranges.enter(node);
    for (const region of node.regions) {
      for (const inner of topologicalOrder(region.results)) {
        if (inner.op === "parameter") {
          const inexact = inner.outputs.find((output) => !isHeld(output, ranges));
          if (inexact !== undefined) return { lacking: inner, reason: beyondFloats(inexact) };
          continue;
        }
        const refused = refusal(inner, search);
        if (refused !== undefined) return refused;
      }
    }
  }
  const reason = ownRefusal(node, search);
  return reason === undefined ? undefined : { lacking: node, reason };
}

function beyondFloats({ type }: Value): string {
  return `its ${type.dtype} may be more than f32 holds exactly`;
}

function ownRefusal(node: Node, { ranges, casts, unproven, sorting }: Search): string | undefined {
  const semantics = semanticsOf(node);
  switch (semantics.kind) {
    case "routine":
      if (isSortedByCounting(node)) {
        sorting.push(node);
        break;
      }
      return node.op === "argsort" ? "its rows are long" : `there is no kernel of ${node.op}`;
    case "check":
      if (!isChecked(node, ranges)) unproven.push(node);
      break;
    case "elementwise":
      if (unspelt.has(semantics.scalar)) return `there is no kernel of ${node.op}`;
      if (node.op === "pow" && !isFloat(node.outputs[0]?.type.dtype ?? "f32"))
        return "there is no kernel of integer powers";
      if (dividesByUnknown(node)) return "a division by zero ends the run";
      break;
    default:
      break;
  }
  for (const value of [...node.outputs, ...node.inputs]) {
    const dtype = numericDType(value.type.dtype);
    if (beyond.has(dtype)) return `kernels do not compute in ${dtype}`;
  }
  const inexact = integersOf(node, casts).find((value) => !isHeld(value, ranges));
  return inexact === undefined ? undefined : beyondFloats(inexact);
}

/** The operands and results that a device must hold exactly to compute a node. */
function integersOf(node: Node, casts: ReadonlySet<Node>): readonly Value[] {
  const { kind } = semanticsOf(node);
  if (kind === "view" || node.op === "random_uniform" || casts.has(node)) return [];
  if (node.op === "cast" && node.outputs.every(isFloating)) return [];
  // What is out of range is so in f32, too.
  return kind === "check" ? node.outputs : [...node.outputs, ...node.inputs];
}

function isHeld(value: Value, ranges: Ranges): boolean {
  const range = ranges.of(value);
  return range === undefined || isExact(range);
}

/** Whether a check is known not to fail. */
function isChecked(node: Node, ranges: Ranges): boolean {
  const [operand] = node.inputs;
  const range = operand === undefined ? undefined : ranges.of(operand);
  const [size] = node.attributes["size"] as readonly number[];
  if (range === undefined || size === undefined) return false;
  return range.max < size && range.min >= (node.op === "wrap_index" ? -size : 0);
}
