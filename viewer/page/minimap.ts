import { nothingPlaced, type Placed } from "../placed.js";

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const mostSize = 150;

/** The whole picture, small, with the part that is seen; a press goes there. */
export class Minimap {
  readonly root: HTMLCanvasElement;
  #placed: Placed = nothingPlaced;
  #frame: Frame = { x: 0, y: 0, width: 0, height: 0 };

  constructor(goTo: (x: number, y: number) => void) {
    this.root = document.createElement("canvas");
    this.root.className = "minimap";
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
  frame(frame: Frame): void {
    this.#frame = frame;
    const { width, height } = this.#placed;
    // A margin that is cut off is no reason to show it.
    const slack = 0.05 * Math.max(width, height);
    const isAll =
      frame.x <= slack &&
      frame.y <= slack &&
      frame.x + frame.width >= width - slack &&
      frame.y + frame.height >= height - slack;
    this.root.hidden = isAll || width === 0;
    this.#paint();
  }

  #paint(): void {
    const context = this.root.getContext("2d");
    if (context === null || this.root.hidden) return;
    const style = getComputedStyle(document.documentElement);
    const scale = this.#scale() * devicePixelRatio;
    context.clearRect(0, 0, this.root.width, this.root.height);
    for (const { box, x, y, width, height } of this.#placed.boxes) {
      context.fillStyle = style.getPropertyValue(box.isOpen ? "--area" : "--mark");
      context.fillRect(x * scale, y * scale, Math.max(1, width * scale), Math.max(1, height * scale));
    }
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 1.5 * devicePixelRatio;
    // What is seen beyond the picture's borders is not on the map.
    const [left, top] = [Math.max(0, this.#frame.x), Math.max(0, this.#frame.y)];
    const right = Math.min(this.#placed.width, this.#frame.x + this.#frame.width);
    const bottom = Math.min(this.#placed.height, this.#frame.y + this.#frame.height);
    const inset = context.lineWidth / 2;
    context.strokeRect(
      left * scale + inset,
      top * scale + inset,
      Math.max(0, (right - left) * scale - 2 * inset),
      Math.max(0, (bottom - top) * scale - 2 * inset),
    );
  }
}
