import type { Node } from "../compiler/ir/node.js";
import type { SourceTable } from "../compiler/ir/sources.js";
import type { Span } from "../compiler/ir/span.js";
import type { Binding, Constant, Reference } from "../dsl/ast.js";
import { parse } from "../dsl/parse.js";
import { sourceText } from "./source.js";

/** Of a constant, which is one node wherever numbers are equal: what of its places a name stands for. */
export interface ConstantPlaces {
  /** Where it is bound to the name, and where the name is read. */
  readonly own: readonly Span[];
  /** Where else the same number is written, or comes about. */
  readonly equal: readonly Span[];
}

/** Undefined where no statement binds the constant to the name, as for what a line makes. */
export function constantPlaces(name: string, node: Node, sources: SourceTable): ConstantPlaces | undefined {
  const spans = sources.spansOf(node);
  const last = name.split(/[./]/).at(-1) ?? name;
  for (const file of new Set(spans.map((span) => span.file))) {
    const { bound, read } = mentionsIn(file, last);
    const binding = bound.find((one) => spans.some((span) => isWithin(one, span) && isWithin(span, one)));
    if (binding === undefined) continue;
    const isOwn = (span: Span): boolean => [binding, ...read].some((one) => isWithin(one, span));
    return { own: [binding, ...read], equal: spans.filter((span) => !isOwn(span)) };
  }
  return undefined;
}

/** Whether a node is made by text that has one of these places in it. */
export function isMadeAt(node: Node, places: readonly Span[], sources: SourceTable): boolean {
  return sources.spansOf(node).some((span) => places.some((place) => isWithin(place, span)));
}

function isWithin(inner: Span, outer: Span): boolean {
  return inner.file === outer.file && outer.start <= inner.start && inner.end <= outer.end;
}

interface Mentions {
  /** The values that statements bind to the name. */
  readonly bound: readonly Span[];
  readonly read: readonly Span[];
}

function mentionsIn(file: string, name: string): Mentions {
  const text = sourceText(file);
  const [bound, read]: [Span[], Span[]] = [[], []];
  const todo: unknown[] = text === undefined ? [] : [parse(text, file).ast];
  while (todo.length > 0) {
    const part = todo.pop();
    if (typeof part !== "object" || part === null) continue;
    if (isBinding(part) && part.targets.some((target) => target.name.name === name)) bound.push(part.value.span);
    if (isConstant(part) && part.name.name === name) bound.push(part.value.span);
    if (isReference(part) && part.segments.at(-1)?.name === name) read.push(part.span);
    todo.push(...Object.values(part).reverse());
  }
  return { bound, read };
}

const isOf = (part: object, kind: string): boolean => "kind" in part && part.kind === kind;
const isBinding = (part: object): part is Binding => isOf(part, "binding");
const isConstant = (part: object): part is Constant => isOf(part, "constant");
const isReference = (part: object): part is Reference => isOf(part, "reference");
