import type { FunctionModel, GroupModel, ViewerDocument, ViewModel } from "../model.js";
import { bytesText, element, plural, section, table } from "./dom.js";

/** What the panel says of groups: the function that a call is of, and what a group holds. */

/** The function of a call: its documentation, where it is told first what the call is. */
export function functionOf({ call }: GroupModel, { functions }: ViewerDocument): FunctionModel | undefined {
  return call === undefined ? undefined : functions[call.of];
}

/** The signature, and what this call gives each parameter. */
export function callSections(
  { call }: GroupModel,
  of: FunctionModel | undefined,
): readonly (HTMLElement | undefined)[] {
  if (call === undefined || of === undefined) return [];
  const given = call.given.map(({ name, value, written, isDefault }): readonly [string, string] => {
    const text = written === "" || written === value ? value : value === "" ? written : `${written}: ${value}`;
    return [name, isDefault ? `${text} (default)` : text];
  });
  return [
    section("Signature", of.signature === "" ? undefined : element("pre", { class: "line" }, of.signature)),
    section("Given", given.length === 0 ? undefined : table(given, "facts")),
    section("Gives", call.gives.length === 0 ? undefined : table(call.gives, "facts")),
  ];
}

/** What a group holds: its ops, and in all what they make and do. */
export function contentSections(inside: readonly number[], view: ViewModel): readonly (HTMLElement | undefined)[] {
  const nodes = inside.flatMap((at) => view.nodes[at] ?? []);
  const ops = nodes.filter(({ kind }) => kind === "op");
  const variables = nodes.filter(({ kind }) => kind === "variable");
  const made = ops.flatMap(({ outputs, text }) => outputs.map((type) => ({ of: text, size: view.types[type]?.bytes })));
  const facts: (readonly [string, string])[] = [["ops", count(ops.length)]];
  const parameters = variables.map(({ outputs, name }) => ({
    of: name,
    size: elementsOf(view.types[outputs[0] ?? -1]?.text ?? ""),
  }));
  if (variables.length > 0)
    facts.push(["parameters", `${sumText(parameters)} in ${plural(variables.length, "variable")}`]);
  if (ops.length > 0) {
    const size = sumText(made, bytesText);
    // Memory is for what is stored: the peak may be far less.
    facts.push(["values made", view.kind === "kernels" ? `${size}; those fused into a kernel are never stored` : size]);
  }
  if (view.kind !== "kernels" && ops.length > 0)
    facts.push([
      "operations",
      sumText(ops.filter(isLeaf).map(({ operations, text }) => ({ of: text, size: operations }))),
    ]);
  return [section("Inside", table(facts, "facts")), section("Ops", opsTable(ops.map(({ op }) => op)))];
}

/** A loop's ops count for themselves. */
function isLeaf({ work }: { readonly work: string }): boolean {
  return work !== "region";
}

function opsTable(names: readonly string[]): HTMLElement | undefined {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([name, times]) => [name, count(times)] as const);
  return rows.length === 0 ? undefined : table(rows);
}

interface Sized {
  /** What has the size. */
  readonly of: string;
  readonly size: number | undefined;
}

/** The sum of what is known, and of what it is not. */
function sumText(parts: readonly Sized[], textOf: (sum: number) => string = count): string {
  const known = parts.flatMap(({ size }) => size ?? []);
  const unknown = [...new Set(parts.flatMap(({ of, size }) => (size === undefined ? [of] : [])))];
  if (known.length === 0 && unknown.length > 0) return "not known";
  const sum = textOf(known.reduce((all, part) => all + part, 0));
  if (unknown.length === 0) return sum;
  const named = unknown.slice(0, mostNamed).join(", ");
  const more = unknown.length > mostNamed ? ` and ${count(unknown.length - mostNamed)} more` : "";
  return `${sum}, without those of ${named}${more}, which are not known`;
}

/** Ops that a sum leaves out, by name. */
const mostNamed = 4;

/** How many numbers a type has: of `f32[3, 4]` twelve; undefined where a size is a name. */
function elementsOf(type: string): number | undefined {
  const dims = /\[(.*)\]$/.exec(type)?.[1];
  if (dims === undefined || dims === "") return 1;
  const sizes = dims.split(",").map(Number);
  return sizes.some(Number.isNaN) ? undefined : sizes.reduce((product, size) => product * size, 1);
}

function count(many: number): string {
  return many.toLocaleString("en-US");
}
