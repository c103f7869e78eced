import { nothingPlaced, type Placed } from "../placed.js";

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const size = 150;

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
    const { x, y, width, height } = this.#frame;
    context.strokeRect(x * scale, y * scale, width * scale, height * scale);
  }
}
