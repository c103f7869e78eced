import { InternalError } from "../../compiler/ir/diagnostic.js";
import {
  addDims,
  type Dim,
  dimText,
  floorDivideDims,
  isSymbolic,
  multiplyDims,
  productOfDims,
  symbol,
} from "../../compiler/ir/dim.js";
import { type DType, isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import { castTo } from "../../compiler/ir/fix.js";
import { encodeBF16, encodeF16 } from "../../compiler/ir/half.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { tensorType } from "../../compiler/ir/type.js";
import { fill, literal } from "../../compiler/ops/build.js";
import { describe, dimOf, floatText, type Item, intText, isLiteral, literalDType, type Meaning } from "./meaning.js";
import { applyOp, type Env, leaveToCalls, type Refusal, record, refusal, silentRefusal } from "./state.js";

/** Meanings to edges and to what attributes hold. All throw `Refusal`; a poisoned meaning does so silently. */

export function silence(meaning: Meaning): void {
  if (meaning.kind === "poisoned") throw silentRefusal;
}

/** The edge that a meaning stands for. A literal takes `dtype`; without one, integers are i64 and decimals f32. */
export function toTensor(env: Env, { meaning, span }: Item, dtype?: DType): Value {
  silence(meaning);
  switch (meaning.kind) {
    case "tensor":
      return meaning.value;
    case "int":
      if (typeof meaning.value !== "bigint") return sizeAsTensor(env, meaning.value, dtype ?? "i64", span);
      return record(
        env,
        literal(numeric(env, dtype ?? "i64", span), [], [element(env, meaning, span, dtype ?? "i64")]),
        span,
      );
    case "float":
    case "bool": {
      const own = dtype ?? literalDType(meaning);
      return record(env, literal(numeric(env, own, span), [], [element(env, meaning, span, own)]), span);
    }
    case "shape":
      return toTensor(env, { meaning: listOfDims(meaning.value, span), span }, dtype);
    case "list":
      return listToTensor(env, { meaning, span }, dtype);
    case "many":
      throw refusal(
        env,
        "G032",
        span,
        `\`${meaning.callee}\` has ${meaning.outputs.length} outputs, and one is needed here`,
        {
          hint: "bind each output to a name; `_` drops one",
        },
      );
    case "string":
      throw refusal(env, "G024", span, "a string is no tensor", {
        hint: "strings are constants that are fetched as they are",
      });
    case "dtype":
    case "fn":
    case "scope":
    case "update":
    case "all_axes":
      throw refusal(env, "G016", span, `a tensor is needed here, not ${describe(meaning)}`, {
        hint: meaningHint(meaning),
      });
    case "poisoned":
      throw silentRefusal;
  }
}

function meaningHint(meaning: Meaning): string | undefined {
  if (meaning.kind === "fn") return "call it: a function's name is followed by its arguments in `(...)`";
  if (meaning.kind !== "scope") return undefined;
  const names = [...meaning.names.ownEntries()].map(([name]) => `\`.${name}\``);
  return `name an edge of the scope: ${names.length === 0 ? "it has none" : names.slice(0, 5).join(", ")}`;
}

function numeric(env: Env, dtype: DType, span: Span): NumericDType {
  if (dtype === "string") throw refusal(env, "G024", span, "a tensor cannot hold strings");
  return dtype;
}

function listOfDims(dims: readonly Dim[], span: Span): Meaning {
  return {
    kind: "list",
    items: dims.map((dim) => ({ span, meaning: { kind: "int", value: typeof dim === "number" ? BigInt(dim) : dim } })),
  };
}

/**
 * A size over declared dims as a number of the graph: the sum of that many ones, exact in i64, which folds to a constant once
 * the dims are bound. What is subtracted is counted apart, as no shape has a negative size.
 */
export function sizeAsTensor(env: Env, dim: Dim, dtype: DType, span: Span): Value {
  const site = { span, operands: [span] };
  const [positive, negative] = signedParts(dim);
  const count = (size: Dim): Value =>
    applyOp(env, "sum", [fill(tensorType("i64", [size]), 1)], { axes: [0] }, site)[0] as Value;
  const size =
    negative === 0 ? count(positive) : (applyOp(env, "sub", [count(positive), count(negative)], {}, site)[0] as Value);
  if (dtype === "i64") return size;
  return applyOp(env, "cast", [size], { to: dtype }, site)[0] as Value;
}

/** A polynomial as the difference of two without negative coefficients. */
function signedParts(dim: Dim): readonly [Dim, Dim] {
  if (typeof dim === "number") return dim < 0 ? [0, -dim] : [dim, 0];
  let parts: readonly [Dim, Dim] = [0, 0];
  for (const { coefficient, atoms } of dim.terms) {
    const product = atoms.map((atom) =>
      atom.kind === "symbol" ? symbol(atom.key) : floorDivideDims(atom.numerator, atom.denominator),
    );
    const term = multiplyDims(Math.abs(coefficient), productOfDims(product));
    const [positive, negative] = parts;
    parts = coefficient < 0 ? [positive, addDims(negative, term)] : [addDims(positive, term), negative];
  }
  return parts;
}

const integerRange: Readonly<Record<string, readonly [bigint, bigint]>> = {
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i8: [-128n, 127n],
  u8: [0n, 255n],
};

/** One element of a literal in a dtype; G028 where it does not fit. */
function element(env: Env, meaning: Meaning, span: Span, dtype: DType): number | bigint {
  if (meaning.kind === "bool") {
    if (dtype === "bool") return meaning.value ? 1 : 0;
    throw refusal(env, "G028", span, `\`${meaning.value}\` is a bool, and ${dtype} is needed here`, {
      hint: castTo(dtype, String(meaning.value), span),
    });
  }
  if (meaning.kind === "int" && typeof meaning.value === "bigint") {
    if (isFloat(dtype)) return fitFloat(env, Number(meaning.value), intText(meaning), span, dtype);
    const range = integerRange[dtype];
    if (range === undefined) {
      throw refusal(env, "G028", span, `\`${intText(meaning)}\` is an integer, and ${dtype} is needed here`, {
        hint: "`true` and `false` are the bools",
      });
    }
    if (meaning.value >= range[0] && meaning.value <= range[1]) return meaning.value;
    throw refusal(env, "G028", span, `${intText(meaning)} does not fit ${dtype}`, {
      hint: `${dtype} holds ${range[0]} to ${range[1]}`,
    });
  }
  if (meaning.kind !== "float") throw new InternalError(`${describe(meaning)} is no literal`);
  if (isFloat(dtype)) return fitFloat(env, meaning.value, floatText(meaning.value), span, dtype);
  throw refusal(env, "G028", span, `${floatText(meaning.value)} is a decimal, and ${dtype} is needed here`, {
    hint: isInteger(dtype)
      ? "a decimal takes a float's dtype only; `cast(…, to=f32)` converts the other operand"
      : undefined,
  });
}

function fitFloat(env: Env, value: number, text: string, span: Span, dtype: DType): number {
  if (!Number.isFinite(value)) return value;
  const infinite =
    (dtype === "f32" && !Number.isFinite(Math.fround(value))) ||
    (dtype === "f16" && (encodeF16(value) & 0x7fff) === 0x7c00) ||
    (dtype === "bf16" && (encodeBF16(value) & 0x7fff) === 0x7f80);
  if (infinite) throw refusal(env, "G028", span, `${text} is beyond the range of ${dtype}`);
  return value;
}

/** A nested list to a constant; one that holds tensors is stacked along a new first axis. */
function listToTensor(env: Env, item: Item, dtype: DType | undefined): Value {
  const { meaning, span } = item;
  if (meaning.kind !== "list") return toTensor(env, item, dtype);
  for (const { meaning: inner } of meaning.items) silence(inner);
  if (!isLiteral(meaning) || hasSymbolic(meaning)) return stack(env, meaning.items, dtype, span);
  const own = numeric(env, dtype ?? literalDType(meaning), span);
  const shape: number[] = [];
  const values: (number | bigint)[] = [];
  flatten(env, item, own, 0, shape, values);
  return record(env, literal(own, shape, values), span);
}

function hasSymbolic(meaning: Meaning): boolean {
  if (meaning.kind === "list") return meaning.items.some((item) => hasSymbolic(item.meaning));
  return meaning.kind === "int" && typeof meaning.value !== "bigint";
}

function flatten(env: Env, item: Item, dtype: DType, depth: number, shape: number[], out: (number | bigint)[]): void {
  const { meaning, span } = item;
  if (meaning.kind !== "list") {
    if (depth < shape.length) throw ragged(env, span, "a number stands where its neighbours are lists");
    if (depth > shape.length) throw ragged(env, span, "the lists nest unevenly");
    out.push(element(env, meaning, span, dtype));
    return;
  }
  const known = shape[depth];
  if (known === undefined) {
    if (out.length > 0) throw ragged(env, span, "a list stands where its neighbours are numbers");
    shape.push(meaning.items.length);
  } else if (known !== meaning.items.length) {
    throw ragged(env, span, `this row has ${meaning.items.length} elements, the first ${known}`);
  }
  for (const inner of meaning.items) flatten(env, inner, dtype, depth + 1, shape, out);
}

function ragged(env: Env, span: Span, message: string): Refusal {
  return refusal(env, "G029", span, `the list is not rectangular: ${message}`);
}

function stack(env: Env, items: readonly Item[], dtype: DType | undefined, span: Span): Value {
  const own = dtype ?? dtypeIn(items);
  const values = items.map((item) => toTensor(env, item, own));
  const rows = values.map((value, i) => {
    const at = items[i]?.span ?? span;
    return applyOp(
      env,
      "reshape",
      [value],
      { shape: [1, ...value.type.shape] },
      { span: at, operands: [at] },
    )[0] as Value;
  });
  return applyOp(env, "concatenate", rows, { axis: 0 }, { span, operands: items.map((item) => item.span) })[0] as Value;
}

/** The dtype of the first tensor in a nested list: literals beside it take it, in other rows too. */
function dtypeIn(items: readonly Item[]): DType | undefined {
  for (const { meaning } of items) {
    const found =
      meaning.kind === "tensor"
        ? meaning.value.type.dtype
        : meaning.kind === "list"
          ? dtypeIn(meaning.items)
          : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A size for a shape. */
export function toDim(env: Env, { meaning, span }: Item): Dim {
  silence(meaning);
  if (meaning.kind !== "int") {
    throw refusal(env, "G031", span, `a size is an int, not ${describe(meaning)}`, {
      hint:
        meaning.kind === "tensor" ? "`size(x, axis)` gives a size that is known when the graph is compiled" : undefined,
    });
  }
  const dim = dimOf(meaning);
  if (dim === undefined) throw refusal(env, "G102", span, `the size ${intText(meaning)} is too large`);
  return dim;
}

export function toShape(env: Env, item: Item): readonly Dim[] {
  const { meaning, span } = item;
  silence(meaning);
  if (meaning.kind === "shape") return meaning.value;
  if (meaning.kind === "int") return [toDim(env, item)];
  if (meaning.kind === "list") return meaning.items.map((inner) => toDim(env, inner));
  throw refusal(env, "G031", span, `a shape such as \`[2, 3]\` is needed, not ${describe(meaning)}`, {
    hint: meaning.kind === "tensor" ? "`shape(x)` gives the shape of a tensor" : undefined,
  });
}

/** An int whose value is known now. */
export function toNumber(env: Env, { meaning, span }: Item, what: string): number {
  silence(meaning);
  const dim = meaning.kind === "int" ? dimOf(meaning) : undefined;
  if (dim === undefined) throw refusal(env, "G031", span, `${what} is an int, not ${describe(meaning)}`);
  if (!isSymbolic(dim)) return dim;
  leaveToCalls(env, [dim]);
  throw refusal(env, "G031", span, `${what} must be known when the graph is compiled, and ${dimText(dim)} is a dim`);
}

/** The edges of a list of tensors. */
export function toTensors(env: Env, item: Item): readonly Value[] {
  const { meaning, span } = item;
  silence(meaning);
  if (meaning.kind === "tensor") return [meaning.value];
  if (meaning.kind !== "list") {
    throw refusal(env, "G031", span, `a list of tensors such as \`[a, b]\` is needed, not ${describe(meaning)}`);
  }
  const first = meaning.items.find((inner) => inner.meaning.kind === "tensor")?.meaning;
  const dtype = first?.kind === "tensor" ? first.value.type.dtype : undefined;
  return meaning.items.map((inner) => toTensor(env, inner, isLiteral(inner.meaning) ? dtype : undefined));
}
