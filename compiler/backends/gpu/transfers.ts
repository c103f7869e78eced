import { byteSize } from "../../ir/dtype.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { nodesBelow } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape, type TensorType } from "../../ir/type.js";
import { opNamed } from "../../ops/table.js";
import type { Origin, Part, Partition } from "./partition.js";

/** What a run sends between the memories of the processor and of the device. */
export interface Transfer {
  readonly direction: "up" | "down";
  /** The name that parts give it. */
  readonly name: string;
  readonly type: TensorType;
  /** As the device has it: its numbers are f32. */
  readonly bytes: number;
  /** A number is an argument of launches, and is not counted. */
  readonly what: "feed" | "edge" | "variable" | "result" | "flags" | "number";
  /** Before which part it is sent; the number of parts for what is fetched in the end. */
  readonly before: number;
}

/**
 * All transfers of a run, in order, each thing once in a direction. A variable is sent where another side than the one that assigned it
 * reads it: one that nobody assigns is sent once, and not in each run. Results are counted as all fetched.
 * Outputs of the partition beyond those of the computation are flags, which each run brings.
 */
export function transfersOf(computation: Computation, partition: Partition): readonly Transfer[] {
  const { parts, outputs, assignments, edges } = partition;
  const made = new Map<string, Part["side"]>();
  const found = new Map<string, Transfer>();
  const sideOf = (origin: Origin): Part["side"] | undefined =>
    origin.kind === "edge" ? made.get(origin.name) : undefined;
  for (const { side, computation: own } of parts) for (const { name } of own.outputs) made.set(name, side);
  const assigned = new Map(assignments.map(({ path, origin }) => [path, sideOf(origin)]));
  const send = (transfer: Omit<Transfer, "bytes">, key = transfer.name): void => {
    const kind = transfer.what === "variable" ? "variable" : "edge";
    const place = `${transfer.direction} ${kind} ${key}`;
    if (found.has(place)) return;
    const bytes = elementCount(staticShape(transfer.type)) * byteSize("f32");
    const isNumber = transfer.direction === "up" && kind === "edge" && bytes <= byteSize("f32");
    found.set(place, isNumber ? { ...transfer, what: "number", bytes: 0 } : { ...transfer, bytes });
  };
  parts.forEach(({ side, computation: own }, before) => {
    const direction = side === "device" ? "up" : "down";
    for (const { name, type } of own.placeholders) {
      const from = made.get(name);
      if (from === undefined && side === "device") send({ direction, name, type, what: "feed", before });
      else if (from !== undefined && from !== side) send({ direction, name, type, what: "edge", before });
    }
    for (const { name, type } of own.variables) {
      const by = assigned.get(name);
      if (by !== undefined && by !== side) send({ direction, name, type, what: "variable", before });
    }
  });
  computation.outputs.forEach(({ name, value }, i) => {
    const origin = outputs[i];
    const result = { direction: "down", name, type: value.type, what: "result", before: parts.length } as const;
    if (origin?.kind === "edge" && made.get(origin.name) === "device") send(result, origin.name);
    // What a variable was before the run lies where runs leave it; the processor may have been sent it already.
    if (
      origin?.kind === "variable" &&
      assigned.get(origin.path) === "device" &&
      !found.has(`down variable ${origin.path}`)
    )
      send(result, `variable ${origin.path}`);
  });
  for (const origin of outputs.slice(computation.outputs.length)) {
    const value = origin.kind === "edge" ? edges.get(origin.name) : undefined;
    if (origin.kind !== "edge" || value === undefined || made.get(origin.name) !== "device") continue;
    send({ direction: "down", name: origin.name, type: value.type, what: "flags", before: parts.length });
  }
  return [...found.values()];
}

/** So many numbers that go over together are shown as one. */
export const fewNumbers = 3;

/** How much of them goes up and down in a run. */
export function totalsOf(transfers: readonly Transfer[]): { readonly up: number; readonly down: number } {
  const sum = (wanted: Transfer["direction"]): number =>
    transfers.reduce((all, { direction, bytes }) => (direction === wanted ? all + bytes : all), 0);
  return { up: sum("up"), down: sum("down") };
}

/** A part of the processor for whose few ops the device's numbers go there and back. */
export interface Detour {
  readonly part: number;
  /** What it computes, each op once. */
  readonly ops: readonly string[];
  /** What is sent for it in a run, both ways. */
  readonly bytes: number;
}

const fewOps = 3;

/** Parts that a few ops of the processor make between two of the device, though the device could do them. */
export function detoursOf(
  { parts }: Partition,
  transfers: readonly Transfer[],
  lacking: ReadonlySet<string>,
): readonly Detour[] {
  return parts.flatMap(({ side, computation }, part): readonly Detour[] => {
    const [before, after] = [parts[part - 1], parts[part + 1]];
    if (side !== "host" || before?.side !== "device" || after?.side !== "device") return [];
    const made = new Set(computation.outputs.map(({ name }) => name));
    const down = transfers.filter((one) => one.before === part && one.what === "edge");
    const up = transfers.filter((one) => one.direction === "up" && made.has(one.name));
    const work = nodesBelow(rootsOf(computation)).filter(
      ({ inputs, op }) => inputs.length > 0 && opNamed(op).kernel.kind !== "view",
    );
    const ops = [...new Set(work.map(({ op }) => op))];
    if (down.length === 0 || up.length === 0 || work.length > fewOps || ops.some((op) => lacking.has(op))) return [];
    return [{ part, ops, bytes: [...down, ...up].reduce((sum, { bytes }) => sum + bytes, 0) }];
  });
}
