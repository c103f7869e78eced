import { placingHint } from "../../compiler/ir/device.js";
import type { Hint } from "../../compiler/ir/fix.js";
import { deriveSpan, joinSpans, type Span } from "../../compiler/ir/span.js";
import type { Argument, Call, Expression, FunctionDeclaration, OptimizerDeclaration, TypeExpression } from "../ast.js";
import { didYouMean, quote } from "../diagnostics.js";
import { doubtAxis } from "./doubts.js";
import { evaluate } from "./expressions.js";
import { noteName } from "./facts.js";
import { foreignParameter } from "./foreign.js";
import { expandFunction } from "./functions.js";
import { Arguments, type Intrinsic, type IntrinsicParameter } from "./intrinsic.js";
import { callable, isAxes } from "./lookup.js";
import { type Callable, calleeName, type Item, isPoisoned, type Meaning, poisoned } from "./meaning.js";
import { type Env, refusal, report, silentRefusal } from "./state.js";
import { oneListAdvice } from "./wrong_argument.js";

/** A call: `input |> f(a)` gives `input` as its first argument. Throws `Refusal`. */
export function call(env: Env, expression: Call, input: Item | undefined): Meaning {
  const fn = callable(env, expression.callee, expression.arguments);
  if (fn === undefined) {
    for (const argument of expression.arguments) evaluate(env, argument.value);
    return poisoned;
  }
  if (fn.kind === "intrinsic" && fn.intrinsic.name === "minimize")
    return fn.intrinsic.build(new Arguments(env, "minimize", expression.span, new Map()));
  if (fn.kind === "optimizer") {
    throw refusal(env, "G016", expression.span, `the optimizer ${quote(calleeName(fn))} makes an update, not a value`, {
      hint: `\`update learn = minimize(loss, ${calleeName(fn)}(...))\``,
    });
  }
  const { items, name } = evaluateArguments(env, fn, expression.arguments, input);
  if (fn.kind === "intrinsic") return build(env, fn.intrinsic, items, expression);
  return expandFunction(env, fn, items, expression.span, name ?? calleeName(fn));
}

function build(env: Env, intrinsic: Intrinsic, given: Given, expression: Call): Meaning {
  const items = bindArguments(env, { kind: "intrinsic", intrinsic }, given, expression.span);
  if ([...items.values()].some((item) => isPoisoned(item.meaning))) return poisoned;
  for (const [parameter, { meaning, span }] of items) {
    if (meaning.kind === "many") {
      throw refusal(
        env,
        "G032",
        span,
        `\`${meaning.callee}\` has ${meaning.outputs.length} outputs, and \`${parameter}\` takes one`,
        {
          hint: "bind them to names first",
        },
      );
    }
  }
  doubtAxis(env, intrinsic.name, given.positional, expression.callee.span);
  return intrinsic.build(
    new Arguments(env, intrinsic.name, deriveSpan(expression.span, { written: intrinsic.name }), items),
  );
}

/** The arguments of a call, evaluated, before they are matched with parameters. */
export interface Given {
  readonly positional: readonly Item[];
  readonly named: readonly { readonly name: string; readonly nameSpan: Span; readonly item: Item }[];
}

const identifier = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** Evaluates arguments; `name="first"` is the name of what the call owns, unless the callee has such a parameter. */
export function evaluateArguments(
  env: Env,
  fn: Callable,
  given: readonly Argument[],
  input: Item | undefined,
): { readonly items: Given; readonly name: string | undefined } {
  const positional: Item[] = input === undefined ? [] : [input];
  const named: { name: string; nameSpan: Span; item: Item }[] = [];
  let name: string | undefined;
  for (const argument of given) {
    const item = { meaning: evaluate(env, argument.value), span: argument.value.span };
    if (argument.name === undefined) positional.push(item);
    else if (
      argument.name.name === "name" &&
      fn.kind !== "intrinsic" &&
      !parametersOf(fn).some((p) => p.name === "name")
    ) {
      name = ownedName(env, item);
    } else named.push({ name: argument.name.name, nameSpan: argument.name.span, item });
  }
  return { items: { positional, named }, name };
}

function ownedName(env: Env, { meaning, span }: Item): string | undefined {
  if (meaning.kind === "poisoned") return undefined;
  if (meaning.kind === "string" && identifier.test(meaning.value) && meaning.value.length <= 128) return meaning.value;
  throw refusal(env, "G031", span, "`name` is a string that reads as a name", {
    hint: 'letters, digits and `_`: `name="first"`',
  });
}

interface ParameterShape {
  readonly name: string;
  readonly optional: boolean;
  readonly variadic: boolean;
}

function parametersOf(fn: Callable): readonly ParameterShape[] {
  if (fn.kind === "intrinsic")
    return fn.intrinsic.parameters.map(({ name, default: value, variadic }) => ({
      name,
      optional: value !== undefined,
      variadic: variadic !== undefined,
    }));
  return fn.declaration.parameters.map((parameter) => ({
    name: parameter.name.name,
    optional: parameter.default !== undefined || isAxes(parameter),
    variadic: false,
  }));
}

/** Each argument by its parameter. All that is wrong is reported; throws `Refusal` at the end if anything was. */
export function bindArguments(
  env: Env,
  fn: Callable,
  given: Given,
  span: Span,
  supplied: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, Item> {
  const { items, isRefused } = matchArguments(env, fn, given, span, supplied);
  if (isRefused) throw silentRefusal;
  return items;
}

/** The arguments of a call by parameter, as far as they have one. */
interface Matched {
  readonly items: ReadonlyMap<string, Item>;
  /** Something is wrong with them, which has been reported. */
  readonly isRefused: boolean;
  /** Whether a parameter lacks its argument: what others are given cannot be compared with it. */
  readonly isMissing: boolean;
}

export function matchArguments(
  env: Env,
  fn: Callable,
  given: Given,
  span: Span,
  supplied: ReadonlySet<string>,
): Matched {
  const parameters = parametersOf(fn);
  const items = new Map<string, Item>();
  let isRefused = false;
  const notes = fn.kind === "intrinsic" ? [] : [{ span: fn.declaration.name.span, message: signatureText(fn) }];
  const hint = fn.kind === "intrinsic" ? signatureText(fn) : undefined;
  const wrong = (at: Span, message: string, near?: Hint): void => {
    isRefused = true;
    report(env, "G030", at, message, { notes, hint: near ?? hint });
  };
  const title = quote(calleeName(fn));
  const positional = gatherRest(parameters, given.positional);
  positional.forEach((item, i) => {
    const parameter = parameters[i];
    if (parameter !== undefined) items.set(parameter.name, item);
  });
  const extra = positional[parameters.length];
  if (extra !== undefined) {
    const most =
      parameters.length === 0
        ? "no arguments"
        : parameters.length === 1
          ? "1 argument"
          : `at most ${parameters.length} arguments`;
    wrong(
      extra.span,
      `${title} takes ${most}, and ${given.positional.length} are given`,
      oneList(fn, given.positional),
    );
  }
  for (const { name, nameSpan, item } of given.named) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      const own = parameters.map((parameter) => parameter.name);
      wrong(
        nameSpan,
        `${title} has no parameter ${quote(name)}`,
        name === "device" ? placingHint : (foreignParameter(name, own) ?? didYouMean(name, own)),
      );
    } else if (items.has(name)) wrong(nameSpan, `the parameter ${quote(name)} of ${title} is given twice`);
    else {
      items.set(name, item);
      noteArgument(env, fn, name, nameSpan, item);
    }
  }
  const missing = parameters.filter(({ name, optional }) => !optional && !items.has(name) && !supplied.has(name));
  const isMissing = missing.length > 0;
  // What is missing may have been given under a name that it does not have.
  if (isMissing && !isRefused) {
    const list = missing.map(({ name }) => quote(name)).join(", ");
    const isInitialiser = fn.kind === "fn" && fn.home.file.endsWith("initialisers.graph");
    const near =
      isInitialiser && missing[0]?.name === "shape"
        ? `a variable gives it the shape that is declared: \`variable w: f32[3, 4] = ${calleeName(fn)}()\``
        : undefined;
    wrong(span, `${title} needs ${missing.length === 1 ? "the argument" : "the arguments"} ${list}`, near);
  }
  return { items, isRefused, isMissing };
}

/** Of a function that takes a shape or axes last. */
function oneList(fn: Callable, given: readonly Item[]): Hint | undefined {
  if (fn.kind !== "intrinsic") return undefined;
  const { parameters } = fn.intrinsic;
  const kind = parameters.at(-1)?.kind;
  return kind === "shape" || kind === "axes" ? oneListAdvice(given.slice(parameters.length - 1)) : undefined;
}

function noteArgument(env: Env, fn: Callable, name: string, span: Span, { meaning }: Item): void {
  const parameters = fn.kind === "intrinsic" ? [] : fn.declaration.parameters;
  const declared = parameters.find((parameter) => parameter.name.name === name);
  noteName(env, span, { meaning, span: declared?.name.span });
}

/** A variadic parameter, which is the last, gets all further arguments as one list. */
function gatherRest(parameters: readonly ParameterShape[], positional: readonly Item[]): readonly Item[] {
  const last = parameters.length - 1;
  const rest = positional.slice(last);
  const [first] = rest;
  const end = rest.at(-1);
  if (first === undefined || end === undefined || parameters[last]?.variadic !== true) return positional;
  const span = first.span.file === end.span.file ? joinSpans(first.span, end.span) : end.span;
  return [...positional.slice(0, last), { meaning: { kind: "list", items: rest }, span }];
}

/** `dense(x: T[..., I], units: int) -> (y: T[..., units])`: for notes, hover and docs. */
export function signatureText(fn: Callable): string {
  if (fn.kind === "intrinsic") {
    const { name, parameters, result } = fn.intrinsic;
    return `${name}(${parameters.map(parameterText).join(", ")}) -> ${result}`;
  }
  return declarationText(fn.declaration);
}

function parameterText({ name, default: value, variadic }: IntrinsicParameter): string {
  const shown = variadic === undefined ? name : `${name}...`;
  return value === undefined ? shown : `${shown} = ${value}`;
}

function declarationText(declaration: FunctionDeclaration | OptimizerDeclaration): string {
  const parameters = declaration.parameters.map((parameter) => {
    const optional = parameter.default === undefined ? "" : "?";
    return parameter.type === undefined
      ? parameter.name.name + optional
      : `${parameter.name.name}${optional}: ${typeExpressionText(parameter.type)}`;
  });
  return `${declaration.name.name}(${parameters.join(", ")})`;
}

function typeExpressionText(type: TypeExpression | undefined): string {
  if (type === undefined) return "";
  if (type.kind === "list-type") return "list";
  if (type.dims === undefined) return type.name.name;
  return `${type.name.name}[${type.dims.map(sizeText).join(", ")}]`;
}

function sizeText(size: Expression): string {
  switch (size.kind) {
    case "ellipsis":
      return "...";
    case "reference":
    case "integer":
      return size.text;
    case "binary":
      return `${sizeText(size.left)} ${size.operator} ${sizeText(size.right)}`;
    default:
      return "?";
  }
}
