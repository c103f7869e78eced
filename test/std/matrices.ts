/** Matrices as rows of numbers, for formulas of layers that are written out in float64. */
import type { ExecutionContext } from "ava";
import type { Feeds, Session } from "../../index.js";
import { fetch, near, variable } from "./support.js";

export type Vector = readonly number[];
export type Matrix = readonly Vector[];

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
}

export function add(...all: readonly Vector[]): Vector {
  const [first = []] = all;
  return first.map((_, i) => all.reduce((sum, one) => sum + (one[i] ?? Number.NaN), 0));
}

export function multiply(a: Vector, b: Vector): Vector {
  return a.map((x, i) => x * (b[i] ?? Number.NaN));
}

/** The row x times the matrix w. */
export function times(x: Vector, w: Matrix): Vector {
  return (w[0] ?? []).map((_, j) =>
    dot(
      x,
      w.map((row) => row[j] ?? Number.NaN),
    ),
  );
}

export function rowsOf(elements: Vector, columns: number): Matrix {
  return Array.from({ length: elements.length / columns }, (_, i) => elements.slice(i * columns, (i + 1) * columns));
}

/** A variable of two axes, as rows; one of one axis has one row. */
export function matrix(session: Session, path: string): Matrix {
  const { shape } = session.get(path);
  return rowsOf(variable(session, path), shape[shape.length - 1] ?? 1);
}

export function vector(session: Session, path: string): Vector {
  return variable(session, path);
}

/** Numbers from -1 to 1 that look like none in particular. */
export function numbers(count: number, phase = 0): Vector {
  return Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * (phase + 1)));
}

/** Gives every variable values other than those that layers start with, such as biases of 0. */
export function scramble(session: Session, paths: readonly string[]): void {
  paths.forEach((path, i) => {
    const { shape, data } = session.get(path);
    session.set(path, { dtype: "f64", shape, data: Float64Array.from(numbers(data.length, i), (x) => 0.7 * x) });
  });
}

/**
 * Sees that a step of `sgd(learning_rate=1.0)` on `loss` changes variables by their central differences: of each, the elements
 * first, last and in between. `fit` is the signature of the step, `loss` the name to fetch.
 */
export async function checkStep(
  t: ExecutionContext,
  session: Session,
  fit: string,
  paths: readonly string[],
  feeds: Feeds,
  tolerance = 1e-7,
): Promise<void> {
  const before = new Map(paths.map((path) => [path, session.get(path)]));
  const differences = new Map<string, ReadonlyMap<number, number>>();
  for (const [path, { shape, data }] of before) {
    const found = new Map<number, number>();
    for (const at of new Set([0, Math.floor(data.length / 2), Math.floor(data.length / 3), data.length - 1])) {
      const lossAt = async (moved: number): Promise<number> => {
        const values = Float64Array.from(data, Number);
        values[at] = (values[at] ?? Number.NaN) + moved;
        session.set(path, { dtype: "f64", shape, data: values });
        return (await fetch(session, ["loss"], feeds)).get("loss")?.[0] ?? Number.NaN;
      };
      const h = 1e-5;
      found.set(at, ((await lossAt(h)) - (await lossAt(-h))) / (2 * h));
    }
    session.set(path, { dtype: "f64", shape, data: Float64Array.from(data, Number) });
    differences.set(path, found);
  }
  await session.run(fit, feeds);
  for (const [path, found] of differences) {
    const old = Array.from(before.get(path)?.data ?? [], Number);
    const now = variable(session, path);
    const places = [...found.keys()];
    near(
      t,
      places.map((at) => (old[at] ?? Number.NaN) - (now[at] ?? Number.NaN)),
      [...found.values()],
      tolerance,
      `gradient of ${path} at ${places.join(", ")}`,
    );
  }
}
