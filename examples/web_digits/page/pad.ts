/** Draws with pointer or pen, and gives what is drawn as MNIST has it: 20 by 20 in the middle of 28 by 28, by its centre of mass. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #seen: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #changed: () => void;
  #last: { readonly x: number; readonly y: number } | undefined;

  constructor(canvas: HTMLCanvasElement, seen: HTMLCanvasElement, changed: () => void) {
    this.#canvas = canvas;
    this.#seen = seen;
    this.#context = contextOf(canvas);
    this.#changed = changed;
    this.#wipe();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#last = this.#placeOf(event);
      this.#lineTo(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#last !== undefined) this.#lineTo(event);
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => {
        this.#last = undefined;
      });
  }

  clear(): void {
    this.#wipe();
    contextOf(this.#seen).clearRect(0, 0, 28, 28);
    this.#changed();
  }

  /** 28 by 28 grey values, 0 where nothing is drawn; undefined while all is blank. */
  image(): Uint8Array | undefined {
    const { width, height } = this.#canvas;
    const ink = inkOf(this.#context.getImageData(0, 0, width, height));
    const box = boxOf(ink, width);
    if (box === undefined) return undefined;
    const small = contextOf(new OffscreenCanvas(28, 28));
    const scale = 20 / Math.max(box.width, box.height);
    const place = (dx: number, dy: number): Uint8Array => {
      small.fillStyle = "#fff";
      small.fillRect(0, 0, 28, 28);
      const [w, h] = [box.width * scale, box.height * scale];
      small.imageSmoothingQuality = "high";
      small.drawImage(this.#canvas, box.left, box.top, box.width, box.height, 14 - w / 2 + dx, 14 - h / 2 + dy, w, h);
      return inkOf(small.getImageData(0, 0, 28, 28));
    };
    const middle = centreOf(place(0, 0));
    const image = place(13.5 - middle.x, 13.5 - middle.y);
    this.#show(image);
    return image;
  }

  #show(image: Uint8Array): void {
    const pixels = new ImageData(28, 28);
    for (const [i, grey] of image.entries()) pixels.data.set([grey, grey, grey, 255], 4 * i);
    contextOf(this.#seen).putImageData(pixels, 0, 0);
  }

  #wipe(): void {
    this.#context.fillStyle = "#fff";
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #placeOf(event: PointerEvent): { readonly x: number; readonly y: number } {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const scale = this.#canvas.width / width;
    return { x: (event.clientX - left) * scale, y: ((event.clientY - top) * this.#canvas.height) / height };
  }

  #lineTo(event: PointerEvent): void {
    const next = this.#placeOf(event);
    const from = this.#last ?? next;
    this.#context.lineWidth = 22;
    this.#context.lineCap = "round";
    this.#context.strokeStyle = "#000";
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.lineTo(next.x, next.y);
    this.#context.stroke();
    this.#last = next;
    this.#changed();
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D;
function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D;
function contextOf(canvas: HTMLCanvasElement | OffscreenCanvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser draws no canvas");
  return context;
}

/** How dark each pixel is. */
function inkOf({ data }: ImageData): Uint8Array {
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => 255 - (data[4 * i] ?? 255));
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boxOf(ink: Uint8Array, width: number): Box | undefined {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1];
  for (const [i, value] of ink.entries()) {
    if (value < 32) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function centreOf(image: Uint8Array): { readonly x: number; readonly y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (const [i, value] of image.entries()) {
    mass += value;
    x += value * (i % 28);
    y += value * Math.floor(i / 28);
  }
  return { x: x / mass, y: y / mass };
}
