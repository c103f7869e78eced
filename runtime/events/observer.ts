import { type Executable, runsAside } from "../../compiler/backends/executable.js";
import { problem } from "../../compiler/ir/codes.js";
import { GraphError, InternalError } from "../../compiler/ir/diagnostic.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Computation, Graph, Signature } from "../../compiler/ir/graph.js";
import { decodeBF16, decodeF16 } from "../../compiler/ir/half.js";
import { nearestName } from "../../compiler/ir/nearest.js";
import { nodesBelow, type Value } from "../../compiler/ir/node.js";
import { bindDims, dimsOf, type FedShape } from "../../compiler/ir/specialise.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import { typeText } from "../../compiler/ir/type.js";
import type { Dataset } from "../dataset.js";
import { runFailure } from "../failure.js";
import { checkFeeds } from "../requests.js";
import type { Session } from "../session.js";

/** Edges and gradients besides the scalars, as they are on a batch that stays the same. */
export interface ObservedNames {
  /** Any edges, by name. */
  readonly edges: readonly string[];
  /** Of the loss, in each variable that the step's gradients are taken in. */
  readonly gradients: boolean;
}

/**
 * Computes edges on the first batch of the training data, in training mode, without a trace in the training itself: no variable,
 * step or count of runs changes, so a run with events is bit for bit the run without.
 */
export class Observer {
  readonly #session: Session;
  readonly #executable: Executable;
  readonly #names: readonly string[];
  readonly #feeds: ReadonlyMap<string, TensorData>;

  private constructor(
    session: Session,
    executable: Executable,
    names: readonly string[],
    feeds: ReadonlyMap<string, TensorData>,
  ) {
    this.#session = session;
    this.#executable = executable;
    this.#names = names;
    this.#feeds = feeds;
  }

  /** Undefined where nothing is to be observed. Rejects with GraphError for unknown names. */
  static async create(
    session: Session,
    signature: Signature,
    wanted: ObservedNames,
    dataset: Dataset,
    batch: number,
  ): Promise<Observer | undefined> {
    const { graph, backend } = session.program;
    const mode = signature.training ? graph.training : graph.inference;
    const edges = wanted.edges.map((name): readonly [string, Value] => [name, edgeNamed(graph, mode.names, name)]);
    const found = new Map<string, Value>([...edges, ...(wanted.gradients ? gradientsOf(graph, signature) : [])]);
    if (found.size === 0) return undefined;
    const { optimise, prepareComputation } = await import("../../compiler/prepare.js");
    const named: Graph = {
      ...graph,
      [signature.training ? "training" : "inference"]: { ...mode, names: new Map([...mode.names, ...found]) },
    };
    const fetches = [...found.keys()];
    const request = { kind: "request", fetches, updates: [], training: signature.training } as const;
    const computation = prepareComputation(named, request);
    const { feeds, shapes } = firstRows(session, computation, dataset, batch);
    const dims = bindDims(graph, dimsOf(computation), shapes);
    const compiled = await backend.compile(optimise(graph, computation, dims, backend), { checkNumerics: false });
    return new Observer(session, compiled.bind(session.variables.blocks()), fetches, feeds);
  }

  async values(): Promise<ReadonlyMap<string, Tensor>> {
    const { seed, progress } = this.#session;
    const state = { seed, step: BigInt(progress.step), runsSinceStep: BigInt(progress.runsSinceStep) };
    const outcome = runsAside(this.#executable.info)
      ? await this.#executable.runAside(this.#feeds, state, undefined)
      : this.#executable.run(this.#feeds, state);
    if (outcome.kind === "interrupted") throw new InternalError("an observation was interrupted");
    if (outcome.kind === "failed") throw runFailure(outcome.failure);
    const { outputs } = this.#executable.info;
    return new Map(
      outcome.outputs.map((data, i): readonly [string, Tensor] => {
        const { dtype = "f32", shape = [] } = outputs[i] ?? {};
        return [this.#names[i] ?? "", { dtype, shape, data }];
      }),
    );
  }

  close(): void {
    this.#executable.close();
  }
}

function edgeNamed(graph: Graph, names: ReadonlyMap<string, Value>, name: string): Value {
  const value = graph.variables.find(({ path }) => path === name)?.value ?? names.get(name);
  if (value !== undefined && value.type.dtype !== "string") return value;
  const nearest = nearestName(name, [...names.keys()]);
  const hint = nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
  throw new GraphError([problem("G083", undefined, `there is no edge \`${name}\` to observe`, { hint })]);
}

/** What the signature's updates take gradients in, of the variables: `gradients/PATH`. */
function gradientsOf(graph: Graph, signature: Signature): readonly (readonly [string, Value])[] {
  const mode = signature.training ? graph.training : graph.inference;
  const assigned = signature.updates.flatMap((name) => mode.updates.get(name)?.assignments ?? []);
  const paths = new Map(graph.variables.map(({ path, value }) => [value, path]));
  const found = new Map<string, Value>();
  for (const node of nodesBelow(assigned.map(({ value }) => value))) {
    if (node.op !== "gradients") continue;
    node.outputs.forEach((output, i) => {
      const x = node.inputs[i + 1];
      const path = x === undefined ? undefined : paths.get(x);
      if (path !== undefined) found.set(`gradients/${path}`, output);
    });
  }
  return [...found];
}

/** The first rows of each column; defaults for what has none. */
function firstRows(
  session: Session,
  computation: Computation,
  dataset: Dataset,
  batch: number,
): { readonly feeds: ReadonlyMap<string, TensorData>; readonly shapes: ReadonlyMap<string, FedShape> } {
  const feeds = new Map<string, TensorData>();
  const shapes = new Map<string, FedShape>();
  const rows = Math.min(batch, dataset.rows);
  const unfed = computation.placeholders.filter(({ name }) => !dataset.columns.has(name));
  const nothing = { outputs: [], variables: [], assigned: [] };
  const facts = { key: "", dims: new Set<string>(), ...nothing, computation: async () => computation };
  for (const [name, feed] of checkFeeds(
    session.program,
    { name: computation.name, placeholders: unfed, ...facts },
    {},
  )) {
    feeds.set(name, feed.data);
    shapes.set(name, feed);
  }
  for (const { name } of computation.placeholders) {
    const [column, whole] = [dataset.columns.get(name), dataset.shapes.get(name)];
    if (column === undefined || whole === undefined) continue;
    const shape = [rows, ...whole.slice(1)];
    feeds.set(
      name,
      column.data.slice(
        0,
        shape.reduce((product, size) => product * size, 1),
      ),
    );
    shapes.set(name, { shape });
  }
  return { feeds, shapes };
}

/** The elements as numbers: halves decoded. */
export function numbersOf({ dtype, data }: Tensor): readonly number[] {
  if (data instanceof BigInt64Array) return Array.from(data, Number);
  if (dtype === "f16") return Array.from(data, decodeF16);
  if (dtype === "bf16") return Array.from(data, decodeBF16);
  return Array.from(data);
}

/** Throws GraphError for an edge that is no batch of images with 1 or 3 channels: a matrix has a row for each element, not for each line. */
export function requireImage(name: string, value: Tensor): void {
  if (value.shape.length > 2 && imageAxes(value) !== undefined) return;
  const message = `\`${name}\` is ${typeText({ dtype: value.dtype, shape: value.shape })}, which is no image`;
  const hint = "an image is [N, height, width], or [N, height, width, channels] with 1 or 3 channels";
  throw new GraphError([problem("G025", undefined, message, { hint })]);
}

export interface ImageAxes {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

export function imageAxes({ shape }: Pick<Tensor, "shape">): ImageAxes | undefined {
  const last = shape.at(-1);
  if (shape.length === 4 && (last === 1 || last === 3)) {
    const [images = 0, height = 0, width = 0] = shape;
    return { images, height, width, channels: last };
  }
  if (shape.length !== 3 && shape.length !== 2) return undefined;
  const [width = 0, height = 0, images = 1] = [...shape].reverse();
  return { images, height, width, channels: 1 };
}

/** One image of a batch. Integers are levels from 0 to 255, floats from 0 to 1; what lies outside is cut off, and NaN is 0. */
export function imagePixels(tensor: Tensor, axes: ImageAxes, image: number): Uint8Array {
  const scale = greatestLevel(tensor) === 1 ? 255 : 1;
  return new Uint8Array(Uint8ClampedArray.from(levelsOf(tensor, axes, image), (level) => level * scale).buffer);
}

/** How many numbers of an image have no level of their own. */
export interface CutLevels {
  /** Finite, and below 0 or above the greatest level. */
  readonly outside: number;
  readonly notFinite: number;
}

export function cutLevels(tensor: Tensor, axes: ImageAxes, image: number): CutLevels {
  const greatest = greatestLevel(tensor);
  let [outside, notFinite] = [0, 0];
  for (const level of levelsOf(tensor, axes, image)) {
    if (!Number.isFinite(level)) notFinite += 1;
    else if (level < 0 || level > greatest) outside += 1;
  }
  return { outside, notFinite };
}

export function greatestLevel({ dtype }: Pick<Tensor, "dtype">): 1 | 255 {
  return isFloat(dtype) || dtype === "bool" ? 1 : 255;
}

function levelsOf(tensor: Tensor, { height, width, channels }: ImageAxes, image: number): readonly number[] {
  const size = height * width * channels;
  return numbersOf({ ...tensor, data: tensor.data.slice(image * size, (image + 1) * size) });
}
