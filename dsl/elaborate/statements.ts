import { isFloat } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeEquals } from "../../compiler/ir/type.js";
import type { Binding, BindingTarget, Constant, Ident, Scope, Statement } from "../ast.js";
import { quote } from "../diagnostics.js";
import { assignment } from "./assignments.js";
import { toTensor } from "./convert.js";
import { ask, perform } from "./effects.js";
import { evaluate, guarded } from "./expressions.js";
import { define } from "./facts.js";
import { type Item, isLiteral, isPoisoned, literalDType, type Meaning, poisoned, tensor } from "./meaning.js";
import { Names } from "./names.js";
import { placed } from "./places.js";
import { region } from "./regions.js";
import { requirement } from "./requirements.js";
import { applyOp, type Env, record, refusal, report } from "./state.js";
import type { SymbolInfo } from "./symbol_table.js";
import { checkType, declaredType } from "./types.js";
import { variable } from "./variables.js";

/** The statements of a body in order. What only a graph has (dims, placeholders, updates, signatures) is `graph.ts`'s. */
export function statements(env: Env, body: readonly Statement[]): void {
  expectNames(env.names, body);
  for (const one of body) statement(env, one);
}

/** Notes the names that statements will bind, so that an early use is told from an unknown name. */
export function expectNames(names: Names, body: readonly Statement[]): void {
  for (const one of body) {
    switch (one.kind) {
      case "binding":
        for (const { name } of one.targets) names.expect(name.name, name.span);
        break;
      case "variable":
      case "constant":
      case "scope":
      case "placeholder":
      case "dim":
        names.expect(one.name.name, one.name.span);
        break;
      case "on":
        expectNames(names, one.body.statements);
        break;
      case "invalid":
        if (one.names.length === 0 && one.word === undefined) names.markIncomplete();
        for (const name of one.names) names.bind(name.name, { meaning: poisoned, span: name.span });
        break;
      default:
        break;
    }
  }
}

export function statement(env: Env, one: Statement): void {
  const mark = env.state.shared.pending;
  placed(env, one, () => dispatch(env, one));
  // What a call requires, its results rest on.
  if (one.kind !== "require" || env.frame.call === undefined) env.state.shared.settle(mark);
}

function dispatch(env: Env, one: Statement): void {
  switch (one.kind) {
    case "binding":
      binding(env, one);
      return;
    case "constant":
      constant(env, one);
      return;
    case "variable":
      variable(env, one);
      return;
    case "scope":
      scope(env, one, statements);
      return;
    case "on":
      for (const inner of one.body.statements) statement(env, inner);
      return;
    case "assignment":
      assignment(env, one);
      return;
    case "require":
      requirement(env, one);
      return;
    // The parser has reported those that stand in the wrong place.
    case "invalid":
    case "seed":
    case "dim":
    case "placeholder":
    case "update":
    case "signature":
    case "train":
    case "next":
    case "yield":
      return;
  }
}

/** `scope metrics { ... }`: names inside are `metrics.loss` outside. */
export function scope(env: Env, one: Scope, body: (env: Env, statements: readonly Statement[]) => void): void {
  const names = blockNames(env, env.prefix + one.name.name);
  bindName(
    env,
    one.name,
    { kind: "scope", names },
    { kind: "scope", type: undefined, doc: one.doc?.text, span: one.name.span },
  );
  const { name, span } = one.name;
  const path = env.prefix + name;
  const inner = env.state.shared.scope(env.scope, { kind: "scope", name, binding: "", path, span });
  body({ ...env, scope: inner, names, prefix: `${path}.` }, one.body.statements);
}

/** The names of a scope; an editor keeps those of the graph's. */
function blockNames(env: Env, path: string): Names {
  const { memory } = env.state.shared;
  const isKept = memory !== undefined && env.frame.kind === "graph" && !memory.isRecording;
  return isKept ? memory.block(`${env.state.training} ${path}`, env.names) : new Names(env.names);
}

/** Binds a name once in its block. */
export function bindName(env: Env, name: Ident, meaning: Meaning, info: SymbolInfo | undefined): void {
  const first = env.names.own(name.name);
  if (first?.span !== undefined && first.meaning.kind !== "poisoned") {
    report(env, "G010", name.span, `${quote(name.name)} is bound twice`, {
      notes: [{ span: first.span, message: "first here" }],
      hint: "use another name; `:=` in an update gives a variable a new value",
    });
    return;
  }
  define(env, name, meaning);
  if (info === undefined) return;
  if (env.region !== undefined || env.local === true) return;
  const path = env.prefix + name.name;
  if (!env.state.generic) env.state.shared.addSymbol(path, info);
}

function binding(env: Env, one: Binding): void {
  const named = one.targets.find((target) => target.name.name !== "_") ?? one.targets[0];
  const inside: Env = { ...env, binding: `${env.prefix}${named?.name.name ?? "_"}` };
  const { value } = one;
  const isRegion = value.kind === "scan" || value.kind === "while" || value.kind === "if";
  const meaning = isRegion ? region(inside, value) : evaluate(inside, value);
  const outputs = distribute(inside, one, meaning);
  one.targets.forEach((target, i) => {
    bindTarget(inside, target, { meaning: outputs[i] ?? poisoned, span: value.span }, one.doc?.text);
  });
}

/** One meaning for each target. */
function distribute(env: Env, one: Binding, meaning: Meaning): readonly Meaning[] {
  const count = one.targets.length;
  if (meaning.kind === "poisoned") return [];
  const outputs = meaning.kind === "many" ? meaning.outputs : [meaning];
  if (outputs.length === count) return outputs;
  const given =
    meaning.kind === "many" ? `\`${meaning.callee}\` has ${outputs.length} outputs` : "the value is one output";
  report(env, "G032", one.value.span, `${given}, and ${count} ${count === 1 ? "name is" : "names are"} bound`, {
    notes: one.targets.slice(0, 1).map((target) => ({ span: target.span, message: "bound here" })),
    hint: count < outputs.length ? "bind each output to a name; `_` drops one" : undefined,
  });
  return [];
}

function bindTarget(env: Env, target: BindingTarget, item: Item, doc: string | undefined): void {
  const given = isPoisoned(item.meaning) ? poisoned : guarded(env, () => typed(env, target, item));
  if (target.name.name === "_") return;
  const mark = env.state.shared.pending;
  const found = edgeOf(env, { meaning: given, span: item.span });
  if (found !== undefined) env.state.shared.anchor(mark, [found]);
  const { edge, meaning } = named(env, target.name, identified(env, target.name, given, found, doc));
  if (edge === undefined && meaning.kind === "list" && isLiteral(meaning)) {
    bindName(env, target.name, poisoned, undefined);
    return;
  }
  const { name } = target.name;
  bindName(env, target.name, withoutVariable(meaning), {
    kind: meaning.kind === "string" ? "string" : "binding",
    type: edge?.type,
    doc,
    span: target.name.span,
  });
  publishString(env, name, meaning, item.span);
  if (edge !== undefined) publish(env, name, edge);
}

function publishString(env: Env, name: string, meaning: Meaning, span: Span): void {
  if (meaning.kind !== "string" || env.frame.kind !== "graph") return;
  perform(env.state, ({ shared }) => shared.strings.set(env.prefix + name, meaning.value));
  env.state.shared.sources.noteString(env.prefix + name, span);
}

/** What a name comes to stand for, and the edge that fetching it gives. */
interface Bound {
  readonly edge: Value | undefined;
  readonly meaning: Meaning;
}

/**
 * A literal that the graph differentiates by becomes an input with a default: constants are shared wherever they are equal, and
 * the 2.0 of `x = 2.0` must not be the exponent of `y = x ** 2.0`.
 */
function identified(env: Env, name: Ident, meaning: Meaning, edge: Value | undefined, doc: string | undefined): Bound {
  const path = env.prefix + name.name;
  const differentiates = ask(env.state, `differentiated ${path}`, ({ shared: { differentiated } }) => {
    return differentiated.has(path) || differentiated.has(name.name);
  });
  const applies =
    env.frame.kind === "graph" && env.region === undefined && edge?.node.op === "constant" && isFloat(edge.type.dtype);
  if (!applies || env.names.own(name.name) !== undefined || !differentiates) return { edge, meaning };
  const attributes = { name: path, dtype: edge.type.dtype, shape: edge.type.shape };
  const [value] = applyOp(env, "placeholder", [], attributes, { span: name.span, operands: [] }) as readonly [Value];
  const fed = { name: path, value, defaultValue: edge, span: name.span, doc };
  perform(env.state, ({ shared }) => {
    if (!shared.placeholders.has(path)) shared.addPlaceholder(fed);
  });
  return { edge: value, meaning: tensor(value) };
}

/** In an editor the names of the graph stand for edges of their own: see `memory.ts`. */
function named(env: Env, name: Ident, bound: Bound): Bound {
  const { memory } = env.state.shared;
  const { edge, meaning } = bound;
  const isEdge = meaning.kind === "tensor" && edge === meaning.value && env.frame.kind === "graph";
  if (memory === undefined || !isEdge || env.region !== undefined || env.local === true) return bound;
  const value = memory.alias(env.state, env.prefix + name.name, edge, "name");
  return { edge: value, meaning: { ...meaning, value } };
}

/** `y = w` names the value that w has now, not the variable. */
function withoutVariable(meaning: Meaning): Meaning {
  return meaning.kind === "tensor" ? tensor(meaning.value) : meaning;
}

function typed(env: Env, target: BindingTarget, item: Item): Meaning {
  if (item.meaning.kind === "update") throw refusal(env, "G016", item.span, "an update is not a value");
  if (target.type === undefined) return item.meaning;
  if (target.type.kind === "named-type" && target.type.name.name === "string" && item.meaning.kind === "string")
    return item.meaning;
  const wanted = declaredType(env, target.type, evaluate);
  const mark = env.state.shared.pending;
  const value = checkType(env, item, wanted, target.span, quote(target.name.name));
  env.state.shared.anchor(mark, [value]);
  return tensor(value);
}

/** What fetching the name would give: an edge, or nothing for what only the compiler knows. */
function edgeOf(env: Env, item: Item): Value | undefined {
  const { meaning } = item;
  if (meaning.kind === "tensor") return record(env, meaning.value, item.span);
  if (!isLiteral(meaning) && !isStack(meaning)) return undefined;
  const edge = guarded(env, () => tensor(toTensor(env, item, isLiteral(meaning) ? literalDType(meaning) : undefined)));
  return edge.kind === "tensor" ? edge.value : undefined;
}

/** A list of tensors of one type, which is a tensor, too; others are lists only. */
function isStack(meaning: Meaning): boolean {
  if (meaning.kind !== "list") return false;
  const types = meaning.items.flatMap((item) => (item.meaning.kind === "tensor" ? [item.meaning.value.type] : []));
  const [first] = types;
  return first !== undefined && types.length === meaning.items.length && types.every((type) => typeEquals(type, first));
}

/** Makes an edge fetchable by its path. */
export function publish(env: Env, name: string, edge: Value): void {
  const path = env.prefix + name;
  // What is computed in a region belongs to one iteration or branch: it leaves by `next` and `yield` only.
  if (env.region !== undefined || env.local === true) return;
  if (env.frame.initial) return;
  perform(env.state, ({ names }) => {
    if (!names.has(path)) names.set(path, edge);
  });
}

export function constant(env: Env, one: Constant): void {
  const inside: Env = { ...env, binding: env.prefix + one.name.name };
  const given = guarded(inside, () => {
    const item: Item = { meaning: evaluate(inside, one.value), span: one.value.span };
    if (isPoisoned(item.meaning)) return poisoned;
    if (one.type === undefined) return item.meaning;
    if (one.type.kind === "named-type" && one.type.name.name === "string" && item.meaning.kind === "string")
      return item.meaning;
    if (one.type.kind === "named-type" && one.type.dims === undefined && one.type.name.name === item.meaning.kind)
      return item.meaning;
    return tensor(
      checkType(inside, item, declaredType(inside, one.type, evaluate), one.type.span, quote(one.name.name)),
    );
  });
  const found = edgeOf(inside, { meaning: given, span: one.value.span });
  const { edge, meaning } = identified(env, one.name, given, found, one.doc?.text);
  if (edge !== undefined && edge === found) requireConstant(env, edge, one, "a constant");
  bindName(env, one.name, withoutVariable(meaning), {
    kind: meaning.kind === "string" ? "string" : "constant",
    type: edge?.type,
    doc: one.doc?.text,
    span: one.name.span,
  });
  publishString(env, one.name.name, meaning, one.value.span);
  if (edge !== undefined && env.frame.kind !== "file") publish(env, one.name.name, edge);
}

function requireConstant(env: Env, edge: Value, one: Constant, what: string): void {
  const stack = [edge.node];
  const seen = new Set(stack);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (
      node.op === "placeholder" ||
      node.op === "variable" ||
      node.op === "random_uniform" ||
      node.op === "parameter"
    ) {
      const name = String(node.attributes["name"] ?? node.attributes["path"] ?? "");
      report(env, "G037", one.value.span, `${what} is known when the graph is compiled, and ${quote(name)} is not`, {
        hint: "`name = value` binds an edge that is computed in the run",
      });
      return;
    }
    for (const { node: below } of node.inputs) {
      if (seen.has(below)) continue;
      seen.add(below);
      stack.push(below);
    }
  }
}
