/** Writes loops and branches. */
import type { Node, Region, Value } from "../../compiler/ir/node.js";
import { Block } from "./block.js";
import { parameterText } from "./parts.js";
import { flag, input, numbers, tight, type Written } from "./written.js";

interface WrittenRegion {
  /** Results that the language adds behind those of the op. */
  readonly names: readonly string[];
  readonly text: string;
}

export function writeRegion(around: Block, node: Node): WrittenRegion {
  switch (node.op) {
    case "scan":
      return scan(around, node);
    case "while":
      return whileLoop(around, node);
    default:
      return { names: [], text: branches(around, node) };
  }
}

const [open, close] = [" {\n", "\n}"];

function regionOf({ regions, op }: Node, position: number): Region {
  const region = regions[position];
  if (region === undefined) throw new RangeError(`${op} has no region ${position}`);
  return region;
}

/** What of a region's parameters stands for what is around: the same text, but of an expression, which gets a name. */
function captured(around: Block, parameters: readonly Value[], outside: readonly Value[]): Map<Value, Written> {
  return new Map(
    outside.flatMap((value, i): readonly (readonly [Value, Written])[] => {
      const parameter = parameters[i];
      return parameter === undefined ? [] : [[parameter, around.named(value)]];
    }),
  );
}

function isRead(region: Region, parameter: Value | undefined): boolean {
  const seen = new Set<Node>();
  const stack = [...region.results];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (value === parameter) return true;
    if (seen.has(value.node)) continue;
    seen.add(value.node);
    // A draw knows the iterations around it by itself.
    stack.push(...(value.node.op === "random_uniform" ? [] : value.node.inputs));
  }
  return false;
}

/** The statements of a body, then its `next` or `yield`. */
function body(block: Block, last: readonly string[]): string {
  return [...block.statements.map(({ text }) => text), ...last].join("\n");
}

function scan(around: Block, node: Node): WrittenRegion {
  const { file } = around;
  const { attributes, inputs } = node;
  const region = regionOf(node, 0);
  const [captures, sequences] = [Number(attributes["captures"]), Number(attributes["sequences"])];
  const [index, ...parameters] = region.parameters;
  const given = captured(around, parameters, inputs.slice(0, captures));
  const clauses: string[] = [];
  if (index !== undefined && (sequences === 0 || isRead(region, index))) {
    const name = file.name("i");
    given.set(index, tight(name));
    clauses.push(`${name} in iota([${numbers(attributes["length"]).join()}])`);
  }
  inputs.slice(captures, captures + sequences).forEach((sequence, i) => {
    const name = file.name("e");
    given.set(parameters[captures + i] as Value, tight(name));
    clauses.push(`${name} in ${around.text(sequence).text}`);
  });
  const carries = carriesOf(around, parameters.slice(captures + sequences), inputs.slice(captures + sequences), given);
  const block = new Block(file, region.results, given);
  const last = nextOf(block, carries, region.results);
  const yields = region.results.slice(carries.length).map((value) => block.text(value).text);
  if (yields.length > 0) last.push(`yield ${yields.join(", ")}`);
  const options = [
    ...(flag(attributes["reverse"]) === undefined ? [] : ["reverse=true"]),
    ...(flag(attributes["checkpoint"]) === undefined ? [] : ["checkpoint=true"]),
  ];
  const head = `scan${options.length === 0 ? "" : `(${options.join(", ")})`} ${clauses.join(", ")}${withClause(carries)}`;
  return { names: [], text: `${head}${open}${body(block, last)}${close}` };
}

interface Carry {
  readonly name: string;
  readonly initial: string;
}

function carriesOf(
  around: Block,
  parameters: readonly Value[],
  initial: readonly Value[],
  given: Map<Value, Written>,
): readonly Carry[] {
  return initial.map((value, i) => {
    const name = around.file.name("h");
    given.set(parameters[i] as Value, tight(name));
    return { name, initial: around.text(value).text };
  });
}

function withClause(carries: readonly Carry[]): string {
  return carries.length === 0 ? "" : ` with ${carries.map(({ name, initial }) => `${name} = ${initial}`).join(", ")}`;
}

/** All that is next is stated before: `next` itself changes nothing that follows. */
function nextOf(block: Block, carries: readonly Carry[], results: readonly Value[]): string[] {
  return carries.flatMap(({ name }, i) => {
    const { text } = block.text(results[i] as Value);
    return text === name && block.file.style(2) === 0 ? [] : [`next ${name} = ${text}`];
  });
}

/** Its own count of the iterations is a further carry. */
function whileLoop(around: Block, node: Node): WrittenRegion {
  const { file } = around;
  const captures = Number(node.attributes["captures"]);
  const [condition, region] = [regionOf(node, 0), regionOf(node, 1)];
  const outside = node.inputs.slice(0, captures);
  const [tested, given] = [condition, region].map(({ parameters }) =>
    captured(around, parameters.slice(1), outside),
  ) as [Map<Value, Written>, Map<Value, Written>];
  const initial = node.inputs.slice(captures);
  const carries = carriesOf(around, region.parameters.slice(1 + captures), initial, given);
  carries.forEach(({ name }, i) => {
    tested.set(condition.parameters[1 + captures + i] as Value, tight(name));
  });
  const isCounted = [condition, region].some((one) => isRead(one, one.parameters[0]));
  const count = isCounted ? [{ name: file.name("i"), initial: "0" }] : [];
  for (const { name } of count) {
    for (const [parameter, texts] of [
      [condition.parameters[0], tested] as const,
      [region.parameters[0], given] as const,
    ])
      if (parameter !== undefined) texts.set(parameter, tight(name));
  }
  const test = conditionText(around, condition, tested);
  const block = new Block(file, region.results, given);
  const last = nextOf(block, carries, region.results);
  for (const { name } of count) last.push(`next ${name} = ${name} + 1`);
  const head = `while ${test}${withClause([...carries, ...count])}`;
  return { names: count.map(() => "_"), text: `${head}${open}${body(block, last)}${close}` };
}

/** A condition is one expression: what takes statements is a function. */
function conditionText(around: Block, condition: Region, given: ReadonlyMap<Value, Written>): string {
  const { file } = around;
  const block = new Block(file, condition.results, given);
  const [result] = condition.results;
  if (result === undefined) throw new RangeError("a while has no condition");
  const { text } = block.text(result);
  if (block.statements.length === 0) return text;
  const parameters = [...given].flatMap(([value, { text: name }]) =>
    isRead(condition, value) ? [{ name, type: value.type }] : [],
  );
  const distinct = parameters.filter(({ name }, i) => parameters.findIndex((other) => other.name === name) === i);
  const [name, output] = [file.name("f"), file.name("y")];
  const list = distinct.map((one) => parameterText(one.name, one.type)).join(", ");
  file.functions.push(`fn ${name}(${list}) -> (${output}: bool)${open}${body(block, [`${output} = ${text}`])}${close}`);
  return `${name}(${distinct.map((one) => one.name).join(", ")})`;
}

function branches(around: Block, node: Node): string {
  const outside = node.inputs.slice(1);
  const [first, second] = [0, 1].map((position) => {
    const region = regionOf(node, position);
    const block = new Block(around.file, region.results, captured(around, region.parameters, outside));
    const yields = region.results.map((value) => block.text(value).text);
    return body(block, [`yield ${yields.join(", ")}`]);
  });
  return `if ${around.text(input(node, 0)).text}${open}${first}\n} else {\n${second}${close}`;
}
