import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import type { Ident, Parameter, Reference } from "../ast.js";
import { commentHint, didYouMean, quote } from "../diagnostics.js";
import { noteName } from "./facts.js";
import { foreignName } from "./foreign.js";
import { type Callable, describe, type Meaning, poisoned } from "./meaning.js";
import type { Entry, Names } from "./names.js";
import { type Env, Refusal, refusal } from "./state.js";

/** What a name or a dotted path stands for. Throws `Refusal`. */
export function reference(env: Env, expression: Reference): Meaning {
  const [first, ...rest] = expression.segments;
  if (first === undefined) return poisoned;
  let holder = env.names.holderOf(first.name);
  const entry = holder?.own(first.name) ?? builtIn(env, first);
  if (entry === undefined) throw unknownName(env, first, env.names, env.names.visible(), undefined, rest.at(-1)?.name);
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
function nameCapture(env: Env, meaning: Meaning, { text, span }: Reference): void {
  const { sources } = env.state.shared;
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

/** `member`: what is taken from it, as in `np.mean`. */
export function unknownName(
  env: Env,
  name: Ident,
  names: Names,
  candidates: Iterable<string>,
  scope?: Span,
  member?: string,
) {
  // Whether it is told, and how, rests on the whole file.
  env.state.shared.memory?.foundProblem();
  const later = names.later(name.name);
  if (later !== undefined) {
    return refusal(env, "G011", name.span, `${quote(name.name)} is used before it is bound`, {
      notes: [{ span: later, message: "it is bound here" }],
      hint: "move the binding up: only update, signature and train look ahead",
    });
  }
  if (names.incomplete) return new Refusal(undefined);
  const { file, start, end } = name.span;
  const isComment = /\/\/[ \t]*\w+$/.test(env.state.shared.texts.shown({ file, start: Math.max(0, start - 8), end }));
  const isOurs = (one: string): boolean =>
    env.names.lookupCallable(one) !== undefined || env.state.shared.suggestImport({ ...name, name: one }) !== undefined;
  const near =
    (isComment ? `\`//\` divides; ${commentHint}` : foreignName(name.name, member, isOurs)) ??
    didYouMean(name.name, candidates);
  const imported = env.state.shared.suggestImport(name);
  return refusal(env, "G012", name.span, `unknown name ${quote(name.name)}`, {
    notes: scope === undefined ? [] : [{ span: scope, message: "the scope" }],
    hint: imported ?? near,
  });
}

/** `x.relu()`, `x.T`: what a reader of other libraries takes for a method. */
function methodHint(env: Env, { segments, text }: Reference, method: string): string {
  const other = foreignName(method);
  if (other !== undefined) return `tensors have no methods: ${other}`;
  const entry = env.names.lookupCallable(method);
  if (entry === undefined) return "`.` enters a scope";
  const object = segments.length === 2 ? text.slice(0, -method.length - 1) : "x";
  const rest = needsMore(entry.meaning) ? "..." : "";
  const after = rest === "" ? "" : `, ${rest}`;
  return `tensors have no methods: \`${method}(${object}${after})\`, or \`${object} |> ${method}(${rest})\``;
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

/** The function that a call names. */
export function callable(env: Env, callee: Reference): Callable | undefined {
  const [first, ...rest] = callee.segments;
  if (first === undefined) return undefined;
  if (rest.length > 0) {
    const meaning = reference(env, callee);
    if (meaning.kind === "poisoned") return undefined;
    if (meaning.kind === "fn") return meaning.fn;
    throw notCallable(env, callee, meaning, undefined);
  }
  const entry = env.names.lookupCallable(first.name);
  if (entry !== undefined) noteName(env, first.span, entry);
  if (entry?.meaning.kind === "fn") return entry.meaning.fn;
  if (entry !== undefined) return undefined;
  const other = env.names.lookup(first.name);
  if (other?.meaning.kind === "poisoned") return undefined;
  if (other !== undefined) throw notCallable(env, callee, other.meaning, other.span);
  throw unknownName(env, first, env.names, env.names.visibleCallables());
}

function notCallable(env: Env, callee: Reference, meaning: Meaning, span: Span | undefined) {
  return refusal(env, "G016", callee.span, `${quote(callee.text)} is ${describe(meaning)}, not a function`, {
    notes: span === undefined ? [] : [{ span, message: "bound here" }],
  });
}
