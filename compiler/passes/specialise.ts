import { problem } from "../ir/codes.js";
import { type Diagnostic, GraphError, InternalError } from "../ir/diagnostic.js";
import { substituteDim } from "../ir/dim.js";
import { type Computation, type Graph, type Parameter, rootsOf } from "../ir/graph.js";
import {
  type Attribute,
  type Attributes,
  isList,
  isTensor,
  type Node,
  newRegionParameters,
  type Region,
  topologicalOrder,
  type Value,
} from "../ir/node.js";
import { type Bindings, boundProblems, constraintProblems, dimsOf, isOpen, missingProblems } from "../ir/specialise.js";
import { standFor } from "../ir/stand_ins.js";
import { type TensorType, typeEquals, typeText } from "../ir/type.js";
import { reapply } from "../ops/define.js";
import { OpError } from "../ops/op_error.js";

/** More elements than a tensor can have whatever the machine: their bytes must be counted exactly. */
const maximumElements = 2 ** 48;

/**
 * Binds the dims: every node is rebuilt through its op, so that a shape rule which the symbolic sizes left open is decided now,
 * with the same diagnostic. Throws GraphError with all problems: broken constraints, sizes below 0 or too large, dims beyond
 * their bounds (G084) or without a size (G080).
 */
export function specialise(graph: Graph, computation: Computation, bindings: Bindings): Computation {
  const problems = [
    ...missingProblems(graph, dimsOf(computation), bindings),
    ...boundProblems(graph, bindings),
    ...constraintProblems(computation.constraints ?? [], bindings),
  ];
  if (problems.length > 0) throw new GraphError(problems);
  const specialiser = new Specialiser(computation, bindings);
  const roots = rootsOf(computation);
  for (const node of topologicalOrder(roots)) specialiser.visit(node);
  if (specialiser.diagnostics.length > 0) throw new GraphError(specialiser.diagnostics);
  const bind = ({ name, type }: Parameter): Parameter => ({ name, type: substituteType(type, bindings) });
  return {
    ...computation,
    placeholders: computation.placeholders.map(bind),
    variables: computation.variables.map(bind),
    outputs: computation.outputs.map(({ name, value }) => ({ name, value: specialiser.result(value) })),
    assignments: computation.assignments.map(({ path, value }) => ({ path, value: specialiser.result(value) })),
  };
}

class Specialiser {
  readonly diagnostics: Diagnostic[] = [];
  readonly #computation: Computation;
  readonly #bindings: Bindings;
  readonly #results = new Map<Node, readonly Value[]>();

  constructor(computation: Computation, bindings: Bindings) {
    this.#computation = computation;
    this.#bindings = bindings;
  }

  result(value: Value): Value {
    const result = this.#results.get(value.node)?.[value.index];
    if (result === undefined) throw new InternalError(`${value.node.op} was not specialised`);
    return result;
  }

  /** Rebuilds one node. A node whose inputs failed is left out: its problem is theirs. */
  visit(node: Node): void {
    if (this.#results.has(node)) return;
    if (!node.inputs.every((input) => this.#results.has(input.node))) return;
    const { sources } = this.#computation;
    try {
      const outputs = this.#rebuild(node);
      for (const { type } of outputs) this.#checkSize(node, type);
      sources.inheritAll(outputs, node);
      this.#results.set(node, outputs);
    } catch (error) {
      // What went wrong in a region has been reported there.
      if (error instanceof RegionFailed) return;
      if (!(error instanceof OpError)) throw error;
      this.#report(this.#diagnose(node, error));
    }
  }

  /** The node itself where no size in it was open: a large constant, say, is not looked at again. */
  #rebuild(node: Node): readonly Value[] {
    const inputs = node.inputs.map((input) => this.result(input));
    const regions = node.regions.map((region) => this.#region(region));
    const same =
      inputs.every((input, i) => input === node.inputs[i]) &&
      regions.every((region, i) => region === node.regions[i]) &&
      !isOpen(node);
    if (same) return node.outputs;
    const attributes = substituteAttributes(node.attributes, this.#bindings);
    const outputs = reapply(node, inputs, regions, attributes);
    const [open] = outputs.filter(({ node: made }) => isOpen(made));
    if (open !== undefined) throw new OpError("G089", "a size is divided by zero");
    return outputs;
  }

  /** A region is closed, so that its nodes have nothing to do with those around it. Two that share parameters go on doing so. */
  #region(region: Region): Region {
    const parameters = region.parameters.map((parameter) => this.#parameter(parameter));
    for (const node of topologicalOrder(region.results)) this.visit(node);
    const failed = region.results.find((result) => !this.#results.has(result.node));
    if (failed !== undefined) throw new RegionFailed();
    const results = region.results.map((result) => this.result(result));
    const same =
      parameters.every((parameter, i) => parameter === region.parameters[i]) &&
      results.every((result, i) => result === region.results[i]);
    return same ? region : { parameters, results };
  }

  #parameter(parameter: Value): Value {
    const known = this.#results.get(parameter.node)?.[0];
    if (known !== undefined) return known;
    const type = substituteType(parameter.type, this.#bindings);
    const result = typeEquals(type, parameter.type) ? parameter : (newRegionParameters([type])[0] as Value);
    this.#computation.sources.inherit(result, parameter.node);
    standFor(result, parameter);
    this.#results.set(parameter.node, [result]);
    return result;
  }

  #checkSize(node: Node, type: TensorType): void {
    const sizes = type.shape.map(Number);
    // Where a size can be below 0, the op's own rule refuses it.
    if (sizes.some((size) => size < 0)) throw new InternalError(`${node.op} gives ${typeText(type)}`);
    const elements = sizes.reduce((product, size) => product * size, 1);
    if (elements > maximumElements)
      throw new OpError(
        "G102",
        `${typeText(type)} has ${elements.toExponential(2)} elements, more than any machine holds`,
      );
  }

  /** A shape that several nodes have is told where it comes up first. */
  #report(found: Diagnostic): void {
    if (this.diagnostics.every(({ code, message }) => code !== found.code || message !== found.message))
      this.diagnostics.push(found);
  }

  #diagnose(node: Node, error: OpError): Diagnostic {
    const { sources } = this.#computation;
    const notes = [error.operand, error.against].flatMap((position) => {
      const input = position === undefined ? undefined : node.inputs[position];
      if (input === undefined) return [];
      const specialised = this.#results.get(input.node)?.[input.index] ?? input;
      return [{ span: sources.spansOf(input.node)[0], message: `${typeText(specialised.type)} comes from here` }];
    });
    const sizes = [...this.#bindings].map(([name, size]) => `${name} = ${size}`).join(", ");
    const message = sizes === "" ? error.message : `${error.message} (with ${sizes})`;
    return problem(error.code, sources.spansOf(node)[0], message, { notes, hint: error.hint });
  }
}

/** A region has a node that was refused. */
class RegionFailed extends Error {}

function substituteType(type: TensorType, bindings: Bindings): TensorType {
  return { dtype: type.dtype, shape: type.shape.map((dim) => substituteDim(dim, bindings)) };
}

function substituteAttributes(attributes: Attributes, bindings: Bindings): Attributes {
  const substitute = (attribute: Attribute): Attribute => {
    if (typeof attribute !== "object") return attribute;
    if (isList(attribute)) return attribute.map(substitute);
    return isTensor(attribute) ? attribute : substituteDim(attribute, bindings);
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, substitute(attribute)]));
}
