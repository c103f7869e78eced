import { isWithin, type Placed, type PlacedBox, type Rectangle } from "../placed.js";

/** Between a picture and the borders of its pane. */
export const margin = 12;
/** Boxes are set in 12 pixels: 8.4 are the least that is read with ease. */
export const leastReadable = 0.7;
/** What is whole at letters of 7.8 is shown whole: a little smaller is better than cut. */
export const leastWhole = 0.65;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How a picture is moved and scaled into its pane. */
export interface Transform {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** The title of a group is worth that part of its boxes: without it, nobody knows what they are. */
const titleWorth = 1 / 3;

/** The scale of a picture at first, given that at which it is whole. */
export function firstScale(whole: number): number {
  return whole >= leastWhole ? whole : Math.max(whole, leastReadable);
}

/**
 * The corner of a part of this size with which to begin: where data begin, and there across what most of the boxes can be seen in.
 * Feeds alone may stand far from what they are fed to.
 */
export function startOf(
  { boxes, width, height }: Placed,
  part: Size,
  isDown: boolean,
  title?: Rectangle,
): readonly [x: number, y: number] {
  const [along, across] = isDown ? (["height", "width"] as const) : (["width", "height"] as const);
  const spans = boxes.flatMap((one) => {
    const [begin, from] = isDown ? [one.y, one.x] : [one.x, one.y];
    return one.box.isOpen || begin > part[along] ? [] : [{ from, to: from + one[across], weight: 1 }];
  });
  if (title !== undefined) {
    const from = isDown ? title.x : title.y;
    spans.push({ from, to: from + title[across], weight: 1 + titleWorth * spans.length });
  }
  const most = Math.max(0, (isDown ? width : height) - part[across]);
  let best = { start: 0, count: -1 };
  for (const { from, to } of spans) {
    const start = Math.min(most, Math.max(0, (from + to) / 2 - part[across] / 2));
    const count = spans
      .filter((one) => one.from >= start && one.to <= start + part[across])
      .reduce((sum, { weight }) => sum + weight, 0);
    if (count > best.count) best = { start, count };
  }
  return isDown ? [best.start, 0] : [0, best.start];
}

/** A place of a picture that leaves no gap at either border; in the middle where there is room for all of it. */
export function within(size: number, length: number, wanted: number): number {
  if (length + 2 * margin <= size) return (size - length) / 2;
  return Math.min(margin, Math.max(size - margin - length, wanted));
}

/** What a box takes up with the nearest of some others, as many as can be read in one pane; itself where that is none. */
export function togetherWith(main: Rectangle, others: readonly Rectangle[], pane: Size): Rectangle {
  const [width, height] = [(pane.width - 2 * margin) / leastWhole, (pane.height - 2 * margin) / leastWhole];
  const distance = (one: Rectangle): number => Math.hypot(one.x - main.x, one.y - main.y);
  let all = main;
  for (const one of [...others].sort((a, b) => distance(a) - distance(b))) {
    const wider = around(all, one);
    if (wider.width > width || wider.height > height) break;
    all = wider;
  }
  return all;
}

function around(a: Rectangle, b: Rectangle): Rectangle {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/**
 * Where an open group is seen: as it is, if that is all of it; else whole, moved and made smaller no more than that needs; one that
 * could not be read then begins at its title and first boxes.
 */
export function intoSight(
  placed: Placed,
  group: Rectangle & Pick<PlacedBox, "title">,
  pane: Size,
  isDown: boolean,
  now: Transform,
): Transform {
  const { x, y, width, height } = group;
  const seen = { x: -now.x / now.k, y: -now.y / now.k, width: pane.width / now.k, height: pane.height / now.k };
  if (isWithin(group, seen)) return now;
  const whole = Math.min((pane.width - 2 * margin) / width, (pane.height - 2 * margin) / height);
  if (whole >= leastWhole) {
    const k = Math.min(whole, now.k < leastWhole ? leastReadable : now.k);
    const moved = (size: number, length: number, wanted: number): number =>
      Math.max(margin, Math.min(wanted, size - margin - length * k));
    return {
      x: moved(pane.width, width, now.x + x * now.k) - x * k,
      y: moved(pane.height, height, now.y + y * now.k) - y * k,
      k,
    };
  }
  const k = leastReadable;
  const shifted = <T extends Rectangle>(one: T): T => ({ ...one, x: one.x - x, y: one.y - y });
  const inside = placed.boxes.filter((one) => one !== group && isWithin(one, group)).map(shifted);
  const title = group.title === undefined ? undefined : shifted(group.title);
  const part = { width: (pane.width - 2 * margin) / k, height: (pane.height - 2 * margin) / k };
  const [left, top] = startOf({ boxes: inside, edges: [], width, height }, part, isDown, title);
  return {
    x: within(pane.width, width * k, margin - left * k) - x * k,
    y: within(pane.height, height * k, margin - top * k) - y * k,
    k,
  };
}
