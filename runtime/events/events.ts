import type { Signature } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import type { Dataset } from "../dataset.js";
import { encodePng } from "../files/png.js";
import type { Session } from "../session.js";
import type { Report } from "../train_options.js";
import { graphNodes } from "./graph_nodes.js";
import { histogramOf } from "./histogram.js";
import type { SummaryValue } from "./messages.js";
import { imageAxes, imagePixels, numbersOf, Observer, requireImage } from "./observer.js";
import { EventWriter } from "./writer.js";

/** What goes into TensorBoard's event files besides the scalars of each report and the graph. */
export interface EventsOptions {
  /** The folder that TensorBoard is pointed at; a file of its own for each training. */
  readonly dir: string;
  /** `variables`, `gradients`, or names of edges, as histograms at each report. */
  readonly histograms?: readonly string[] | undefined;
  /** Names of edges that are images, [N, height, width] or [N, height, width, channels]. */
  readonly images?: readonly string[] | undefined;
}

/** A histogram leaves out what is not finite, and a picture has it black: neither shows how much it was. */
export interface NotFinite {
  readonly name: string;
  readonly count: number;
  /** Of so many numbers. */
  readonly of: number;
}

/** Of a batch, so many are shown. */
const mostImages = 8;

/** Writes the event file of one training. */
export class TrainingEvents {
  readonly #session: Session;
  readonly #writer: EventWriter;
  readonly #options: EventsOptions;
  readonly #observer: Observer | undefined;
  /** The last step that scalars were written of, and that more was. */
  #reported = -1;
  #observed = -1;
  /** Names with numbers that are not finite, which are told of once. */
  readonly #told = new Set<string>();

  private constructor(session: Session, writer: EventWriter, options: EventsOptions, observer: Observer | undefined) {
    this.#session = session;
    this.#writer = writer;
    this.#options = options;
    this.#observer = observer;
  }

  /** Rejects with GraphError where the folder cannot be written, for unknown names and for what is no image. */
  static async open(
    session: Session,
    signature: Signature,
    options: EventsOptions,
    dataset: Dataset,
    batch: number,
  ): Promise<TrainingEvents> {
    const { histograms = [], images = [] } = options;
    const edges = [...new Set([...histograms.filter((name) => !groups.has(name)), ...images])];
    const wanted = { edges, gradients: histograms.includes("gradients") };
    const observer = await Observer.create(session, signature, wanted, dataset, batch);
    const values = images.length > 0 ? await observer?.values() : undefined;
    for (const name of images) {
      const value = values?.get(name);
      if (value !== undefined) requireImage(name, value);
    }
    const writer = await EventWriter.create(options.dir);
    writer.write({ kind: "graph", nodes: graphNodes(session.program.graph, signature.name) });
    return new TrainingEvents(session, writer, options, observer);
  }

  get path(): string {
    return this.#writer.path;
  }

  /** Whether a report needs the state as it is at its very step. */
  get observes(): boolean {
    return this.#observer !== undefined || this.#options.histograms?.includes("variables") === true;
  }

  /**
   * Scalars, once of a step: the last may be due or not. And all else where the session stands at this step. Gives what of that is not
   * finite, each name once in a training.
   */
  async report({ step, metrics }: Report): Promise<readonly NotFinite[]> {
    if (this.#reported !== step) this.#scalars(step, metrics, "");
    this.#reported = step;
    if (!this.observes || this.#session.step !== step || this.#observed === step) return [];
    this.#observed = step;
    const notFinite: NotFinite[] = [];
    const tell = (name: string, numbers: readonly number[]): void => {
      const count = numbers.filter((number) => !Number.isFinite(number)).length;
      if (count === 0 || this.#told.has(name)) return;
      this.#told.add(name);
      notFinite.push({ name, count, of: numbers.length });
    };
    const values = [...(await this.#variables(tell)), ...(await this.#observations(tell))];
    if (values.length > 0) this.#writer.write({ kind: "summary", step, values });
    return notFinite;
  }

  validation(step: number, metrics: ReadonlyMap<string, number>): void {
    this.#scalars(step, metrics, "validation/");
  }

  close(): void {
    this.#observer?.close();
    this.#writer.close();
  }

  #scalars(step: number, metrics: ReadonlyMap<string, number>, prefix: string): void {
    const values = [...metrics].map(
      ([name, value]): SummaryValue => ({ tag: `${prefix}${name}`, kind: "scalar", value }),
    );
    if (values.length > 0) this.#writer.write({ kind: "summary", step, values });
  }

  async #variables(tell: Tell): Promise<readonly SummaryValue[]> {
    if (this.#options.histograms?.includes("variables") !== true) return [];
    await this.#session.variables.pull();
    const trainable = this.#session.program.graph.variables.filter((variable) => variable.trainable);
    return trainable.map(({ path }) => histogramValue(`variables/${path}`, this.#session.get(path), tell));
  }

  async #observations(tell: Tell): Promise<readonly SummaryValue[]> {
    const { histograms = [], images = [] } = this.#options;
    const found = (await this.#observer?.values()) ?? new Map<string, Tensor>();
    return [...found].flatMap(([name, tensor]) => [
      ...(name.startsWith("gradients/") || histograms.includes(name) ? [histogramValue(name, tensor, tell)] : []),
      ...(images.includes(name) ? imageValues(name, tensor, tell) : []),
    ]);
  }
}

/** Is told all numbers of a name, and sees which have no place in a summary. */
type Tell = (name: string, numbers: readonly number[]) => void;

const groups: ReadonlySet<string> = new Set(["variables", "gradients"]);

function histogramValue(tag: string, tensor: Tensor, tell: Tell): SummaryValue {
  const numbers = numbersOf(tensor);
  tell(tag, numbers);
  return { tag, kind: "histogram", histogram: histogramOf(numbers) };
}

function imageValues(name: string, tensor: Tensor, tell: Tell): readonly SummaryValue[] {
  const axes = imageAxes(tensor);
  if (axes === undefined) return [];
  tell(name, numbersOf(tensor));
  const { images, height, width, channels } = axes;
  return Array.from({ length: Math.min(images, mostImages) }, (_, image): SummaryValue => {
    const png = encodePng(width, height, channels, imagePixels(tensor, axes, image));
    return { tag: `${name}/image/${image}`, kind: "image", height, width, channels, png };
  });
}
