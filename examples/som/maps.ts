import { join } from "node:path";
import { csv, readData, type Session } from "../../index.js";

/** Fisher's flowers as the map sees them: each measure less its mean, divided by its deviation; and the species of each. */
export async function readFlowers(
  folder: string,
): Promise<{ readonly flower: Float32Array; readonly species: readonly number[] }> {
  const path = join(folder, "..", "iris", "data", "iris.csv");
  const columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
  const measured = Array.from((await readData(csv(path, { columns, dtype: "f32" }))).data, Number);
  const kinds = await readData(csv(path, { column: "species", dtype: "u8" }));
  const flower = new Float32Array(measured.length);
  for (let column = 0; column < 4; column++) {
    const values = measured.filter((_, i) => i % 4 === column);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    for (const [row, value] of values.entries()) flower[4 * row + column] = (value - mean) / deviation;
  }
  return { flower, species: Array.from(kinds.data, Number) };
}

export interface Quality {
  readonly quantisation: number;
  readonly topographic: number;
}

/** The unit of each flower, and how well the map stands for them. */
export async function placeFlowers(
  session: Session,
  flower: Float32Array,
): Promise<Quality & { readonly units: readonly number[] }> {
  const found = await session.run("place", { "iris.flower": flower });
  return {
    units: Array.from(found["iris.unit"]?.data ?? [], Number),
    quantisation: Number(found["iris.quantisation"]?.data[0]),
    topographic: Number(found["iris.topographic"]?.data[0]),
  };
}

export async function judgeColours(session: Session, colour: Float32Array): Promise<Quality> {
  const found = await session.run("judge", { "colours.colour": colour });
  return {
    quantisation: Number(found["colours.quantisation"]?.data[0]),
    topographic: Number(found["colours.topographic"]?.data[0]),
  };
}

/** Random colours of the graph's own, rows of red, green and blue from 0 to 1. */
export async function drawColours(session: Session): Promise<Float32Array> {
  const { some_colours } = await session.run("draw_colours");
  return Float32Array.from(some_colours?.data ?? [], Number);
}

/** One example a step, in a new order each time round. */
export async function trainOn(
  session: Session,
  run: "fit_iris" | "fit_colours",
  examples: Float32Array,
  steps: number,
): Promise<void> {
  const column = run === "fit_iris" ? "iris.flower" : "colours.colour";
  const width = run === "fit_iris" ? 4 : 3;
  const data = { [column]: { dtype: "f32", shape: [examples.length / width, width], data: examples } as const };
  await session.train({ run, data, batch: 1, shuffle: true, steps });
}
