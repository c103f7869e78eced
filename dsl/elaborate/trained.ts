import type { Note } from "../../compiler/ir/diagnostic.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Variable } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import { cutsBetween, reachedByGradient } from "../../compiler/ops/reach.js";
import type { Expression, Reference } from "../ast.js";
import { didYouMean, quote } from "../diagnostics.js";
import { ask } from "./effects.js";
import { item } from "./expressions.js";
import { describe } from "./meaning.js";
import { type Env, originNote, refusal, silentRefusal } from "./state.js";

/** The variables that `minimize` trains by itself, in the order of the graph. `optimizer` is the place of what trains them. */
export function reachedVariables(env: Env, loss: Value, span: Span, optimizer: Span): readonly Variable[] {
  const { state } = env;
  ask(state, "reach", ({ shared, training }) => shared.memory?.aliases.reachToken(training, ["name"]));
  ask(state, "trainables", ({ shared }) => shared.memory?.trainables.token);
  const reached = reachedByLoss(env, loss);
  const all = [...state.shared.variables.values()];
  const found = all.filter((variable) => variable.trainable && reached.has(variable.value));
  if (found.length > 0) return found;
  if (env.state.shared.refusedVariables.size > 0) throw silentRefusal;
  const reasons = all
    .filter((variable) => isFloat(variable.value.type.dtype))
    .slice(0, 3)
    .flatMap((variable) => whyUnreached(env, loss, variable));
  throw refusal(env, "G048", span, "the loss reaches no variable that can be trained", {
    notes: reasons.length > 0 ? reasons : [nothingFor(optimizer)],
    hint:
      all.length === 0 ? "`variable w: f32[...] = ...`, or a layer such as `dense`, has something to learn" : undefined,
  });
}

function nothingFor(optimizer: Span): Note {
  return { span: optimizer, message: "this optimizer has nothing to train" };
}

function reachedByLoss(env: Env, loss: Value): ReadonlySet<Value> {
  return env.state.shared.memory?.aliases.reaches.variables(loss) ?? reachedByGradient(loss);
}

/** What keeps a variable from being trained by this loss: it is frozen, unrelated, or an op in between passes no gradient. */
function whyUnreached(env: Env, loss: Value, variable: Variable): readonly Note[] {
  const { path, span, trainable, value } = variable;
  if (!trainable) return [{ span, message: `${quote(path)} is frozen` }];
  const cuts = cutsBetween(loss, value);
  if (cuts.length === 0) return [{ span, message: `the loss does not depend on ${quote(path)}` }];
  return [
    { span, message: `the loss has no gradient path to ${quote(path)}` },
    ...cuts.slice(0, 3).map(({ node, reason }) => ({
      span: env.state.shared.sources.spansOf(node)[0],
      message: `${quote(node.op)} cuts the gradient here: ${reason}`,
    })),
  ];
}

/**
 * What `variables=[...]` lists, each variable once: variables, bindings and scopes, which stand for the variables that the calls in
 * them own and the loss reaches, and paths such as `fake/generator/h`. Throws `Refusal`.
 */
export function listedVariables(env: Env, expression: Expression, loss: Value, optimizer: Span): readonly Variable[] {
  const items = expression.kind === "list" ? expression.items : [expression];
  if (items.length === 0) {
    throw refusal(env, "G048", expression.span, "the list of variables is empty", {
      notes: [nothingFor(optimizer)],
      hint: "without `variables`, all that the loss reaches are trained",
    });
  }
  return [...new Set(items.flatMap((one) => listed(env, one, loss)))];
}

function listed(env: Env, expression: Expression, loss: Value): readonly Variable[] {
  const named = pathOf(expression);
  if (named === undefined) {
    throw refusal(
      env,
      "G041",
      expression.span,
      `\`variables\` lists variables, not ${describe(item(env, expression).meaning)}`,
    );
  }
  const { first, rest } = named;
  const { meaning } = item(env, first);
  if (meaning.kind === "poisoned") throw silentRefusal;
  const variables = env.state.shared.variables;
  if (rest === "" && meaning.kind === "tensor" && meaning.variable !== undefined) {
    if (env.state.shared.refusedVariables.has(meaning.variable)) throw silentRefusal;
    const variable = variables.get(meaning.variable);
    if (variable !== undefined) return [trainable(env, variable, expression.span)];
  }
  const path = placeOf(env, first) + rest;
  const exact = rest === "" ? undefined : variables.get(path);
  if (exact !== undefined) return [trainable(env, exact, expression.span)];
  const separator = meaning.kind === "scope" ? "." : "/";
  const owned = [...variables.values()].filter((variable) => variable.path.startsWith(path + separator));
  if (owned.length > 0) return reachedOf(env, owned, path, expression.span, loss);
  if (env.state.shared.refusedVariables.size > 0) throw silentRefusal;
  throw refusal(env, "G041", expression.span, `${quote(path)} owns no variables`, {
    notes: meaning.kind === "tensor" ? [originNote(env, meaning.value, expression.span)] : [],
    hint:
      didYouMean(path, prefixes([...variables.keys()])) ??
      "`variables` lists variables, and bindings or scopes whose calls own some",
  });
}

/** `fake/generator/h`: the reference that it begins with, and what follows. In `variables` a `/` never divides. */
function pathOf(expression: Expression): { readonly first: Reference; readonly rest: string } | undefined {
  if (expression.kind === "reference") return { first: expression, rest: "" };
  if (expression.kind !== "binary" || expression.operator !== "/" || expression.right.kind !== "reference") {
    return undefined;
  }
  const left = pathOf(expression.left);
  return left === undefined ? undefined : { first: left.first, rest: `${left.rest}/${expression.right.text}` };
}

/** The path of what a reference names, by the place where it is bound. */
function placeOf(env: Env, { segments, text }: Reference): string {
  let names = env.names.holderOf(segments[0]?.name ?? "");
  let place: Span | undefined;
  for (const { name } of segments) {
    const entry = names?.own(name);
    place = entry?.span;
    names = entry?.meaning.kind === "scope" ? entry.meaning.names : undefined;
  }
  const symbols = [...env.state.shared.symbols];
  return symbols.find(([, symbol]) => symbol.span === place)?.[0] ?? text;
}

/** Those of a binding's or scope's variables that can be trained by the loss. */
function reachedOf(env: Env, owned: readonly Variable[], path: string, span: Span, loss: Value): readonly Variable[] {
  const reached = reachedByLoss(env, loss);
  const found = owned.filter((variable) => variable.trainable && reached.has(variable.value));
  if (found.length > 0) return found;
  throw refusal(env, "G048", span, `the loss reaches no variable of ${quote(path)} that can be trained`, {
    notes: owned.slice(0, 3).flatMap((variable) => whyUnreached(env, loss, variable)),
  });
}

function trainable(env: Env, variable: Variable, span: Span): Variable {
  if (isFloat(variable.value.type.dtype)) return variable;
  throw refusal(
    env,
    "G051",
    span,
    `only floats can be trained, and ${quote(variable.path)} is ${typeText(variable.value.type)}`,
    { notes: [{ span: variable.span, message: "declared here" }] },
  );
}

/** All paths that some variable lies under, and the variables' own. */
function prefixes(paths: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/");
    parts.forEach((_, i) => {
      all.add(parts.slice(0, i + 1).join("/"));
    });
  }
  return all;
}
