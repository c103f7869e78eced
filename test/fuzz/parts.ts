/** Moves some statements of a graph into functions and scopes: the same graph by other text. */
import type { File, Statement } from "./block.js";
import { writtenType } from "./literals.js";

const word = /[A-Za-z_]\w*/g;

/** Those of some names that a text mentions. */
function mentioned(names: ReadonlySet<string>, text: string): ReadonlySet<string> {
  return new Set((text.match(word) ?? []).filter((name) => names.has(name)));
}

/** `sources` are the placeholders and variables; `needed` the names that must stay those of the graph itself. */
export function grouped(
  file: File,
  statements: readonly Statement[],
  sources: readonly string[],
  needed: ReadonlySet<string>,
): readonly Statement[] {
  // Names inside loops and branches stay there.
  const names = new Set([...sources, ...statements.flatMap(({ binds }) => binds)]);
  let current = statements;
  for (let turn = 0; turn < 3; turn++) {
    if (current.length < 3 || file.style(3) === 0) continue;
    const { before, part, rest } = cutOf(file, current);
    const inside = part.flatMap(({ binds }) => binds);
    const later = new Set([...rest.flatMap(({ text }) => [...mentioned(names, text)]), ...needed]);
    const outputs = inside.filter((name) => later.has(name));
    if (outputs.length > 0) current = [...before, asFunction(file, part, names, outputs), ...rest];
  }
  // Last, as a name of a scope is no name of a parameter.
  if (current.length < 3 || file.style(3) === 0) return current;
  const { before, part, rest } = cutOf(file, current);
  const inside = part.flatMap(({ binds }) => binds);
  return inside.some((name) => needed.has(name)) ? current : inScope(file, before, part, rest, inside);
}

/** One to eight statements in a row. */
function cutOf({ style }: File, statements: readonly Statement[]) {
  const start = style(statements.length - 1);
  const end = start + 1 + style(Math.min(8, statements.length - start));
  return { before: statements.slice(0, start), part: statements.slice(start, end), rest: statements.slice(end) };
}

/** `bool` as the type of a parameter means one that the compiler knows. */
export function parameterText(name: string, type: Parameters<typeof writtenType>[0]): string {
  return type.dtype === "bool" && type.shape.length === 0 ? name : `${name}: ${writtenType(type)}`;
}

function asFunction(
  file: File,
  part: readonly Statement[],
  names: ReadonlySet<string>,
  outputs: readonly string[],
): Statement {
  const own = new Set(part.flatMap(({ binds }) => binds));
  const text = part.map((one) => one.text).join("\n");
  const parameters = [...mentioned(names, text)].filter((name) => !own.has(name));
  const name = file.name("f");
  const isGeneric = file.style(2) === 1;
  const sizes = new Map<number, string>();
  const list = parameters.map((parameter) => {
    const type = file.types.get(parameter);
    if (type === undefined) throw new Error(`${parameter} has no type`);
    if (!isGeneric) return parameterText(parameter, type);
    const shape = type.shape.map(Number).map((size) => {
      const known = sizes.get(size) ?? `N${sizes.size}`;
      sizes.set(size, known);
      return known;
    });
    return parameterText(parameter, { dtype: type.dtype, shape });
  });
  const generics = sizes.size === 0 ? "" : `[${[...sizes.values()].join(", ")}]`;
  file.functions.push(`fn ${name}${generics}(${list.join(", ")}) -> (${outputs.join(", ")}) {\n${text}\n}`);
  return { text: `${outputs.join(", ")} = ${name}(${parameters.join(", ")})`, binds: outputs };
}

/** What follows reaches the names by the scope's. */
function inScope(
  file: File,
  before: readonly Statement[],
  part: readonly Statement[],
  rest: readonly Statement[],
  inside: readonly string[],
): readonly Statement[] {
  const name = file.name("s_");
  const own = new Set(inside);
  const outside = (text: string): string => text.replaceAll(word, (one) => (own.has(one) ? `${name}.${one}` : one));
  const text = `scope ${name} {\n${part.map((one) => one.text).join("\n")}\n}`;
  return [...before, { text, binds: [] }, ...rest.map((one) => ({ ...one, text: outside(one.text) }))];
}
