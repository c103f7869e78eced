import { symbol } from "../../compiler/ir/dim.js";
import type { FunctionDeclaration, OptimizerDeclaration, TypeExpression } from "../ast.js";
import { quote } from "../diagnostics.js";
import { isAxes } from "./calls.js";
import { attempt } from "./expressions.js";
import { compileTimeKind, enter } from "./functions.js";
import { boundNames } from "./inference.js";
import { type Callable, type Home, int, type Meaning, poisoned } from "./meaning.js";
import { Names } from "./names.js";
import { type Env, type Frame, refusal, report, type Shared, State } from "./state.js";
import { statements } from "./statements.js";
import { dtypeNamed } from "./types.js";

type Declaration = FunctionDeclaration | OptimizerDeclaration;

/** Checks a fn that nothing calls: unknown names, wrong arguments and recursion, which no argument could mend. */
export function checkAlone(shared: Shared, declaration: Declaration, home: Home): void {
  if (shared.expanded.has(declaration)) return;
  const state = new State(shared, false, true);
  const name = declaration.name.name;
  const frame: Frame = {
    kind: declaration.kind,
    path: name,
    pack: [symbol("...")],
    call: undefined,
    standard: false,
    initial: false,
    assigned: new Map(),
  };
  const env: Env = {
    state,
    frame,
    names: new Names(home.names),
    prefix: `${name}/`,
    binding: name,
    region: undefined,
    declared: undefined,
  };
  for (const { name: parameter, span, bound } of declaration.typeParameters) {
    env.names.bind(parameter.name, { meaning: bound === undefined ? poisoned : { kind: "dtype", value: "f32" }, span });
  }
  for (const parameter of declaration.parameters) {
    const meaning = isAxes(parameter)
      ? { kind: "all_axes" as const }
      : standIn(compileTimeKind(parameter.type), parameter.name.name);
    env.names.bind(parameter.name.name, { meaning, span: parameter.name.span });
  }
  const fn: Callable =
    declaration.kind === "fn" ? { kind: "fn", declaration, home } : { kind: "optimizer", declaration, home };
  attempt(env, () => {
    enter(state, env, fn, declaration.name.span);
    statements(env, declaration.body.statements);
    state.active.pop();
  });
  if (declaration.kind !== "fn") return;
  for (const output of declaration.outputs) {
    if (env.names.own(output.name.name) !== undefined) continue;
    report(
      env,
      "G034",
      output.name.span,
      `the output ${quote(output.name.name)} of ${quote(name)} is not bound in its body`,
    );
  }
}

function standIn(kind: ReturnType<typeof compileTimeKind>, name: string): Meaning {
  switch (kind) {
    case "int":
      return int(symbol(name));
    case "bool":
      return { kind: "bool", value: false };
    case "dtype":
      return { kind: "dtype", value: "f32" };
    default:
      return poisoned;
  }
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
      assigned: new Map(),
    },
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
  if (!known.has(name.name)) attempt(env, () => dtypeNamed(env, name.name, name.span));
  for (const dim of type.dims ?? []) {
    if (dim.kind !== "reference" || dim.segments.length > 1) continue;
    if (known.has(dim.text) || env.names.lookup(dim.text) !== undefined) continue;
    report(env, "G017", dim.span, `the size ${quote(dim.text)} is not declared`, {
      hint: `\`fn ${declaration.name.name}[${dim.text}](...)\` declares a size that is inferred at the call`,
    });
  }
}
