/** What TypeScript knows of a graph: `graphc types` writes it. Types only; at run time there is nothing of them. */
import type { DType, NumericDType } from "./dtype.js";
import type { Tensor, TensorDataOf } from "./tensor.js";

/** `u8[N, 28, 28]` as a type: the dtype, then the sizes, a name or an expression where a size is not fixed. */
export type EdgeType = readonly [dtype: DType, ...shape: (number | string)[]];

/** Edges by name. An optional property is a placeholder that has a default. */
type Edges = Readonly<Record<string, EdgeType>>;

/**
 * Signatures with what they are fed and give; placeholders, variables, and all that can be fetched (edges, variables,
 * placeholders, string constants) by path; the union of the updates' names. As it stands nothing is known of the graph: all
 * names are allowed, and the run checks them.
 */
export interface GraphTypes {
  readonly signatures: Readonly<Record<string, { readonly feeds: Edges; readonly results: Edges }>>;
  readonly placeholders: Edges;
  readonly variables: Edges;
  readonly edges: Edges;
  readonly updates: string;
}

/** Whether nothing is known of a graph. */
export type IsUnknown<G extends GraphTypes> = string extends keyof G["signatures"] ? true : false;

/** The shape of a result: sizes that are not fixed are numbers. */
type ShapeOf<S extends readonly unknown[]> = {
  readonly [I in keyof S]: S[I] extends number ? S[I] : number;
};

/** A string constant as a result. */
export interface StringTensor {
  readonly dtype: "string";
  readonly shape: readonly [];
  readonly data: readonly [string];
}

/** The value of an edge. */
export type ValueOf<E> = E extends readonly ["string"]
  ? StringTensor
  : E extends readonly [infer D extends NumericDType, ...infer S]
    ? Tensor<D, ShapeOf<S>>
    : never;

/** The flat array that a placeholder of a dtype takes. */
export type FlatFeed<D extends NumericDType> = D extends "u8" | "bool"
  ? TensorDataOf<D> | Uint8ClampedArray
  : TensorDataOf<D>;
