/** Runs statements of the language on a target, and compares numbers. */
import type { ExecutionContext } from "ava";
import { type Feeds, Session, type TargetName } from "../../index.js";
import { compileText } from "../runtime/programs.js";

/** A session on a file of this text, closed with the test. */
export async function open(t: ExecutionContext, target: TargetName, text: string, seed?: number): Promise<Session> {
  const session = new Session(await compileText(t, text, { target }), seed === undefined ? {} : { seed });
  t.teardown(() => session.close());
  return session;
}

/** The elements of some names after one run, as numbers. */
export async function fetch(
  session: Session,
  request: string | readonly string[],
  feeds: Feeds = {},
): Promise<ReadonlyMap<string, readonly number[]>> {
  const results = Object.entries(await session.run(request, feeds));
  return new Map(results.map(([name, { data }]) => [name, Array.from(data, Number)]));
}

/** The elements of a variable, as numbers. */
export function variable(session: Session, path: string): readonly number[] {
  return Array.from(session.get(path).data, Number);
}

/** Sees that numbers agree: NaN with NaN, infinities exactly, all else to `tolerance`, relative above 1. */
export function near(
  t: ExecutionContext,
  actual: readonly number[] | undefined,
  expected: readonly number[],
  tolerance: number,
  label = "",
): void {
  const differences = expected.flatMap((wanted, i) => {
    const found = actual?.[i] ?? "nothing";
    return found !== "nothing" && agree(found, wanted, tolerance) ? [] : [`[${i}] is ${found}, not ${wanted}`];
  });
  t.deepEqual(differences, [], label);
  t.is(actual?.length, expected.length, label);
}

function agree(found: number, wanted: number, tolerance: number): boolean {
  if (Object.is(found, wanted) || found === wanted) return true;
  if (!Number.isFinite(wanted) || !Number.isFinite(found)) return false;
  return Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
}

/** Central difference of a function of one number. */
export function slope(f: (x: number) => number, x: number): number {
  const h = 1e-4 * Math.max(1, Math.abs(x));
  return (f(x + h) - f(x - h)) / (2 * h);
}

/** The integral of f from a to b by Simpson's rule. */
export function integral(f: (x: number) => number, a: number, b: number, panels = 4000): number {
  const h = (b - a) / (2 * panels);
  let total = f(a) + f(b);
  for (let i = 1; i < 2 * panels; i++) total += (i % 2 === 0 ? 2 : 4) * f(a + i * h);
  return (total * h) / 3;
}

/** The standard normal distribution function, from its density. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  return 0.5 + integral((u) => Math.exp((-u * u) / 2) / Math.sqrt(2 * Math.PI), 0, x);
}

export interface Moments {
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly greatest: number;
}

/** Mean, standard deviation and range of a sample. */
export function momentsOf(sample: readonly number[]): Moments {
  const mean = sample.reduce((sum, x) => sum + x, 0) / sample.length;
  const variance = sample.reduce((sum, x) => sum + (x - mean) ** 2, 0) / sample.length;
  return {
    mean,
    deviation: Math.sqrt(variance),
    least: sample.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    greatest: sample.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
}
