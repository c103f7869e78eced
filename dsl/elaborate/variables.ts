import { buildOn, deviceNow } from "../../compiler/ir/device.js";
import { dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import { insert } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { type TensorType, typeText } from "../../compiler/ir/type.js";
import type { Variable } from "../ast.js";
import { quote } from "../diagnostics.js";
import { toTensor } from "./convert.js";
import { consult, perform } from "./effects.js";
import { evaluate, guarded } from "./expressions.js";
import { type Item, isPoisoned, type Meaning, poisoned } from "./meaning.js";
import { applyOp, type Env, record, refusal, report } from "./state.js";
import { bindName } from "./statements.js";
import { declaredType, fillOrCheck, requireOneType } from "./types.js";

/** More elements than any machine holds: refused when the graph is typed. */
const maximumElements = 2 ** 39;

/** `variable w: T[I, units] = glorot_uniform()`: owned by the graph or by the call whose body it stands in. */
export function variable(env: Env, one: Variable): void {
  const path = env.prefix + one.name.name;
  const meaning = guarded(env, () => declare(env, one, path));
  const type = meaning.kind === "tensor" ? meaning.value.type : undefined;
  bindName(env, one.name, meaning, { kind: "variable", type, doc: one.doc?.text, span: one.name.span });
}

function declare(env: Env, one: Variable, path: string): Meaning {
  claimPath(env);
  const first = claimName(env, one, path);
  const wanted =
    one.type === undefined ? undefined : staticType(env, declaredType(env, one.type, evaluate), one.type.span);
  // It is computed once, before any run, and so outside every region.
  const inside: Env = { ...env, binding: path, declared: wanted, region: undefined };
  const item: Item = buildOn(undefined, () => ({ meaning: evaluate(inside, one.initial), span: one.initial.span }));
  if (isPoisoned(item.meaning)) return wanted === undefined ? poisoned : register(env, one, path, wanted, undefined);
  const initial = buildOn(undefined, () =>
    wanted === undefined
      ? toTensor(inside, item)
      : fillOrCheck(inside, item, wanted, one.type?.span ?? one.name.span, "the initial value"),
  );
  const type = staticType(env, initial.type, one.name.span);
  if (!env.state.generic) requireInitial(inside, initial, one.initial.span);
  const inference =
    env.state.generic || !first
      ? undefined
      : consult(env.state, `variable ${path}`, ({ shared }) => shared.variables.get(path)?.value.type);
  if (inference !== undefined) requireOneType(env, path, inference, type, one.name.span);
  return register(env, one, path, type, initial);
}

function register(env: Env, one: Variable, path: string, type: TensorType, initial: Value | undefined): Meaning {
  const attributes = { path, dtype: type.dtype, shape: type.shape };
  const [value] = applyOp(env, "variable", [], attributes, { span: one.name.span, operands: [] }) as readonly [Value];
  record(env, value, one.name.span);
  if (initial === undefined && !env.state.generic)
    perform(env.state, ({ shared }) => shared.refusedVariables.add(path));
  if (initial !== undefined && !env.state.generic) {
    const declared = {
      path,
      value,
      initial,
      trainable: isFloat(type.dtype) && !one.frozen && env.frame.kind !== "optimizer",
      device: deviceNow(),
      span: one.span,
      doc: one.doc?.text,
    };
    perform(
      env.state,
      ({ shared }) => {
        if (!shared.variables.has(path)) shared.addVariable(declared);
      },
      `variable ${path}`,
    );
  }
  return { kind: "tensor", value, variable: path };
}

/** Two calls that own variables may not have one path. */
function claimPath(env: Env): void {
  const { frame, state } = env;
  if (frame.call === undefined) return;
  const what = `owner ${frame.path}`;
  const owner = consult(state, what, ({ owners }) => owners.get(frame.path));
  if (owner === undefined) {
    const own = { frame, span: frame.call.span };
    perform(state, ({ owners }) => owners.set(frame.path, own), what);
    return;
  }
  if (owner.frame.assigned === frame.assigned) return;
  const name = frame.call.name;
  report(
    { ...env, frame: frame.call.caller },
    "G013",
    frame.call.span,
    `two calls of ${quote(name)} would own the path ${quote(frame.path)}`,
    {
      notes: [{ span: owner.span, message: "the first call" }],
      hint: {
        text: `\`${name}(..., name="${name}2")\` gives this one a path of its own`,
        fix: ({ file, start, end }) => {
          const written = state.shared.texts.at({ file, start, end });
          if (written?.endsWith(")") !== true) return undefined;
          const comma = /\(\s*\)$/.test(written) ? "" : ", ";
          return insert(`${comma}name="${name}2"`, undefined).fix({ file, start, end: end - 1 });
        },
      },
    },
  );
}

/**
 * Two branches of one body may each declare a variable, but not two of one path: a checkpoint could not tell them apart. Gives
 * whether the path is new.
 */
function claimName(env: Env, one: Variable, path: string): boolean {
  const { state, frame, names } = env;
  const what = `declared ${path}`;
  const first = consult(state, what, ({ declared }) => declared.get(path));
  perform(state, ({ declared }) => declared.set(path, { frame, span: one.name.span }), what);
  // Two calls that share a path, and a name that is bound twice in one block, are told elsewhere.
  if (first?.frame.assigned === frame.assigned && names.own(one.name.name) === undefined) {
    throw refusal(env, "G013", one.name.span, `two variables would have the path ${quote(path)}`, {
      notes: [{ span: first.span, message: "the first one" }],
      hint: "give one of them another name",
    });
  }
  return first === undefined;
}

function staticType(env: Env, type: TensorType, span: Span): TensorType {
  const dim = type.shape.find(isSymbolic);
  if (dim !== undefined && env.state.generic) return type;
  if (dim !== undefined) {
    const declared = env.state.shared.dims.get(dimText(dim));
    throw refusal(env, "G036", span, `a variable's shape is static, and ${dimText(dim)} in ${typeText(type)} is not`, {
      notes:
        declared === undefined ? [] : [{ span: declared.span, message: `the dim ${declared.name} is declared here` }],
      hint: "its memory is laid out once: use a number",
    });
  }
  const elements = type.shape.reduce<number>((product, size) => product * (typeof size === "number" ? size : 1), 1);
  if (elements <= maximumElements) return type;
  throw refusal(
    env,
    "G102",
    span,
    `${typeText(type)} has ${elements.toPrecision(3)} elements, more than any machine holds`,
    { hint: "use smaller sizes: a matrix between two large axes is often the product of two narrow ones" },
  );
}

/** An initial value is made of random ops and constants only. */
function requireInitial(env: Env, initial: Value, span: Span): void {
  const stack = [initial.node];
  const seen = new Set(stack);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.op === "placeholder" || node.op === "variable" || node.op === "parameter") {
      const name = String(node.attributes["name"] ?? node.attributes["path"] ?? "");
      throw refusal(
        env,
        "G037",
        span,
        `an initial value is made of random ops and constants only, and this reads ${quote(name)}`,
        {
          notes: env.state.shared.sources
            .spansOf(node)
            .slice(0, 1)
            .map((place) => ({ span: place, message: `the ${node?.op}` })),
          hint: "an update can assign it in the first run",
        },
      );
    }
    for (const { node: below } of node.inputs) {
      if (seen.has(below)) continue;
      seen.add(below);
      stack.push(below);
    }
  }
}
