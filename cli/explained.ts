import type { Excerpt } from "../compiler/backends/llvm/excerpt.js";
import { byteSize } from "../compiler/ir/dtype.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { Node, Value } from "../compiler/ir/node.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { staticShape, typeText } from "../compiler/ir/type.js";
import { fusionTexts, type LoggedValue, planReasonText } from "../compiler/kernels/fusion_log.js";
import type { KernelWork } from "../compiler/kernels/work.js";
import { opNamed } from "../compiler/ops/table.js";
import { indexLines, lineIndex, lineText } from "../dsl/source-text.js";
import type { Console } from "./console.js";
import type { JsonValue } from "./json.js";
import { bytesText, countText, durationText, plural } from "./numbers.js";
import { placeOf } from "./profile.js";
import { sourceText } from "./source.js";
import { type Choice, type Sized, sizesText } from "./specialisation.js";

export interface Explained {
  readonly graph: Graph;
  readonly name: string;
  /** As typed. */
  readonly value: Value;
  readonly choice: Choice;
  readonly sized: Sized;
  readonly edge: Edge | undefined;
  readonly kernels: readonly ExplainedKernel[];
  readonly timed: Timed | undefined;
}

export interface Listing {
  readonly form: "LLVM" | "assembly" | "gpu.js";
  readonly excerpt: Excerpt;
}

/** What is left of an edge after all passes. */
export interface Edge {
  readonly logged: LoggedValue;
  /** Nodes of gradients that stem from it. */
  readonly backward: number;
}

export interface ExplainedKernel {
  readonly name: string;
  readonly device: "cpu" | "gpu";
  /** Whether the reference evaluates its ops one by one instead. */
  readonly isEvaluated: boolean;
  readonly kind: string;
  readonly work: KernelWork;
  readonly text: readonly string[];
  /** In the forms that it takes on the way to the machine, or to the device. */
  readonly code: readonly Listing[];
}

/** Seconds of a call by kernel, and where they are from. */
export interface Timed {
  readonly seconds: ReadonlyMap<string, number>;
  readonly from: string;
}

function bytesOf({ type }: Value): number | undefined {
  if (type.dtype === "string" || !type.shape.every((size) => typeof size === "number")) return undefined;
  return elementCount(staticShape(type)) * byteSize(type.dtype);
}

const mostKernels = 4;
const mostTextLines = 30;

export function explainedText(console: Console, explained: Explained): string {
  const { graph, name, value, choice, sized, edge, kernels, timed } = explained;
  const bold = (text: string): string => console.paint("bold", text);
  const dim = (text: string): string => console.paint("dim", text);
  const { node } = value;
  const lines = [`${bold(name)}: ${typeText(value.type)}, made by ${bold(node.op)}`];
  for (const { file, line, text } of placesOf(graph, node)) lines.push(`  ${dim(`${file}:${line}`)}  ${text}`);
  lines.push(`  ${dim(firstSentence(opNamed(node.op).doc))}`, "");
  const where = sized.dims.size === 0 ? choice.name : `${choice.name} with ${sizesText(sized)}`;
  if (edge === undefined) {
    lines.push(`In ${where} nothing of it is left: the passes have folded it into other values.`);
    return lines.join("\n");
  }
  const { logged, backward } = edge;
  const bytes = bytesOf(logged.value);
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
  const inMemory = logged.isRoot ? "" : ", never stored";
  lines.push(`In ${bold(where)} it is ${logged.value.node.op}: ${typeText(logged.value.type)}${size}${inMemory}`);
  lines.push(`  ${planReasonText(logged)}`, ...fusionTexts(logged).map((line) => `  ${line}`));
  if (backward > 0)
    lines.push(`  ${plural(backward, "value")} of the gradients ${backward === 1 ? "stems" : "stem"} from it`);
  for (const kernel of kernels.slice(0, mostKernels)) {
    lines.push(
      "",
      `${bold(`kernel ${kernel.name}`)} (${kernel.kind}${kernel.device === "gpu" ? " on the gpu" : ""}): ${workText(kernel.work)}`,
    );
    const time = timed?.seconds.get(kernel.name);
    if (time !== undefined && timed !== undefined) {
      const rate =
        kernel.work.operations === undefined ? "" : `, ${(kernel.work.operations / time / 1e9).toPrecision(3)} GFLOP/s`;
      lines.push(`  ${durationText(time)} a call${rate}, ${timed.from}`);
    }
    if (kernel.isEvaluated) lines.push("  so few numbers are evaluated op by op on the cpu: no code is made of it");
    lines.push(...clipped(kernel.text).map((line) => `  ${line}`));
    lines.push(...kernel.code.flatMap(listingLines));
  }
  if (kernels.length > mostKernels)
    lines.push(
      "",
      `and in ${kernels
        .slice(mostKernels)
        .map((kernel) => kernel.name)
        .join(", ")}`,
    );
  return lines.join("\n");

  function listingLines({ form, excerpt }: Listing): readonly string[] {
    const { what, total } = excerpt;
    const part = what === "whole" ? plural(total, "line") : `${what} of ${plural(total, "line")}`;
    return [`  ${dim(`${form}, ${part}:`)}`, ...excerpt.lines.map((line) => `    ${line}`)];
  }
}

function workText({ operations, transcendentals, readBytes, writtenBytes }: KernelWork): string {
  const counted = operations === undefined ? "an unknown number of operations" : plural(operations, "operation");
  const functions = transcendentals === 0 ? "" : `, ${plural(transcendentals, "call")} of functions such as exp`;
  return `${counted}${functions}, reads ${bytesText(readBytes)}, writes ${bytesText(writtenBytes)}`;
}

function clipped(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostTextLines) return lines;
  return [
    ...lines.slice(0, mostTextLines),
    `... ${countText(lines.length - mostTextLines)} more lines: graphc inspect --stage kernels`,
  ];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** One place a line. */
function placesOf(graph: Graph, node: Node): readonly Place[] {
  const places = new Map<string, Place>();
  for (const span of graph.sources.spansOf(node)) {
    const place = placeOf(span);
    const text = sourceText(span.file);
    if (place === undefined || text === undefined) continue;
    const source = indexLines(text);
    const { file, line } = place;
    places.set(`${file}:${line}`, { file, line, text: lineText(source, lineIndex(source, span.start)).trim() });
  }
  return [...places.values()];
}

function firstSentence(doc: string): string {
  return /^.*?[.](?=\s|$)/s.exec(doc)?.[0] ?? doc;
}

export function explainedJson({ graph, name, value, choice, sized, edge, kernels, timed }: Explained): JsonValue {
  return {
    name,
    type: typeText(value.type),
    op: value.node.op,
    doc: opNamed(value.node.op).doc,
    places: placesOf(graph, value.node).map((place) => ({ ...place })),
    signature: choice.name,
    dims: sized.dims,
    edge:
      edge === undefined
        ? null
        : {
            op: edge.logged.value.node.op,
            type: typeText(edge.logged.value.type),
            bytes: bytesOf(edge.logged.value) ?? null,
            stored: edge.logged.isRoot,
            reason: edge.logged.reason,
            fused: edge.logged.how ?? null,
            refused: edge.logged.refused.map(({ by, why }) => ({ kernel: by, reason: why })),
            gradient_values: edge.backward,
          },
    kernels: kernels.map(({ name: kernel, device, kind, work, text, code }) => ({
      name: kernel,
      device,
      kind,
      operations: work.operations ?? null,
      transcendentals: work.transcendentals,
      read_bytes: work.readBytes,
      written_bytes: work.writtenBytes,
      seconds: timed?.seconds.get(kernel) ?? null,
      text: text.join("\n"),
      llvm: codeIn("LLVM", code),
      assembly: codeIn("assembly", code),
      gpu: codeIn("gpu.js", code),
    })),
  };
}

function codeIn(form: Listing["form"], code: readonly Listing[]): string | null {
  const texts = code.filter((listing) => listing.form === form).map(({ excerpt }) => excerpt.lines.join("\n"));
  return texts.length === 0 ? null : texts.join("\n");
}
