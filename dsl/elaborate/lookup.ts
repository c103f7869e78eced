import type { Hint } from "../../compiler/ir/fix.js";
import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import type { Argument, Ident, Parameter, Reference } from "../ast.js";
import { didYouMean, quote, suggest } from "../diagnostics.js";
import { noteName } from "./facts.js";
import { foreignMember, isModule } from "./foreign.js";
import { type Callable, describe, type Meaning, poisoned } from "./meaning.js";
import type { Entry, Names } from "./names.js";
import { calledHere, castAdvice, castsTo, commentAdvice, declarationAdvice, methodAdvice } from "./respelling.js";
import { type Env, refusal, silentRefusal } from "./state.js";

/** What a name or a dotted path stands for. Throws `Refusal`. */
export function reference(env: Env, expression: Reference): Meaning {
  const [first, ...rest] = expression.segments;
  if (first === undefined) return poisoned;
  let holder = env.names.holderOf(first.name);
  const entry = holder?.own(first.name) ?? builtIn(env, first);
  if (entry === undefined) throw unknownName(env, first, env.names, env.names.visible(), undefined, expression);
  noteName(env, first.span, entry);
  let meaning = entry.meaning;
  let place = entry.span;
  for (const segment of rest) {
    if (meaning.kind === "poisoned") return poisoned;
    if (meaning.kind !== "scope") {
      throw refusal(
        env,
        "G016",
        segment.span,
        `${quote(expression.text)} is no path: what stands before ${quote(segment.name)} is ${describe(meaning)}`,
        {
          notes: place === undefined ? [] : [{ span: place, message: "bound here" }],
          hint: methodHint(env, expression, segment.name),
        },
      );
    }
    const inner: Entry | undefined = meaning.names.own(segment.name);
    if (inner === undefined)
      throw unknownName(
        env,
        segment,
        meaning.names,
        [...meaning.names.ownEntries()].map(([name]) => name),
        place,
      );
    noteName(env, segment.span, inner);
    holder = meaning.names;
    meaning = inner.meaning;
    place = inner.span;
  }
  const value = current(env, meaning);
  if (holder === undefined || env.region === undefined) return value;
  const captured = env.region.capture(value, holder.depth);
  nameCapture(env, captured, expression);
  return captured;
}

/** The parameter that stands for an edge from outside is called what it is called where the region first mentions it. */
function nameCapture(env: Env, meaning: Meaning, { text, span }: Pick<Reference, "text" | "span">): void {
  const { sources } = env.state.shared;
  if (meaning.kind === "list")
    meaning.items.forEach((item, i) => {
      nameCapture(env, item.meaning, { text: `${text}[${i}]`, span });
    });
  if (meaning.kind !== "tensor" || meaning.value.node.op !== "parameter") return;
  sources.addFirst(meaning.value.node, deriveSpan(span, { written: text }));
}

/** A read of a variable after an assignment in the same block sees the new value. */
function current(env: Env, meaning: Meaning): Meaning {
  if (meaning.kind !== "tensor" || meaning.variable === undefined) return meaning;
  const value = env.frame.assigned.get(meaning.variable);
  return value === undefined ? meaning : { ...meaning, value };
}

function builtIn(env: Env, name: Ident): Entry | undefined {
  return name.name === "training"
    ? { meaning: { kind: "bool", value: env.state.training }, span: undefined }
    : undefined;
}

/** `path`: all that was written of which this is the first name, as in `np.mean`. */
export function unknownName(
  env: Env,
  name: Ident,
  names: Names,
  candidates: Iterable<string>,
  scope?: Span,
  path?: Reference,
  given?: readonly Argument[],
) {
  // Whether it is told, and how, rests on the whole file.
  env.state.shared.memory?.foundProblem();
  const later = names.later(name.name);
  if (later !== undefined) return usedTooEarly(env, name, later);
  if (names.incomplete) return silentRefusal;
  return refusal(env, "G012", name.span, `unknown name ${quote(name.name)}`, {
    notes: scope === undefined ? [] : [{ span: scope, message: "the scope" }],
    hint:
      env.state.shared.suggestImport(name) ??
      foreignAdvice(env, name, path, given) ??
      didYouMean(name.name, candidates),
  });
}

/** A name that is bound further down. */
export function usedTooEarly(env: Env, name: Ident, later: Span) {
  // Whether it is told rests on the whole file.
  env.state.shared.memory?.foundProblem();
  return refusal(env, "G011", name.span, `${quote(name.name)} is used before it is bound`, {
    notes: [{ span: later, message: "it is bound here" }],
    hint: "move the binding up: only update, signature and train look ahead",
  });
}

/** How what another library or language calls so is written here. */
function foreignAdvice(
  env: Env,
  name: Ident,
  path: Reference | undefined,
  given: readonly Argument[] | undefined,
): Hint | undefined {
  const { suggestImport, texts } = env.state.shared;
  const comment = commentAdvice(texts, name.span);
  if (comment !== undefined) return comment;
  if (isModule(name.name)) {
    const isOurs = (one: string): boolean =>
      env.names.lookupCallable(one) !== undefined || suggestImport({ ...name, name: one }) !== undefined;
    const nearest = (one: string): string | undefined => suggest(one, env.names.visibleCallables());
    const member = path?.segments.length === 1 ? undefined : path?.segments.at(-1)?.name;
    return foreignMember(name.name, member, path?.span ?? name.span, isOurs, nearest);
  }
  const dtype = given === undefined ? undefined : castsTo(name.name);
  if (dtype !== undefined && path !== undefined) return castAdvice(texts, path, given ?? [], dtype);
  return declarationAdvice(texts, name);
}

/** `x.relu()`, `x.T`: what a reader of other libraries takes for a method. */
function methodHint(env: Env, path: Reference, method: string): Hint {
  const name = calledHere(method);
  const entry = env.names.lookupCallable(name);
  const callee = entry === undefined ? undefined : { name, needsMore: needsMore(entry.meaning) };
  return methodAdvice(env.state.shared.texts, path, method, callee);
}

/** Whether a function needs more than one argument. */
function needsMore(meaning: Meaning): boolean {
  if (meaning.kind !== "fn") return false;
  const { fn } = meaning;
  const needed =
    fn.kind === "intrinsic"
      ? fn.intrinsic.parameters.filter((one) => one.default === undefined)
      : fn.declaration.parameters.filter((one) => one.default === undefined && !isAxes(one));
  return needed.length > 1;
}

/** An `axes` parameter that is left out means all axes. */
export function isAxes(parameter: Parameter): boolean {
  return (
    parameter.type?.kind === "named-type" && parameter.type.name.name === "axes" && parameter.type.dims === undefined
  );
}

/** The function that a call names; `given` are the call's arguments, for hints. */
export function callable(env: Env, callee: Reference, given?: readonly Argument[]): Callable | undefined {
  const [first, ...rest] = callee.segments;
  if (first === undefined) return undefined;
  if (rest.length > 0) {
    const meaning = reference(env, callee);
    if (meaning.kind === "poisoned") return undefined;
    if (meaning.kind === "fn") return meaning.fn;
    throw notCallable(env, callee, meaning, undefined, given);
  }
  const entry = env.names.lookupCallable(first.name);
  if (entry !== undefined) noteName(env, first.span, entry);
  if (entry?.meaning.kind === "fn") return entry.meaning.fn;
  if (entry !== undefined) return undefined;
  const other = env.names.lookup(first.name);
  if (other?.meaning.kind === "poisoned") return undefined;
  if (other !== undefined) throw notCallable(env, callee, other.meaning, other.span, given);
  throw unknownName(env, first, env.names, env.names.visibleCallables(), undefined, callee, given);
}

function notCallable(
  env: Env,
  callee: Reference,
  meaning: Meaning,
  span: Span | undefined,
  given: readonly Argument[] = [],
) {
  return refusal(env, "G016", callee.span, `${quote(callee.text)} is ${describe(meaning)}, not a function`, {
    notes: span === undefined ? [] : [{ span, message: "bound here" }],
    hint: meaning.kind === "dtype" ? castAdvice(env.state.shared.texts, callee, given, meaning.value) : undefined,
  });
}
