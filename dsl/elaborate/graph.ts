import { buildOn, type DeviceKind, deviceNow } from "../../compiler/ir/device.js";
import { symbol } from "../../compiler/ir/dim.js";
import type { Graph, Mode } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Call, DimDeclaration, GraphDeclaration, Placeholder, Statement, Update } from "../ast.js";
import { quote } from "../diagnostics.js";
import { attempt, evaluate, guarded } from "./expressions.js";
import { describe, type Home, int, isPoisoned, poisoned } from "./meaning.js";
import { Names } from "./names.js";
import { checkPostponed } from "./optimizer_steps.js";
import { placed } from "./places.js";
import { signatures } from "./signatures.js";
import { applyOp, type Env, type Frame, record, report, type Shared, State } from "./state.js";
import { bindName, expectNames, publish, scope, statement } from "./statements.js";
import { trainPlan } from "./train.js";
import { checkDefault, declaredType, requireOneType } from "./types.js";
import { update } from "./updates.js";

const maximumBound = 2 ** 40;

/** Types a graph, once for each training mode. The Graph is complete only if `shared.diagnostics` has no errors. */
export function elaborateGraph(shared: Shared, declaration: GraphDeclaration, home: Home): Graph {
  noteDifferentiated(shared, declaration.body.statements);
  shared.graphBody = declaration.body.span;
  if (shared.memory !== undefined) shared.memory.updatesInference = declaration.body.statements.some(updatesInference);
  const inference = elaborateMode(shared, declaration, home, false);
  const training = elaborateMode(shared, declaration, home, true);
  if (shared.memory !== undefined) checkPostponed(shared.memory);
  const env = inference.env;
  const modes = { inference: inference.mode, training: training.mode };
  const found = signatures(env, declaration.body.statements, modes);
  return {
    name: declaration.name.name,
    file: home.file,
    seed: seedOf(declaration),
    devices: shared.devices,
    dims: [...shared.dims.values()],
    placeholders: [...shared.placeholders.values()],
    // An editor's graph is for nobody to run.
    variables: shared.memory === undefined ? [...shared.variables.values()] : [],
    strings: shared.strings,
    ...modes,
    signatures: found.all,
    train: trainPlan(env, declaration.body.statements, found, modes),
    constraints: shared.constraints,
    sources: shared.sources,
  };
}

function updatesInference(one: Statement): boolean {
  return one.kind === "signature" && one.does.length > 0 && one.training?.value === false;
}

function noteDifferentiated(shared: Shared, all: readonly Statement[]): void {
  for (const one of all) {
    if (one.kind === "scope" || one.kind === "on") noteDifferentiated(shared, one.body.statements);
    else for (const name of differentiatedIn(one)) shared.differentiated.add(name);
  }
}

/** An editor elaborates the same statements again and again. */
const differentiated = new WeakMap<Statement, readonly string[]>();

function differentiatedIn(one: Statement): readonly string[] {
  const known = differentiated.get(one);
  if (known !== undefined) return known;
  const names = differentiatedNames(one);
  differentiated.set(one, names);
  return names;
}

/** The names in the lists of `gradients(y, [names])`. */
function differentiatedNames(part: unknown): readonly string[] {
  const names: string[] = [];
  const stack: unknown[] = [part];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (typeof one !== "object" || one === null) continue;
    if (isGradientsCall(one)) {
      const xs = one.arguments.find((argument, i) =>
        argument.name === undefined ? i === 1 : argument.name.name === "xs",
      );
      const listed = xs?.value.kind === "list" ? xs.value.items : xs === undefined ? [] : [xs.value];
      for (const item of listed) if (item.kind === "reference") names.push(item.text);
    }
    for (const value of Object.values(one)) if (typeof value === "object" && value !== null) stack.push(value);
  }
  return names;
}

function isGradientsCall(part: object): part is Call {
  return "kind" in part && part.kind === "call" && "callee" in part && (part as Call).callee.text === "gradients";
}

function seedOf(declaration: GraphDeclaration): bigint {
  for (const one of declaration.body.statements) if (one.kind === "seed") return one.value.value;
  return 0n;
}

function elaborateMode(
  shared: Shared,
  declaration: GraphDeclaration,
  home: Home,
  training: boolean,
): { readonly env: Env; readonly mode: Mode } {
  const state = new State(shared, training);
  const frame: Frame = {
    kind: "graph",
    path: "",
    pack: undefined,
    call: undefined,
    standard: home.standard,
    initial: false,
    required: [],
    assigned: new Map(),
  };
  const env: Env = {
    state,
    frame,
    scope: undefined,
    names: shared.memory?.block(`${training}`, home.names) ?? new Names(home.names),
    prefix: "",
    binding: "",
    region: undefined,
    declared: undefined,
  };
  const updates: WaitingUpdate[] = [];
  body(env, declaration.body.statements, updates);
  for (const { env: inside, update: one, device } of updates) {
    const mark = shared.pending;
    buildOn(device, () => placed(inside, one, () => update(inside, one)));
    shared.settle(mark);
  }
  return { env, mode: { names: state.names, updates: state.updates, callUpdates: state.callUpdates } };
}

/** An update that is elaborated when all else has been, where it stands. */
interface WaitingUpdate {
  readonly env: Env;
  readonly update: Update;
  readonly device: DeviceKind | undefined;
}

/** The statements of a graph or of a scope in it; updates are kept for later, as they look ahead. */
function body(env: Env, all: readonly Statement[], updates: WaitingUpdate[]): void {
  expectNames(env.names, all);
  const { shared } = env.state;
  for (const one of all) {
    const mark = shared.pending;
    switch (one.kind) {
      case "dim":
        dim(env, one);
        break;
      case "placeholder":
        placeholder(env, one);
        break;
      case "scope":
        placed(env, one, () => scope(env, one, (inside, inner) => body(inside, inner, updates)));
        break;
      case "on":
        placed(env, one, () => body(env, one.body.statements, updates));
        break;
      case "update":
        bindName(
          env,
          one.name,
          { kind: "update" },
          { kind: "update", type: undefined, doc: one.doc?.text, span: one.name.span },
        );
        updates.push({ env, update: one, device: deviceNow() });
        break;
      default:
        remembered(env, one);
    }
    shared.settle(mark);
  }
}

/** Elaborates a statement; in an editor, only where something that it rests on has changed. */
function remembered(env: Env, one: Statement): void {
  const { state, prefix } = env;
  const { memory } = state.shared;
  const run = (): undefined => {
    statement(env, one);
    return undefined;
  };
  // Behind an assignment, which stands in the wrong place here, names may have other values.
  if (memory === undefined || env.frame.assigned.size > 0) run();
  else memory.statements.run(state, one, memory.keyOf(state.training, prefix), [], run);
}

function dim(env: Env, one: DimDeclaration): void {
  const bound = one.bound === undefined ? undefined : evaluate(env, one.bound);
  if (bound !== undefined && bound.kind !== "poisoned") {
    const valid =
      bound.kind === "int" &&
      typeof bound.value === "bigint" &&
      bound.value > 0n &&
      bound.value <= BigInt(maximumBound);
    if (!valid)
      report(env, "G031", one.bound?.span ?? one.span, `the bound of a dim is an int above 0, not ${describe(bound)}`);
  }
  const { name } = one.name;
  const limit =
    bound?.kind === "int" && typeof bound.value === "bigint" && bound.value > 0n ? Number(bound.value) : undefined;
  if (!env.state.shared.dims.has(name)) env.state.shared.dims.set(name, { name, bound: limit, span: one.span });
  bindName(env, one.name, int(symbol(name)), { kind: "dim", type: undefined, doc: one.doc?.text, span: one.name.span });
}

function placeholder(env: Env, one: Placeholder): void {
  const name = env.prefix + one.name.name;
  const inside: Env = { ...env, binding: name };
  const wanted = attempt(inside, () => declaredType(inside, one.type, evaluate));
  const given = one.default === undefined ? undefined : evaluate(inside, one.default);
  if (wanted === undefined) {
    bindName(env, one.name, poisoned, undefined);
    return;
  }
  guarded(env, () => {
    const attributes = { name, dtype: wanted.dtype, shape: wanted.shape };
    const [value] = applyOp(inside, "placeholder", [], attributes, { span: one.name.span, operands: [] }) as readonly [
      Value,
    ];
    record(inside, value, one.name.span);
    bindName(
      env,
      one.name,
      { kind: "tensor", value },
      { kind: "placeholder", type: wanted, doc: one.doc?.text, span: one.name.span },
    );
    publish(env, one.name.name, value);
    const defaultValue =
      given === undefined || one.default === undefined || isPoisoned(given)
        ? undefined
        : attempt(inside, () =>
            checkDefault(inside, { meaning: given, span: one.default?.span ?? one.span }, wanted, one.type.span),
          );
    if (defaultValue !== undefined) requireConstantDefault(inside, defaultValue, one);
    const known = env.state.shared.placeholders.get(name);
    if (known !== undefined) requireOneType(env, name, known.value.type, wanted, one.name.span);
    else {
      env.state.shared.addPlaceholder({ name, value, defaultValue, span: one.name.span, doc: one.doc?.text });
    }
    return poisoned;
  });
  if (env.names.own(one.name.name) === undefined) bindName(env, one.name, poisoned, undefined);
}

function requireConstantDefault(env: Env, value: Value, one: Placeholder): void {
  const stack = [value.node];
  const seen = new Set(stack);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (["placeholder", "variable", "random_uniform", "parameter"].includes(node.op)) {
      const read = String(node.attributes["name"] ?? node.attributes["path"] ?? "");
      report(
        env,
        "G037",
        one.default?.span ?? one.span,
        `a default is made of constants only, and this reads ${quote(read)}`,
      );
      return;
    }
    for (const { node: below } of node.inputs) {
      if (seen.has(below)) continue;
      seen.add(below);
      stack.push(below);
    }
  }
}
