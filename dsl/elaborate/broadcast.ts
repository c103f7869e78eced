import { compareDims } from "../../compiler/ir/condition.js";
import { type Dim, dimEquals, dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { type DType, isFloat } from "../../compiler/ir/dtype.js";
import { castTo, type Hint } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeEquals, typeText } from "../../compiler/ir/type.js";
import { demand } from "./constraints.js";
import { toTensor } from "./convert.js";
import { declarationNotes } from "./dim_bounds.js";
import { doubtBroadcast, doubtPosition } from "./doubts.js";
import { type Item, isLiteral, literalDType, type Meaning } from "./meaning.js";
import { applyOp, type Env, originNote, refusal, type Site } from "./state.js";

/** Operands of one operation: literals take the dtype of the tensors, and shapes broadcast as NumPy's do. */

const dtypeRank: readonly DType[] = ["bool", "i64", "f32"];

/** All operands as edges of one dtype. G022 where two tensors differ. */
export function unifyDTypes(env: Env, items: readonly Item[], site: Site): readonly Value[] {
  const dtype = commonDType(env, items, site);
  return items.map((item) => toTensor(env, item, literalIn(item.meaning) ? dtype : undefined));
}

function literalIn(meaning: Meaning): boolean {
  return isLiteral(meaning) || meaning.kind === "shape";
}

function commonDType(env: Env, items: readonly Item[], site: Site): DType {
  const typed = items.filter((item) => !literalIn(item.meaning)).map((item) => ({ item, value: toTensor(env, item) }));
  const [first] = typed;
  if (first === undefined) {
    const own = items.map((item) => literalDType(item.meaning));
    return dtypeRank[Math.max(...own.map((dtype) => dtypeRank.indexOf(dtype)))] ?? "f32";
  }
  const other = typed.find(({ value }) => value.type.dtype !== first.value.type.dtype);
  if (other === undefined) return first.value.type.dtype;
  throw mixedDTypes(env, [first.value, other.value], [first.item.span, other.item.span], site);
}

function mixedDTypes(env: Env, values: readonly [Value, Value], spans: readonly [Span, Span], site: Site) {
  const [left, right] = values.map((value) => value.type.dtype) as [DType, DType];
  const float = (dtype: DType): boolean => dtype.startsWith("f") || dtype.startsWith("b") !== (dtype === "bool");
  const target = float(left) || !float(right) ? left : right;
  const converted = env.state.shared.texts.shown(target === left ? spans[1] : spans[0]);
  return refusal(env, "G022", site.span, `the dtypes ${left} and ${right} differ`, {
    label: `${typeText(values[0].type)} and ${typeText(values[1].type)}`,
    notes: [originNote(env, values[0], spans[0]), originNote(env, values[1], spans[1])],
    hint: oneHotHint(env, values, spans) ?? {
      text: `no conversion is implicit: \`cast(${converted}, to=${target})\``,
      // In the standard library there is nothing for the user to change.
      fix: (at) =>
        env.frame.standard ? undefined : castTo(target, converted, target === left ? spans[1] : spans[0]).fix(at),
    },
  });
}

/** Of class numbers that meet one target for each class, as in `argmax(logits, axis=-1) == target`. */
function oneHotHint(env: Env, values: readonly [Value, Value], spans: readonly [Span, Span]): Hint | undefined {
  const at = values.findIndex(({ type }, i) => {
    const other = values[1 - i]?.type;
    return isFloat(type.dtype) && other?.dtype === "i64" && shapeEquals(type.shape.slice(0, -1), other.shape);
  });
  const [value, span] = [values[at], spans[at]];
  if (value === undefined || span === undefined || value.type.shape.length === 0 || env.frame.standard)
    return undefined;
  const numbers = values[1 - at];
  const behind = numbers === undefined ? undefined : env.state.shared.memory?.aliases.behind(numbers);
  if ((behind ?? numbers)?.node.op !== "argmax") return undefined;
  const shown = env.state.shared.texts.shown(span);
  const text = `\`argmax(${shown}, axis=-1)\` is the class of each row`;
  const { file, start, end } = span;
  const edits = [
    { span: { file, start, end: start }, text: "argmax(" },
    { span: { file, start: end, end }, text: ", axis=-1)" },
  ];
  return { text, fix: () => ({ title: `change to \`argmax(${shown}, axis=-1)\``, edits }) };
}

/** The common shape of all, each repeated to it. */
export function broadcastAll(env: Env, values: readonly Value[], operator: string, site: Site): readonly Value[] {
  const shape = values.reduce<readonly Dim[]>(
    (common, value, position) => commonShape(env, values, common, value, position, operator, site),
    [],
  );
  doubtBroadcast(env, values, shape, operator, site);
  doubtPosition(env, values, operator, site);
  return values.map((value, i) => expand(env, value, shape, site.operands[i] ?? site.span));
}

function commonShape(
  env: Env,
  values: readonly Value[],
  common: readonly Dim[],
  value: Value,
  position: number,
  operator: string,
  site: Site,
): readonly Dim[] {
  const rank = Math.max(common.length, value.type.shape.length);
  const at = (shape: readonly Dim[], axis: number): Dim => shape[axis - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, axis) => {
    const left = at(common, axis);
    const right = at(value.type.shape, axis);
    return commonDim(left, right, (symbolic) =>
      unequal(env, values, position, [left, right], operator, site, symbolic),
    );
  });
}

function commonDim(left: Dim, right: Dim, onUnequal: (symbolic: boolean) => void): Dim {
  if (dimEquals(left, right) || right === 1) return left;
  if (left === 1) return right;
  onUnequal(isSymbolic(left) || isSymbolic(right));
  return isSymbolic(left) ? right : left;
}

/** Known sizes that differ are an error now; sizes over dims are compared when the program is specialised. */
function unequal(
  env: Env,
  values: readonly Value[],
  position: number,
  dims: readonly [Dim, Dim],
  operator: string,
  site: Site,
  symbolic: boolean,
): void {
  const types = values.slice(0, position + 1).map((value) => typeText(value.type));
  const details = {
    label: types.join(` ${operator} `),
    notes: values.slice(0, position + 1).map((value, i) => originNote(env, value, site.operands[i] ?? site.span)),
    hint: "sizes broadcast from the right: equal, or one of them 1",
  };
  if (!symbolic) {
    throw refusal(
      env,
      "G020",
      site.span,
      `the sizes ${dimText(dims[0])} and ${dimText(dims[1])} do not broadcast`,
      details,
    );
  }
  requireEqual(env, dims[0], dims[1], site.span, details);
}

interface Explanation {
  readonly label?: string;
  readonly notes?: readonly { readonly span: Span | undefined; readonly message: string }[];
  readonly hint?: string;
}

/** Two sizes over dims that must turn out equal, and what they are. G020 at once where they differ by a constant. */
export function requireEqual(env: Env, left: Dim, right: Dim, span: Span, details: Explanation, what?: string): void {
  if (dimEquals(left, right)) return;
  demand(
    env,
    compareDims(left, "equal", right),
    (dims) => {
      const message =
        dims.length === 0
          ? `${what ?? "the sizes"} ${dimText(left)} and ${dimText(right)} differ`
          : `${what === undefined ? "" : `${what} `}${valued(left, "left")} and ${valued(right, "right")} differ`;
      const notes = [...(details.notes ?? []), ...declarationNotes(env, dims)];
      return refusal(env, "G020", span, message, { ...details, notes });
    },
    "placed",
  );
}

/** A size as it is written, with its value once that is known. */
function valued(dim: Dim, side: "left" | "right"): string {
  return isSymbolic(dim) ? `${dimText(dim)} = {${side}}` : dimText(dim);
}

/** Repeats one edge to a shape that it broadcasts to. */
export function expand(env: Env, value: Value, shape: readonly Dim[], span: Span): Value {
  if (shapeEquals(value.type.shape, shape)) return value;
  const offset = shape.length - value.type.shape.length;
  const site = { span, operands: [span] };
  // A size that is equal only once the dims are bound is restated first.
  const restated = value.type.shape.map((dim, axis) => (dim === 1 ? dim : (shape[axis + offset] ?? dim)));
  const source = shapeEquals(restated, value.type.shape)
    ? value
    : (applyOp(env, "reshape", [value], { shape: restated }, site)[0] as Value);
  if (shapeEquals(restated, shape)) return source;
  const axes = source.type.shape.map((_, axis) => axis + offset);
  return applyOp(env, "broadcast_in_dim", [source], { shape, axes }, site)[0] as Value;
}

/** Unified dtypes and shapes: the operands of an elementwise op. */
export function unify(env: Env, items: readonly Item[], operator: string, site: Site): readonly Value[] {
  return broadcastAll(env, unifyDTypes(env, items, site), operator, site);
}
