// Small grey images side by side, as one PNG.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { png } from "./png.mjs";

const root = join(import.meta.dirname, "..", "..");

/**
 * Lays rows of square images, each `size` by `size` bytes of ink as in MNIST (0 is paper), on white paper, enlarged `scale` times
 * and `gap` apart, into a file of the checkout.
 */
export function drawImages(file, rows, { size = 28, scale = 2, gap = 8 } = {}) {
  const pitch = size * scale + gap;
  const width = Math.max(...rows.map((row) => row.length)) * pitch + gap;
  const height = rows.length * pitch + gap;
  const pixels = Array.from({ length: width * height }, () => [255, 255, 255]);
  for (const [line, row] of rows.entries()) {
    for (const [place, image] of row.entries()) {
      for (let y = 0; y < size * scale; y++) {
        for (let x = 0; x < size * scale; x++) {
          const grey = 255 - image[Math.floor(y / scale) * size + Math.floor(x / scale)];
          pixels[(gap + line * pitch + y) * width + gap + place * pitch + x] = [grey, grey, grey];
        }
      }
    }
  }
  writeFileSync(join(root, file), png(width, height, pixels));
  console.log(`${file}: ${width} x ${height}`);
}
