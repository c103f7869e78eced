/** How sessions are typed by what `graphc types` writes of a graph. Types only. */
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { FlatFeed, GraphTypes, IsUnknown, StringTensor, ValueOf } from "../compiler/ir/graph_types.js";
import type { Tensor, TensorDataOf } from "../compiler/ir/tensor.js";
import type { ColumnValue } from "./dataset.js";
import type { FeedValue, NestedArray } from "./feeds.js";

export type Fetched = Tensor | StringTensor;
export type Feeds = Readonly<Record<string, FeedValue>>;

type Names<T> = keyof T & string;

export type SignatureName<G extends GraphTypes> = Names<G["signatures"]>;
/** What can be run without feeds. */
export type Unfed<G extends GraphTypes> =
  | readonly FetchName<G>[]
  | { [N in SignatureName<G>]: Record<never, never> extends FeedsOf<FedEdges<G, N>> ? N : never }[SignatureName<G>];
export type PlaceholderName<G extends GraphTypes> = Names<G["placeholders"]>;
export type VariablePath<G extends GraphTypes> = Names<G["variables"]>;
/** Edges at any path, variables, placeholders, string constants. */
export type EdgeName<G extends GraphTypes> = Names<G["edges"]>;
/** What a list of names may hold: edges at any path, variables, placeholders, string constants, updates. */
export type FetchName<G extends GraphTypes> = EdgeName<G> | G["updates"];

type Part<G extends GraphTypes, N, P extends "feeds" | "results"> = N extends keyof G["signatures"]
  ? G["signatures"][N] extends { readonly [K in P]: infer E }
    ? E
    : never
  : never;

/** The edges that a request may be fed: its signature's, else any placeholder, of which the run says which it needs. */
export type FedEdges<G extends GraphTypes, R> = R extends string ? Part<G, R, "feeds"> : Partial<G["placeholders"]>;

/** Feeds by placeholder; those with a default are optional. */
export type FeedsOf<E> = { readonly [P in keyof E]: FeedValue };

/** What a run gives. */
export type ResultsOf<G extends GraphTypes, R> =
  IsUnknown<G> extends true
    ? Readonly<Record<string, Fetched>>
    : R extends string
      ? Values<Part<G, R, "results">>
      : R extends readonly (infer N)[]
        ? Values<Pick<G["edges"], N & keyof G["edges"]>>
        : never;

type Values<E> = { readonly [P in keyof E]: ValueOf<E[P]> };

export type VariableOf<G extends GraphTypes, P extends VariablePath<G>> =
  IsUnknown<G> extends true ? Tensor : Extract<ValueOf<G["variables"][P]>, Tensor>;

/** Columns of data by placeholder. */
export type ColumnsOf<E> = { readonly [P in keyof E]: ColumnValue };

/** The means that an evaluation gives: of the scalars among a signature's results. */
export type MeansOf<G extends GraphTypes, N extends string> =
  IsUnknown<G> extends true
    ? Readonly<Record<string, number>>
    : { readonly [P in keyof Part<G, N, "results"> as Mean<P, Part<G, N, "results">[P]>]: number };

type Mean<P, E> = E extends readonly ["string"] ? never : E extends readonly [NumericDType, ...1[]] ? P : never;

/**
 * Feeds where what is known to be wrong has a type that nothing has, which says what is wrong: a name that is none of the
 * placeholders, another dtype, rank or size. What TypeScript does not know (the length of an array in a variable, a tensor that
 * was read from a file) the run checks.
 */
export type CheckedFeeds<F, E> = {
  readonly [P in keyof F]: P extends keyof E
    ? Checked<F[P], P, Required<E>[P]>
    : `there is no placeholder ${P & string} here`;
};

/** A value for one edge, likewise. */
export type Checked<V, P, E> = E extends readonly [infer D extends NumericDType, ...infer S extends readonly Size[]]
  ? Fits<V, D, S> extends true
    ? V
    : `${P & string} takes ${D}${S extends readonly [] ? "" : `[${SizesText<S>}]`}`
  : V;

type Size = number | string;

/** `N, 28, 28`. */
type SizesText<S extends readonly Size[]> = S extends readonly [
  infer N extends Size,
  ...infer Rest extends readonly Size[],
]
  ? `${N}${Rest extends readonly [] ? "" : `, ${SizesText<Rest>}`}`
  : "";

type Fits<V, D extends NumericDType, S extends readonly unknown[]> = FeedValue extends V
  ? true
  : V extends ArrayBufferView
    ? V extends FlatFeed<D>
      ? true
      : false
    : V extends { readonly dtype: infer K; readonly shape: infer Z extends readonly number[]; readonly data: infer A }
      ? D extends K
        ? TensorDataOf<D> extends A
          ? SizesFit<Z, S>
          : A extends FlatFeed<D>
            ? SizesFit<Z, S>
            : false
        : false
      : NestedFits<V, D, S>;

/** A shape of unknown rank may fit. */
type SizesFit<Z extends readonly number[], S extends readonly unknown[]> = number extends Z["length"]
  ? true
  : Z extends readonly [infer A, ...infer ZRest extends readonly number[]]
    ? S extends readonly [infer B, ...infer SRest]
      ? SizeFits<A, B> extends true
        ? SizesFit<ZRest, SRest>
        : false
      : false
    : S extends readonly []
      ? true
      : false;

type SizeFits<A, B> = B extends number ? (number extends A ? true : A extends B ? true : false) : true;

type NestedFits<V, D extends NumericDType, S extends readonly unknown[]> = NestedArray extends V
  ? true
  : S extends readonly [infer N, ...infer Rest]
    ? V extends readonly (infer I)[]
      ? SizeFits<V["length"], N> extends true
        ? [I] extends [never]
          ? true
          : NestedFits<I, D, Rest>
        : false
      : false
    : [V] extends [D extends "bool" ? boolean | number : number | bigint]
      ? true
      : false;
