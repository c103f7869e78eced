import { byteSize } from "../compiler/ir/dtype.js";
import type { Graph, Variable } from "../compiler/ir/graph.js";
import type { Value } from "../compiler/ir/node.js";
import type { Span } from "../compiler/ir/span.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { type Fate, fatesOf } from "../compiler/ir/trained.js";
import { staticShape } from "../compiler/ir/type.js";
import { lineText } from "../dsl/source-text.js";
import type { Explained } from "./explained.js";
import { placeOf } from "./profile.js";
import { sourceLines } from "./source.js";

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** One place a line. */
export function placesOf(spans: readonly Span[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const span of spans) {
    const place = placeOf(span);
    const lines = sourceLines(span.file);
    if (place === undefined || lines === undefined) continue;
    const { file, line } = place;
    places.set(`${file}:${line}`, { file, line, text: lineText(lines, line - 1).trim() });
  }
  return [...places.values()];
}

export function bytesOf({ type }: Value): number | undefined {
  if (type.dtype === "string" || !type.shape.every((size) => typeof size === "number")) return undefined;
  return elementCount(staticShape(type)) * byteSize(type.dtype);
}

export function variableOf({ graph, subject }: Explained): Variable | undefined {
  if (subject.kind !== "value") return undefined;
  return graph.variables.find(({ value }) => value === subject.value);
}

export function fateOf(graph: Graph, { path }: Variable): Fate {
  return fatesOf(graph).get(path) ?? { kind: "kept", updates: [] };
}
