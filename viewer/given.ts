import { isTensor, nodesBelow, type Value } from "../compiler/ir/node.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import type { Buffer } from "../compiler/kernels/form.js";
import type { Place, ViewBuilder } from "./builder.js";
import { inlinedText } from "./constants.js";

type Key = string | TensorData;

/** The boxes of what kernels find in memory: feeds, variables, and constants that are too large to be written into an op. */
export class GivenBoxes {
  readonly #builder: ViewBuilder;
  readonly #values = new Map<Key, Value>();
  readonly #boxes = new Map<Key, Place>();

  constructor(builder: ViewBuilder) {
    this.#builder = builder;
  }

  /** Takes down what the kernels of a program read. */
  learn(observed: ReadonlyMap<string, ObservedKernel>): void {
    this.know([...observed.values()].flatMap((kernel) => kernel.roots.map(({ value }) => value)));
  }

  /** Takes down what some values are made of. */
  know(roots: readonly Value[]): void {
    for (const { op, attributes, outputs } of nodesBelow(roots)) {
      const [value] = outputs;
      if (value === undefined) continue;
      const literal = attributes["value"];
      if (op === "placeholder") this.#values.set(`placeholder ${attributes["name"]}`, value);
      else if (op === "variable") this.#values.set(`variable ${attributes["path"]}`, value);
      else if (op === "constant" && typeof literal === "object" && isTensor(literal))
        this.#values.set(literal.data, value);
    }
  }

  /** The box of what lies in a buffer before any kernel has run, made in `group` when it is first asked for. */
  placesOf({ storage }: Buffer, group: number): readonly Place[] {
    switch (storage.kind) {
      case "placeholder":
        return this.#place(`placeholder ${storage.name}`, group);
      case "variable":
        return this.variable(storage.path, group);
      case "constant":
        return this.#place(storage.data, group);
      // Seed and step are the run's own.
      case "run_state":
      case "temporary":
        return [];
    }
  }

  variable(path: string, group: number): readonly Place[] {
    return this.#place(`variable ${path}`, group);
  }

  #place(key: Key, group: number): readonly Place[] {
    const known = this.#boxes.get(key);
    if (known !== undefined) return [known];
    const value = this.#values.get(key);
    if (value === undefined || inlinedText(value) !== undefined) return [];
    const place: Place = [this.#builder.node(value.node, "", "forward", [], group), value.index];
    this.#boxes.set(key, place);
    return [place];
  }
}
