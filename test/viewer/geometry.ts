import type { Visible } from "../../viewer/visible.js";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A drawn edge: the corners of its line, and its arrowhead from the tip round. */
interface Wire {
  readonly width: number;
  readonly points: readonly Point[];
  readonly head: readonly Point[];
}

/** What a picture shows and where, as read from its markup: of drawings that name their parts for the page. */
export interface Drawn {
  readonly boxes: ReadonlyMap<string, Rectangle>;
  readonly open: ReadonlySet<string>;
  readonly titles: ReadonlyMap<string, Rectangle>;
  readonly wires: ReadonlyMap<string, Wire>;
  readonly labels: ReadonlyMap<string, Rectangle>;
}

const rectPattern = /<rect [^>]*?x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g;

function rectsIn(markup: string): readonly Rectangle[] {
  return [...markup.matchAll(rectPattern)].map(([, x, y, width, height]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
}

/** The corners of a path: a curve counts as the corner that it rounds. */
function cornersOf(path: string): readonly Point[] {
  return [...path.matchAll(/[MLQ]([-\d.]+) ([-\d.]+)/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

export function drawnIn(markup: string): Drawn {
  const boxes = new Map<string, Rectangle>();
  const open = new Set<string>();
  const titles = new Map<string, Rectangle>();
  const wires = new Map<string, Wire>();
  const labels = new Map<string, Rectangle>();
  for (const line of markup.split("\n")) {
    const [, named = "", name = ""] = / data-(box|title|edge)="([^"]+)"/.exec(line) ?? [];
    const kind = line.includes('class="label"') ? "label" : named;
    const [rect] = rectsIn(line);
    if (kind === "box") boxes.set(name, outer(rectsIn(line)));
    if (kind === "box" && line.includes('class="box open')) open.add(name);
    if (kind === "title" && rect !== undefined) titles.set(name, textIn(line, 7.3));
    if (kind === "label") labels.set(name, textIn(line, 6.1));
    if (kind !== "edge") continue;
    const [, width] = /stroke-width="([^"]+)"/.exec(line) ?? [];
    const [edge = "", head = ""] = [...line.matchAll(/ d="([^"]+)"/g)].map(([, d]) => d ?? "");
    wires.set(name, { width: Number(width), points: cornersOf(edge), head: cornersOf(head) });
  }
  return { boxes, open, titles, wires, labels };
}

/** The ground of a line's text, in a face whose letters are all as wide as this. */
function textIn(line: string, letter: number): Rectangle {
  const [, x = "", y = "", content = ""] = /<text [^>]*?x="([^"]+)" y="([^"]+)"[^>]*>(.*)<\/text>/.exec(line) ?? [];
  const text = content.replace(/<[^>]*>/g, "").replace(/&\w+;/g, "&");
  const width = [...text].length * letter;
  const isCentred = line.includes('text-anchor="middle"');
  return { x: Number(x) - (isCentred ? width / 2 : 0), y: Number(y) - 1.3 * letter, width, height: 1.6 * letter };
}

/** The first frame of a stack is behind, the last of a variable inside. */
function outer(rects: readonly Rectangle[]): Rectangle {
  const [first, last] = [rects[0] as Rectangle, rects.at(-1) as Rectangle];
  return first.width > last.width ? first : last;
}

function distanceToBorder({ x, y }: Point, box: Rectangle): number {
  const [dx, dy] = [Math.max(box.x - x, 0, x - box.x - box.width), Math.max(box.y - y, 0, y - box.y - box.height)];
  if (dx > 0 || dy > 0) return Math.hypot(dx, dy);
  return Math.min(x - box.x, box.x + box.width - x, y - box.y, box.y + box.height - y);
}

function overlap(a: Rectangle, b: Rectangle, slack = 0): boolean {
  return (
    a.x + slack < b.x + b.width &&
    b.x + slack < a.x + a.width &&
    a.y + slack < b.y + b.height &&
    b.y + slack < a.y + a.height
  );
}

function isIn(inner: Rectangle, outer: Rectangle): boolean {
  return (
    inner.x >= outer.x - 0.1 &&
    inner.y >= outer.y - 0.1 &&
    inner.x + inner.width <= outer.x + outer.width + 0.1 &&
    inner.y + inner.height <= outer.y + outer.height + 0.1
  );
}

/** The ground that each stretch of a line covers. */
function stretches({ points, width }: Wire): readonly Rectangle[] {
  return points.slice(1).map((to, i) => {
    const from = points[i] as Point;
    const isUpright = Math.abs(from.x - to.x) < Math.abs(from.y - to.y);
    const [side, end] = isUpright ? [width / 2, 0] : [0, width / 2];
    return {
      x: Math.min(from.x, to.x) - side,
      y: Math.min(from.y, to.y) - end,
      width: Math.abs(from.x - to.x) + 2 * side,
      height: Math.abs(from.y - to.y) + 2 * end,
    };
  });
}

/** What is wrong with a picture, in words; nothing where all holds. */
export function faultsOf(markup: string, { boxes, edges }: Visible): readonly string[] {
  const drawn = drawnIn(markup);
  const faults: string[] = [];
  if (drawn.boxes.size !== boxes.length) faults.push(`${drawn.boxes.size} of ${boxes.length} boxes are drawn`);
  for (const { id, parent } of boxes) {
    const [rect, around] = [drawn.boxes.get(id), drawn.boxes.get(parent ?? "")];
    if (rect === undefined) continue;
    if (around !== undefined && !isIn(rect, around)) faults.push(`${id} sticks out of ${parent}`);
    for (const other of boxes) {
      const beside = other.parent === parent && id < other.id ? drawn.boxes.get(other.id) : undefined;
      if (beside !== undefined && overlap(rect, beside)) faults.push(`${id} and ${other.id} overlap`);
    }
  }
  if (drawn.wires.size !== edges.length) faults.push(`${drawn.wires.size} of ${edges.length} edges are drawn`);
  for (const { id, from, to } of edges) {
    const wire = drawn.wires.get(id);
    const [source, target] = [drawn.boxes.get(from), drawn.boxes.get(to)];
    if (wire === undefined || source === undefined || target === undefined) continue;
    const [start, end] = [wire.points[0] as Point, wire.points.at(-1) as Point];
    const [tip, left, right] = wire.head as [Point, Point, Point];
    const base = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
    if (distanceToBorder(start, source) > 1) faults.push(`${id} starts ${distanceToBorder(start, source)} off ${from}`);
    if (distanceToBorder(tip, target) > 1) faults.push(`${id} ends ${distanceToBorder(tip, target)} off ${to}`);
    // The line ends in its head, and comes from where the head points away from.
    if (Math.hypot(end.x - base.x, end.y - base.y) > 1.5) faults.push(`the head of ${id} floats`);
    const before = wire.points.at(-2) as Point;
    if (Math.hypot(end.x - before.x, end.y - before.y) < 3) faults.push(`the head of ${id} sits on a corner`);
    wire.points.slice(1).forEach((point, i) => {
      const from = wire.points[i] as Point;
      if (Math.min(Math.abs(point.x - from.x), Math.abs(point.y - from.y)) > 0.11)
        faults.push(`${id} slants at ${from.x} ${from.y}`);
    });
    for (const ground of stretches(wire)) {
      for (const [title, rect] of drawn.titles)
        if (overlap(ground, rect)) faults.push(`${id} runs through the title of ${title}`);
      for (const [box, rect] of drawn.boxes)
        if (!drawn.open.has(box) && box !== from && box !== to && overlap(ground, rect, 0.5))
          faults.push(`${id} runs through ${box}`);
      for (const [label, rect] of drawn.labels)
        if (overlap(ground, rect, 0.2)) faults.push(`${id} runs through the label of ${label}`);
    }
  }
  for (const [label, rect] of drawn.labels) {
    for (const [other, ground] of drawn.labels)
      if (label < other && overlap(rect, ground)) faults.push(`the labels of ${label} and ${other} overlap`);
    for (const [title, ground] of drawn.titles)
      if (overlap(rect, ground)) faults.push(`the label of ${label} covers the title of ${title}`);
    for (const [box, ground] of drawn.boxes)
      if (!drawn.open.has(box) && overlap(rect, ground, 0.5)) faults.push(`the label of ${label} covers ${box}`);
  }
  return faults;
}
