import { join } from "node:path";
import { idx, type Program, readData, Session, type TrainReport } from "../../index.js";

/** The networks of deep_mnist.graph: the scope of each, with which the names of its signatures end. */
export const networks = [
  { title: "60 residual layers", scope: "residual60" },
  { title: "90 residual layers", scope: "residual90" },
  { title: "60 plain layers of relu", scope: "relu60" },
  { title: "60 plain layers of sigmoid", scope: "sigmoid60" },
] as const;

export type Network = (typeof networks)[number];

/** For each network the norm of the slope of the loss in the weights of each layer, the first to the last, before any training. */
export async function slopesByLayer(program: Program, folder: string): Promise<ReadonlyMap<string, readonly number[]>> {
  await using session = new Session(program);
  const image = await readData(idx(join(folder, "data", "train-images-idx3-ubyte")).slice(0, 512));
  const label = await readData(idx(join(folder, "data", "train-labels-idx1-ubyte")).slice(0, 512));
  const slopes = await session.run("slopes", { image, label });
  return new Map(networks.map(({ scope }) => [scope, Array.from(slopes[`${scope}.slopes`]?.data ?? [], Number)]));
}

export interface Trained {
  readonly report: TrainReport;
  readonly loss: number;
  readonly accuracy: number;
}

/** Trains one network, and gives its loss and accuracy on the 10,000 test digits. */
export async function trainNetwork(
  program: Program,
  folder: string,
  { scope }: Network,
  { steps, every = 0 }: { readonly steps?: number; readonly every?: number } = {},
): Promise<Trained> {
  await using session = new Session(program);
  const names = [`${scope}.loss`, `${scope}.accuracy`] as const;
  const report = await session.train({
    run: `fit_${scope}`,
    report: names,
    every,
    ...(steps === undefined ? {} : { steps }),
  });
  const image = idx(join(folder, "data", "t10k-images-idx3-ubyte"));
  const label = idx(join(folder, "data", "t10k-labels-idx1-ubyte"));
  const means = await session.evaluate(`evaluate_${scope}`, { image, label }, { batch: 1000 });
  const [loss = Number.NaN, accuracy = Number.NaN] = names.map((name) => means[name]);
  return { report, loss, accuracy };
}
