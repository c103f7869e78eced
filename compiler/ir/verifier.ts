/** Checks that a computation keeps the rules that every stage relies on. What it finds is a defect of the stage before. */
import type { Diagnostic, Note } from "./diagnostic.js";
import { type Computation, type Parameter, rootsOf } from "./graph.js";
import { type Attributes, isList, isTensor, type Node, type Region, topologicalOrder, type Value } from "./node.js";
import { nodeText, numberValues } from "./printer.js";
import { isOpen } from "./specialise.js";
import { elementCount } from "./tensor.js";
import { type TensorType, typeEquals, typeText } from "./type.js";

/** What the verifier needs to know of an op; `compiler/ops` has it, and is passed in because this room imports nothing. */
export interface OpRules {
  readonly infer: (
    types: readonly TensorType[],
    attributes: Attributes,
    regions?: readonly Region[],
  ) => readonly TensorType[];
  readonly kernel: { readonly kind: string };
}

export type OpRulesTable = ReadonlyMap<string, OpRules>;

export interface VerifyOptions {
  /** No `gradients` or `stop_gradient` may be left (after `differentiate`). */
  readonly differentiated?: boolean;
  /** No symbolic dim may be left (after specialisation). */
  readonly specialised?: boolean;
}

/** How many lines of the printed form stand around a faulty node. */
const contextLines = 5;
const maximumProblems = 100;

/** Everything that is wrong with a computation; empty when it is well formed. */
export function verify(
  computation: Computation,
  ops: OpRulesTable,
  options: VerifyOptions = {},
): readonly Diagnostic[] {
  const report = new Report(computation);
  checkInterface(computation, report);
  const checker = new NodeChecker(computation, ops, options, report);
  checker.block(rootsOf(computation), new Set(), new Set());
  return report.diagnostics;
}

/** Gives each problem its place in the printed form. */
class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly #computation: Computation;

  constructor(computation: Computation) {
    this.#computation = computation;
  }

  add(message: string, node?: Node): void {
    if (this.diagnostics.length >= maximumProblems) return;
    const span = node === undefined ? undefined : this.#computation.sources.spansOf(node)[0];
    const where = node === undefined ? `computation ${this.#computation.name}` : node.op;
    this.diagnostics.push({
      code: "verifier",
      severity: "error",
      message: `${where}: ${message}`,
      span,
      notes: node === undefined ? [] : this.#context(node),
    });
  }

  /** The node in its surroundings. */
  #context(node: Node): readonly Note[] {
    const numbering = numberValues(this.#computation);
    const order = topologicalOrder(rootsOf(this.#computation));
    const at = order.indexOf(node);
    if (at < 0) return [{ span: undefined, message: `> ${nodeText(node, numbering, { elide: 8 })}` }];
    const first = Math.max(0, Math.min(at - Math.floor(contextLines / 2), order.length - contextLines));
    return order.slice(first, first + contextLines).map((neighbour) => ({
      span: this.#computation.sources.spansOf(neighbour)[0],
      message: `${neighbour === node ? ">" : " "} ${nodeText(neighbour, numbering, { elide: 8 })}`,
    }));
  }
}

function checkInterface(computation: Computation, report: Report): void {
  const lists = [
    ["placeholder", computation.placeholders.map(({ name }) => name)],
    ["variable", computation.variables.map(({ name }) => name)],
    ["output", computation.outputs.map(({ name }) => name)],
    ["assigned variable", computation.assignments.map(({ path }) => path)],
  ] as const;
  for (const [kind, names] of lists) {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) report.add(`the ${kind} ${JSON.stringify(name)} is listed twice`);
      seen.add(name);
    }
  }
  const variables = new Map(computation.variables.map(({ name, type }) => [name, type]));
  for (const { path, value } of computation.assignments) {
    const type = variables.get(path);
    if (type === undefined) report.add(`${JSON.stringify(path)} is assigned, but is none of the variables`, value.node);
    else if (!typeEquals(type, value.type)) {
      report.add(`${JSON.stringify(path)} of type ${typeText(type)} is assigned a ${typeText(value.type)}`, value.node);
    }
  }
}

class NodeChecker {
  readonly #ops: OpRulesTable;
  readonly #options: VerifyOptions;
  readonly #report: Report;
  readonly #placeholders: ReadonlyMap<string, Parameter>;
  readonly #variables: ReadonlyMap<string, Parameter>;

  constructor(computation: Computation, ops: OpRulesTable, options: VerifyOptions, report: Report) {
    this.#ops = ops;
    this.#options = options;
    this.#report = report;
    this.#placeholders = new Map(computation.placeholders.map((parameter) => [parameter.name, parameter]));
    this.#variables = new Map(computation.variables.map((parameter) => [parameter.name, parameter]));
  }

  /** The nodes below `roots`; `done` has those of the blocks around it, `parameters` those of the enclosing regions. */
  block(roots: readonly Value[], done: Set<Node>, parameters: ReadonlySet<Node>): void {
    for (const root of roots) this.#checkEdge(root);
    for (const node of topologicalOrder(roots)) {
      if (done.has(node)) continue;
      this.#checkInputs(node, done);
      done.add(node);
      this.#checkOutputs(node);
      if (node.op === "parameter") {
        if (!parameters.has(node)) this.#report.add("a region's parameter is used outside it", node);
      } else this.#checkRules(node);
      this.#checkParameter(node);
      if (this.#options.specialised === true && isOpen(node)) {
        this.#report.add("a dim is still symbolic after specialisation", node);
      }
      for (const region of node.regions) {
        const inner = new Set([...parameters, ...region.parameters.map((parameter) => parameter.node)]);
        this.block(region.results, new Set(done), inner);
      }
    }
  }

  #checkEdge(value: Value): void {
    if (value.node.outputs[value.index] !== value) this.#report.add("an edge is no output of its node", value.node);
  }

  #checkInputs(node: Node, done: ReadonlySet<Node>): void {
    for (const input of node.inputs) {
      this.#checkEdge(input);
      if (!done.has(input.node)) this.#report.add("the graph has a cycle through this node", node);
    }
  }

  #checkOutputs(node: Node): void {
    node.outputs.forEach((output, index) => {
      if (output.node !== node || output.index !== index)
        this.#report.add(`output ${index} points at another node`, node);
    });
  }

  /** Operands, attributes and types, as the op infers them. */
  #checkRules(node: Node): void {
    const op = this.#ops.get(node.op);
    if (op === undefined) {
      this.#report.add("there is no such op", node);
      return;
    }
    if (this.#options.differentiated === true && op.kernel.kind === "pseudo") {
      this.#report.add("is left over after differentiation", node);
    }
    for (const problem of literalProblems(node.attributes)) this.#report.add(problem, node);
    let types: readonly TensorType[];
    try {
      types = op.infer(
        node.inputs.map((input) => input.type),
        node.attributes,
        node.regions,
      );
    } catch (error) {
      this.#report.add(error instanceof Error ? error.message : String(error), node);
      return;
    }
    const declared = node.outputs.map((output) => output.type);
    if (types.length !== declared.length || !types.every((type, i) => typeEquals(type, declared[i] as TensorType))) {
      this.#report.add(`has the type ${typesText(declared)}, but its operands give ${typesText(types)}`, node);
    }
  }

  /** Placeholders and variables are those that the computation lists. */
  #checkParameter(node: Node): void {
    if (node.op !== "placeholder" && node.op !== "variable") return;
    const name = node.op === "placeholder" ? node.attributes["name"] : node.attributes["path"];
    if (typeof name !== "string") return;
    const listed = (node.op === "placeholder" ? this.#placeholders : this.#variables).get(name);
    const type = node.outputs[0]?.type;
    if (listed === undefined) this.#report.add(`${JSON.stringify(name)} is not listed by the computation`, node);
    else if (type !== undefined && !typeEquals(listed.type, type)) {
      this.#report.add(`${JSON.stringify(name)} is listed as ${typeText(listed.type)}`, node);
    }
  }
}

function literalProblems(attributes: Attributes): readonly string[] {
  return Object.values(attributes).flatMap((attribute) => {
    if (typeof attribute !== "object" || isList(attribute) || !isTensor(attribute)) return [];
    const { shape, data } = attribute;
    return elementCount(shape) === data.length
      ? []
      : [`its constant has ${data.length} elements for [${shape.join(", ")}]`];
  });
}

function typesText(types: readonly TensorType[]): string {
  return types.length === 1 ? types.map(typeText).join("") : `(${types.map(typeText).join(", ")})`;
}
