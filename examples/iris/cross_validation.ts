import { join } from "node:path";
import { csv, type Program, readData, Session } from "../../index.js";

/** The flowers, a row of four measurements each, and their species. */
export interface Flowers {
  readonly measurements: Float32Array;
  readonly species: Uint8Array;
}

export interface Fold {
  /** The flowers that were kept out of the training, by row, and what was said of each. */
  readonly rows: readonly number[];
  readonly predicted: readonly number[];
  readonly right: number;
  readonly loss: number;
}

const names = ["sepal_length", "sepal_width", "petal_length", "petal_width"];

export async function readFlowers(folder: string): Promise<Flowers> {
  const path = join(folder, "data", "iris.csv");
  const measurements = await readData(csv(path, { columns: names, dtype: "f32" }));
  const species = await readData(csv(path, { column: "species", dtype: "u8" }));
  return { measurements: Float32Array.from(measurements.data, Number), species: Uint8Array.from(species.data, Number) };
}

function choose({ measurements, species }: Flowers, rows: readonly number[]): Flowers {
  return {
    measurements: Float32Array.from(rows.flatMap((row) => [...measurements.subarray(4 * row, 4 * row + 4)])),
    species: Uint8Array.from(rows, (row) => species[row] ?? 0),
  };
}

/** Deals the flowers of each species in turn into `count` folds, in an order from the seed: each has its share of every species. */
export function stratify(species: Uint8Array, order: readonly number[], count: number): readonly (readonly number[])[] {
  const dealt = new Map<number, number>();
  const folds = Array.from({ length: count }, (): number[] => []);
  for (const row of order) {
    const kind = species[row] ?? 0;
    const before = dealt.get(kind) ?? 0;
    folds[before % count]?.push(row);
    dealt.set(kind, before + 1);
  }
  return folds;
}

/** Trains a network for each fold on all others, and asks it for the flowers it has not seen. */
export async function crossValidate(
  program: Program,
  flowers: Flowers,
  {
    seed,
    folds: count = 5,
    epochs = 200,
  }: { readonly seed: number; readonly folds?: number; readonly epochs?: number },
): Promise<readonly Fold[]> {
  await using dealer = new Session(program, { seed });
  const { order } = await dealer.run("deal");
  const dealt = stratify(flowers.species, Array.from(order?.data ?? [], Number), count);
  const results: Fold[] = [];
  for (const [fold, rows] of dealt.entries()) {
    await using session = new Session(program, { seed: seed + fold });
    const seen = choose(
      flowers,
      dealt.flatMap((others, i) => (i === fold ? [] : others)),
    );
    await session.run("measure", { measurements: seen.measurements });
    await session.train({ data: { ...seen }, epochs });
    const kept = choose(flowers, rows);
    const { loss } = await session.run("evaluate", { ...kept });
    const { predicted } = await session.run("predict", { measurements: kept.measurements });
    const said = Array.from(predicted?.data ?? [], Number);
    const right = said.filter((kind, i) => kind === kept.species[i]).length;
    results.push({ rows, predicted: said, right, loss: Number(loss?.data[0]) });
  }
  return results;
}

/** The share of all flowers that were told right by the network that had not seen them. */
export function accuracyOf(folds: readonly Fold[]): number {
  const right = folds.reduce((sum, fold) => sum + fold.right, 0);
  return right / folds.reduce((sum, { rows }) => sum + rows.length, 0);
}
