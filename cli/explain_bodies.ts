import type { Span } from "../compiler/ir/span.js";
import type { Block, Statement } from "../dsl/ast.js";
import type { Expression } from "../dsl/ast-expressions.js";
import type { Region } from "../dsl/ast-regions.js";
import { withoutPlaces } from "../dsl/mentions.js";
import { parse } from "../dsl/parse.js";
import { sourceText } from "./source.js";

/** Where the body of a loop or branch makes something that has a name there, or hands it on by that name. */
export interface InBody {
  readonly name: string;
  /** The expression that makes it. */
  readonly made: Span;
  /** What the statement is, as written. */
  readonly statement: Span;
}

/**
 * What the bodies of a file's loops and branches bind, and what their `next` and `yield` hand on: names that are no edges, as each round has
 * its own. A name that stands for another one is made where that is.
 */
export function inBodies(file: string): readonly InBody[] {
  const text = sourceText(file);
  if (text === undefined) return [];
  const found: InBody[] = [];
  const visit = ({ statements }: Block, names: ReadonlyMap<string, Span>, isInBody: boolean): void => {
    const known = new Map(names);
    const madeBy = (value: Expression): Span | undefined =>
      value.kind === "reference" ? known.get(value.text) : value.span;
    const add = (name: string, value: Expression, statement: Span): void => {
      const made = madeBy(value);
      if (made !== undefined) found.push({ name, made, statement });
    };
    for (const one of withoutPlaces(statements)) {
      if (one.kind === "binding" && !isRegion(one.value) && one.targets.length === 1) {
        const [target] = one.targets;
        if (target === undefined) continue;
        const { name } = target.name;
        if (isInBody) add(name, one.value, one.span);
        const made = madeBy(one.value);
        if (made !== undefined) known.set(name, made);
      }
      if (one.kind === "next") add(`next ${one.name.name}`, one.value, one.span);
      if (one.kind === "yield") for (const value of one.values) add("yield", value, one.span);
      for (const body of regionBodies(one)) visit(body, known, true);
      if (one.kind === "scope") visit(one.body, known, isInBody);
    }
  };
  for (const item of parse(text, file).ast.items)
    if (item.kind === "graph" || item.kind === "fn") visit(item.body, new Map(), false);
  return found;
}

function isRegion(value: Expression | Region): value is Region {
  return value.kind === "scan" || value.kind === "while" || value.kind === "if";
}

function regionBodies(statement: Statement): readonly Block[] {
  if (statement.kind !== "binding" || !isRegion(statement.value)) return [];
  const { value } = statement;
  return value.kind === "if" ? [...value.branches.map(({ body }) => body), value.otherwise] : [value.body];
}
