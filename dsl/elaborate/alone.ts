import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import { type Dim, symbol } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Span } from "../../compiler/ir/span.js";
import type {
  FunctionDeclaration,
  NamedType,
  OptimizerDeclaration,
  Output,
  Parameter,
  TypeExpression,
} from "../ast.js";
import { quote } from "../diagnostics.js";
import { attempt, evaluate } from "./expressions.js";
import { define, noteName } from "./facts.js";
import { compileTimeKind, enter, outputOf } from "./functions.js";
import { boundNames, dtypesWithin } from "./inference.js";
import { type Callable, type Home, int, type Meaning, poisoned } from "./meaning.js";
import type { Memory } from "./memory.js";
import { Names } from "./names.js";
import { applyOp, type Env, type Frame, Refusal, record, refusal, report, type Shared, State } from "./state.js";
import { statements } from "./statements.js";
import { declaredType, dtypeNamed } from "./types.js";
import { branchesIn } from "./unread.js";

type Declaration = FunctionDeclaration | OptimizerDeclaration;

/** What a call would choose, and decides what else is known: dtypes, how many axes `...` has, bools. */
interface Choice {
  readonly name: string;
  readonly values: readonly (DType | number | boolean)[];
}

type Chosen = ReadonlyMap<string, DType | number | boolean>;

/** Beyond so many ways to choose, bools are left open. */
const mostWays = 512;

/** How many axes `...` may stand for, or an optimizer's parameter have: what other ranks refuse too. */
const ranks = [1, 2, 0, 3, 4, 5];

const pack = "...";

/** The dtype of an optimizer's parameter and its gradient. */
const trained = "the parameter";

/**
 * Checks a fn that nothing calls, with a stand-in for each parameter: tensors of the declared types, whose sizes are symbols. What a
 * call would give and the types do not tell is left open, and what depends on it is silent. The dtypes, ranks and bools that a call
 * may choose are tried until some fit; so what is reported would be wrong in every call. Of a fn that is called, the branches that
 * no call has read are checked so.
 */
export function checkAlone(shared: Shared, declaration: Declaration, home: Home): void {
  const unread = new Set<object>(branchesIn(declaration.body.statements).filter((one) => !shared.branches.has(one)));
  const called = shared.expanded.has(declaration);
  if (called && unread.size === 0) return;
  const { memory } = shared;
  // What has been told of it is not told again.
  const { file, start, end } = declaration.span;
  const isWrong = shared.diagnostics.some(
    ({ span }) => span !== undefined && span.file === file && span.start <= end && start <= span.end,
  );
  if (memory === undefined || isWrong) checkUncalled(shared, declaration, home, called, unread);
  else remembered(memory, shared, declaration, home, called, unread);
}

function remembered(
  memory: Memory,
  shared: Shared,
  declaration: Declaration,
  home: Home,
  called: boolean,
  unread: Set<object>,
): void {
  const left = branchesIn(declaration.body.statements).map((one) => (unread.has(one) ? "0" : "1"));
  memory.statements.run(new State(shared, false, true), declaration, `${called} ${left.join("")}`, [], () =>
    checkUncalled(shared, declaration, home, called, unread),
  );
}

/**
 * Checks a fn that is called as if it were not, for an editor to keep: a statement of the graph that breaks while it is written leaves all
 * behind it uncalled, and so all their fns to be checked at once. `aside` takes what is found, which is told to nobody.
 */
export function checkAhead(memory: Memory, aside: Shared, declaration: Declaration, home: Home): void {
  const unread = new Set<object>(branchesIn(declaration.body.statements));
  remembered(memory, aside, declaration, home, false, unread);
}

function checkUncalled(
  shared: Shared,
  declaration: Declaration,
  home: Home,
  called: boolean,
  unread: Set<object>,
): undefined {
  const tried: Try[] = [];
  let fits = called;
  for (const chosen of ways(choicesOf(declaration))) {
    const { found, branches } = checkWith(shared, declaration, home, chosen);
    if (found.some(({ code }) => code === "G101" || code === "G102")) {
      // Too much to expand, and so to try again.
      if (!called) for (const one of found) shared.report(one);
      return;
    }
    if (found.length === 0) {
      fits = true;
      for (const one of branches) unread.delete(one);
      if (unread.size === 0) return;
    } else tried.push({ chosen, found, branches });
  }
  if (!fits) reportTried(shared, declaration, tried);
  else for (const one of unread) reportTried(shared, declaration, within(one, tried));
}

/** One way to choose that does not fit, why, and the branches of `if`s that it reads. */
interface Try {
  readonly chosen: Chosen;
  readonly found: readonly Diagnostic[];
  readonly branches: ReadonlySet<object>;
}

/** What was found in a branch that no way to choose reads without a problem; elsewhere such a way fits. */
function within(branch: object, tried: readonly Try[]): readonly Try[] {
  return tried.filter(({ branches }) => branches.has(branch));
}

/** Reports what is wrong whatever is chosen; where each choice is wrong in its own way, what the first one is. */
function reportTried(shared: Shared, declaration: Declaration, tried: readonly Try[]): void {
  const [first, ...others] = tried;
  if (first === undefined) return;
  const always = new Set(first.found.map(placeOf));
  for (const { found } of others) {
    const places = new Set(found.map(placeOf));
    for (const place of always) if (!places.has(place)) always.delete(place);
  }
  const known = new Set(shared.diagnostics.map(placeOf));
  const unknown = first.found.filter((one) => !known.has(placeOf(one)));
  const certain = unknown.filter((one) => always.has(placeOf(one)));
  if (always.size > 0) for (const one of certain) shared.report(one);
  else for (const one of unknown) shared.report(withAssumption(one, declaration, first.chosen));
}

function placeOf({ code, span }: Diagnostic): string {
  return `${code} ${span?.file} ${span?.start} ${span?.end}`;
}

/** The problem is another one for other choices, but no choice is without. */
function withAssumption(one: Diagnostic, declaration: Declaration, chosen: Chosen): Diagnostic {
  const parts = [...chosen].map(([name, value]) => {
    if (typeof value !== "number") return `${name} is ${value}`;
    return `${quote(name)} has ${value} ${value === 1 ? "axis" : "axes"}`;
  });
  const message = `where ${parts.join(" and ")}; no other choice fits either`;
  return { ...one, notes: [...one.notes, { span: declaration.name.span, message }] };
}

function* ways(choices: readonly Choice[]): Iterable<Chosen> {
  const [choice, ...others] = choices;
  if (choice === undefined) yield new Map();
  else
    for (const rest of ways(others))
      for (const value of choice.values)
        yield new Map<string, DType | number | boolean>([[choice.name, value], ...rest]);
}

/** The least likely to matter come first, so that all of them are tried with the others as they are. */
function choicesOf(declaration: Declaration): readonly Choice[] {
  const types = tensorTypes(declaration);
  const choices: Choice[] = [];
  for (const { name, bound } of declaration.typeParameters) {
    if (!types.some((type) => type.name.name === name.name)) continue;
    choices.push({ name: name.name, values: dtypesWithin(bound?.name) });
  }
  for (const { name, type } of declaration.parameters)
    if (compileTimeKind(type) === "dtype") choices.push({ name: name.name, values: dtypesWithin(undefined) });
  if (declaration.kind === "optimizer") choices.push({ name: trained, values: dtypesWithin("float") });
  const hasPack = types.some((type) => type.dims?.some((dim) => dim.kind === "ellipsis") === true);
  if (hasPack || declaration.kind === "optimizer") choices.push({ name: pack, values: ranks });
  const bools = declaration.parameters.filter(({ type }) => compileTimeKind(type) === "bool");
  const count = choices.reduce((product, { values }) => product * values.length, 1);
  if (count * 2 ** bools.length > mostWays) return choices;
  return [...choices, ...bools.map(({ name }) => ({ name: name.name, values: [false, true] }))];
}

function tensorTypes(declaration: Declaration): readonly NamedType[] {
  return declaration.parameters.flatMap(({ type }) =>
    type === undefined || type.kind === "list-type" || compileTimeKind(type) !== undefined ? [] : [type],
  );
}

/** One way to choose: what is wrong then, and the branches of `if`s that it reads. */
function checkWith(
  shared: Shared,
  declaration: Declaration,
  home: Home,
  chosen: Chosen,
): Pick<State, "branches"> & { readonly found: readonly Diagnostic[] } {
  const state = new State(shared, false, true);
  const name = declaration.name.name;
  const rank = Number(chosen.get(pack) ?? 0);
  const leading = Array.from({ length: rank }, (_, i) => symbol(i === 0 ? pack : `${pack}${i + 1}`));
  const isFn = declaration.kind === "fn";
  const frame: Frame = {
    kind: declaration.kind,
    path: name,
    pack: isFn && chosen.has(pack) ? leading : undefined,
    call: undefined,
    standard: false,
    initial: false,
    required: [],
    assigned: new Map(),
  };
  const env: Env = {
    state,
    frame,
    scope: undefined,
    names: new Names(home.names),
    prefix: `${name}/`,
    binding: name,
    region: undefined,
    declared: undefined,
  };
  for (const { name: parameter } of declaration.typeParameters) {
    define(env, parameter, chosenDType(chosen, parameter.name) ?? int(symbol(parameter.name)));
  }
  const tensors: Parameter[] = [];
  for (const parameter of declaration.parameters) {
    const kind = compileTimeKind(parameter.type);
    if (kind === undefined) tensors.push(parameter);
    const { name: own } = parameter;
    // Of tensors more is known below.
    if (kind === undefined) env.names.bind(own.name, { meaning: poisoned, span: own.span });
    else define(env, own, standIn(kind, own.name, chosen));
  }
  // Their sizes may be written with the others.
  tensors.forEach((parameter, i) => {
    const meaning =
      isFn || i > 1
        ? tensorOf(env, parameter)
        : ownTensor(env, parameter, trainedDType(chosen), leading, i === 0 ? parameter.name.name : undefined);
    define(env, parameter.name, meaning);
  });
  const fn: Callable = isFn ? { kind: "fn", declaration, home } : { kind: "optimizer", declaration, home };
  attempt(env, () => {
    enter(state, env, fn, declaration.name.span);
    statements(env, declaration.body.statements);
    if (isFn) for (const output of declaration.outputs) checkOutput(env, output, name);
    state.active.pop();
  });
  return { found: state.found.filter(({ severity }) => severity === "error"), branches: state.branches };
}

function checkOutput(env: Env, output: Output, name: string): void {
  const { type } = output;
  // What the type itself says wrongly has been reported.
  const refused = env.state.shared.diagnostics.some(
    ({ span }) =>
      type !== undefined && span?.file === type.span.file && span.start >= type.span.start && span.end <= type.span.end,
  );
  if (!refused || env.names.own(output.name.name) === undefined) outputOf(env, output, name);
}

function trainedDType(chosen: Chosen): DType {
  const value = chosen.get(trained);
  return typeof value === "string" ? value : "f32";
}

function chosenDType(chosen: Chosen, name: string): Meaning | undefined {
  const value = chosen.get(name);
  return typeof value === "string" ? { kind: "dtype", value } : undefined;
}

function standIn(kind: ReturnType<typeof compileTimeKind>, name: string, chosen: Chosen): Meaning {
  switch (kind) {
    case "int":
      return int(symbol(name));
    case "float":
      return { kind: "float", value: Number.NaN };
    case "bool": {
      const value = chosen.get(name);
      return typeof value === "boolean" ? { kind: "bool", value } : poisoned;
    }
    case "dtype":
      return chosenDType(chosen, name) ?? poisoned;
    default:
      return poisoned;
  }
}

/** A tensor of the declared type; nothing is known where that is left out or wrong, which has been reported. */
function tensorOf(env: Env, parameter: Parameter): Meaning {
  const { type } = parameter;
  if (type === undefined) return poisoned;
  try {
    const { dtype, shape } = declaredType(env, type, evaluate);
    return ownTensor(env, parameter, dtype, shape, undefined);
  } catch (error) {
    if (error instanceof Refusal) return poisoned;
    throw error;
  }
}

function ownTensor(
  env: Env,
  { name, span }: Parameter,
  dtype: DType,
  shape: readonly Dim[],
  variable: string | undefined,
): Meaning {
  const attributes = { name: `${env.prefix}${name.name}`, dtype, shape };
  const [value] = applyOp(env, "placeholder", [], attributes, { span, operands: [] });
  if (value === undefined) return poisoned;
  record(env, value, span);
  return variable === undefined ? { kind: "tensor", value } : { kind: "tensor", value, variable };
}

/** Where the text of a file stands that is in no graph and no call. */
export function fileEnv(shared: Shared, home: Home): Env {
  return {
    state: new State(shared, false),
    frame: {
      kind: "file",
      path: "",
      pack: undefined,
      call: undefined,
      standard: home.standard,
      initial: false,
      required: [],
      assigned: new Map(),
    },
    scope: undefined,
    names: home.names,
    prefix: "",
    binding: "",
    region: undefined,
    declared: undefined,
  };
}

/** What the declaration itself says wrongly, whether or not it is called: bounds and parameters that share a name. */
export function checkDeclaration(shared: Shared, declaration: Declaration, home: Home): void {
  const env = fileEnv(shared, home);
  for (const { bound, name } of declaration.typeParameters) {
    if (bound === undefined || boundNames.includes(bound.name)) continue;
    attempt(env, () => {
      throw refusal(env, "G012", bound.span, `${quote(bound.name)} is no bound of a type parameter`, {
        hint: `\`${name.name}: float\`; the bounds are ${boundNames.join(", ")}`,
      });
    });
  }
  const known = new Set([...declaration.typeParameters, ...declaration.parameters].map(({ name }) => name.name));
  const outputs = declaration.kind === "fn" ? declaration.outputs : [];
  for (const { type } of [...declaration.parameters, ...outputs]) {
    if (type !== undefined && compileTimeKind(type) === undefined) checkTypeNames(env, declaration, type, known);
  }
  if (declaration.kind === "optimizer" && declaration.parameters.length < 2) {
    report(env, "G030", declaration.name.span, "an optimizer takes the parameter `p` and its gradient `g` first");
  }
}

/** The dtype and the sizes of a written type are declared: a name in a shape is no new dimension. */
function checkTypeNames(env: Env, declaration: Declaration, type: TypeExpression, known: ReadonlySet<string>): void {
  if (type.kind === "list-type") return;
  const { name } = type;
  noteDeclared(env, declaration, name.name, name.span);
  if (!known.has(name.name)) attempt(env, () => dtypeNamed(env, name.name, name.span));
  for (const dim of type.dims ?? []) {
    if (dim.kind !== "reference" || dim.segments.length > 1) continue;
    noteDeclared(env, declaration, dim.text, dim.span);
    if (known.has(dim.text) || env.names.lookup(dim.text) !== undefined) continue;
    report(env, "G017", dim.span, `the size ${quote(dim.text)} is not declared`, {
      hint: `\`fn ${declaration.name.name}[${dim.text}](...)\` declares a size that is inferred at the call`,
    });
  }
}

/** Notes a name in a written type that the declaration itself declares; what it stands for, each call says. */
function noteDeclared(env: Env, declaration: Declaration, name: string, span: Span): void {
  const declared = [...declaration.typeParameters, ...declaration.parameters].find((one) => one.name.name === name);
  if (declared !== undefined) noteName(env, span, { meaning: poisoned, span: declared.name.span });
}
