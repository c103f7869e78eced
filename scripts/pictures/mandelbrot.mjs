// Draws examples/mandelbrot/mandelbrot.png from what the example's graph counts. Needs a build; takes a second or two.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, Session } from "../../dist/index.js";
import { png } from "./png.mjs";

const folder = join(import.meta.dirname, "..", "..", "examples", "mandelbrot");
const session = new Session(await compile(join(folder, "mandelbrot.graph")));
const width = 840;
const height = 720;
const limit = 1000;
// Centres of pixels, 1/300 apart, over -2.15 to 0.65 and 1.2 to -1.2.
const real = Array.from({ length: width }, (_, i) => -2.15 + (i + 0.5) / 300);
const imaginary = Array.from({ length: height }, (_, i) => (height / 2 - i - 0.5) / 300);
const { counts } = await session.run("escape", { real, imaginary, limit });
await session.close();

// Points that leave soon are light, ones that stay long dark blue to yellow, the set itself black. Shades follow the logarithm
// of the count: the bands of equal counts become thinner and thinner towards the set.
const stops = [
  [0, [244, 247, 252]],
  [0.2, [158, 197, 240]],
  [0.42, [11, 92, 173]],
  [0.62, [10, 30, 84]],
  [0.8, [214, 120, 24]],
  [1, [255, 236, 150]],
];
const palette = Array.from({ length: 255 }, (_, i) => {
  const at = i / 254;
  const above = Math.max(
    1,
    stops.findIndex(([place]) => place >= at),
  );
  const [[low, from], [high, to]] = [stops[above - 1], stops[above]];
  return from.map((value, channel) => Math.round(value + ((at - low) / (high - low)) * (to[channel] - value)));
});
palette.push([0, 0, 0]);
const shade = (count) => (count >= limit ? 255 : Math.round((254 * Math.log(count)) / Math.log(limit)));

const pixels = Array.from(counts.data, (count) => palette[shade(Number(count))]);
writeFileSync(join(folder, "mandelbrot.png"), png(width, height, pixels));
const inside = [...counts.data].filter((count) => Number(count) === limit).length;
console.log(`mandelbrot.png: ${width} x ${height}, ${inside} points of ${width * height} stay for ${limit} steps`);
