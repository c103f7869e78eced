import type { ElkLabel, ElkNode } from "elkjs/lib/elk-api.js";
import {
  boxHeight,
  captionOf,
  edgeWidth,
  extraHeightOf,
  headerHeight,
  heightOf,
  labelSize,
  labelWidth,
  pagePadding,
  titleWidthOf,
  widthOf,
} from "./boxes.js";
import type { Direction, Placed, PlacedBox, PlacedEdge } from "./placed.js";
import type { Box, Visible, VisibleEdge } from "./visible.js";

const rootOptions: Readonly<Record<string, string>> = {
  "elk.algorithm": "layered",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.padding": `[top=${pagePadding},left=${pagePadding},bottom=${pagePadding},right=${pagePadding}]`,
  "elk.separateConnectedComponents": "true",
  "elk.randomSeed": "1",
  // Of the root alone: ELK fails on it in groups that edges enter.
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
};

/** What each group needs as well as the root: ELK places a group by the group's own options, and these are not handed down. */
const groupOptions: Readonly<Record<string, string>> = {
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "20",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.layered.spacing.nodeNodeBetweenLayers": "18",
  // Room for the largest arrowhead after a rounded corner.
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

/** What ELK is given: sizes of boxes and labels, and who is in whom. `room` is more space at the left, in some groups. */
export function toElk(
  { boxes, edges }: Visible,
  direction: Direction,
  room: ReadonlyMap<string, number> = new Map(),
): ElkNode {
  const span = totalSpan(edges);
  const options = {
    ...groupOptions,
    ...(span > mostSpan ? quick : {}),
    ...(span > denseSpan ? quicker : {}),
    ...(span > denserSpan ? bundled : {}),
  };
  const children = new Map<string | undefined, ElkNode[]>();
  const elkOf = (box: Box): ElkNode => {
    const caption = captionOf(box);
    if (!box.isOpen) return { id: box.id, width: widthOf(caption), height: heightOf(caption) };
    const inner: ElkNode[] = [];
    children.set(box.id, inner);
    return {
      id: box.id,
      children: inner,
      layoutOptions: {
        ...options,
        "elk.padding": `[top=${headerHeight + 8 + extraHeightOf(caption)},left=${14 + (room.get(box.id) ?? 0)},bottom=14,right=14]`,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": minimumOf(titleWidthOf(caption) + 12, boxHeight, direction),
      },
    };
  };
  const root: ElkNode[] = [];
  children.set(undefined, root);
  const made = boxes.map((box) => ({ parent: box.parent, elk: elkOf(box) }));
  for (const { parent, elk } of made) (children.get(parent) ?? root).push(elk);
  return {
    id: "root",
    layoutOptions: {
      ...rootOptions,
      ...options,
      ...(span > denseSpan ? unordered : {}),
      "elk.direction": direction === "down" ? "DOWN" : "RIGHT",
    },
    children: root,
    edges: edges.map(({ id, from, to, label, bytes, count }) => ({
      id,
      sources: [from],
      targets: [to],
      // Labels keep their distance from the line's side, not from its middle.
      layoutOptions: { "elk.edge.thickness": String(edgeWidth(bytes)) },
      ...(label === "" || span > denserSpan || (span > denseSpan && count > 1) ? {} : { labels: [labelOf(label)] }),
    })),
  };
}

/** ELK lays out to the right and turns the result, but not this size of a group: given as for a picture to the right, it becomes tall. */
function minimumOf(width: number, height: number, direction: Direction): string {
  return direction === "down" ? `(${height}, ${width})` : `(${width}, ${height})`;
}

/** Layers that all edges cross together. Each crossing is a node to the algorithm, and so is each label in the middle of an edge. */
function totalSpan(edges: readonly VisibleEdge[]): number {
  const sources = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const list = sources.get(to);
    if (list === undefined) sources.set(to, [from]);
    else list.push(from);
  }
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    // Groups may depend on each other: what is on the way counts as the beginning.
    depths.set(id, 0);
    const depth = (sources.get(id) ?? []).reduce((most, from) => Math.max(most, depthOf(from) + 1), 0);
    depths.set(id, depth);
    return depth;
  };
  return edges.reduce((sum, { from, to }) => sum + Math.max(1, depthOf(to) - depthOf(from)), 0);
}

/** Above it, the best placement takes seconds. */
const mostSpan = 200;

/** Nearly as good, ten times as fast. */
const quick: Readonly<Record<string, string>> = {
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.thoroughness": "3",
};

/** Above it, labels that only count edges are left out: with them the picture is twice as wide, and takes three times as long. */
const denseSpan = 600;

const quicker: Readonly<Record<string, string>> = { "elk.layered.thoroughness": "1" };

/** The order of the text costs as much as all else together, and where so many edges cross it is not seen. */
const unordered: Readonly<Record<string, string>> = { "elk.layered.considerModelOrder.strategy": "NONE" };

/** Above it, edges that leave or reach a box together run as one line, and no labels are set: what an edge carries is told where it is pointed at. */
const denserSpan = 1500;

const bundled: Readonly<Record<string, string>> = { "elk.layered.mergeEdges": "true" };

function labelOf(text: string): ElkLabel {
  return { text, width: Math.ceil([...text].length * labelWidth) + 6, height: labelSize + 4 };
}

/** A group may come after what it holds; drawn after it, it would hide it. */
function outermostFirst(boxes: readonly Box[]): readonly Box[] {
  const known = new Map(boxes.map((box) => [box.id, box]));
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const depth = depths.get(id);
    if (depth !== undefined) return depth;
    const parent = known.get(id)?.parent;
    const found = parent === undefined ? 0 : depthOf(parent) + 1;
    depths.set(id, found);
    return found;
  };
  return [...boxes].sort((a, b) => depthOf(a.id) - depthOf(b.id));
}

/** The picture that ELK's answer describes; all titles stand at the left. */
export function fromElk({ boxes, edges }: Visible, result: ElkNode): Placed {
  const shapes = new Map<string, ElkNode>();
  const routes = new Map<string, NonNullable<ElkNode["edges"]>[number]>();
  const stack = [result];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    shapes.set(one.id, one);
    for (const edge of one.edges ?? []) routes.set(edge.id, edge);
    stack.push(...(one.children ?? []));
  }
  const placedBoxes = outermostFirst(boxes).flatMap((box): readonly PlacedBox[] => {
    const shape = shapes.get(box.id);
    if (shape === undefined) return [];
    const { x = 0, y = 0, width = 0, height = 0 } = shape;
    const caption = captionOf(box);
    const size = { width: titleWidthOf(caption), height: 20 + extraHeightOf(caption) };
    const title = box.isOpen ? { x: x + 6, y: y + 5, ...size } : undefined;
    return [{ box, x, y, width, height, title }];
  });
  const placedEdges = edges.flatMap((edge): readonly PlacedEdge[] => {
    const route = routes.get(edge.id);
    const points = (route?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]);
    if (points.length === 0) return [];
    const [label] = route?.labels ?? [];
    if (label?.x === undefined || label.y === undefined) return [{ edge, points, label: undefined }];
    const { x, y, width = 0, height = 0 } = label;
    return [{ edge, points, label: { x, y, width, height } }];
  });
  return { width: result.width ?? 0, height: result.height ?? 0, boxes: placedBoxes, edges: placedEdges };
}
