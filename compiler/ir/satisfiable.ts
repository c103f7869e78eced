import { type Comparison, type Condition, decide, dimsIn } from "./condition.js";
import { type Dim, subtractDims } from "./dim.js";

/** What a size may be: whole numbers from `least` to `most`, which may be infinite. */
interface Range {
  readonly least: number;
  readonly most: number;
}

type Ranges = ReadonlyMap<string, Range>;

/** So many choices of sizes are tried one by one. */
const mostChoices = 4096;

/**
 * Whether some sizes may fulfil a condition: false is certain, true may only be not known. `bounds` are the most that dims may be.
 * Witnesses are tried first, then ranges, which are narrowed by comparisons of one dim; of what these leave open, few sizes are all tried.
 */
export function mayHold(condition: Condition, bounds: ReadonlyMap<string, number | undefined>): boolean {
  const names = dimsIn(condition);
  if (witnesses(names, bounds).some((sizes) => decide(condition, sizes) === true)) return true;
  const declared = new Map(
    names.map((name) => [name, { least: 0, most: bounds.get(name) ?? Number.POSITIVE_INFINITY }]),
  );
  const ranges = narrowed(condition, declared);
  if (ranges === undefined || !possible(condition, ranges)) return false;
  const choices = allChoices(ranges);
  // Sizes with which something is divided by zero are none of these: that is demanded by itself.
  return choices === undefined || choices.some((sizes) => decide(condition, sizes) === true);
}

/** Sizes that fulfil most of what programs ask: all dims large and divided by much, or small. */
function witnesses(
  names: readonly string[],
  bounds: ReadonlyMap<string, number | undefined>,
): readonly ReadonlyMap<string, number>[] {
  return [Number.POSITIVE_INFINITY, 5040, 64, 1, 2, 0].map(
    (size) => new Map(names.map((name) => [name, Math.min(size, bounds.get(name) ?? 55_440)])),
  );
}

/** The ranges in which all that must hold of a single dim does; undefined where nothing is left of one. */
function narrowed(condition: Condition, ranges: Ranges): Ranges | undefined {
  const found = new Map(ranges);
  for (const comparison of mustHold(condition)) {
    const { difference, relation } = against0(comparison);
    const linear = linearIn(difference);
    if (linear === undefined) continue;
    const { name, slope, constant } = linear;
    const known = found.get(name);
    if (known === undefined) continue;
    // slope * name + constant <= limit
    const limit = (relation === "less" ? -1 : 0) - constant;
    const bound = limit / slope;
    const upper = slope > 0 ? Math.floor(bound) : Number.POSITIVE_INFINITY;
    const lower = slope < 0 ? Math.ceil(bound) : Number.NEGATIVE_INFINITY;
    if (relation === "equal") {
      if (!Number.isInteger(bound)) return undefined;
      found.set(name, { least: Math.max(known.least, bound), most: Math.min(known.most, bound) });
    } else if (relation !== "unequal")
      found.set(name, { least: Math.max(known.least, lower), most: Math.min(known.most, upper) });
  }
  return [...found.values()].some(({ least, most }) => least > most) ? undefined : found;
}

/** The comparisons of which none may be broken. */
function mustHold(condition: Condition): readonly Comparison[] {
  if (condition.kind === "compare") return [condition];
  const [only, ...others] = condition.conditions;
  if (condition.kind === "every") return condition.conditions.flatMap(mustHold);
  return only !== undefined && others.length === 0 ? mustHold(only) : [];
}

function against0({ left, relation, right }: Comparison): { difference: Dim; relation: Comparison["relation"] } {
  return { difference: subtractDims(left, right), relation };
}

/** a * NAME + b; undefined for anything else. */
function linearIn(dim: Dim): { readonly name: string; readonly slope: number; readonly constant: number } | undefined {
  if (typeof dim === "number") return undefined;
  const [term, last, ...others] = dim.terms;
  const [atom, ...factors] = term?.atoms ?? [];
  if (term === undefined || atom?.kind !== "symbol" || factors.length > 0 || others.length > 0) return undefined;
  if (last !== undefined && last.atoms.length > 0) return undefined;
  return { name: atom.key, slope: term.coefficient, constant: last?.coefficient ?? 0 };
}

/** Whether the ranges of both sides leave a way. */
function possible(condition: Condition, ranges: Ranges): boolean {
  switch (condition.kind) {
    case "every":
      return condition.conditions.every((one) => possible(one, ranges));
    case "some":
      return condition.conditions.some((one) => possible(one, ranges));
    case "compare": {
      const { difference, relation } = against0(condition);
      const { least, most } = rangeOf(difference, ranges);
      switch (relation) {
        case "equal":
          return least <= 0 && most >= 0;
        case "unequal":
          return least !== 0 || most !== 0;
        case "less":
          return least < 0;
        case "at_most":
          return least <= 0;
      }
    }
  }
}

/** What a polynomial lies within: each term by itself, so that it may be wider than what it is. */
function rangeOf(dim: Dim, ranges: Ranges): Range {
  if (typeof dim === "number") return { least: dim, most: dim };
  return dim.terms
    .map(({ coefficient, atoms }) =>
      atoms
        .map((atom): Range => {
          if (atom.kind === "symbol") return ranges.get(atom.key) ?? { least: 0, most: Number.POSITIVE_INFINITY };
          return quotient(rangeOf(atom.numerator, ranges), rangeOf(atom.denominator, ranges));
        })
        .reduce((left, right) => spanned(corners(left, right, times)), { least: coefficient, most: coefficient }),
    )
    .reduce((a, b) => ({ least: a.least + b.least, most: a.most + b.most }), { least: 0, most: 0 });
}

function quotient(numerator: Range, denominator: Range): Range {
  // Sizes are rarely divided by what may be 0 or less, and then it may be anything.
  const divisor = { least: Math.max(denominator.least, 1), most: denominator.most };
  if (denominator.least < 0 || divisor.most < 1)
    return { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
  return spanned(corners(numerator, divisor, dividedBy).map(Math.floor));
}

function corners(a: Range, b: Range, of: (a: number, b: number) => number): readonly number[] {
  return [of(a.least, b.least), of(a.least, b.most), of(a.most, b.least), of(a.most, b.most)];
}

function spanned(values: readonly number[]): Range {
  return { least: Math.min(...values), most: Math.max(...values) };
}

/** An infinite end is never reached, so that nothing times it is nothing. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

/** Likewise what is as large as one likes, divided by what is, may come near 0. */
function dividedBy(a: number, b: number): number {
  if (Number.isFinite(b)) return a / b;
  return a < 0 ? -1 : 0;
}

/** All sizes within the ranges; undefined where they are too many. */
function allChoices(ranges: Ranges): readonly ReadonlyMap<string, number>[] | undefined {
  const count = [...ranges.values()].reduce((product, { least, most }) => product * (most - least + 1), 1);
  if (count > mostChoices) return undefined;
  return [...ranges].reduce<readonly ReadonlyMap<string, number>[]>(
    (choices, [name, { least, most }]) =>
      choices.flatMap((choice) =>
        Array.from({ length: most - least + 1 }, (_, i) => new Map([...choice, [name, least + i]])),
      ),
    [new Map()],
  );
}
