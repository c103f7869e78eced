import type { NumericDType } from "../../../ir/dtype.js";
import type { Builder } from "../builder.js";
import { registerElement, storageElement, typeOf } from "../types.js";
import type { Value } from "../value.js";

/** A routine's sizes and switches, its matrices for one batch entry, and what it does when it cannot go on. */
export interface RoutineScope {
  readonly b: Builder;
  readonly dtype: NumericDType;
  readonly operands: readonly Matrix[];
  readonly results: readonly Matrix[];
  readonly scratch: Matrix;
  readonly size: (name: string) => number;
  /** Reports the failure (a singular matrix) where the i1 is set. The routine goes on; its results are not used. */
  readonly failWhere: (bad: Value) => void;
}

/** Elements of a dense row-major matrix at an address. */
export class Matrix {
  readonly #b: Builder;
  readonly #dtype: NumericDType;
  readonly #base: Value;

  constructor(b: Builder, dtype: NumericDType, base: Value) {
    this.#b = b;
    this.#dtype = dtype;
    this.#base = base;
  }

  #address(row: Value, columns: number, column: Value): Value {
    const b = this.#b;
    const index = b.add(b.mul(row, b.index(columns)), column);
    return b.offsetElements(this.#base, storageElement(this.#dtype), index);
  }

  get(row: Value, columns: number, column: Value, lanes = 1): Value {
    return this.#b.loadElements(this.#dtype, lanes, this.#address(row, columns, column));
  }

  set(row: Value, columns: number, column: Value, value: Value): void {
    this.#b.storeElements(this.#dtype, value, this.#address(row, columns, column));
  }

  /** Elements from here on, for a vector that stands behind a matrix. */
  from(elements: number): Matrix {
    const base = this.#b.offsetElements(this.#base, storageElement(this.#dtype), elements);
    return new Matrix(this.#b, this.#dtype, base);
  }

  number(value: number, lanes = 1): Value {
    return this.#b.constant(typeOf(registerElement(this.#dtype), lanes), value);
  }

  copyFrom(other: Matrix, elements: number): void {
    const zero = this.#b.index(0);
    this.#b.loop(0, elements, 1, (i) => {
      this.set(zero, 0, i, other.get(zero, 0, i));
      return [];
    });
  }
}
