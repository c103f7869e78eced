/** What the sizes of a run are, and whether they are allowed. The graph itself is specialised in `compiler/passes/specialise.ts`. */
import { problem } from "./codes.js";
import { conditionText, decide, dimsIn } from "./condition.js";
import { type Diagnostic, GraphError } from "./diagnostic.js";
import { type Dim, dimText, isSymbolic, substituteDim, symbol, symbolsOf } from "./dim.js";
import { type Computation, type Constraint, type Graph, type Placeholder, rootsOf } from "./graph.js";
import { type Attribute, isList, isTensor, type Node, topologicalOrder } from "./node.js";
import { shapeText, type TensorType, typeText } from "./type.js";

export type Bindings = ReadonlyMap<string, number>;

/** The part of a feed that decides sizes. */
export interface FedShape {
  readonly shape: readonly number[];
}

/** Where a dim got its size, for the diagnostic that names both sides. */
interface Origin {
  readonly size: number;
  readonly feed: string;
}

/**
 * The size of every dim that a run mentions (`mentioned`), from the shapes of its feeds. Throws GraphError with all problems: G081 a feed of
 * another shape, G085 a dim that two feeds bind differently, G084 beyond its bound, G080 a dim that no feed decides.
 */
export function bindDims(graph: Graph, mentioned: ReadonlySet<string>, feeds: ReadonlyMap<string, FedShape>): Bindings {
  const diagnostics: Diagnostic[] = [];
  const origins = new Map<string, Origin>();
  const equations: Equation[] = [];
  const misfits = new Set<string>();
  for (const { name, value } of graph.placeholders) {
    const fed = feeds.get(name);
    if (fed === undefined) continue;
    if (value.type.shape.length !== fed.shape.length) {
      diagnostics.push(
        wrongShape(graph, name, fed.shape, `it has ${axes(fed.shape.length)}, not ${value.type.shape.length}`),
      );
      // What it should have decided is not missing: it is wrong, and that is said.
      for (const dim of value.type.shape) for (const symbol of symbolsOf(dim)) misfits.add(symbol);
      continue;
    }
    value.type.shape.forEach((dim, axis) => {
      equations.push({ dim, size: fed.shape[axis] ?? 0, feed: name, axis });
    });
  }
  solve(graph, feeds, equations, origins, misfits, diagnostics);
  const bindings = new Map([...origins].map(([name, { size }]) => [name, size]));
  diagnostics.push(...boundProblems(graph, bindings), ...missingProblems(graph, mentioned, bindings, misfits));
  if (diagnostics.length > 0) throw new GraphError(diagnostics);
  return bindings;
}

/** One axis of a feed: its declared dim is this size. */
interface Equation {
  readonly dim: Dim;
  readonly size: number;
  readonly feed: string;
  readonly axis: number;
}

/** Plain dims first, then those that follow from them: each round binds what has become linear in one unknown. */
function solve(
  graph: Graph,
  feeds: ReadonlyMap<string, FedShape>,
  equations: readonly Equation[],
  origins: Map<string, Origin>,
  misfits: Set<string>,
  diagnostics: Diagnostic[],
): void {
  let waiting = equations;
  for (;;) {
    const bindings = new Map([...origins].map(([name, { size }]) => [name, size]));
    const later: Equation[] = [];
    let bound = false;
    for (const equation of waiting) {
      const { dim, size, feed, axis } = equation;
      const open = isSymbolic(dim) ? [...symbolsOf(dim)].filter((name) => !origins.has(name)) : [];
      const [unknown] = open;
      const solution = open.length === 1 && unknown !== undefined ? solveLinear(dim, unknown, size, bindings) : "open";
      if (unknown !== undefined && typeof solution === "number") {
        origins.set(unknown, { size: solution, feed });
        bindings.set(unknown, solution);
        bound = true;
      } else if (unknown !== undefined && solution === "none") {
        const rule = `it must be ${dimText(substituteDim(dim, bindings))} for a size ${unknown}`;
        diagnostics.push(wrongShape(graph, feed, feeds.get(feed)?.shape ?? [], `axis ${axis} is ${size}, but ${rule}`));
        misfits.add(unknown);
      } else if (open.length > 0) later.push(equation);
      else {
        const expected = substituteDim(dim, bindings);
        if (expected !== size) diagnostics.push(mismatch(graph, feeds, equation, origins, expected, axis));
      }
    }
    waiting = later;
    if (!bound) return;
  }
}

/** The whole size, at least 0, that makes `dim`, a * unknown + b, equal to `size`; "open" where dim is nothing of that form. */
function solveLinear(dim: Dim, unknown: string, size: number, bindings: Bindings): number | "none" | "open" {
  const at = (value: number): number | undefined => {
    const result = substituteDim(dim, new Map([...bindings, [unknown, value]]));
    return typeof result === "number" ? result : undefined;
  };
  const [zero, one, two] = [at(0), at(1), at(2)];
  if (zero === undefined || one === undefined || two === undefined) return "open";
  const slope = one - zero;
  if (slope === 0 || two - one !== slope) return "open";
  const solution = (size - zero) / slope;
  return Number.isSafeInteger(solution) && solution >= 0 && at(solution) === size ? solution : "none";
}

function mismatch(
  graph: Graph,
  feeds: ReadonlyMap<string, FedShape>,
  { dim, size, feed }: Equation,
  origins: ReadonlyMap<string, Origin>,
  expected: Dim,
  axis: number,
): Diagnostic {
  const shape = feeds.get(feed)?.shape ?? [];
  const names = isSymbolic(dim) ? [...symbolsOf(dim)] : [];
  const other = names
    .map((name) => ({ name, origin: origins.get(name) }))
    .find(({ origin }) => origin !== undefined && origin.feed !== feed);
  if (other?.origin === undefined) {
    const why = isSymbolic(dim) ? `${dimText(dim)} is ${dimText(expected)}` : `it must be ${dimText(dim)}`;
    return wrongShape(graph, feed, shape, `axis ${axis} is ${size}, but ${why}`);
  }
  const { name, origin } = other;
  const places = [origin.feed, feed].map((fed) => ({
    span: placeholderOf(graph, fed)?.span,
    message: `\`${fed}\` is ${typeOf(graph, fed)}, fed with ${shapeText(feeds.get(fed)?.shape ?? [])}`,
  }));
  const here = dimText(dim) === name ? `${size}` : `another size (${dimText(dim)} is ${size})`;
  return problem(
    "G085",
    places[1]?.span,
    `\`${origin.feed}\` makes the dim ${name} ${origin.size}, and \`${feed}\` makes it ${here}`,
    {
      notes: places,
      hint: "feed as many rows of one as of the other",
    },
  );
}

function wrongShape(graph: Graph, feed: string, shape: readonly number[], reason: string): Diagnostic {
  const message = `\`${feed}\` is ${typeOf(graph, feed)}, but is fed with ${shapeText(shape)}: ${reason}`;
  const placeholder = placeholderOf(graph, feed);
  const hint = placeholder === undefined ? undefined : shapeHint(placeholder, shape);
  return problem("G081", placeholder?.span, message, { label: typeOf(graph, feed), hint });
}

/** How a feed comes to have the declared shape, or the declaration that of the feed. */
function shapeHint({ name, value: { type } }: Placeholder, fed: readonly number[]): string {
  const declared = type.shape;
  const fits = (sizes: readonly Dim[], others: readonly number[]): boolean =>
    sizes.length === others.length && sizes.every((dim, axis) => isSymbolic(dim) || dim === others[axis]);
  if (fits(declared.slice(1), fed))
    return `a single row stands in a list of its own, of shape ${shapeText([1, ...fed])}`;
  if (fits(declared, fed.slice(1)))
    return `feed one row, or declare an axis for the rows: \`placeholder ${name}: ${type.dtype}${shapeText([symbol("N"), ...declared])}\``;
  if (declared.length === fed.length) return "feed as many as are declared; a size that feeds decide is a dim: `dim N`";
  return `what is fed has the declared number of axes; \`placeholder ${name}: ${type.dtype}${shapeText(fed)}\` takes this one`;
}

function axes(count: number): string {
  return count === 1 ? "1 axis" : `${count} axes`;
}

function typeOf(graph: Graph, name: string): string {
  const placeholder = placeholderOf(graph, name);
  return placeholder === undefined ? "unknown" : typeText(placeholder.value.type);
}

function placeholderOf(graph: Graph, name: string): Graph["placeholders"][number] | undefined {
  return graph.placeholders.find((placeholder) => placeholder.name === name);
}

/** Sizes that are not whole, below 0, or beyond what their `dim` declares. */
export function boundProblems(graph: Graph, bindings: Bindings): readonly Diagnostic[] {
  return graph.dims.flatMap(({ name, bound, span }) => {
    const size = bindings.get(name);
    if (size === undefined) return [];
    if (!Number.isSafeInteger(size) || size < 0) return [problem("G084", span, `the dim ${name} cannot be ${size}`)];
    if (bound === undefined || size <= bound) return [];
    return [
      problem("G084", span, `the dim ${name} is ${size}, beyond its bound ${bound}`, {
        label: `at most ${bound}`,
        hint: `feed at most ${bound}, or declare \`dim ${name} <= ${size}\``,
      }),
    ];
  });
}

/** Dims that a computation mentions and nothing has bound, except those that are `told` of already. */
export function missingProblems(
  graph: Graph,
  mentioned: ReadonlySet<string>,
  bindings: Bindings,
  told: ReadonlySet<string> = new Set(),
): readonly Diagnostic[] {
  const missing = [...mentioned].filter((name) => !bindings.has(name) && !told.has(name)).sort();
  return missing.map((name) => {
    const declared = graph.dims.find((dim) => dim.name === name);
    const deciding = graph.placeholders.find(({ value }) => value.type.shape.some((dim) => symbolsOf(dim).has(name)));
    return problem("G080", declared?.span, `the size of the dim ${name} is not known`, {
      hint: deciding === undefined ? undefined : `feed \`${deciding.name}\`, which is ${typeText(deciding.value.type)}`,
    });
  });
}

/**
 * Constraints of the graph that these sizes decide, and break. The same sizes may have to fulfil the same at several places: that is
 * one fault, told at the first with the others as notes.
 */
export function constraintProblems(constraints: readonly Constraint[], bindings: Bindings): readonly Diagnostic[] {
  const faults = new Map<string, Diagnostic>();
  for (const constraint of constraints) {
    const { condition, diagnostic, premises } = constraint;
    if (decide(condition, bindings) !== false || premises.some((one) => decide(one, bindings) === false)) continue;
    const message = withSizes(constraint, bindings);
    const key = faultKey(constraint);
    const known = faults.get(key);
    const equal = condition.kind === "compare" && condition.relation === "equal" && constraint.sizes === "placed";
    const also = equal ? "they must be equal here too" : message;
    const fault: Diagnostic =
      known === undefined
        ? { ...diagnostic, message }
        : { ...known, notes: [...known.notes, { span: diagnostic.span, message: also }] };
    faults.set(key, fault);
  }
  return [...faults.values()];
}

/** Equal where the same is wrong: the sides of an equation may have changed places, and with them its message. */
function faultKey({ condition, diagnostic, sizes }: Constraint): string {
  if (sizes === "appended" || condition.kind !== "compare") return `${conditionText(condition)} ${diagnostic.message}`;
  const { left, relation, right } = condition;
  return [diagnostic.code, relation, ...[dimText(left), dimText(right)].sort()].join(" ");
}

/** The message of a broken constraint, with the sizes that break it. */
function withSizes({ condition, diagnostic: { message }, sizes }: Constraint, bindings: Bindings): string {
  if (sizes === "placed") {
    if (condition.kind !== "compare") return message;
    const [left, right] = [condition.left, condition.right].map((dim) => dimText(substituteDim(dim, bindings)));
    return message.replaceAll("{left}", left ?? "").replaceAll("{right}", right ?? "");
  }
  const found = dimsIn(condition).flatMap((name) => {
    const size = bindings.get(name);
    return size === undefined ? [] : [`${name} = ${size}`];
  });
  return found.length === 0 ? message : `${message} (with ${found.join(", ")})`;
}

/** The declared dims that the types and attributes of a computation mention. */
export function dimsOf(computation: Computation): ReadonlySet<string> {
  const names = new Set<string>();
  const addType = (type: TensorType): void => {
    for (const dim of type.shape) for (const name of symbolsOf(dim)) names.add(name);
  };
  const addAttribute = (attribute: Attribute): void => {
    if (typeof attribute !== "object") return;
    if (isList(attribute)) attribute.forEach(addAttribute);
    else if (!isTensor(attribute)) for (const name of symbolsOf(attribute)) names.add(name);
  };
  for (const { type } of [...computation.placeholders, ...computation.variables]) addType(type);
  const stack = [rootsOf(computation)];
  for (let roots = stack.pop(); roots !== undefined; roots = stack.pop()) {
    for (const node of topologicalOrder(roots)) {
      for (const output of node.outputs) addType(output.type);
      for (const attribute of Object.values(node.attributes)) addAttribute(attribute);
      for (const region of node.regions) stack.push(region.results);
    }
  }
  return names;
}

/** Whether a type or an attribute of a node mentions a declared dim. */
export function isOpen(node: Node): boolean {
  const mentions = (attribute: Attribute): boolean => {
    if (typeof attribute !== "object") return false;
    return isList(attribute) ? attribute.some(mentions) : !isTensor(attribute);
  };
  return node.outputs.some(({ type }) => type.shape.some(isSymbolic)) || Object.values(node.attributes).some(mentions);
}
