import { grown, isWithin, nothingPlaced, overlaps, type Placed, type Rectangle, stretchesOf } from "../placed.js";
import { part } from "./dom.js";
import type { Marks } from "./marks.js";

const mostSize = 120;
/** Between the map and the borders of its pane. */
const inset = 10;
/** The earlier is taken where two are as empty. */
const corners = ["bottom-right", "bottom-left", "top-right", "top-left"] as const;
type Corner = (typeof corners)[number];

/** How bad it is to cover these; what is selected outweighs all else. */
const selectedWeight = 1e6;
const boxWeight = 10;
const labelWeight = 4;
const lineWeight = 1;

/** Hides or shows the maps of all panes; what it did, in words. */
export function toggleMaps(): string {
  const isHidden = part("panes", HTMLElement).classList.toggle("without-map");
  part("map", HTMLElement).setAttribute("aria-pressed", String(!isHidden));
  return isHidden ? "the map is hidden" : "the map is shown where the picture is larger than its pane";
}

/** The whole picture, small, with the part that is seen; a press goes there. It stands in the corner where it covers least. */
export class Minimap {
  readonly root: HTMLCanvasElement;
  #placed: Placed = nothingPlaced;
  #frame: Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  #corner: Corner = corners[0];
  #marks: Pick<Marks, "selected" | "linked"> = { selected: undefined, linked: new Set() };

  constructor(goTo: (x: number, y: number) => void) {
    this.root = document.createElement("canvas");
    this.root.className = `minimap ${corners[0]}`;
    this.root.setAttribute("aria-hidden", "true");
    const go = (event: PointerEvent): void => {
      const { left, top } = this.root.getBoundingClientRect();
      const scale = this.#scale();
      goTo((event.clientX - left) / scale, (event.clientY - top) / scale);
    };
    this.root.addEventListener("pointerdown", (event) => {
      this.root.setPointerCapture(event.pointerId);
      go(event);
    });
    this.root.addEventListener("pointermove", (event) => {
      if (this.root.hasPointerCapture(event.pointerId)) go(event);
    });
    this.root.addEventListener("pointerleave", () => this.settle());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
  }

  #scale(): number {
    // In a small window it does not cover what it is the map of.
    const size = Math.min(
      mostSize,
      0.22 * (this.root.parentElement?.clientWidth ?? mostSize),
      0.3 * (this.root.parentElement?.clientHeight ?? mostSize),
    );
    return size / Math.max(1, this.#placed.width, this.#placed.height);
  }

  draw(placed: Placed): void {
    this.#placed = placed;
    const scale = this.#scale();
    this.root.style.width = `${placed.width * scale}px`;
    this.root.style.height = `${placed.height * scale}px`;
    this.root.width = Math.max(1, Math.round(placed.width * scale * devicePixelRatio));
    this.root.height = Math.max(1, Math.round(placed.height * scale * devicePixelRatio));
    this.#paint();
  }

  /** Shows which part is seen; hidden where that is all. */
  frame(frame: Rectangle): void {
    this.#frame = frame;
    const { width } = this.#placed;
    // A margin that is cut off is no reason to show it, half a box is.
    const isAll = this.#placed.boxes.every((box) => isWithin(box, grown(frame, 1)));
    this.root.hidden = isAll || width === 0;
    this.#paint();
  }

  /** What is selected is never covered; it and its counterparts have their colours here, too, and may lie out of sight. */
  mark(marks: Pick<Marks, "selected" | "linked">): void {
    this.#marks = marks;
    this.#paint();
    this.settle();
  }

  /** Moves to the emptiest corner, once what is seen stands still; not from under the pointer. */
  settle(): void {
    const pane = this.root.parentElement?.clientWidth ?? 0;
    if (this.root.hidden || pane === 0 || this.root.matches(":hover")) return;
    const covered = new Map(corners.map((corner) => [corner, this.#coveredIn(corner, this.#frame.width / pane)]));
    const costOf = (corner: Corner): number => covered.get(corner) ?? 0;
    const best = corners.reduce((least, corner) => (costOf(corner) < costOf(least) ? corner : least));
    if (costOf(best) < costOf(this.#corner)) {
      this.root.classList.replace(this.#corner, best);
      this.#corner = best;
    }
    this.root.classList.toggle("in-the-way", costOf(this.#corner) >= selectedWeight);
  }

  /** How much it hides in a corner, where one pixel is so many units of the picture. */
  #coveredIn(corner: Corner, unit: number): number {
    const { boxes, edges, width, height } = this.#placed;
    const size = { width: width * this.#scale() * unit, height: height * this.#scale() * unit };
    const { x, y } = this.#frame;
    const [right, bottom] = [x + this.#frame.width, y + this.#frame.height];
    const at = {
      x: corner.endsWith("left") ? x + inset * unit : right - inset * unit - size.width,
      y: corner.startsWith("top") ? y + inset * unit : bottom - inset * unit - size.height,
      ...size,
    };
    let sum = 0;
    for (const placed of boxes) {
      const shown = placed.box.isOpen ? placed.title : placed;
      if (shown === undefined || !overlaps(shown, at)) continue;
      sum += placed.box.id === this.#marks.selected ? selectedWeight : boxWeight;
    }
    for (const { label, points } of edges) {
      if (label !== undefined && overlaps(label, at)) sum += labelWeight;
      if (stretchesOf(points).some((one) => overlaps(one, at))) sum += lineWeight;
    }
    return sum;
  }

  #paint(): void {
    const context = this.root.getContext("2d");
    if (context === null || this.root.hidden) return;
    const style = getComputedStyle(document.documentElement);
    const scale = this.#scale() * devicePixelRatio;
    context.clearRect(0, 0, this.root.width, this.root.height);
    const { selected, linked } = this.#marks;
    for (const { box, x, y, width, height } of this.#placed.boxes) {
      const colour = box.isOpen
        ? "--area"
        : box.id === selected
          ? "--accent"
          : linked.has(box.id)
            ? "--linked"
            : "--mark";
      context.fillStyle = style.getPropertyValue(colour);
      context.fillRect(x * scale, y * scale, Math.max(1, width * scale), Math.max(1, height * scale));
    }
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 1.5 * devicePixelRatio;
    // What is seen beyond the picture's borders is not on the map.
    const [left, top] = [Math.max(0, this.#frame.x), Math.max(0, this.#frame.y)];
    const right = Math.min(this.#placed.width, this.#frame.x + this.#frame.width);
    const bottom = Math.min(this.#placed.height, this.#frame.y + this.#frame.height);
    const half = context.lineWidth / 2;
    context.strokeRect(
      left * scale + half,
      top * scale + half,
      Math.max(0, (right - left) * scale - 2 * half),
      Math.max(0, (bottom - top) * scale - 2 * half),
    );
  }
}
