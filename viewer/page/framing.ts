import type { Placed } from "../placed.js";

/** Between a picture and the borders of its pane. */
export const margin = 12;

/**
 * The corner of a part of this size with which to begin: where data begin, and there across what most of the boxes can be seen in.
 * Feeds alone may stand far from what they are fed to.
 */
export function startOf(
  { boxes, width, height }: Placed,
  part: { readonly width: number; readonly height: number },
  isDown: boolean,
): readonly [x: number, y: number] {
  const [along, across] = isDown ? (["height", "width"] as const) : (["width", "height"] as const);
  const spans = boxes.flatMap((one) => {
    const [begin, from] = isDown ? [one.y, one.x] : [one.x, one.y];
    return one.box.isOpen || begin > part[along] ? [] : [{ from, to: from + one[across] }];
  });
  const most = Math.max(0, (isDown ? width : height) - part[across]);
  let best = { start: 0, count: -1 };
  for (const { from, to } of spans) {
    const start = Math.min(most, Math.max(0, (from + to) / 2 - part[across] / 2));
    const count = spans.filter((one) => one.from >= start && one.to <= start + part[across]).length;
    if (count > best.count) best = { start, count };
  }
  return isDown ? [best.start, 0] : [0, best.start];
}

/** A place of a picture that leaves no gap at either border; in the middle where there is room for all of it. */
export function within(size: number, length: number, wanted: number): number {
  if (length + 2 * margin <= size) return (size - length) / 2;
  return Math.min(margin, Math.max(size - margin - length, wanted));
}
