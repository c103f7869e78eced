import type { CallUpdate } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import type { NamedType, Output, Parameter, TypeExpression } from "../ast.js";
import { quote } from "../diagnostics.js";
import { noteCall } from "./call_notes.js";
import { type Given, matchArguments } from "./calls.js";
import { toShape, toTensors } from "./convert.js";
import { doubtProbabilities } from "./doubts.js";
import { perform } from "./effects.js";
import { attempt, evaluate, guarded } from "./expressions.js";
import { define } from "./facts.js";
import { Inference, type Pair } from "./inference.js";
import type { ParameterKind } from "./intrinsic.js";
import { maximumCallDepth, maximumCalls } from "./limits.js";
import { isAxes } from "./lookup.js";
import {
  type Callable,
  describe,
  type Item,
  isLiteral,
  isPoisoned,
  type Meaning,
  poisoned,
  shape as shapeMeaning,
  tensor,
} from "./meaning.js";
import { Names } from "./names.js";
import { type Env, type Frame, placesOf, refusal, report, type State, silentRefusal } from "./state.js";
import { statements } from "./statements.js";
import { checkType, declaredType } from "./types.js";
import { wrongArgumentHint } from "./wrong_argument.js";

type Fn = Extract<Callable, { kind: "fn" | "optimizer" }>;

const kinds: ReadonlySet<string> = new Set(["int", "float", "bool", "string", "dtype", "shape", "fn", "list", "axes"]);

/** How a parameter reads its argument; undefined for a tensor. */
export function compileTimeKind(
  type: TypeExpression | undefined,
): Exclude<ParameterKind, "tensor" | "any"> | undefined {
  if (type === undefined) return undefined;
  if (type.kind === "list-type") return "list";
  const { name } = type.name;
  if (type.dims !== undefined || !kinds.has(name)) return undefined;
  return name as Exclude<ParameterKind, "tensor" | "any">;
}

/** One call of a fn, expanded into the graph. Throws `Refusal`. */
export function expandFunction(
  env: Env,
  fn: Extract<Callable, { kind: "fn" }>,
  given: Given,
  span: Span,
  segment: string,
): Meaning {
  const { declaration } = fn;
  const matched = matchArguments(env, fn, given, span, suppliedTo(env, declaration.parameters));
  const items = new Map(matched.items);
  if (matched.isRefused) {
    // What the others are given is wrong or not for itself.
    if (!matched.isMissing) attempt(env, () => open(env, fn, items, span, segment));
    throw silentRefusal;
  }
  supply(env, declaration.parameters, items, span);
  enter(env.state, env, fn, span);
  try {
    if ([...items.values()].some((item) => isPoisoned(item.meaning))) return poisoned;
    if (fn.home.standard) doubtProbabilities(env, declaration.name.name, items);
    const opened = open(env, fn, items, span, segment);
    if (!env.state.generic) perform(env.state, ({ shared }) => shared.expanded.add(declaration));
    statements(opened, declaration.body.statements);
    const outputs = declaration.outputs.map((output) => outputOf(opened, output, declaration.name.name));
    anchorUpdates(opened, outputs);
    for (const output of outputs) addCallPlace(env, output, span);
    if (declaration.incomplete === true) return poisoned;
    noteCall(opened, fn, items, outputs, span);
    const [only] = outputs;
    if (outputs.length === 1 && only !== undefined) return only;
    return { kind: "many", outputs, callee: declaration.name.name };
  } finally {
    env.state.active.pop();
  }
}

/** The caller's line is a place of the result, too. */
function addCallPlace(env: Env, output: Meaning, span: Span): void {
  if (output.kind !== "tensor") return;
  for (const place of placesOf(env, span)) env.state.shared.sources.add(output.value.node, place);
}

/** An initialiser gets its shape and dtype from the declaration that it stands in. */
function suppliedTo(env: Env, parameters: readonly Parameter[]): ReadonlySet<string> {
  if (env.declared === undefined) return new Set();
  return new Set(parameters.map((p) => p.name.name).filter((name) => name === "shape" || name === "dtype"));
}

function supply(env: Env, parameters: readonly Parameter[], items: Map<string, Item>, span: Span): void {
  if (env.declared === undefined) return;
  for (const { name, type } of parameters) {
    if (items.has(name.name)) continue;
    const kind = compileTimeKind(type);
    if (name.name === "shape" && kind === "shape")
      items.set("shape", { meaning: shapeMeaning(env.declared.shape), span });
    if (name.name === "dtype" && kind === "dtype")
      items.set("dtype", { meaning: { kind: "dtype", value: env.declared.dtype }, span });
  }
}

/** Counts a call, and refuses recursion and expansions without end. The caller pops `state.active`. */
export function enter(state: State, env: Env, fn: Fn, span: Span): void {
  const { declaration } = fn;
  const name = declaration.name.name;
  const start = state.active.findIndex((call) => call.declaration === declaration);
  if (start >= 0) {
    const cycle = state.active.slice(start);
    const path = [...cycle.map((call) => call.name), name].join(" -> ");
    const notes = cycle.slice(1).map((call) => ({ span: call.span, message: `${quote(call.name)} is called here` }));
    throw refusal(env, "G033", span, `${quote(name)} calls itself: ${path}`, {
      notes,
      hint: "a fn is a reusable sub-graph: repeat a step by calling it from outside",
    });
  }
  if (state.active.length >= maximumCallDepth)
    throw refusal(env, "G101", span, `calls nest deeper than ${maximumCallDepth}`);
  if (++state.calls > maximumCalls) {
    // Once is enough: what follows would only repeat it.
    if (state.calls === maximumCalls + 1)
      report(env, "G102", span, `the graph expands more than ${maximumCalls} calls of functions`);
    throw silentRefusal;
  }
  state.active.push({ declaration, name, span });
}

/** Binds the parameters of one call in fresh names. Throws `Refusal`. */
export function open(env: Env, fn: Fn, items: ReadonlyMap<string, Item>, span: Span, segment: string): Env {
  const { declaration, home } = fn;
  const name = declaration.name.name;
  const inference = new Inference(env, name, declaration.typeParameters);
  const names = new Names(home.names, env.region?.depth ?? 0);
  const path = env.binding === "" ? segment : `${env.binding}/${segment}`;
  const frame: Frame = {
    kind: fn.kind,
    path,
    pack: undefined,
    call: { span, name, caller: env.frame, items },
    standard: home.standard,
    initial: env.frame.initial || env.declared !== undefined,
    required: [],
    assigned: new Map(),
  };
  const early: Env = {
    state: env.state,
    frame,
    scope: env.state.shared.scope(env.scope, {
      kind: "call",
      name,
      binding: env.bound ?? env.binding.slice(env.prefix.length),
      path,
      span,
    }),
    names,
    prefix: `${path}/`,
    binding: path,
    region: env.region,
    whole: env.whole,
    declared: undefined,
  };
  const pairs: Pair[] = [];
  // All arguments are looked at, however many of them are wrong.
  let isRefused = false;
  const attempted = <T>(compute: () => T): T | undefined => {
    const result = attempt(env, compute);
    if (result === undefined) isRefused = true;
    return result;
  };
  for (const parameter of declaration.parameters) {
    const given = items.get(parameter.name.name);
    const kind = compileTimeKind(parameter.type);
    if (given === undefined && parameter.default === undefined && !isAxes(parameter)) continue;
    const item = given ?? defaultOf(early, parameter);
    if (isPoisoned(item.meaning)) define(early, parameter.name, poisoned);
    else if (kind !== undefined)
      define(
        early,
        parameter.name,
        attempted(() => known(given === undefined ? early : env, parameter, kind, item, name)) ?? poisoned,
      );
    else if (parameter.type === undefined) define(early, parameter.name, untyped(env, item));
    else pairs.push({ parameter: parameter.name.name, type: parameter.type as NamedType, item });
  }
  const ordered = [
    ...pairs.filter((p) => !isLiteral(p.item.meaning)),
    ...pairs.filter((p) => isLiteral(p.item.meaning)),
  ];
  const values = ordered.flatMap((pair): readonly (readonly [Pair, Value])[] => {
    const value = attempted(() => inference.argument(pair));
    return value === undefined ? [] : [[pair, value]];
  });
  if (isRefused) throw silentRefusal;
  const opened: Env = { ...early, frame: { ...frame, pack: inference.pack } };
  inference.finish(opened);
  for (const parameter of inference.unbound()) {
    // An argument with a problem of its own may be what tells.
    if ([...items.values()].some(({ meaning }) => isPoisoned(meaning))) throw silentRefusal;
    throw refusal(
      env,
      "G035",
      span,
      `${quote(parameter.name.name)} of ${quote(name)} cannot be inferred from the arguments`,
      {
        notes: [{ span: parameter.span, message: "declared here" }],
        hint: "a type or size parameter stands in the type of a tensor parameter",
      },
    );
  }
  for (const [pair, value] of values) {
    const declared = declaration.parameters.find((p) => p.name.name === pair.parameter);
    const meaning = tensor(inference.restated(pair, value));
    if (declared !== undefined) define(early, declared.name, meaning);
  }
  return opened;
}

function untyped(env: Env, item: Item): Meaning {
  return item.meaning.kind === "tensor" ? tensor(item.meaning.value) : guarded(env, () => item.meaning);
}

function defaultOf(early: Env, parameter: Parameter): Item {
  if (parameter.default === undefined) return { meaning: { kind: "all_axes" }, span: parameter.span };
  return { meaning: evaluate(early, parameter.default), span: parameter.default.span };
}

/** A parameter that only the compiler sees. */
function known(env: Env, parameter: Parameter, kind: ParameterKind, item: Item, callee: string): Meaning {
  const meaning = attemptKind(env, kind, item);
  if (meaning === undefined) {
    const hint = wrongArgumentHint(env.state.shared.texts, callee, parameter.name.name, kind, item, item.span);
    throw refusal(
      env,
      "G031",
      item.span,
      `\`${parameter.name.name}\` of ${quote(callee)} is ${kindText(kind)}, not ${describe(item.meaning)}`,
      {
        notes: [{ span: parameter.span, message: "declared here" }],
        hint,
      },
    );
  }
  return meaning;
}

function kindText(kind: ParameterKind): string {
  switch (kind) {
    case "int":
      return "an int";
    case "fn":
      return "a function";
    case "list":
      return "a list of tensors";
    case "axes":
      return "an axis or a list of axes";
    default:
      return `a ${kind}`;
  }
}

function attemptKind(env: Env, kind: ParameterKind, item: Item): Meaning | undefined {
  const { meaning } = item;
  switch (kind) {
    case "int":
    case "bool":
    case "string":
    case "dtype":
    case "fn":
      return meaning.kind === kind ? meaning : undefined;
    case "float":
      if (meaning.kind === "int" && typeof meaning.value === "bigint")
        return { kind: "float", value: Number(meaning.value) };
      return meaning.kind === "float" ? meaning : undefined;
    case "shape":
      return meaning.kind === "shape" || meaning.kind === "list" || meaning.kind === "int"
        ? shapeMeaning(toShape(env, item))
        : undefined;
    case "list":
      return meaning.kind === "list" || meaning.kind === "tensor"
        ? { kind: "list", items: toTensors(env, item).map((value) => ({ meaning: tensor(value), span: item.span })) }
        : undefined;
    case "axes":
      return meaning.kind === "int" || meaning.kind === "list" || meaning.kind === "all_axes" ? meaning : undefined;
    case "tensor":
    case "any":
      return meaning;
  }
}

/** An output of a call, of its declared type. What its body alone shows to be wrong is reported at the output's name. */
export function outputOf(env: Env, output: Output, callee: string): Meaning {
  const entry = env.names.own(output.name.name);
  // A statement that could not be read may have been meant to bind it.
  if (entry === undefined && env.names.incomplete) return poisoned;
  if (entry === undefined) {
    report(
      env,
      "G034",
      output.name.span,
      `the output ${quote(output.name.name)} of ${quote(callee)} is not bound in its body`,
      { hint: `bind it: \`${output.name.name} = ...\`` },
    );
    return poisoned;
  }
  const { meaning } = entry;
  if (isPoisoned(meaning)) return poisoned;
  const { type } = output;
  const kind = compileTimeKind(type);
  const item: Item = { meaning, span: entry.span ?? output.span };
  if (type === undefined) return meaning.kind === "tensor" ? tensor(meaning.value) : meaning;
  return guarded(env, () => {
    if (kind !== undefined && !(kind === "bool" && meaning.kind === "tensor")) {
      const found = attemptKind(env, kind, item);
      if (found !== undefined) return found;
      throw refusal(
        env,
        "G023",
        item.span,
        `the output ${quote(output.name.name)} is ${kindText(kind)}, not ${describe(meaning)}`,
      );
    }
    const wanted = declaredType(env, type, evaluate);
    return tensor(checkType(env, item, wanted, output.span, `the output ${quote(output.name.name)}`));
  });
}

/** In training mode a call's own assignments run when one of its outputs is part of the run. */
function anchorUpdates(env: Env, outputs: readonly Meaning[]): void {
  if (env.frame.assigned.size === 0) return;
  const anchors = outputs.flatMap((output) => (output.kind === "tensor" ? [output.value] : []));
  const span = env.frame.call?.span;
  if (anchors.length === 0 || span === undefined) return;
  const assignments = [...env.frame.assigned].map(([path, value]) => ({ path, value, span }));
  const update: CallUpdate = { anchors, assignments };
  perform(env.state, (state) => state.addCallUpdate(update));
}
