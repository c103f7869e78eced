import type { Box, VisibleEdge } from "./visible.js";

/** Where data flow to. */
export type Direction = "down" | "right";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox extends Rectangle {
  readonly box: Box;
  /** The ground of an open group's title; undefined for what is closed. */
  readonly title: Rectangle | undefined;
}

export interface PlacedEdge {
  readonly edge: VisibleEdge;
  /** Its corners, from the border of one box to that of the other. */
  readonly points: readonly Point[];
  readonly label: Rectangle | undefined;
}

/** A picture with all coordinates, from 0 on. Boxes that hold others come before them. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly edges: readonly PlacedEdge[];
}

export const nothingPlaced: Placed = { width: 0, height: 0, boxes: [], edges: [] };

export function overlaps(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

export function isWithin(inner: Rectangle, outer: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** A rectangle with a margin around it. */
export function grown({ x, y, width, height }: Rectangle, by: number): Rectangle {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** The straight stretches between corners, as rectangles without breadth. */
export function stretchesOf(points: readonly Point[]): readonly Rectangle[] {
  return points.slice(1).map((to, i) => {
    const from = points[i] as Point;
    const [x, y] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
    return { x, y, width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y) };
  });
}
