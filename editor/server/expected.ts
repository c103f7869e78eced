import type { IToken } from "chevrotain";
import { isDType } from "../../compiler/ir/dtype.js";
import type { Call, Expression, FunctionDeclaration, Parameter } from "../../dsl/ast.js";
import type { ParameterKind } from "../../dsl/elaborate/intrinsic.js";
import type { Callable } from "../../dsl/elaborate/meaning.js";
import * as t from "../../dsl/tokens.js";
import type { Analysis, Source } from "./analysis.js";
import { type Binder, visibleAt } from "./binders.js";
import { type CallContext, type Context, callAround } from "./context.js";
import { library } from "./library.js";
import type { Workspace } from "./workspace.js";

/** What may stand at a place, by the parameter or the type that it is a part of. */
export interface Expected {
  readonly kind: ParameterKind | "optimizer";
  /** The strings that may stand there, without quotes. */
  readonly strings: readonly string[];
  /** The axes that may stand there, where it is one of a tensor whose rank is known. */
  readonly axes: readonly number[];
  readonly isAxis: boolean;
  /** Whether a value begins here: not behind an operator. */
  readonly begins: boolean;
}

const beginnings = [t.LeftParen, t.LeftBracket, t.Comma, t.Equal];

/** Undefined where anything may stand. */
export function expectedAt(workspace: Workspace, analysis: Analysis, context: Context): Expected | undefined {
  const { before, open } = context;
  const last = before.at(-1)?.tokenType;
  if (open === undefined || last === undefined) return undefined;
  const begins = beginnings.includes(last);
  const bracket = before[open];
  const int: Expected = { kind: "int", strings: [], axes: [], isAxis: false, begins };
  if (bracket?.tokenType === t.LeftBracket && isTypeName(analysis.source, before[open - 1])) return int;
  const call = callAround(workspace, analysis.source, context);
  if (call === undefined) return undefined;
  const found = expectedArgument(call);
  if (found === undefined) return undefined;
  const { kind } = found;
  const isAxis = /^(?:axis|axes)$/.test(found.name);
  if (bracket?.tokenType === t.LeftBracket) {
    // `axis=[0, |`
    const isList = beginnings.includes(before[open - 1]?.tokenType ?? t.Name);
    return isList && (kind === "axes" || kind === "shape") ? { ...int, isAxis } : undefined;
  }
  if (before[open - 1]?.tokenType !== t.Name || (!begins && kind !== "int" && kind !== "axes")) return undefined;
  const axes = isAxis && begins ? axesOf(analysis, before, open) : [];
  return { kind, strings: found.strings, axes, isAxis, begins };
}

function isTypeName({ binders }: Source, token: IToken | undefined): boolean {
  if (token === undefined) return false;
  if (isDType(token.image)) return true;
  return visibleAt(binders, token.startOffset).find(({ name }) => name === token.image)?.kind === "type parameter";
}

interface ExpectedArgument {
  readonly name: string;
  readonly kind: Expected["kind"];
  readonly strings: readonly string[];
}

function expectedArgument({ callable, position, named }: CallContext): ExpectedArgument | undefined {
  if (callable.kind === "intrinsic") {
    const { intrinsic } = callable;
    const { parameters } = intrinsic;
    const last = parameters.at(-1);
    const byPosition = parameters[position] ?? (last?.variadic === true ? last : undefined);
    const found = named === undefined ? byPosition : parameters.find(({ name }) => name === named);
    if (found === undefined) return undefined;
    const isOptimizer = intrinsic.name === "minimize" && found.name === "optimizer";
    return { name: found.name, kind: isOptimizer ? "optimizer" : found.kind, strings: found.strings ?? [] };
  }
  const { declaration } = callable;
  const parameters = declaration.kind === "optimizer" ? declaration.parameters.slice(2) : declaration.parameters;
  const found = named === undefined ? parameters[position] : parameters.find(({ name }) => name.name === named);
  if (found === undefined) return undefined;
  const strings = declaration.kind === "fn" ? stringsPassedOn(declaration, found.name.name) : [];
  return { name: found.name.name, kind: kindOf(found), strings };
}

const parameterKinds: ReadonlyMap<string, ParameterKind> = new Map(
  (["int", "float", "bool", "string", "dtype", "shape", "list", "axes", "fn"] as const).map((kind) => [kind, kind]),
);

function kindOf({ type, default: value }: Parameter): ParameterKind {
  if (type === undefined) return value === undefined || value.kind === "reference" ? "any" : kindOfDefault(value);
  if (type.kind === "list-type") return "list";
  return (type.dims === undefined ? parameterKinds.get(type.name.name) : undefined) ?? "tensor";
}

/** An untyped parameter takes what it is used for; of its default only what admits nothing else tells that. */
function kindOfDefault(value: Expression): ParameterKind {
  return value.kind === "boolean" ? "bool" : "any";
}

/** The strings of a built-in function's parameter that a fn hands its own on to. */
function stringsPassedOn(declaration: FunctionDeclaration, parameter: string): readonly string[] {
  for (const statement of declaration.body.statements) {
    const call = statement.kind === "binding" && statement.value.kind === "call" ? statement.value : undefined;
    const strings = call === undefined ? undefined : stringsIn(call, parameter);
    if (strings !== undefined) return strings;
  }
  return [];
}

function stringsIn(call: Call, parameter: string): readonly string[] | undefined {
  const callable = library().get(call.callee.text)?.callable;
  if (callable?.kind !== "intrinsic") return undefined;
  const at = call.arguments.findIndex(({ value }) => value.kind === "reference" && value.text === parameter);
  const given = call.arguments[at];
  if (given === undefined) return undefined;
  const { parameters } = callable.intrinsic;
  return (given.name === undefined ? parameters[at] : parameters.find(({ name }) => name === given.name?.name))
    ?.strings;
}

/** The axes of the tensor that a call is given first, or by a pipe, where that is a name. */
function axesOf({ source, facts }: Analysis, before: readonly IToken[], open: number): readonly number[] {
  const piped = before[open - 2]?.tokenType === t.PipeSign;
  const token = before[piped ? open - 3 : open + 1];
  const next = before[open + 2]?.tokenType;
  if (token?.tokenType !== t.Name || (!piped && next !== t.Comma)) return [];
  const binder = visibleAt(source.binders, token.startOffset).find(({ name }) => name === token.image);
  const [meaning] =
    (binder === undefined ? undefined : facts.namesIn(source.file).get(binder.span.start))?.meanings ?? [];
  return meaning?.kind === "tensor" ? meaning.value.type.shape.map((_, axis) => axis) : [];
}

/** What a name stands for; undefined where that is not known. */
function kindsOf({ source, facts }: Analysis, binder: Binder): readonly string[] | undefined {
  const fact = facts.namesIn(source.file).get(binder.span.start);
  const kinds = (fact?.meanings ?? []).flatMap(({ kind }) => (kind === "poisoned" ? [] : [kind]));
  if (binder.kind !== "import" && binder.kind !== "fn" && kinds.length > 0) return kinds;
  switch (binder.kind) {
    case "dim":
      return ["int"];
    case "type parameter":
      return ["int", "dtype"];
    case "placeholder":
    case "variable":
    case "sequence":
    case "carry":
    // Of what is broken nothing is known, and nearly all that a graph binds are tensors.
    case "binding":
      return ["tensor"];
    case "parameter":
      return binder.parameter?.type === undefined ? undefined : [kindOf(binder.parameter)];
    case "scope":
      return ["scope"];
    case "update":
    case "graph":
    case "signature":
      return [];
    case "constant":
    case "import":
    case "fn":
    case "optimizer":
      return undefined;
  }
}

const accepted: Readonly<Record<Exclude<Expected["kind"], "any">, readonly string[]>> = {
  tensor: ["tensor", "int", "float", "bool", "scope", "many"],
  int: ["int"],
  float: ["float", "int"],
  bool: ["bool"],
  string: ["string"],
  dtype: ["dtype"],
  shape: ["shape", "list", "int"],
  list: ["list", "tensor", "scope", "shape", "many"],
  axes: ["int", "shape", "list", "axes", "all_axes"],
  fn: ["fn"],
  optimizer: [],
};

/** Whether a name that is no function may stand there. */
export function fitsName(analysis: Analysis, binder: Binder, expected: Expected | undefined): boolean {
  if (expected === undefined) return true;
  const { kind: wanted } = expected;
  if (wanted === "any") return true;
  if (expected.isAxis && binder.kind === "dim") return false;
  const kinds = kindsOf(analysis, binder);
  if (kinds === undefined) return wanted !== "optimizer" && wanted !== "fn";
  return kinds.some((kind) => accepted[wanted].includes(kind));
}

/** Whether a function, or its call, may stand there. */
export function fitsFunction(callable: Callable, expected: Expected | undefined): boolean {
  if (callable.kind === "optimizer") return expected?.kind === "optimizer";
  switch (expected?.kind) {
    case undefined:
    case "any":
    case "tensor":
    case "list":
    case "fn":
      return true;
    case "optimizer":
      return false;
    case "axes":
      return !expected.isAxis && gives(callable, ["int", "shape"]);
    case "int":
      return !expected.isAxis && gives(callable, ["int"]);
    case "float":
      return gives(callable, ["int", "float"]);
    case "shape":
      return gives(callable, ["int", "shape", "list"]);
    case "bool":
    case "string":
    case "dtype":
      return gives(callable, [expected.kind]);
  }
}

function gives(callable: Callable, kinds: readonly string[]): boolean {
  if (callable.kind === "intrinsic")
    return callable.intrinsic.result.split(/, | or /).some((one) => kinds.includes(one));
  if (callable.kind === "optimizer") return false;
  const { outputs } = callable.declaration;
  return outputs.some(
    ({ type }) => type?.kind === "named-type" && type.dims === undefined && kinds.includes(type.name.name),
  );
}
