import type { Graph, Signature } from "../../compiler/ir/graph.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import type { Dataset } from "../../runtime/dataset.js";
import { imageAxes, imagePixels, numbersOf, Observer } from "../../runtime/events/observer.js";
import { encodePng } from "../../runtime/files/png.js";
import type { Session } from "../../runtime/session.js";
import type { WatchSample, WatchValue } from "../../viewer/watch_messages.js";

const mostSamples = 8;
const mostNumbers = 6;

/** Predictions on the first rows of the training data, again and again. */
export class Samples {
  readonly signature: string;
  readonly #observer: Observer;
  readonly #columns: ReadonlyMap<string, Tensor>;
  readonly #inputs: readonly string[];

  private constructor(signature: Signature, observer: Observer, columns: ReadonlyMap<string, Tensor>) {
    this.signature = signature.name;
    this.#inputs = signature.inputs;
    this.#observer = observer;
    this.#columns = columns;
  }

  /** Undefined where no signature predicts from what the training data have. */
  static async create(session: Session, dataset: Dataset): Promise<Samples | undefined> {
    const signature = predictor(session.program.graph, dataset);
    if (signature === undefined) return undefined;
    const rows = Math.min(mostSamples, dataset.rows);
    const wanted = { edges: signature.outputs, gradients: false };
    const observer = await Observer.create(session, signature, wanted, dataset, rows);
    if (observer === undefined) return undefined;
    const columns = new Map<string, Tensor>();
    for (const { name, value } of session.program.graph.placeholders) {
      const [column, whole] = [dataset.columns.get(name), dataset.shapes.get(name)];
      if (column === undefined || whole === undefined || value.type.dtype === "string") continue;
      const shape = [rows, ...whole.slice(1)];
      columns.set(name, { dtype: value.type.dtype, shape, data: column.data.slice(0, elementCount(shape)) });
    }
    return new Samples(signature, observer, columns);
  }

  async take(): Promise<readonly WatchSample[]> {
    const outputs = await this.#observer.values();
    const rows = [...this.#columns.values()][0]?.shape[0] ?? 0;
    const pictured = this.#inputs.find((name) => isPicture(this.#columns.get(name)));
    return Array.from({ length: rows }, (_, row) => ({
      image: pictured === undefined ? null : picture(this.#columns.get(pictured), row),
      inputs: valuesOf(this.#columns, row, rows).filter(({ name }) => name !== pictured),
      outputs: valuesOf(outputs, row, rows),
    }));
  }

  close(): void {
    this.#observer.close();
  }
}

/** The one called `predict`, else the first that changes nothing and whose inputs are among the data. */
function predictor(graph: Graph, dataset: Dataset): Signature | undefined {
  const defaulted = new Set(graph.placeholders.filter((one) => one.defaultValue !== undefined).map(({ name }) => name));
  const fits = graph.signatures.filter(
    ({ updates, training, inputs, outputs }) =>
      updates.length === 0 &&
      !training &&
      outputs.some((name) => (graph.inference.names.get(name)?.type.shape.length ?? 0) > 0) &&
      inputs.some((name) => dataset.columns.has(name)) &&
      inputs.every((name) => dataset.columns.has(name) || defaulted.has(name)),
  );
  return fits.find(({ name }) => name === "predict") ?? fits[0];
}

/** A picture has an area; a row of numbers has not. */
function isPicture(tensor: Tensor | undefined): boolean {
  if (tensor === undefined || tensor.shape.length < 3) return false;
  const axes = imageAxes(tensor);
  return axes !== undefined && axes.height > 4 && axes.width > 4 && axes.height * axes.width <= 1 << 20;
}

function picture(tensor: Tensor | undefined, row: number): string | null {
  const axes = tensor === undefined ? undefined : imageAxes(tensor);
  if (tensor === undefined || axes === undefined) return null;
  const png = encodePng(axes.width, axes.height, axes.channels, imagePixels(tensor, axes, row));
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** What each tensor with an element a row has there: numbers, or of many classes the likeliest. */
function valuesOf(tensors: ReadonlyMap<string, Tensor>, row: number, rows: number): readonly WatchValue[] {
  return [...tensors].flatMap(([name, tensor]): readonly WatchValue[] => {
    if (tensor.shape[0] !== rows) return [];
    const size = tensor.data.length / rows;
    const numbers = numbersOf({ ...tensor, data: tensor.data.slice(row * size, (row + 1) * size) });
    return [{ name, text: rowText(tensor, numbers) }];
  });
}

function rowText({ dtype, shape }: Tensor, numbers: readonly number[]): string {
  const text = (value: number): string => String(Number(value.toPrecision(4)));
  if (numbers.length <= mostNumbers) return numbers.map(text).join(", ");
  if (shape.length > 2) return `${dtype}[${shape.slice(1).join(", ")}]`;
  const best = numbers.reduce((most, value, i) => (value > (numbers[most] ?? Number.NEGATIVE_INFINITY) ? i : most), 0);
  return `largest at ${best}: ${text(numbers[best] ?? Number.NaN)}`;
}
