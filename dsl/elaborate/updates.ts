import { buildOn, type DeviceKind, deviceNow } from "../../compiler/ir/device.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Assignment, Variable } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import { typeText } from "../../compiler/ir/type.js";
import type { Assignment as AssignmentStatement, Block, Call, Expression, Update } from "../ast.js";
import { quote } from "../diagnostics.js";
import { bindArguments, evaluateArguments } from "./calls.js";
import { toTensor } from "./convert.js";
import { doubtLoss } from "./doubts.js";
import { attempt, evaluate, item } from "./expressions.js";
import { compileTimeKind, expandFunction } from "./functions.js";
import { callable } from "./lookup.js";
import { calleeName, describe, type Item, isPoisoned, type Meaning, tensor } from "./meaning.js";
import { Names } from "./names.js";
import { type Minimized, type OptimizerCall, stepsOf, type TrainedVariable } from "./optimizer_steps.js";
import { applyOp, type Env, record, refusal, silentRefusal } from "./state.js";
import { statements } from "./statements.js";
import { listedVariables, reachedVariables } from "./trained.js";

/** `update learn { w := ... }` or `update learn = minimize(...)`: a named, atomic group of assignments. */
export function update(outer: Env, one: Update): void {
  const { name, span } = one.name;
  const path = outer.prefix + name;
  const scope = outer.state.shared.scope(outer.scope, { kind: "update", name, binding: "", path, span });
  const env: Env = { ...outer, scope };
  const assignments = attempt(env, () =>
    one.body.kind === "block" ? block(env, one.body, path) : minimize(env, one, one.body, path),
  );
  if (assignments === undefined) return;
  env.state.updates.set(path, { name: path, assignments, span: one.name.span });
}

function block(env: Env, body: Block, path: string): readonly Assignment[] {
  const inside: Env = {
    ...env,
    frame: { ...env.frame, assigned: new Map() },
    names: new Names(env.names),
    prefix: `${path}/`,
    binding: path,
  };
  statements(inside, body.statements);
  const spans = new Map(assignmentsIn(body).map(({ target, span }) => [target.text, span] as const));
  return [...inside.frame.assigned].map(([variable, value]) => ({
    path: variable,
    value,
    span: spans.get(variable) ?? body.span,
  }));
}

function assignmentsIn({ statements: all }: Block): readonly AssignmentStatement[] {
  return all.flatMap((one) => (one.kind === "on" ? assignmentsIn(one.body) : one.kind === "assignment" ? [one] : []));
}

const parameters = ["loss", "optimizer", "variables", "clip"] as const;
type MinimizeParameter = (typeof parameters)[number];

/** `minimize(loss, optimizer(...), variables=[...], clip=global_norm(1.0))`. Throws `Refusal`. */
function minimize(env: Env, one: Update, body: Expression, path: string): readonly Assignment[] {
  const inside: Env = { ...env, binding: path };
  const minimized = rememberedMinimized(inside, one, body);
  if (minimized === undefined) return [];
  return stepsOf(inside, minimized);
}

/** In an editor, what is trained is looked for only where something else is reached, or may be trained. */
function rememberedMinimized(env: Env, one: Update, body: Expression): Minimized | undefined {
  const { state, binding } = env;
  const { memory } = state.shared;
  const run = (): Minimized | undefined => minimized(env, body);
  // What a list names may be any part of the graph.
  if (memory === undefined || listsVariables(body)) return run();
  return memory.minimized.run(state, one, `minimize ${state.training} ${deviceNow()} ${binding}`, [], run);
}

function listsVariables(body: Expression): boolean {
  if (body.kind !== "call") return true;
  return body.arguments.some(({ name }, i) => name?.name === "variables" || (name === undefined && i >= 2));
}

function minimized(inside: Env, body: Expression): Minimized | undefined {
  const call = minimizeCall(inside, body);
  const given = expressionsOf(inside, call);
  const lossExpression = given.get("loss");
  const optimizerExpression = given.get("optimizer");
  if (lossExpression === undefined || optimizerExpression === undefined) {
    const missing = lossExpression === undefined ? "loss" : "optimizer";
    throw refusal(inside, "G030", call.span, `\`minimize\` needs the argument \`${missing}\``, {
      hint: "`minimize(loss, adam(learning_rate=1e-3))`",
    });
  }
  requireLossFirst(inside, lossExpression, optimizerExpression);
  const loss = item(inside, lossExpression);
  const optimizer = optimizerOf(inside, optimizerExpression);
  const listed = given.get("variables");
  if (isPoisoned(loss.meaning)) {
    checkOptimizer(inside, optimizer, loss);
    return undefined;
  }
  const target = toTensor(inside, loss);
  if (!isFloat(target.type.dtype)) {
    throw refusal(inside, "G051", loss.span, `only floats have gradients, and the loss is ${typeText(target.type)}`, {
      hint: "a loss is made of floats: declare what is learnt as f32",
    });
  }
  doubtLoss(inside, target, loss.span);
  const variables =
    listed === undefined
      ? reachedVariables(inside, target, loss.span, optimizer.span)
      : listedVariables(inside, listed, target, optimizer.span);
  const site = { span: call.span, operands: [loss.span] };
  const values = variables.map((variable) => variable.value);
  const gradients = applyOp(inside, "gradients", [target, ...values], {}, site);
  const clip = given.get("clip");
  const places = variables.map(({ device }) => deviceNow() ?? device);
  const clipped = clip === undefined ? gradients : clipAll(inside, clip, gradients, places);
  const trained = variables.map((variable, i): TrainedVariable => {
    const gradient = slope(inside, variable, clipped[i] as Value);
    const device = places[i];
    return { variable, gradient, device, ...unitOf(inside, optimizer, variable, gradient, device) };
  });
  return { optimizer, variables: trained };
}

/** In an editor, the gradient of a variable is an edge of its own, as a name of the graph is. */
function slope(env: Env, { path }: Variable, gradient: Value): Value {
  const { state, binding } = env;
  return state.shared.memory?.alias(state, `${binding}:${path}`, gradient, "slope") ?? gradient;
}

function minimizeCall(env: Env, body: Expression): Call {
  const call = body.kind === "call" ? body : undefined;
  const fn = call === undefined ? undefined : callable(env, call.callee);
  if (call !== undefined && fn?.kind === "intrinsic" && fn.intrinsic.name === "minimize") return call;
  if (fn?.kind === "optimizer") {
    throw refusal(
      env,
      "G043",
      body.span,
      `the optimizer ${quote(calleeName(fn))} is given to \`minimize\`, with the loss`,
      {
        hint: `\`minimize(loss, ${calleeName(fn)}(...))\``,
      },
    );
  }
  evaluate(env, body);
  throw refusal(env, "G043", body.span, "`update NAME = ...` takes `minimize(loss, optimizer(...))`", {
    hint: "assignments by hand stand in a block: `update NAME { w := ... }`",
  });
}

function expressionsOf(env: Env, call: Call): ReadonlyMap<MinimizeParameter, Expression> {
  const found = new Map<MinimizeParameter, Expression>();
  call.arguments.forEach((argument, i) => {
    const name = argument.name === undefined ? parameters[i] : parameters.find((p) => p === argument.name?.name);
    const span = argument.name?.span ?? argument.span;
    if (name === undefined) {
      throw refusal(
        env,
        "G030",
        span,
        argument.name === undefined
          ? "`minimize` takes at most 4 arguments"
          : `\`minimize\` has no parameter ${quote(argument.name.name)}`,
        {
          hint: `its parameters are ${parameters.join(", ")}`,
        },
      );
    }
    if (found.has(name)) throw refusal(env, "G030", span, `the parameter \`${name}\` of \`minimize\` is given twice`);
    found.set(name, argument.value);
  });
  return found;
}

/** The optimizer and its settings; what they compute is computed once for all variables. */
function optimizerOf(env: Env, expression: Expression): OptimizerCall {
  const call: Call | undefined =
    expression.kind === "call"
      ? expression
      : expression.kind === "reference"
        ? { kind: "call", callee: expression, arguments: [], span: expression.span }
        : undefined;
  const fn = call === undefined ? undefined : callable(env, call.callee);
  if (call === undefined || fn === undefined || fn.kind !== "optimizer") {
    if (call !== undefined && fn === undefined) throw silentRefusal;
    throw refusal(
      env,
      "G031",
      expression.span,
      `an optimizer is needed here, not ${fn === undefined ? describe(evaluate(env, expression)) : describe({ kind: "fn", fn })}`,
      {
        hint: '`import { adam } from "std/optimizers"`, then `adam(learning_rate=1e-3)`',
      },
    );
  }
  const { items, name } = evaluateArguments(env, fn, call.arguments, undefined);
  return { fn, given: items, segment: name ?? calleeName(fn), span: call.span };
}

function unitOf(
  { state, binding }: Env,
  { given, span, segment }: OptimizerCall,
  variable: Variable,
  gradient: Value,
  device: DeviceKind | undefined,
): Pick<TrainedVariable, "key" | "inputs"> {
  const names = given.named.map(({ name }) => name).join(",");
  const own = [variable.value, gradient].map((value): Item => ({ meaning: tensor(value), span }));
  return {
    key: `${state.training} ${device} ${binding} ${segment} ${variable.path} ${names}`,
    inputs: [...own, ...given.positional, ...given.named.map(({ item: one }) => one)],
  };
}

function requireLossFirst(env: Env, first: Expression, second: Expression): void {
  if (first.kind !== "call" || env.names.lookupCallable(first.callee.text)?.meaning.kind !== "fn") return;
  const fn = callable(env, first.callee);
  if (fn?.kind !== "optimizer") return;
  const { texts } = env.state.shared;
  const [loss, optimizer] = [texts.at(second.span), texts.at(first.span)];
  throw refusal(env, "G031", first.span, "the loss stands first in `minimize`, then the optimizer", {
    hint: {
      text: `\`minimize(loss, ${calleeName(fn)}(...))\``,
      fix: () =>
        loss === undefined || optimizer === undefined
          ? undefined
          : {
              title: "change places",
              edits: [
                { span: first.span, text: loss },
                { span: second.span, text: optimizer },
              ],
            },
    },
  });
}

/** Whether an optimizer takes its arguments, where there is nothing that it could train. */
function checkOptimizer(env: Env, { fn, given, span }: OptimizerCall, unknown: Item): void {
  attempt(env, () => bindArguments(env, fn, { ...given, positional: [unknown, unknown, ...given.positional] }, span));
}

/**
 * `clip=global_norm(1.0)`: a fn whose first parameter is a list sees all gradients and gives the factor for each; one whose first
 * parameter is a tensor is applied to each gradient.
 */
function clipAll(
  env: Env,
  expression: Expression,
  gradients: readonly Value[],
  places: readonly (DeviceKind | undefined)[],
): readonly Value[] {
  const fn = expression.kind === "call" ? callable(env, expression.callee) : undefined;
  if (expression.kind !== "call" || fn?.kind !== "fn") {
    throw refusal(env, "G031", expression.span, "`clip` is a call of a function that sees the gradients", {
      hint: "`clip=global_norm(1.0)`",
    });
  }
  const { span } = expression;
  const { items, name } = evaluateArguments(env, fn, expression.arguments, undefined);
  const segment = name ?? calleeName(fn);
  const expanded = (first: Item): Meaning =>
    expandFunction(env, fn, { ...items, positional: [first, ...items.positional] }, span, segment);
  const site = { span, operands: [span, span] };
  if (compileTimeKind(fn.declaration.parameters[0]?.type) !== "list") {
    return gradients.map((gradient, i) =>
      buildOn(places[i], () => toTensor(env, { meaning: expanded({ meaning: tensor(gradient), span }), span })),
    );
  }
  const all: Meaning = { kind: "list", items: gradients.map((gradient) => ({ meaning: tensor(gradient), span })) };
  const factor = toTensor(env, { meaning: expanded({ meaning: all, span }), span });
  if (factor.type.shape.length > 0) {
    throw refusal(env, "G025", span, `the factor of all gradients is a scalar, not ${typeText(factor.type)}`);
  }
  const scaled = (gradient: Value): Value => {
    const { dtype, shape } = gradient.type;
    const same =
      factor.type.dtype === dtype ? factor : (applyOp(env, "cast", [factor], { to: dtype }, site)[0] as Value);
    const wide =
      shape.length === 0 ? same : (applyOp(env, "broadcast_in_dim", [same], { shape, axes: [] }, site)[0] as Value);
    return record(env, applyOp(env, "mul", [gradient, wide], {}, site)[0] as Value, span);
  };
  return gradients.map((gradient, i) => buildOn(places[i], () => scaled(gradient)));
}
