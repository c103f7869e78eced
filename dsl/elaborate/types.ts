import { problem } from "../../compiler/ir/codes.js";
import { type Dim, dimEquals, dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { type DType, dtypes, isDType } from "../../compiler/ir/dtype.js";
import { castTo, type Hint, writeInstead } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { type TensorType, tensorType, typeEquals, typeText } from "../../compiler/ir/type.js";
import type { Expression, TypeExpression } from "../ast.js";
import { didYouMean, openSizeHint, quote } from "../diagnostics.js";
import { expand, requireEqual } from "./broadcast.js";
import { toDim, toTensor } from "./convert.js";
import { noteName } from "./facts.js";
import { foreignDType, isModule } from "./foreign.js";
import { usedTooEarly } from "./lookup.js";
import { type Item, isLiteral } from "./meaning.js";
import { applyOp, type Env, originNote, refusal, silentRefusal } from "./state.js";

/** Evaluates a size; given by `expressions.ts`, which also reads types. */
export type Evaluate = (env: Env, expression: Expression) => Item["meaning"];

/** The type that a declaration writes. Throws `Refusal`. */
export function declaredType(env: Env, type: TypeExpression, evaluate: Evaluate): TensorType {
  if (type.kind === "list-type")
    throw refusal(env, "G031", type.span, "a list is a parameter's kind, not a tensor type");
  const dtype = dtypeNamed(env, type.name.name, type.name.span);
  return tensorType(
    dtype,
    (type.dims ?? []).flatMap((dim) => sizes(env, dim, evaluate)),
  );
}

export function dtypeNamed(env: Env, name: string, span: Span): DType {
  if (isDType(name)) return name;
  const entry = env.names.lookup(name);
  if (entry !== undefined) noteName(env, span, entry);
  if (entry?.meaning.kind === "dtype") return entry.meaning.value;
  if (entry?.meaning.kind === "poisoned") throw silentRefusal;
  const hint =
    foreignDTypeHint(name) ??
    didYouMean(name, dtypes) ??
    `a tensor type starts with a dtype: ${dtypes.slice(0, -1).join(", ")}`;
  throw refusal(env, "G012", span, `unknown dtype ${quote(name)}`, { hint });
}

function foreignDTypeHint(name: string): Hint | undefined {
  const ours = foreignDType(name);
  if (ours !== undefined) return writeInstead(ours, `write \`${ours}\``);
  return isModule(name) ? `dtypes stand by their bare names: ${dtypes.slice(0, -1).join(", ")}` : undefined;
}

function sizes(env: Env, dim: Expression, evaluate: Evaluate): readonly Dim[] {
  if (dim.kind === "ellipsis") {
    if (env.frame.pack !== undefined) return env.frame.pack;
    throw refusal(
      env,
      "G017",
      dim.span,
      "`...` stands for the leading dims of a fn's parameters, and there are none here",
    );
  }
  return [size(env, dim, evaluate)];
}

/** A size in a shape; an undeclared name is G017, not a new dimension. */
export function size(env: Env, dim: Expression, evaluate: Evaluate): Dim {
  const [name, ...more] = dim.kind === "reference" ? dim.segments : [];
  if (dim.kind === "reference" && name !== undefined && more.length === 0 && env.names.lookup(dim.text) === undefined) {
    const later = env.names.later(dim.text);
    if (later !== undefined) throw usedTooEarly(env, name, later);
    if (env.names.incomplete) throw silentRefusal;
    throw refusal(env, "G017", dim.span, `the dim ${quote(dim.text)} is not declared`, {
      hint:
        (dim.text === "None" ? openSizeHint : undefined) ??
        didYouMean(dim.text, env.state.shared.dims.keys()) ??
        declareDim(env, dim.text),
    });
  }
  const result = toDim(env, { meaning: evaluate(env, dim), span: dim.span });
  if (isSymbolic(result) || result >= 0) return result;
  throw refusal(env, "G027", dim.span, `a size is not negative: ${result}`);
}

function declareDim(env: Env, name: string): Hint {
  const text = `dim ${name} <= 1024`;
  const body = env.state.shared.graphBody;
  const hint = `\`${text}\` declares it`;
  const isInGraph = ({ file, start, end }: Span): boolean =>
    body !== undefined && file === body.file && body.start <= start && end <= body.end;
  return {
    text: hint,
    fix: (at) => {
      if (body === undefined || !isInGraph(at)) return undefined;
      const start = body.start + 1;
      return {
        title: `insert \`${text}\``,
        edits: [{ span: { file: body.file, start, end: start }, text: `\n  ${text}` }],
      };
    },
  };
}

/** What a session holds or is fed has one type, in inference as in training. Throws `Refusal`. */
export function requireOneType(env: Env, path: string, inference: TensorType, training: TensorType, span: Span): void {
  if (typeEquals(inference, training)) return;
  const types = `${typeText(inference)} in inference and ${typeText(training)} in training`;
  throw refusal(env, "G023", span, `${quote(path)} is ${types}`, { hint: "its type may not depend on `training`" });
}

/** What a declaration with a type gets: the edge of exactly that type. G023 where it is another. */
export function checkType(env: Env, item: Item, wanted: TensorType, declaration: Span, what: string): Value {
  const value = toTensor(env, item, isLiteral(item.meaning) ? wanted.dtype : undefined);
  const { type } = value;
  // Most types fit, and need no words.
  const details = {
    get label() {
      return `this is ${typeText(type)}`;
    },
    get notes() {
      const declared = { span: declaration, message: `declared ${typeText(wanted)} here` };
      return [declared, ...originUnlessHere(env, value, item.span)];
    },
  };
  if (type.dtype !== wanted.dtype) {
    throw refusal(env, "G023", item.span, `${what} is ${typeText(type)}, not ${typeText(wanted)}`, {
      ...details,
      hint:
        type.shape.length === wanted.shape.length
          ? castTo(wanted.dtype, env.state.shared.texts.shown(item.span), item.span)
          : undefined,
    });
  }
  const differs =
    type.shape.length !== wanted.shape.length ||
    type.shape.some((dim, axis) => {
      const other = wanted.shape[axis] as Dim;
      return !isSymbolic(dim) && !isSymbolic(other) && dim !== other;
    });
  if (differs) {
    throw refusal(env, "G023", item.span, `${what} is ${typeText(type)}, not ${typeText(wanted)}`, {
      ...details,
      hint: `declare ${typeText(type)}, or give it a value that is ${typeText(wanted)}`,
    });
  }
  return restate(env, value, wanted, item.span, details);
}

/** The same edge under a shape whose sizes are equal once the dims are bound. */
export function restate(
  env: Env,
  value: Value,
  wanted: TensorType,
  span: Span,
  details: Parameters<typeof requireEqual>[4],
): Value {
  value.type.shape.forEach((dim, axis) => {
    requireEqual(env, dim, wanted.shape[axis] as Dim, span, details);
  });
  if (value.type.shape.every((dim, axis) => dimEquals(dim, wanted.shape[axis] as Dim))) return value;
  return applyOp(env, "reshape", [value], { shape: wanted.shape }, { span, operands: [span] })[0] as Value;
}

function originUnlessHere(env: Env, value: Value, span: Span) {
  const note = originNote(env, value, span);
  const inside = note.span?.file === span.file && note.span.start >= span.start && note.span.end <= span.end;
  return inside ? [] : [note];
}

/** A number as written fills a whole variable; anything else must have the declared type. */
export function fillOrCheck(env: Env, item: Item, wanted: TensorType, declaration: Span, what: string): Value {
  const number = item.meaning.kind === "int" || item.meaning.kind === "float" || item.meaning.kind === "bool";
  if (!number) return checkType(env, item, wanted, declaration, what);
  return expand(env, toTensor(env, item, wanted.dtype), wanted.shape, item.span);
}

/** A default of a placeholder: its known sizes equal the declared ones, and a dim may take any size up to its bound. */
export function checkDefault(env: Env, item: Item, wanted: TensorType, declaration: Span): Value {
  const value = toTensor(env, item, isLiteral(item.meaning) ? wanted.dtype : undefined);
  const { type } = value;
  const fits =
    type.dtype === wanted.dtype &&
    type.shape.length === wanted.shape.length &&
    type.shape.every((dim, axis) => isSymbolic(wanted.shape[axis] as Dim) || dimEquals(dim, wanted.shape[axis] as Dim));
  if (!fits) {
    throw refusal(env, "G023", item.span, `the default is ${typeText(type)}, not ${typeText(wanted)}`, {
      notes: [{ span: declaration, message: `declared ${typeText(wanted)} here` }],
    });
  }
  wanted.shape.forEach((dim, axis) => {
    const given = type.shape[axis];
    const bound = env.state.shared.dims.get(dimText(dim))?.bound;
    if (typeof given !== "number" || bound === undefined || given <= bound) return;
    env.state.shared.report(
      problem(
        "G084",
        item.span,
        `the default has ${given} elements along ${dimText(dim)}, and at most ${bound} are declared`,
        {
          notes: [{ span: env.state.shared.dims.get(dimText(dim))?.span, message: "the bound" }],
        },
      ),
    );
  });
  return value;
}
