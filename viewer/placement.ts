import type { DeviceKind } from "../compiler/ir/device.js";
import type { Node } from "../compiler/ir/node.js";
import type { GroupModel, NodeModel } from "./model.js";

/** Where a program runs of which a device has a share. */
export interface Placing {
  /** Where lies what the text places nowhere. */
  readonly unplaced: DeviceKind;
  /** What the device is called: `gpu`, or the one that was asked for. */
  readonly device: string;
}

/** How people call the two sides. */
export function sideName(kind: DeviceKind, device: string): string {
  return kind === "gpu" ? device : "processor";
}

/** The side that an op runs on, and whether the text says so; nothing for what is there wherever it is read. */
export function sideOfNode(node: Node, placing: Placing | undefined): Pick<NodeModel, "side" | "isPlaced"> {
  if (placing === undefined || node.inputs.length === 0) return {};
  const side = sideName(node.device ?? placing.unplaced, placing.device);
  return node.device === undefined ? { side } : { side, isPlaced: true };
}

/** Groups all of whose ops run on one side do, too, and are placed where all of these are. */
export function withSides(nodes: readonly NodeModel[], groups: readonly GroupModel[]): readonly GroupModel[] {
  const sides = groups.map(() => new Set<string>());
  const loose = new Set<number>();
  for (const { kind, side, isPlaced, group } of nodes) {
    if (kind !== "op" || side === undefined) continue;
    for (let at = group; at >= 0; at = groups[at]?.parent ?? -1) {
      sides[at]?.add(side);
      if (isPlaced !== true) loose.add(at);
    }
  }
  return groups.map((group, at) => {
    const [side, ...others] = sides[at] ?? [];
    if (side === undefined || others.length > 0) return group;
    return loose.has(at) ? { ...group, side } : { ...group, side, isPlaced: true };
  });
}
