/** What is compared of a random graph: both back ends, and its text with itself. */
import type { CpuTarget } from "../../compiler/backends/llvm/target.js";
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import { type Computation, rootsOf } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import { rewrite } from "../../compiler/ir/rewrite.js";
import { staticShape } from "../../compiler/ir/type.js";
import { literal } from "../../compiler/ops/build.js";
import { ReferenceFailure, type ReferenceTensor, reapply } from "../../compiler/ops/define.js";
import { numericDType, tensorFromReference } from "../../compiler/ops/precision.js";
import type { Contents } from "../backends/bound.js";
import { Choices } from "../backends/choices.js";
import { exactValues } from "../backends/exactness.js";
import { disagreement } from "../backends/fuzz.js";
import { type ReadyGraph, ready } from "../backends/ready.js";
import { firstDifference } from "../backends/tolerance.js";
import { generator } from "../support/samples.js";
import type { Style } from "./block.js";
import { contextOf } from "./context.js";
import { formatProblems, type LoadedSource, loadSource } from "./load.js";
import type { Drawn } from "./random_graphs.js";
import { sourceOf } from "./source.js";

/** A fault: what is wrong, and what the variables held then. */
export interface Fault {
  readonly problems: readonly string[];
  readonly contents: Contents;
  /** The file, where another text of the same graph may have no fault. */
  readonly text?: string;
}

/** The text of a graph, by a way of writing that hangs on the number. */
export function styleOf(choice: number): Style {
  const random = generator(choice, 9);
  const choices = new Choices(Array.from({ length: 4000 }, (_, i) => Math.floor(random(i) * 5040)));
  return (count) => choices.below(count);
}

/** A graph of which native code is made as it stands, of what the passes make of it, or of what its text is compiled to. */
export async function nativeFault(drawn: Drawn, target: CpuTarget): Promise<Fault | undefined> {
  const form = drawn.choice % 3;
  if (form === 2) return await fileFault(sourceOf(drawn, styleOf(drawn.choice)), target);
  const graph = ready(drawn);
  return await disagreement(graph, form === 0 ? graph.computation : graph.optimised, target);
}

/** A fault of a file, and whether it lies behind the passes, which `--target reference` runs as well. */
export interface FileFault extends Fault {
  readonly isOfTarget: boolean;
}

/** Where `graphc run FILE all` differs from what the file says. */
export async function fileFault(text: string, target: CpuTarget): Promise<FileFault | undefined> {
  const loaded = loadSource(text);
  const { optimised, graph } = loaded;
  const state = { seed: graph.seed, step: 0n, runsSinceStep: 0n };
  const fault = await disagreement(ofSource(loaded), optimised, target, state);
  if (fault === undefined) return undefined;
  const after = { ...ofSource(loaded), computation: optimised, exact: exactValues(rootsOf(optimised)) };
  return { ...fault, isOfTarget: (await disagreement(after, optimised, target, state)) !== undefined };
}

/** Of a program, its own text, laid out as well; of what it is shrunk to, as of any graph. */
export async function programFault(drawn: Drawn, target: CpuTarget): Promise<Fault | undefined> {
  const { text, contents } = drawn;
  if (text === undefined) return await nativeFault(drawn, target);
  const problems = formatProblems(text);
  if (problems.length > 0) return { problems, contents, text };
  const fault = await fileFault(text, target);
  return fault === undefined ? undefined : { ...fault, text };
}

function ofSource({ computation, optimised, feeds, contents }: LoadedSource): ReadyGraph {
  return ready({ asked: computation, feeds, contents }, optimised);
}

/** Whether the text of a graph means the graph, and laying it out changes nothing. What it draws stands in it as numbers. */
export function textFault(drawn: Drawn, isLaidOut = true): Fault | undefined {
  const graph = { ...drawn, asked: withoutDraws(drawn.asked) };
  const text = sourceOf(graph, styleOf(drawn.choice));
  const loaded = loadSource(text);
  const problems = [
    ...(isLaidOut ? formatProblems(text) : []),
    ...differentContents(graph.asked.placeholders, graph.feeds, loaded.feeds),
    ...differentContents(graph.asked.variables, graph.contents, loaded.contents),
    ...differentValues(ready(graph), ofSource(loaded)),
  ];
  return problems.length === 0 ? undefined : { problems, contents: graph.contents, text };
}

/** A subnormal may be read as a zero, as everything flushes it. */
function differentContents(
  parameters: Computation["placeholders"],
  given: Contents,
  read: Contents,
): readonly string[] {
  return parameters.flatMap(({ name, type }) => {
    const [x, y] = [read.get(name), given.get(name)];
    if (x === undefined || y === undefined) return [`${name} is missing`];
    const difference = firstDifference(numericDType(type.dtype), x, y);
    return difference === undefined ? [] : [`${name} reads back otherwise: ${difference}`];
  });
}

/** On the reference: exact ones to the last bit, the others as far as their last digits are determined. */
function differentValues(given: ReadyGraph, read: ReadyGraph): readonly string[] {
  const [expected, actual] = [valuesOf(given), valuesOf(read)];
  if (typeof expected === "string" || typeof actual === "string")
    return expected === actual ? [] : [`the graph gives ${outcomeText(expected)}, its text ${outcomeText(actual)}`];
  return expected.flatMap((tensor, i) => {
    const [x, y] = [tensorFromReference(actual[i] as ReferenceTensor), tensorFromReference(tensor)];
    const [type, other] = [y, x].map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`);
    if (type !== other) return [`root ${i} is ${other}, not ${type}`];
    const difference = firstDifference(y.dtype, x.data, y.data);
    return difference === undefined ? [] : [`root ${i}: by its text ${difference}`];
  });
}

const outcomeText = (outcome: string | readonly ReferenceTensor[]): string =>
  typeof outcome === "string" ? outcome : "values";

/** The code of the failure, where the run fails. */
function valuesOf({ computation, feeds, contents }: ReadyGraph): string | readonly ReferenceTensor[] {
  try {
    return evaluateValues(rootsInOrder(computation), contextOf(computation, feeds, contents));
  } catch (error) {
    if (error instanceof ReferenceFailure) return error.code;
    throw error;
  }
}

/** Outputs, then assignments by their names: a file declares its variables in an order of its own. */
function rootsInOrder(computation: Computation): readonly Value[] {
  const assigned = [...computation.assignments].sort((a, b) => (a.path < b.path ? -1 : 1));
  return [...computation.outputs, ...assigned].map(({ value }) => value);
}

/** What is drawn hangs on the names of a file, and so on how it is written: numbers stand in its place. */
function withoutDraws(asked: Computation): Computation {
  return rewrite(asked, {
    rebuild: (node, inputs, regions) => reapply(node, inputs, regions),
    step: ({ op, outputs: [drawn], attributes }) => {
      if (op !== "random_uniform" || drawn === undefined) return undefined;
      const random = generator(Number(attributes["index"]), 13);
      const shape = staticShape(drawn.type);
      const count = shape.reduce((product, size) => product * size, 1);
      return [
        literal(
          numericDType(drawn.type.dtype),
          shape,
          Array.from({ length: count }, (_, i) => Math.floor(random(i) * 1024) / 1024),
        ),
      ];
    },
  });
}
