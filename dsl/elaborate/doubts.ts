import { type Dim, dimEquals, dimText, multiplyDims } from "../../compiler/ir/dim.js";
import type { Fix, Hint } from "../../compiler/ir/fix.js";
import type { Node, Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeEquals, shapeText, typeText } from "../../compiler/ir/type.js";
import type { Binary } from "../ast.js";
import { quote } from "../diagnostics.js";
import { ask } from "./effects.js";
import { combines, isProbability, isUnforeseenOne, type Position, positionAmongAll, restsOnRows } from "./made_of.js";
import type { Item } from "./meaning.js";
import { reshapeAdvice } from "./reshape_advice.js";
import { type Env, originNote, report, type Site } from "./state.js";

/** Warnings: what can be computed, and is hardly meant. */

/**
 * G150 where two operands of unequal rank are both repeated, and a size of one meets the same size of the other at another axis:
 * [N, 1] - [N] is [N, N]. Where the 1 was written for the purpose (`reshape`, `expand_dims`, a list, a variable), it is meant. What
 * `select(a > b, a, b)` repeats was told at the comparison; one operation is told of once.
 */
export function doubtBroadcast(
  env: Env,
  values: readonly Value[],
  result: readonly Dim[],
  operator: string,
  site: Site,
): void {
  const pairs = values.flatMap((one, i) => values.map((other, j) => ({ one, other, i, j })));
  const found = pairs.find(({ one, other }) => {
    if (one.type.shape.length <= other.type.shape.length || !crosses(env, one, other, result, operator)) return false;
    return !values.some((third) => third !== one && third !== other && isToldOf(env, third, one, other));
  });
  if (found === undefined) return;
  const { one, other, i, j } = found;
  const [first, second] = i < j ? [one, other] : [other, one];
  const operands = [i, j].map((at) => site.operands[at] ?? site.span) as [Span, Span];
  const shown = /^[a-z_]/.test(operator) ? " and " : ` ${operator} `;
  const message = `${typeText(one.type)} and ${typeText(other.type)} are both repeated, to ${shapeText(result)}`;
  report(env, "G150", site.span, message, {
    severity: "warning",
    label: `${typeText(first.type)}${shown}${typeText(second.type)}`,
    notes: [originNote(env, one, operands[0]), originNote(env, other, operands[1])],
    hint: bothWays(env, one, other, operands[1]),
  });
}

function isToldOf(env: Env, third: Value, one: Value, other: Value): boolean {
  const key = `both ${[third, one, other].map(({ node, index }) => `${node.id} ${index}`).join(" ")}`;
  return ask(env.state, key, ({ shared: { memory } }) =>
    combines(third, one, other, (value) => memory?.aliases.behind(value) ?? value),
  );
}

/** What compares two tensors one by one: a difference, a loss. Products of columns and rows are meant as often. */
const pairing: ReadonlySet<string> = new Set(["-", "==", "!=", "<", "<=", ">", ">="]);

function crosses(env: Env, long: Value, short: Value, result: readonly Dim[], operator: string): boolean {
  const offset = result.length - short.type.shape.length;
  const axes = result.map((_, axis) => axis);
  const inLong = (axis: number): Dim => long.type.shape[axis - (result.length - long.type.shape.length)] ?? 1;
  const inShort = (axis: number): Dim => short.type.shape[axis - offset] ?? 1;
  return axes.some((grown) => {
    const size = inShort(grown);
    if (size === 1 || inLong(grown) !== 1) return false;
    const meets = axes.some((axis) => inShort(axis) === 1 && dimEquals(inLong(axis), size));
    if (!meets) return false;
    const axis = grown - (result.length - long.type.shape.length);
    const pairs = pairing.has(operator);
    const key = `one ${long.node.id} ${long.index} ${axis} ${dimText(size)} ${pairs ? `${short.node.id} ${short.index}` : ""}`;
    return ask(env.state, key, ({ shared: { memory } }) => {
      const behind = (value: Value): Value => memory?.aliases.behind(value) ?? value;
      return isUnforeseenOne(long, axis, size, pairs && restsOnRows(short, size, behind), behind);
    });
  });
}

/** Both ways to say what is meant. */
function bothWays(env: Env, long: Value, short: Value, span: Span): Hint {
  const shown = env.frame.standard ? "..." : env.state.shared.texts.shown(span);
  const { shape } = short.type;
  const wide = [...Array.from({ length: long.type.shape.length - shape.length }, () => 1), ...shape];
  const meant = `where each is meant with each, \`reshape(${shown}, ${shapeText(wide)})\` says so`;
  const advice = reshapeAdvice(env, short, long.type.shape, span, `pairs them one by one; ${meant}`);
  return advice ?? meant;
}

/** What each of these functions of the standard library makes of its argument by itself. */
const makesProbabilities: ReadonlyMap<string, readonly [parameter: string, what: string]> = new Map([
  ["softmax_cross_entropy", ["logits", "softmax"]],
  ["sparse_softmax_cross_entropy", ["logits", "softmax"]],
  ["sigmoid_cross_entropy", ["logits", "sigmoid"]],
  ["focal", ["logits", "sigmoid"]],
  ["random_categorical", ["logits", "softmax"]],
]);

/** G151 where a function that takes logits is given probabilities. */
export function doubtProbabilities(env: Env, callee: string, items: ReadonlyMap<string, Item>): void {
  const [parameter, made] = makesProbabilities.get(callee) ?? [];
  const item = parameter === undefined ? undefined : items.get(parameter);
  if (parameter === undefined || made === undefined || item?.meaning.kind !== "tensor" || env.frame.standard) return;
  const { value } = item.meaning;
  const found = ask(env.state, `probability ${value.node.id} ${value.index}`, ({ shared: { memory } }) =>
    isProbability(value, (one) => memory?.aliases.behind(one) ?? one),
  );
  if (found === undefined) return;
  report(env, "G151", item.span, `${quote(parameter)} of ${quote(callee)} is given what \`${found}\` has made`, {
    severity: "warning",
    notes: [{ ...originNote(env, value, item.span), message: `\`${found}\` is applied here` }],
    hint: withoutCall(env, found, item.span, `leave it out: \`${callee}\` applies the ${made} itself`),
  });
}

function withoutCall(env: Env, name: string, span: Span, text: string): Hint {
  const inner = new RegExp(`^${name}\\(([\\w.]+)\\)$`).exec(env.state.shared.texts.at(span) ?? "")?.[1];
  if (inner === undefined) return text;
  return { text, fix: () => ({ title: `change to \`${inner}\``, edits: [{ span, text: inner }] }) };
}

/** G152 of a comparison with nan, as it is written. */
export function doubtComparison(env: Env, expression: Binary): void {
  const { operator, operatorSpan, left, right, span } = expression;
  const isNan = (one: Binary["left"]): boolean => one.kind === "float" && Number.isNaN(one.value);
  const other = isNan(right) ? left : isNan(left) ? right : undefined;
  if (other === undefined || !["==", "!=", "<", "<=", ">", ">="].includes(operator)) return;
  const { texts } = env.state.shared;
  const shown = texts.shown(other.span);
  const written = `${operator === "==" ? "" : "not "}is_nan(${texts.at(other.span) ?? "x"})`;
  const isEquality = operator === "==" || operator === "!=";
  const text = `\`is_nan(${shown})\` tells where ${shown === "..." ? "a value" : shown} is nan`;
  report(env, "G152", operatorSpan, `\`${operator}\` with nan is always ${operator === "!=" ? "true" : "false"}`, {
    severity: "warning",
    hint: isEquality
      ? { text, fix: () => ({ title: `change to \`${written}\``, edits: [{ span, text: written }] }) }
      : text,
  });
}

/**
 * G154 where `argmax(x) == label` compares one position among all elements with every label. A tensor of as many elements as `x` may
 * be their positions.
 */
export function doubtPosition(env: Env, values: readonly Value[], operator: string, site: Site): void {
  if (operator !== "==" && operator !== "!=") return;
  values.forEach((value, i) => {
    const other = values[1 - i];
    if (other === undefined || value.type.shape.length > 0 || other.type.shape.length === 0) return;
    const found = positionOf(env, value);
    if (found === undefined) return;
    const { name, node, of } = found;
    const count = (shape: readonly Dim[]): Dim => shape.reduce(multiplyDims, 1);
    if (dimEquals(count(of.type.shape), count(other.type.shape))) return;
    const among = `one position among all elements of ${typeText(of.type)}`;
    report(env, "G154", site.span, `${among} is compared with each element of ${typeText(other.type)}`, {
      severity: "warning",
      label: values.map(({ type }) => typeText(type)).join(` ${operator} `),
      notes: [originNote(env, value, site.operands[i] ?? site.span)],
      hint: alongAxis(env, name, node, of, other),
    });
  });
}

function positionOf(env: Env, value: Value): Position | undefined {
  const read = (): Position | undefined => {
    const { memory } = env.state.shared;
    return positionAmongAll(value, (one) => memory?.aliases.behind(one) ?? one);
  };
  const key = `position ${value.node.id} ${value.index}`;
  return ask(env.state, key, () => read() !== undefined) ? read() : undefined;
}

/** `argmax(x, axis=-1)`, or along the axis that leaves the shape it is compared with. */
function alongAxis(env: Env, name: string, node: Node, of: Value, other: Value): Hint {
  const { texts, sources } = env.state.shared;
  const { shape } = of.type;
  const fits = shape.findLastIndex((_, axis) => shapeEquals(shape.toSpliced(axis, 1), other.type.shape));
  const axis = fits < 0 || fits === shape.length - 1 ? -1 : fits;
  const [span] = sources.spansOf(node);
  const text = span === undefined ? undefined : texts.at(span);
  const inner =
    text?.startsWith(`${name}(`) === true && text.endsWith(")") ? text.slice(name.length + 1, -1) : undefined;
  const shown = inner === undefined || inner.length > 24 || /[\n#=]/.test(inner) ? "..." : inner;
  const words = `\`${name}(${shown}, axis=${axis})\` gives one for each`;
  if (span === undefined || inner === undefined || shown === "...") return words;
  const end = { ...span, start: span.end - 1, end: span.end - 1 };
  return {
    text: words,
    fix: () => ({ title: `insert \`axis=${axis}\``, edits: [{ span: end, text: `, axis=${axis}` }] }),
  };
}

/** G153 of a loss that is no single number: of how many elements its sum is, and so how long the steps are, is hardly meant. */
export function doubtLoss(env: Env, loss: Value, span: Span): void {
  if (loss.type.shape.every((dim) => dim === 1)) return;
  const shown = env.state.shared.texts.shown(span);
  report(env, "G153", span, `the loss is ${typeText(loss.type)}, and its sum is what is minimized`, {
    severity: "warning",
    notes: [originNote(env, loss, span)],
    hint: {
      text: `\`mean(${shown})\` makes steps that do not grow with the batch; \`sum(${shown})\` says that the sum is meant`,
      fix: () => ({
        title: `change to \`mean(${shown})\``,
        edits: [
          { span: { ...span, end: span.start }, text: "mean(" },
          { span: { ...span, start: span.end }, text: ")" },
        ],
      }),
    },
  });
}

/** What each of these is next to, and by which numbers values are cut off with it. */
const takenForTwo: ReadonlyMap<string, readonly [other: string, numbers: RegExp]> = new Map([
  ["max", ["maximum", /^0$/]],
  ["min", ["minimum", /^[01]$/]],
]);

/** G156 of `max(x, 0)`: what NumPy reads as an axis, most people mean as the larger of the two. */
export function doubtAxis(env: Env, callee: string, positional: readonly Item[], written: Span): void {
  const [other, numbers] = takenForTwo.get(callee) ?? [];
  const [operand, axis] = positional;
  if (other === undefined || operand?.meaning.kind !== "tensor" || axis === undefined || env.frame.standard) return;
  const { texts } = env.state.shared;
  const number = texts.at(axis.span) ?? "";
  if (numbers?.test(number) !== true || operand.meaning.value.type.shape.length <= Number(number)) return;
  const title = `change to \`${other}\``;
  const named: Fix = {
    title: `insert \`axis=\``,
    edits: [{ span: { ...axis.span, end: axis.span.start }, text: "axis=" }],
  };
  report(env, "G156", axis.span, `${number} is read as an axis of ${typeText(operand.meaning.value.type)}`, {
    severity: "warning",
    hint: {
      text: `\`${other}(x, ${number})\` takes the ${callee === "max" ? "larger" : "smaller"} of each element and ${number}; \`axis=${number}\` says that the axis is meant`,
      fix: () => ({ title, edits: [{ span: written, text: other }] }),
      others: [named],
    },
  });
}
