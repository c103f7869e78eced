import { type Dim, dimEquals, dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { type DType, isDType, isFloat, isInteger } from "../../compiler/ir/dtype.js";
import { castTo } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import { shapeText, tensorType, typeText } from "../../compiler/ir/type.js";
import type { Expression, NamedType, TypeParameter } from "../ast.js";
import { quote } from "../diagnostics.js";
import { requireEqual } from "./broadcast.js";
import { toTensor } from "./convert.js";
import { evaluate } from "./expressions.js";
import { define } from "./facts.js";
import { type Item, int, isLiteral, literalDType } from "./meaning.js";
import { reshapeAdvice } from "./reshape_advice.js";
import { type Env, originNote, refusal, silentRefusal } from "./state.js";
import { dtypeNamed, restate } from "./types.js";

/** What a type parameter may be: `[T: float]`. */
const bounds: ReadonlyMap<string, (dtype: DType) => boolean> = new Map<string, (dtype: DType) => boolean>([
  ["float", isFloat],
  ["int", isInteger],
  ["number", (dtype: DType) => isFloat(dtype) || isInteger(dtype)],
  ["bool", (dtype: DType) => dtype === "bool"],
  ["any", () => true],
]);

export const boundNames: readonly string[] = [...bounds.keys()];

/** The dtypes that a type parameter of this bound may be, the usual ones first. */
export function dtypesWithin(bound: string | undefined): readonly DType[] {
  const usual: readonly DType[] = ["f32", "i64", "bool", "f64", "u8", "i32", "f16", "bf16", "i8"];
  return usual.filter(bounds.get(bound ?? "any") ?? (() => true));
}

/** A tensor parameter and its argument. */
export interface Pair {
  readonly parameter: string;
  readonly type: NamedType;
  readonly item: Item;
}

/**
 * Finds dtypes, sizes and the pack of one call from its arguments: each occurrence of a type parameter alone binds it or must
 * equal what is bound; any other size is evaluated once all are bound and compared.
 */
export class Inference {
  readonly dtypes = new Map<string, DType>();
  readonly sizes = new Map<string, Dim>();
  pack: readonly Dim[] | undefined;
  readonly #env: Env;
  readonly #callee: string;
  readonly #parameters: ReadonlyMap<string, TypeParameter>;
  readonly #origins = new Map<string, Item>();
  readonly #deferred: (() => void)[] = [];

  /** `env` is the caller's, for places; sizes of the callee are evaluated in the env that `finish` is given. */
  constructor(env: Env, callee: string, parameters: readonly TypeParameter[]) {
    this.#env = env;
    this.#callee = callee;
    this.#parameters = new Map(parameters.map((parameter) => [parameter.name.name, parameter]));
  }

  /** The edge of an argument. Tensors should come before literals, which take the dtypes that these have bound. */
  argument(pair: Pair): Value {
    const { item, type } = pair;
    const value = toTensor(this.#env, item, isLiteral(item.meaning) ? this.#literalDType(pair) : undefined);
    this.#matchDType(pair, value);
    this.#matchShape(pair, value, type.dims ?? []);
    return value;
  }

  /** A literal takes the dtype that is declared or bound, a float where one is wanted, else its own. */
  #literalDType({ item, type }: Pair): DType {
    const own = literalDType(item.meaning);
    const name = type.name.name;
    if (!this.#parameters.has(name)) return isDType(name) ? name : own;
    const bound = this.dtypes.get(name);
    if (bound !== undefined) return bound;
    return this.#parameters.get(name)?.bound?.name === "float" && own === "i64" ? "f32" : own;
  }

  #matchDType({ type, item, parameter }: Pair, value: Value): void {
    const { name } = type.name;
    const { dtype } = value.type;
    const declared = this.#parameters.get(name);
    const title = `\`${parameter}\` of ${quote(this.#callee)}`;
    const own = { span: type.span, message: `${quote(parameter)} is declared here` };
    if (declared === undefined) {
      const wanted = dtypeNamed(this.#env, name, type.name.span);
      if (dtype === wanted) return;
      throw refusal(this.#env, "G022", item.span, `${title} is ${wanted}, not ${typeText(value.type)}`, {
        notes: [originNote(this.#env, value, item.span), own],
        hint: castTo(wanted, this.#env.state.shared.texts.shown(item.span), item.span),
      });
    }
    const bound = this.dtypes.get(name);
    if (bound !== undefined && bound !== dtype) {
      const origin = this.#origins.get(name);
      throw refusal(this.#env, "G022", item.span, `${title} is ${typeText(value.type)}, where ${name} is ${bound}`, {
        notes: [
          originNote(this.#env, value, item.span),
          ...(origin === undefined ? [] : [{ span: origin.span, message: `${name} is bound to ${bound} here` }]),
        ],
        hint:
          this.#callee === "softmax_cross_entropy" && isInteger(dtype)
            ? "class numbers are for `sparse_softmax_cross_entropy(logits, label)`; `one_hot(label, 10)` makes one target for each class"
            : castTo(bound, this.#env.state.shared.texts.shown(item.span), item.span),
      });
    }
    const bounded = declared.bound?.name;
    if (bounded !== undefined && bounds.get(bounded)?.(dtype) === false) {
      // The logits have been told to stand elsewhere.
      if (parameter === "label" && this.#isSwapped(parameter, dtype)) throw silentRefusal;
      const wanted = bounded === "int" ? "an integer" : bounded === "any" ? "any dtype" : `a ${bounded}`;
      throw refusal(this.#env, "G024", item.span, `${title} is ${wanted} tensor, not ${typeText(value.type)}`, {
        notes: [originNote(this.#env, value, item.span), own],
        hint: this.#isSwapped(parameter, dtype)
          ? "the logits stand first, then the label: `sparse_softmax_cross_entropy(logits, label)`"
          : this.#callee === "sparse_softmax_cross_entropy" && value.type.shape.length > (this.pack?.length ?? 99)
            ? "one target for each class is for `softmax_cross_entropy(logits, target)`; a label is one class number an example"
            : bounded === "float" || bounded === "int"
              ? castTo(bounded === "float" ? "f32" : "i64", this.#env.state.shared.texts.shown(item.span), item.span)
              : undefined,
      });
    }
    if (bound === undefined) {
      this.dtypes.set(name, dtype);
      this.#origins.set(name, item);
    }
  }

  /** Integers where logits stand, or floats for the label where the logits were not taken. */
  #isSwapped(parameter: string, dtype: DType): boolean {
    if (this.#callee !== "sparse_softmax_cross_entropy") return false;
    return parameter === "logits" ? isInteger(dtype) : this.pack === undefined;
  }

  #matchShape(pair: Pair, value: Value, dims: readonly Expression[]): void {
    const { shape } = value.type;
    const at = dims.findIndex((dim) => dim.kind === "ellipsis");
    const fixed = at < 0 ? dims.length : dims.length - 1;
    if (at < 0 ? shape.length !== fixed : shape.length < fixed) {
      const axes = (count: number): string => (count === 1 ? "1 axis" : `${count} axes`);
      const wanted =
        at < 0 ? (fixed === 0 ? "a scalar" : `a tensor of ${axes(fixed)}`) : `a tensor of at least ${axes(fixed)}`;
      throw refusal(
        this.#env,
        "G025",
        pair.item.span,
        `\`${pair.parameter}\` of ${quote(this.#callee)} is ${wanted}, not ${typeText(value.type)}`,
        {
          notes: [
            originNote(this.#env, value, pair.item.span),
            { span: pair.type.span, message: `${quote(pair.parameter)} is declared here` },
          ],
          hint:
            shape.length > 0 && shape.length + 1 === fixed
              ? `\`reshape(${this.#env.state.shared.texts.shown(pair.item.span)}, ${shapeText([...shape, 1])})\` has an axis more, of size 1`
              : undefined,
        },
      );
    }
    dims.forEach((dim, i) => {
      if (dim.kind === "ellipsis") {
        this.#matchPack(pair, value, shape.slice(at, at + shape.length - fixed));
        return;
      }
      const actual = shape[at < 0 || i < at ? i : i + shape.length - dims.length] as Dim;
      this.#matchDim(pair, value, dim, actual);
    });
  }

  #matchPack(pair: Pair, value: Value, actual: readonly Dim[]): void {
    if (this.pack === undefined) {
      this.pack = actual;
      this.#origins.set("...", pair.item);
      return;
    }
    const { pack } = this;
    const differ = pack.length !== actual.length || pack.some((dim, i) => knownToDiffer(dim, actual[i] as Dim));
    const details = this.#details(pair, value, "...", `\`...\` is ${shapeText(pack)} here`);
    if (differ) {
      const message = `\`${pair.parameter}\` of ${quote(this.#callee)} has the leading dims ${shapeText(actual)}, where \`...\` is ${shapeText(pack)}`;
      const at = value.type.shape.length - (pair.type.dims ?? []).length + 1 - actual.length;
      const wanted = [...value.type.shape.slice(0, at), ...pack, ...value.type.shape.slice(at + actual.length)];
      const { notes } = details;
      throw refusal(this.#env, "G020", pair.item.span, message, {
        notes,
        hint: reshapeAdvice(this.#env, value, wanted, pair.item.span, "has the same axes"),
      });
    }
    pack.forEach((dim, i) => {
      requireEqual(this.#env, dim, actual[i] as Dim, pair.item.span, details);
    });
  }

  #matchDim(pair: Pair, value: Value, dim: Expression, actual: Dim): void {
    const name = dim.kind === "reference" && dim.segments.length === 1 ? dim.text : undefined;
    if (name !== undefined && this.#parameters.has(name)) {
      const bound = this.sizes.get(name);
      if (bound === undefined) {
        this.sizes.set(name, actual);
        this.#origins.set(name, pair.item);
      } else this.#compare(pair, value, name, bound, actual);
      return;
    }
    this.#deferred.push(() => {
      // An undeclared name has been reported at the declaration.
      if (name !== undefined && this.#inside?.names.lookup(name) === undefined) return;
      const meaning = this.#inside === undefined ? undefined : evaluate(this.#inside, dim);
      if (meaning?.kind !== "int") return;
      const wanted = typeof meaning.value === "bigint" ? Number(meaning.value) : meaning.value;
      this.#compare(pair, value, undefined, wanted, actual);
    });
  }

  #compare(pair: Pair, value: Value, name: string | undefined, wanted: Dim, actual: Dim): void {
    if (dimEquals(wanted, actual)) return;
    const size = name === undefined ? dimText(wanted) : `${name} = ${dimText(wanted)}`;
    const details = this.#details(pair, value, name, `${size} here`);
    if (knownToDiffer(wanted, actual)) {
      const message = `\`${pair.parameter}\` of ${quote(this.#callee)} is ${typeText(value.type)}: ${dimText(actual)} stands where ${size} is needed`;
      throw refusal(this.#env, "G020", pair.item.span, message, details);
    }
    requireEqual(this.#env, wanted, actual, pair.item.span, details);
  }

  #details(pair: Pair, value: Value, name: string | undefined, message: string) {
    const env = this.#env;
    const origin = name === undefined ? undefined : this.#origins.get(name);
    return {
      get notes() {
        return [
          originNote(env, value, pair.item.span),
          ...(origin === undefined ? [] : [{ span: origin.span, message }]),
          { span: pair.type.span, message: `${quote(pair.parameter)} is declared here` },
        ];
      },
    };
  }

  #inside: Env | undefined;

  /** Binds what was found in the names of the call, then compares the sizes that had to wait for it. */
  finish(inside: Env): void {
    for (const [name, parameter] of this.#parameters) {
      const dtype = this.dtypes.get(name);
      const size = this.sizes.get(name);
      if (dtype !== undefined) define(inside, parameter.name, { kind: "dtype", value: dtype });
      else if (size !== undefined) define(inside, parameter.name, int(size));
    }
    this.#inside = inside;
    for (const compare of this.#deferred) compare();
  }

  /** The type parameters that no argument has bound. */
  unbound(): readonly TypeParameter[] {
    return [...this.#parameters.values()].filter(
      ({ name }) => !this.dtypes.has(name.name) && !this.sizes.has(name.name),
    );
  }

  /** An argument under the sizes that were bound first, where the two are equal only at run time. */
  restated(pair: Pair, value: Value): Value {
    const dims = pair.type.dims ?? [];
    const at = dims.findIndex((dim) => dim.kind === "ellipsis");
    const shape = value.type.shape.map((actual, axis): Dim => {
      const behind = value.type.shape.length - axis;
      if (at >= 0 && axis >= at && behind > dims.length - 1 - at) return this.pack?.[axis - at] ?? actual;
      const dim = at < 0 || axis < at ? dims[axis] : dims[dims.length - behind];
      return dim?.kind === "reference" ? (this.sizes.get(dim.text) ?? actual) : actual;
    });
    return restate(this.#env, value, tensorType(value.type.dtype, shape), pair.item.span, {});
  }
}

function knownToDiffer(a: Dim, b: Dim): boolean {
  return !isSymbolic(a) && !isSymbolic(b) && a !== b;
}
