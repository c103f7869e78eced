import type { Node } from "../compiler/ir/node.js";
import type { SourceCall, SourceScope } from "../compiler/ir/sources.js";
import { standardPrefix } from "../compiler/ir/span.js";
import type { Change } from "./diff_ops.js";
import type { Side } from "./diff_side.js";
import { scopesAround } from "./node_texts.js";
import { sourceText } from "./source.js";

/** A call in both graphs that is given something else: what it is made of differs by that alone, as the standard library is one. */
export interface OtherArguments {
  readonly before: SourceScope;
  readonly after: SourceScope;
  readonly details: readonly Change[];
}

/** The calls around a node, the outermost first. */
export function callsAround(node: Node, { graph }: Side): readonly SourceScope[] {
  return scopesAround(node, graph.sources).filter(({ kind }) => kind === "call");
}

/** The outermost call of the standard library around two counterparts that is given other arguments. */
export function otherArguments(a: Node, b: Node, before: Side, after: Side): OtherArguments | undefined {
  const others = callsAround(b, after);
  for (const [i, was] of callsAround(a, before).entries()) {
    const is = others[i];
    if (is === undefined || is.name !== was.name) return undefined;
    const [first, second] = [before.graph.sources.callOf(was), after.graph.sources.callOf(is)];
    if (first === undefined || second === undefined || !second.header.file.startsWith(standardPrefix)) continue;
    const [old, now] = [givenTo(first), givenTo(second)];
    const details = [...old].flatMap(([name, text]): readonly Change[] => {
      const other = now.get(name);
      return other === undefined || other === text ? [] : [{ name, before: text, after: other }];
    });
    if (details.length > 0) return { before: was, after: is, details };
  }
  return undefined;
}

const isNumber = (text: string): boolean => /^-?(?:\d|\.\d)[\w.+-]*$/.test(text);

/** The arguments that are known, or written as a number: of others, what they are made of is told. */
function givenTo({ parameters }: SourceCall): ReadonlyMap<string, string> {
  return new Map(
    parameters.flatMap(({ name, value, isKnown, written }): readonly (readonly [string, string])[] => {
      if (isKnown) return [[name, value]];
      const text = written && sourceText(written.file)?.slice(written.start, written.end);
      return text !== undefined && isNumber(text) ? [[name, text]] : [];
    }),
  );
}
