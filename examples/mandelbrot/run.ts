import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "mandelbrot.graph"));
await using session = new Session(program);

const columns = 78;
const rows = 25;
const limit = 1000;
const real = Array.from({ length: columns }, (_, i) => -2.1 + (i * 2.8) / (columns - 1));
const imaginary = Array.from({ length: rows }, (_, i) => 1.2 - (i * 2.4) / (rows - 1));
const { counts } = await session.run("escape", { real, imaginary, limit });

// The longer a point stays, the darker its sign.
const signs = [" ", ".", ":", "-", "=", "+", "*", "%"] as const;
const sign = (count: number): string =>
  count === limit ? "@" : (signs[Math.min(signs.length - 1, Math.floor(Math.log2(count)))] ?? " ");
for (let row = 0; row < rows; row++) {
  const line = [...(counts?.data.slice(row * columns, (row + 1) * columns) ?? [])];
  console.log(
    line
      .map((count) => sign(Number(count)))
      .join("")
      .trimEnd(),
  );
}

const points = [-2, -1, 0, 0.25, 0.26, 0.3, 1, 2];
const { counts: along } = await session.run("escape", { real: points, imaginary: [0], limit });
console.log();
for (const [i, c] of points.entries()) {
  const count = Number(along?.data[i]);
  console.log(`c = ${String(c).padEnd(4)}  ${count === limit ? "stays" : `leaves after ${count} steps`}`);
}
