import type { ElkLabel, ElkNode } from "elkjs/lib/elk-api.js";
import { boxHeight, captionOf, headerHeight, labelSize, labelWidth, widthOf } from "./boxes.js";
import type { Box, Visible, VisibleEdge } from "./visible.js";

export type Direction = "down" | "right";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedBox extends Point {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: VisibleEdge;
  readonly points: readonly Point[];
  readonly label: (Point & { readonly width: number }) | undefined;
}

/** A picture with all coordinates, from 0 on. Boxes that hold others come before them. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly edges: readonly PlacedEdge[];
}

/** Lays a graph out: the algorithm `layered` of the Eclipse Layout Kernel. */
export type LayoutEngine = (graph: ElkNode) => Promise<ElkNode>;

const spacing = "20";

function rootOptions(direction: Direction): Readonly<Record<string, string>> {
  return {
    "elk.algorithm": "layered",
    "elk.direction": direction === "down" ? "DOWN" : "RIGHT",
    "elk.hierarchyHandling": "INCLUDE_CHILDREN",
    "elk.edgeRouting": "ORTHOGONAL",
    "elk.json.shapeCoords": "ROOT",
    "elk.json.edgeCoords": "ROOT",
    "elk.spacing.nodeNode": spacing,
    "elk.spacing.edgeNode": "14",
    "elk.spacing.edgeEdge": "12",
    "elk.spacing.edgeLabel": "4",
    "elk.layered.spacing.nodeNodeBetweenLayers": "22",
    "elk.layered.spacing.edgeNodeBetweenLayers": "12",
    "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
    "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
    "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    "elk.edgeLabels.inline": "true",
    "elk.padding": "[top=16,left=16,bottom=16,right=16]",
    "elk.separateConnectedComponents": "true",
    "elk.randomSeed": "1",
  };
}

/** What ELK is given: sizes of boxes and labels, and who is in whom. */
export function toElk({ boxes, edges }: Visible, direction: Direction): ElkNode {
  const children = new Map<string | undefined, ElkNode[]>();
  const elkOf = (box: Box): ElkNode => {
    const caption = captionOf(box);
    if (!box.isOpen) return { id: box.id, width: widthOf(caption), height: boxHeight };
    const inner: ElkNode[] = [];
    children.set(box.id, inner);
    return {
      id: box.id,
      children: inner,
      layoutOptions: {
        "elk.padding": `[top=${headerHeight + 8},left=14,bottom=14,right=14]`,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": `(${widthOf(caption)}, ${boxHeight})`,
      },
    };
  };
  const isLong = totalSpan(edges) > mostSpan;
  const root: ElkNode[] = [];
  children.set(undefined, root);
  const made = boxes.map((box) => ({ parent: box.parent, elk: elkOf(box) }));
  for (const { parent, elk } of made) (children.get(parent) ?? root).push(elk);
  return {
    id: "root",
    layoutOptions: { ...rootOptions(direction), ...(isLong ? quick : {}) },
    children: root,
    edges: edges.map(({ id, from, to, label }) => ({
      id,
      sources: [from],
      targets: [to],
      ...(label === "" ? {} : { labels: [labelOf(label, isLong)] }),
    })),
  };
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

function labelOf(text: string, isLong: boolean): ElkLabel {
  const size = { text, width: labelWidthOf(text), height: labelSize + 4 };
  return isLong ? { ...size, layoutOptions: { "elk.edgeLabels.placement": "TAIL" } } : size;
}

function labelWidthOf(label: string): number {
  return Math.ceil([...label].length * labelWidth) + 6;
}

/** The picture that ELK's answer describes. */
export function fromElk({ boxes, edges }: Visible, result: ElkNode): Placed {
  const shapes = new Map<string, ElkNode>();
  const routes = new Map<string, NonNullable<ElkNode["edges"]>[number]>();
  const stack = [result];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    shapes.set(one.id, one);
    for (const edge of one.edges ?? []) routes.set(edge.id, edge);
    stack.push(...(one.children ?? []));
  }
  const placedBoxes = boxes.flatMap((box): readonly PlacedBox[] => {
    const shape = shapes.get(box.id);
    if (shape === undefined) return [];
    const { x = 0, y = 0, width = 0, height = 0 } = shape;
    return [{ box, x, y, width, height }];
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
    const at = label?.x === undefined || label.y === undefined ? undefined : { x: label.x, y: label.y };
    return [{ edge, points, label: at === undefined ? undefined : { ...at, width: label?.width ?? 0 } }];
  });
  return { width: result.width ?? 0, height: result.height ?? 0, boxes: placedBoxes, edges: placedEdges };
}

/** Lays out what is visible. */
export async function layOut(visible: Visible, direction: Direction, engine: LayoutEngine): Promise<Placed> {
  if (visible.boxes.length === 0) return { width: 0, height: 0, boxes: [], edges: [] };
  return fromElk(visible, await engine(toElk(visible, direction)));
}
