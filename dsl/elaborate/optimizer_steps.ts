import { buildOn, type DeviceKind } from "../../compiler/ir/device.js";
import type { Assignment, Variable } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeEquals } from "../../compiler/ir/type.js";
import { noteCall } from "./call_notes.js";
import { bindArguments, type Given } from "./calls.js";
import { perform } from "./effects.js";
import { enter, open } from "./functions.js";
import { type Callable, type Item, isPoisoned, type Meaning, tensor } from "./meaning.js";
import type { Memory } from "./memory.js";
import { sameMeaning } from "./same.js";
import type { Env } from "./state.js";
import { statements } from "./statements.js";

export interface OptimizerCall {
  readonly fn: Extract<Callable, { kind: "optimizer" }>;
  readonly given: Given;
  readonly segment: string;
  readonly span: Span;
}

/** What is trained, how, and by which gradients. */
export interface Minimized {
  readonly optimizer: OptimizerCall;
  readonly variables: readonly TrainedVariable[];
}

export interface TrainedVariable {
  readonly variable: Variable;
  readonly gradient: Value;
  readonly device: DeviceKind | undefined;
  /** What its step is known by, and what it is given. */
  readonly key: string;
  readonly inputs: readonly Item[];
}

/** The steps of all variables. In an editor those in inference mode may be put off: see `checkPostponed`. */
export function stepsOf(env: Env, minimized: Minimized): readonly Assignment[] {
  const { state, binding } = env;
  const { memory } = state.shared;
  const { optimizer, variables } = minimized;
  if (memory !== undefined && optimizer.fn.home.standard) {
    if (state.training) memory.trained.set(binding, minimized);
    else if (!memory.updatesInference) {
      memory.postponed.push({ env, minimized });
      return [];
    }
  }
  const steps = variables.map((trained) => buildOn(trained.device, () => rememberedStep(env, optimizer, trained)));
  return memory === undefined ? steps.flat() : joined(minimized, steps);
}

/** What is the same as before is one list, so that an editor finds it the same without looking at thousands of steps. */
const joinedSteps = new WeakMap<
  Minimized,
  { readonly steps: readonly (readonly Assignment[])[]; readonly all: readonly Assignment[] }
>();

function joined(minimized: Minimized, steps: readonly (readonly Assignment[])[]): readonly Assignment[] {
  const known = joinedSteps.get(minimized);
  if (known !== undefined && steps.every((step, i) => step === known.steps[i])) return known.all;
  const all = steps.flat();
  joinedSteps.set(minimized, { steps, all });
  return all;
}

/** Steps in inference mode that nobody asks for. */
export interface Postponed {
  readonly env: Env;
  readonly minimized: Minimized;
}

/**
 * Where no signature asks for an update in inference mode, nobody in an editor looks at what its steps are there; and a step that training
 * mode takes, too, has been checked: the library's optimizers do the same in both modes.
 */
export function checkPostponed({ postponed, trained }: Memory): void {
  for (const { env, minimized } of postponed) {
    const { optimizer, variables } = minimized;
    const other = trained.get(env.binding);
    const isSame = other !== undefined && sameOptimizer(optimizer, other.optimizer);
    const known = new Set(isSame ? other.variables.map(({ variable }) => variable.path) : []);
    for (const one of variables) {
      if (!known.has(one.variable.path)) buildOn(one.device, () => rememberedStep(env, optimizer, one));
    }
  }
}

function sameOptimizer(a: OptimizerCall, b: OptimizerCall): boolean {
  const [some, others] = [a, b].map(({ given }) => [...given.positional, ...given.named.map(({ item }) => item)]);
  if (a.fn.declaration !== b.fn.declaration || some === undefined || others === undefined) return false;
  return (
    some.length === others.length &&
    some.every((one, i) => {
      const other = others[i];
      return other !== undefined && sameForSteps(one.meaning, other.meaning);
    })
  );
}

/** A step asks for the type of a tensor only, unless it is a constant, which both modes have as one. */
function sameForSteps(a: Meaning, b: Meaning): boolean {
  if (sameMeaning(a, b) || a.kind !== "tensor" || b.kind !== "tensor") return sameMeaning(a, b);
  const { node, type } = a.value;
  return node.op !== "constant" && node.op === b.value.node.op && typeEquals(type, b.value.type);
}

/** One variable's step; in an editor, only where something that it rests on has changed. */
function rememberedStep(env: Env, optimizer: OptimizerCall, trained: TrainedVariable): readonly Assignment[] {
  const { memory } = env.state.shared;
  const run = (): readonly Assignment[] => step(env, optimizer, trained.variable, trained.gradient);
  if (memory === undefined) return run();
  const units = optimizer.fn.home.standard ? memory.librarySteps : memory.steps;
  return units.run(env.state, optimizer.fn.declaration, trained.key, trained.inputs, run);
}

/** One variable's part of the update: the optimizer's body with `p` and `g` bound. */
function step(env: Env, optimizer: OptimizerCall, variable: Variable, gradient: Value): readonly Assignment[] {
  const { fn, given, span, segment } = optimizer;
  const p: Item = { meaning: { kind: "tensor", value: variable.value, variable: variable.path }, span };
  const g: Item = { meaning: tensor(gradient), span };
  const items = bindArguments(env, fn, { ...given, positional: [p, g, ...given.positional] }, span);
  if ([...items.values()].some((one) => isPoisoned(one.meaning))) return [];
  enter(env.state, env, fn, span);
  try {
    const opened = open(env, fn, items, span, `${segment}/${variable.path}`);
    perform(env.state, ({ shared }) => shared.expanded.add(fn.declaration));
    const parameter = fn.declaration.parameters[0];
    const bound = parameter === undefined ? undefined : opened.names.own(parameter.name.name);
    if (parameter !== undefined && bound !== undefined)
      opened.names.bind(parameter.name.name, { ...bound, meaning: p.meaning });
    noteCall(opened, fn, items, [], span);
    statements(opened, fn.declaration.body.statements);
    return [...opened.frame.assigned].map(([path, value]) => ({ path, value, span }));
  } finally {
    env.state.active.pop();
  }
}
