import { type Dim, dimEquals, dimText, isSymbolic } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import type { Span } from "../../../compiler/ir/span.js";
import { shapeEquals, tensorType, typeText } from "../../../compiler/ir/type.js";
import { fill } from "../../../compiler/ops/build.js";
import { expand, requireEqual, unifyDTypes } from "../broadcast.js";
import type { Arguments, Intrinsic } from "../intrinsic.js";
import { type Item, type Meaning, tensor } from "../meaning.js";
import { originNote, type Refusal, refusal, type Site } from "../state.js";
import { type Equation, type EquationProblem, impliedLabels, readEquation, type Term } from "./einsum_equation.js";

/**
 * Einstein's sums: the elements of all operands multiplied for each value of the labels, and summed over the labels that the
 * result does not have. Made of products of two operands, the contractions that the kernels know.
 */

/** An operand whose axes have names: labels, or `...0`, `...1` for the axes of `...` counted from the right. */
interface Factor {
  readonly value: Value;
  readonly labels: readonly string[];
  readonly span: Span;
}

function build(call: Arguments): Meaning {
  const { meaning } = call.item("equation");
  if (meaning.kind !== "string") throw call.wrong("equation", 'a string such as "ij,jk->ik"');
  const equation = readEquation(meaning.value);
  if ("message" in equation) throw unreadable(call, meaning.value, equation);
  const items = operandsOf(call);
  const { terms } = equation;
  if (terms.length !== items.length) {
    const given = `${items.length} ${items.length === 1 ? "operand is" : "operands are"} given`;
    const text = `the equation has ${terms.length} ${terms.length === 1 ? "term" : "terms"}, and ${given}`;
    throw refusal(call.env, "G140", call.spanOf("equation"), text, { hint: "a comma stands between two terms" });
  }
  const site: Site = { span: call.span, operands: items.map(({ span }) => span) };
  const values = unifyDTypes(call.env, items, site);
  const named = terms.map((term, i) => labelled(call, term, values[i] as Value, items[i] as Item));
  const unlabelled = Math.max(0, ...named.map(({ labels }) => labels.filter(isUnlabelled).length));
  const output = outputLabels(call, meaning.value, equation, unlabelled);
  const factors = agree(call, named).map((factor) => diagonal(call, factor));
  return tensor(arranged(call, contractAll(call, factors, output), output));
}

function operandsOf(call: Arguments): readonly Item[] {
  const { meaning } = call.item("operands");
  if (meaning.kind !== "list" || meaning.items.length === 0) throw call.wrong("operands", "one or more tensors");
  return meaning.items;
}

function unreadable(call: Arguments, text: string, { at, message, hint }: EquationProblem): Refusal {
  const span = call.env.state.shared.texts.characterOf(call.spanOf("equation"), text, at);
  return refusal(call.env, "G140", span, message, { hint });
}

const unlabelledName = (fromRight: number): string => `...${fromRight}`;
const isUnlabelled = (label: string): boolean => label.startsWith("...");

/** `...` as names of `count` axes. */
function unlabelledAxes(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => unlabelledName(count - 1 - i));
}

function labelled(call: Arguments, term: Term, value: Value, { span }: Item): Factor {
  const { type } = value;
  if (type.dtype === "bool") {
    throw refusal(call.env, "G024", span, `\`einsum\` multiplies numbers, not ${typeText(type)}`, {
      hint: "`cast(…, to=f32)` converts",
    });
  }
  const names = term.labels.map(({ name }) => name);
  const rank = type.shape.length;
  const { ellipsis } = term;
  if (ellipsis === undefined ? names.length !== rank : names.length > rank) {
    const least = ellipsis === undefined ? "" : "at least ";
    const axes = names.length === 1 ? "axis" : "axes";
    const text = `\`${term.text}\` has labels for ${least}${names.length} ${axes}, and ${typeText(type)} has ${rank}`;
    throw refusal(call.env, "G025", span, text, {
      notes: [originNote(call.env, value, span)],
      hint: ellipsis === undefined && names.length < rank ? "`...` stands for axes without labels" : undefined,
    });
  }
  if (ellipsis === undefined) return { value, labels: names, span };
  const between = unlabelledAxes(rank - names.length);
  return { value, labels: [...names.slice(0, ellipsis), ...between, ...names.slice(ellipsis)], span };
}

function outputLabels(
  call: Arguments,
  text: string,
  { terms, output }: Equation,
  unlabelled: number,
): readonly string[] {
  if (output === undefined) return [...unlabelledAxes(unlabelled), ...impliedLabels(terms)];
  const names = output.labels.map(({ name }) => name);
  const { ellipsis } = output;
  if (ellipsis !== undefined)
    return [...names.slice(0, ellipsis), ...unlabelledAxes(unlabelled), ...names.slice(ellipsis)];
  if (unlabelled === 0) return names;
  throw unreadable(call, text, {
    at: output.at - 2,
    message: "the operands have axes without labels, and the result has no `...`",
    hint: "give them labels to sum over them",
  });
}

interface Extent {
  readonly size: Dim;
  readonly factor: Factor;
}

/** All factors with one size for each label. Axes of `...` broadcast: one of size 1 is dropped where it is larger elsewhere. */
function agree(call: Arguments, factors: readonly Factor[]): readonly Factor[] {
  const extents = new Map<string, Extent>();
  for (const factor of factors) {
    factor.labels.forEach((label, axis) => {
      const size = factor.value.type.shape[axis] as Dim;
      const known = extents.get(label);
      if (known === undefined || (isUnlabelled(label) && known.size === 1)) extents.set(label, { size, factor });
      else if (!(isUnlabelled(label) && size === 1)) extents.set(label, common(call, label, known, { size, factor }));
    });
  }
  return factors.map((factor) => {
    const { shape } = factor.value.type;
    const kept = factor.labels.flatMap((label, axis) => {
      const size = extents.get(label)?.size ?? (shape[axis] as Dim);
      return isUnlabelled(label) && shape[axis] === 1 && size !== 1 ? [] : [{ label, size }];
    });
    const sizes = kept.map(({ size }) => size);
    if (shapeEquals(sizes, shape)) return factor;
    const site = { span: factor.span, operands: [factor.span] };
    const value = call.apply("reshape", [factor.value], { shape: sizes }, site);
    return { ...factor, value, labels: kept.map(({ label }) => label) };
  });
}

function common(call: Arguments, label: string, left: Extent, right: Extent): Extent {
  if (dimEquals(left.size, right.size)) return left;
  const sides = left.factor === right.factor ? [left] : [left, right];
  const what = isUnlabelled(label) ? "an axis of `...`" : `\`${label}\``;
  const details = {
    label: sides.map(({ factor }) => typeText(factor.value.type)).join(" and "),
    notes: sides.map(({ factor }) => originNote(call.env, factor.value, factor.span)),
    hint: isUnlabelled(label)
      ? "the axes of `...` broadcast from the right: equal, or one of them 1"
      : `axes with the label ${what} have one size`,
  };
  if (!isSymbolic(left.size) && !isSymbolic(right.size)) {
    const text = `${what} has ${dimText(left.size)} elements and ${dimText(right.size)} elements`;
    throw refusal(call.env, "G020", right.factor.span, text, details);
  }
  requireEqual(call.env, left.size, right.size, right.factor.span, details);
  return isSymbolic(left.size) ? right : left;
}

/** A label that a factor has twice: what lies off the diagonal becomes 0 and is summed, which leaves the diagonal. */
function diagonal(call: Arguments, factor: Factor): Factor {
  const again = factor.labels.findIndex((label, axis) => factor.labels.indexOf(label) < axis);
  if (again < 0) return factor;
  const { value, labels, span } = factor;
  const first = labels.indexOf(labels[again] as string);
  const site = { span, operands: [span] };
  const { shape, dtype } = value.type;
  const place = (axis: number): Value => call.apply("iota", [], { dtype: "i64", shape, axis }, site);
  const on = call.apply("eq", [place(first), place(again)], {}, site);
  const zero = expand(call.env, fill(tensorType(dtype), 0), shape, span);
  const masked = call.apply("select", [on, value, zero], {}, site);
  const summed = call.apply("sum", [masked], { axes: [again] }, site);
  return diagonal(call, { value: summed, labels: labels.filter((_, axis) => axis !== again), span });
}

/** One factor of all, from the left; one that shares a label with what there is goes before one that does not. */
function contractAll(call: Arguments, factors: readonly Factor[], output: readonly string[]): Factor {
  const [first, ...others] = factors.map((factor, i) =>
    summedOut(
      call,
      factor,
      factors.filter((_, j) => j !== i),
      output,
    ),
  );
  let result = first as Factor;
  let rest: readonly Factor[] = others;
  while (rest.length > 0) {
    const { labels } = result;
    const next = rest.find((factor) => factor.labels.some((label) => labels.includes(label))) ?? (rest[0] as Factor);
    rest = rest.filter((factor) => factor !== next);
    const wanted = new Set([...output, ...rest.flatMap((factor) => factor.labels)]);
    result = product(call, result, next, wanted, output);
  }
  return result;
}

/** A factor without the labels that neither another factor nor the result has. */
function summedOut(call: Arguments, factor: Factor, others: readonly Factor[], output: readonly string[]): Factor {
  const wanted = new Set([...output, ...others.flatMap(({ labels }) => labels)]);
  const axes = factor.labels.flatMap((label, axis) => (wanted.has(label) ? [] : [axis]));
  if (axes.length === 0) return factor;
  const site = { span: call.span, operands: [factor.span] };
  const value = call.apply("sum", [factor.value], { axes }, site);
  return { ...factor, value, labels: factor.labels.filter((label) => wanted.has(label)) };
}

function product(
  call: Arguments,
  a: Factor,
  b: Factor,
  wanted: ReadonlySet<string>,
  output: readonly string[],
): Factor {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const contract = shared.filter((label) => !wanted.has(label));
  if (contract.length === 0) return elementwise(call, a, b, output);
  const batch = shared.filter((label) => wanted.has(label));
  const free = ({ labels }: Factor): readonly string[] => labels.filter((label) => !shared.includes(label));
  // The operand whose axes the result has first is the left one: then nothing is left to transpose.
  const leads = output.find((label) => free(a).includes(label) || free(b).includes(label));
  const [left, right] = leads !== undefined && free(b).includes(leads) ? [b, a] : [a, b];
  const axes = ({ labels }: Factor, names: readonly string[]): readonly number[] =>
    names.map((name) => labels.indexOf(name));
  const attributes = {
    lhs_batch: axes(left, batch),
    rhs_batch: axes(right, batch),
    lhs_contract: axes(left, contract),
    rhs_contract: axes(right, contract),
  };
  const site = { span: call.span, operands: [left.span, right.span] };
  const value = call.apply("dot_general", [left.value, right.value], attributes, site);
  return { value, labels: [...batch, ...free(left), ...free(right)], span: call.span };
}

/** Where no label is summed over: both repeated to all labels and multiplied. */
function elementwise(call: Arguments, a: Factor, b: Factor, output: readonly string[]): Factor {
  const all = [...new Set([...a.labels, ...b.labels])];
  const labels = [...output.filter((label) => all.includes(label)), ...all.filter((label) => !output.includes(label))];
  const sizes = new Map<string, Dim>();
  for (const { value, labels: own } of [a, b])
    own.forEach((label, axis) => sizes.set(label, value.type.shape[axis] as Dim));
  const shape = labels.map((label) => sizes.get(label) ?? 1);
  const spread = (factor: Factor): Value => {
    if (factor.labels.length === labels.length) return arranged(call, factor, labels);
    const axes = factor.labels.map((label) => labels.indexOf(label));
    const site = { span: call.span, operands: [factor.span] };
    return call.apply("broadcast_in_dim", [factor.value], { shape, axes }, site);
  };
  const site = { span: call.span, operands: [a.span, b.span] };
  return { value: call.apply("mul", [spread(a), spread(b)], {}, site), labels, span: call.span };
}

/** The factor's value with its axes in this order. */
function arranged(call: Arguments, { value, labels, span }: Factor, order: readonly string[]): Value {
  if (order.every((label, axis) => labels[axis] === label)) return value;
  const permutation = order.map((label) => labels.indexOf(label));
  return call.apply("transpose", [value], { permutation }, { span: call.span, operands: [span] });
}

export const einsum: Intrinsic = {
  name: "einsum",
  doc:
    'Sums of products in the notation of Einstein: `einsum("ij,jk->ik", a, b)` is a @ b. The equation labels the axes of each operand ' +
    "with letters; for each value of the labels of the result, the products of the operands' elements are summed over all other " +
    "labels. A label that one operand has twice takes the diagonal. `...` stands for the axes without labels, which broadcast. " +
    "Without `->` the result has those, then the labels that occur once, in alphabetical order, as in NumPy.",
  parameters: [
    { name: "equation", kind: "string" },
    { name: "operands", kind: "tensor", variadic: true, doc: "A tensor for each term of the equation." },
  ],
  result: "y",
  build,
};
