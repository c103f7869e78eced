/** A test file as a graph: typed, with an edge for each gradient that it expects, and all of its diagnostics. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Diagnostic, GraphError } from "../../../compiler/ir/diagnostic.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { prepareComputation } from "../../../compiler/prepare.js";
import type { Selection } from "../../../compiler/program.js";
import { loadGraphFromText } from "../../../dsl/load.js";
import { type Directive, readTestFile, type TestFile } from "./directives.js";
import { languageFolder } from "./folder.js";
import { describe, type Found } from "./found.js";

export type DirectiveOf<K extends Directive["kind"]> = Directive & { readonly kind: K };

export interface LoadedTest extends TestFile {
  readonly graph: Graph | undefined;
  readonly found: readonly Found[];
  /** The name of the edge that holds each expected gradient. */
  readonly gradients: ReadonlyMap<DirectiveOf<"gradient">, string>;
}

export function directivesOf<K extends Directive["kind"]>(file: TestFile, kind: K): readonly DirectiveOf<K>[] {
  return file.directives.filter((directive): directive is DirectiveOf<K> => directive.kind === kind);
}

export function loadTest(name: string): LoadedTest {
  const path = join(languageFolder, name);
  return loadText(path, readFileSync(path, "utf8"));
}

export function loadText(path: string, text: string): LoadedTest {
  const file = readTestFile(path, text);
  const gradients = new Map(directivesOf(file, "gradient").map((one, i) => [one, `_gradient_${i}`]));
  const loaded = loadGraphFromText(withGradients(text, gradients), path, { unused: true });
  const diagnostics = [...loaded.diagnostics];
  if (loaded.graph !== undefined) diagnostics.push(...selectionProblems(loaded.graph));
  const textOf = (asked: string) => (asked === path ? text : loaded.files.get(asked));
  return { ...file, gradients, graph: loaded.graph, found: diagnostics.map((one) => describe(one, path, textOf)) };
}

/** The statements stand on the line of the bracket that ends the graph, so that all other places stay. */
function withGradients(text: string, gradients: ReadonlyMap<DirectiveOf<"gradient">, string>): string {
  if (gradients.size === 0) return text;
  const end = text.lastIndexOf("}");
  const statements = [...gradients].map(([{ of, in: x }, name]) => `  ${name} = gradients(${of}, [${x}])\n`);
  return `${text.slice(0, end)}\n${statements.join("")}${text.slice(end)}`;
}

/** What shows only when something is asked of the graph: gradients without a path, updates that meet. */
function selectionProblems(graph: Graph): readonly Diagnostic[] {
  const selections: readonly Selection[] = [
    { kind: "request", fetches: [...graph.inference.names.keys()], updates: [] },
    ...graph.signatures.map(({ name }) => ({ kind: "signature", name }) as const),
  ];
  const problems = new Map<string, Diagnostic>();
  for (const selection of selections) {
    try {
      prepareComputation(graph, selection);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      for (const one of error.diagnostics) problems.set(`${one.code} ${one.span?.start} ${one.message}`, one);
    }
  }
  return [...problems.values()];
}

/** The path of an edge by its name, which may leave out the scopes around it. */
export function pathOf(graph: Graph, name: string): string {
  const paths = [...graph.inference.names.keys(), ...graph.variables.map(({ path }) => path), ...graph.strings.keys()];
  if (paths.includes(name) || graph.placeholders.some((placeholder) => placeholder.name === name)) return name;
  return paths.find((path) => path.endsWith(`.${name}`)) ?? name;
}
