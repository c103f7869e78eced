import { existsSync } from "node:fs";
import type { Graph, Signature } from "../compiler/ir/graph.js";
import { typeText } from "../compiler/ir/type.js";
import { UsageError } from "./failure.js";
import type { JsonValue } from "./json.js";

/** The type of a fetchable name in a training mode, as the language writes it. */
export function typeOf(graph: Graph, name: string, training: boolean): string {
  const mode = training ? graph.training : graph.inference;
  const value =
    mode.names.get(name) ??
    graph.variables.find(({ path }) => path === name)?.value ??
    graph.placeholders.find((placeholder) => placeholder.name === name)?.value;
  if (value !== undefined) return typeText(value.type);
  return graph.strings.has(name) ? "string" : "unknown";
}

/** `fit(image: u8[N, 28, 28], label: u8[N]) does learn -> (metrics.loss: f32)`. */
export function signatureText(graph: Graph, signature: Signature): string {
  const parameters = (names: readonly string[]): string =>
    `(${names.map((name) => `${name}: ${typeOf(graph, name, signature.training)}`).join(", ")})`;
  const updates = signature.updates.length === 0 ? "" : ` does ${signature.updates.join(", ")}`;
  const training = signature.training === signature.updates.length > 0 ? "" : ` training=${signature.training}`;
  return `${signature.name}${parameters(signature.inputs)}${updates}${training} -> ${parameters(signature.outputs)}`;
}

export function signatureJson(graph: Graph, signature: Signature): JsonValue {
  const types = (names: readonly string[]): JsonValue =>
    new Map(names.map((name) => [name, typeOf(graph, name, signature.training)]));
  return {
    inputs: types(signature.inputs),
    updates: signature.updates,
    training: signature.training,
    outputs: types(signature.outputs),
    doc: signature.doc ?? null,
  };
}

/** Throws UsageError where the file stands behind what it is asked for: `graphc run predict mnist.graph`. */
export function requireFileFirst(file: string, behind: string | undefined, command: string): void {
  if (behind?.endsWith(".graph") !== true || file.endsWith(".graph") || existsSync(file)) return;
  throw new UsageError(`the file stands first: graphc ${command} ${behind} ${file}`);
}
