/**
 * The printed form: what `graphc inspect` shows and `parser.ts` reads back. Values are numbered within one computation, inputs
 * before users, in an order that depends on the graph alone, so that equal graphs print equally.
 *
 *     computation fit(image: u8[N, 784]) {
 *       variable "dense/w": f32[784, 10]
 *       %0 = placeholder() {dtype = "u8", name = "image", shape = [N, 784]} : u8[N, 784]
 *       ...
 *       assign "dense/w" = %9
 *       return "metrics.loss" = %14
 *     }
 */
import { conditionText } from "./condition.js";
import type { DeviceKind } from "./device.js";
import { dimText } from "./dim.js";
import { type Computation, type Parameter, rootsOf } from "./graph.js";
import type { Module } from "./module.js";
import {
  type Attribute,
  type Attributes,
  isList,
  isTensor,
  type Node,
  type Region,
  topologicalOrder,
  type Value,
} from "./node.js";
import { literalText, numberText } from "./printer-literal.js";
import { typeText } from "./type.js";

export interface PrintOptions {
  /** Show only the first elements of constants with more than this many: for people; such text does not parse. */
  readonly elide?: number;
}

/** Names of values inside one block; a nested block sees the names around it. */
export type Numbering = ReadonlyMap<Value, number>;

export function printModule(module: Module, options: PrintOptions = {}): string {
  const lines = [`graph ${nameText(module.name)} {`, `  file ${JSON.stringify(module.file)}`, `  seed ${module.seed}`];
  for (const { name, bound } of module.dims) lines.push(`  dim ${name}${bound === undefined ? "" : ` <= ${bound}`}`);
  for (const placeholder of module.placeholders) {
    lines.push(`  placeholder ${parameterText(placeholder)}${placeholder.hasDefault ? " default" : ""}`);
  }
  for (const variable of module.variables) {
    lines.push(
      `  variable ${parameterText(variable)}${variable.trainable ? " trainable" : ""}${placeText(variable.device)}`,
    );
  }
  for (const [path, text] of module.strings) lines.push(`  string ${nameText(path)} = ${JSON.stringify(text)}`);
  for (const { condition, code, message } of module.constraints)
    lines.push(`  require ${conditionText(condition)} ${JSON.stringify(code)} ${JSON.stringify(message)}`);
  lines.push(...indent(blockLines("defaults", module.defaults, options)));
  lines.push(...indent(blockLines("initial", module.initial, options)));
  for (const computation of module.computations)
    lines.push(...indent(blockLines(header(computation), computation, options)));
  return `${[...lines, "}"].join("\n")}\n`;
}

export function printComputation(computation: Computation, options: PrintOptions = {}): string {
  return `${blockLines(header(computation), computation, options).join("\n")}\n`;
}

/** The numbers that the values of a computation have in its printed form. */
export function numberValues(computation: Computation): Numbering {
  const numbering = new Map<Value, number>();
  for (const node of topologicalOrder(rootsOf(computation))) {
    for (const output of node.outputs) numbering.set(output, numbering.size);
  }
  return numbering;
}

/** One node on one line, without its regions: for messages. Values without a number print as `%?`. */
export function nodeText(node: Node, numbering: Numbering, options: PrintOptions = {}): string {
  const results = valuesText(node.outputs, numbering);
  const attributes = attributesText(node.attributes, options);
  const types = node.outputs.map((output) => typeText(output.type));
  const type = types.length === 1 ? types.join("") : `(${types.join(", ")})`;
  const call = `${node.op}(${valuesText(node.inputs, numbering)})${attributes}${placeText(node.device)}`;
  return `${results} = ${call} : ${type}`;
}

function placeText(device: DeviceKind | undefined): string {
  return device === undefined ? "" : ` on ${JSON.stringify(device)}`;
}

function header(computation: Computation): string {
  return `computation ${nameText(computation.name)}(${computation.placeholders.map(parameterText).join(", ")})`;
}

function blockLines(title: string, computation: Computation, options: PrintOptions): readonly string[] {
  const lines = computation.variables.map((variable) => `variable ${parameterText(variable)}`);
  const numbering = new Map<Value, number>();
  lines.push(...nodeLines(rootsOf(computation), numbering, options));
  for (const { path, value } of computation.assignments) {
    lines.push(`assign ${JSON.stringify(path)} = ${valuesText([value], numbering)}`);
  }
  if (computation.outputs.length > 0) {
    const outputs = computation.outputs.map(
      ({ name, value }) => `${JSON.stringify(name)} = ${valuesText([value], numbering)}`,
    );
    lines.push(`return ${outputs.join(", ")}`);
  }
  return [`${title} {`, ...indent(lines), "}"];
}

/** The nodes below `roots` that have no number yet; numbers them. */
function nodeLines(roots: readonly Value[], numbering: Map<Value, number>, options: PrintOptions): string[] {
  const lines: string[] = [];
  for (const node of topologicalOrder(roots)) {
    if (node.outputs.some((output) => numbering.has(output))) continue;
    // The regions come after the line, but their numbers must not depend on that: results are numbered first.
    for (const output of node.outputs) numbering.set(output, numbering.size);
    const line = nodeText(node, numbering, options);
    if (node.regions.length === 0) lines.push(line);
    else
      lines.push(
        `${line} {`,
        ...indent(node.regions.flatMap((region) => regionLines(region, numbering, options))),
        "}",
      );
  }
  return lines;
}

/** `(%4: f32) {`, the body, `yield %6`, `}`. Numbers given inside end with the block. */
function regionLines(region: Region, outer: Numbering, options: PrintOptions): readonly string[] {
  const numbering = new Map(outer);
  for (const parameter of region.parameters) numbering.set(parameter, numbering.size);
  const parameters = region.parameters.map((p) => `${valuesText([p], numbering)}: ${typeText(p.type)}`);
  const body = nodeLines(region.results, numbering, options);
  const results = region.results.length === 0 ? "" : ` ${valuesText(region.results, numbering)}`;
  return [`(${parameters.join(", ")}) {`, ...indent([...body, `yield${results}`]), "}"];
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function valuesText(values: readonly Value[], numbering: Numbering): string {
  return values.map((value) => `%${numbering.get(value) ?? "?"}`).join(", ");
}

function parameterText({ name, type }: Parameter): string {
  return `${nameText(name)}: ${typeText(type)}`;
}

function nameText(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name);
}

function attributesText(attributes: Attributes, options: PrintOptions): string {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return "";
  return ` {${names.map((name) => `${name} = ${attributeText(attributes[name] as Attribute, options)}`).join(", ")}}`;
}

function attributeText(attribute: Attribute, options: PrintOptions): string {
  if (typeof attribute === "string") return JSON.stringify(attribute);
  if (typeof attribute === "bigint") return `${attribute}n`;
  if (typeof attribute === "number") return numberText(attribute);
  if (typeof attribute === "boolean") return String(attribute);
  if (isList(attribute)) return `[${attribute.map((item) => attributeText(item, options)).join(", ")}]`;
  if (isTensor(attribute)) return literalText(attribute, options.elide);
  return dimText(attribute);
}
