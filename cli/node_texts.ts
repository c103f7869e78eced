import { dimText } from "../compiler/ir/dim.js";
import { type Attribute, isList, isTensor, type Node } from "../compiler/ir/node.js";
import { literalText, numberText } from "../compiler/ir/printer-literal.js";
import type { SourceScope, SourceTable } from "../compiler/ir/sources.js";
import { standardPrefix } from "../compiler/ir/span.js";
import type { ReportPlace } from "../runtime/profile/report.js";
import { placeOf } from "./profile.js";

/** What of a literal is its value, and no matter of its type. */
const stretching: ReadonlySet<string> = new Set(["broadcast_in_dim", "reshape", "cast", "stop_gradient"]);
const mostElements = 6;

/** A number that the text has, or that follows from types alone, however it is stretched; undefined for what a run computes. */
export function literalOf(node: Node): string | undefined {
  let made = node;
  for (let input = made.inputs[0]; stretching.has(made.op) && input !== undefined; input = made.inputs[0])
    made = input.node;
  const value = made.attributes["value"];
  if (made.op !== "constant" || typeof value !== "object" || isList(value) || !isTensor(value)) return undefined;
  const text = literalText(value, mostElements);
  // The dtype is told with the op's: `f32(0.5)` is 0.5.
  return /^\w+\(([^,]*)\)$/.exec(text)?.[1] ?? / splat (.*)$/.exec(text)?.[1] ?? text;
}

export function attributeText(attribute: Attribute): string {
  if (typeof attribute === "string") return attribute;
  if (typeof attribute === "number") return numberText(attribute);
  if (typeof attribute === "bigint" || typeof attribute === "boolean") return String(attribute);
  if (isList(attribute)) return `[${attribute.map(attributeText).join(", ")}]`;
  return isTensor(attribute) ? literalText(attribute, mostElements) : dimText(attribute);
}

/** The calls, scopes and updates around a node, the outermost first. */
export function scopesAround(node: Node, sources: SourceTable): readonly SourceScope[] {
  const around: SourceScope[] = [];
  for (let scope = sources.scopeOf(node); scope !== undefined; scope = scope.parent) around.unshift(scope);
  return around;
}

/** Where the user's own text makes a node: in the fn that is called, where the standard library does not have that. */
export function ownPlace(node: Node, sources: SourceTable): ReportPlace | undefined {
  const depth = scopesAround(node, sources).filter(({ kind }) => kind === "call").length;
  const spans = sources.spansOf(node).slice(0, depth + 1);
  const own = spans.findLast(({ file }) => !file.startsWith(standardPrefix)) ?? spans[0];
  return own === undefined ? undefined : placeOf(own);
}
