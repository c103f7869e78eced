import { type Dim, dimText, isSymbolic, substituteDim, subtractDims, symbolsOf } from "./dim.js";

/** What sizes must fulfil: comparisons of dims, all of which must hold, or at least one. */
export type Condition =
  | Comparison
  | { readonly kind: "every"; readonly conditions: readonly Condition[] }
  | { readonly kind: "some"; readonly conditions: readonly Condition[] };

export interface Comparison {
  readonly kind: "compare";
  readonly left: Dim;
  readonly relation: Relation;
  readonly right: Dim;
}

export type Relation = keyof typeof relationSigns;

/** As they are printed. */
export const relationSigns = { equal: "==", unequal: "!=", less: "<", at_most: "<=" } as const;

/** What holds, or does not, whatever the sizes are. */
export function decidedCondition(holds: boolean): Condition {
  return { kind: holds ? "every" : "some", conditions: [] };
}

export const relations: readonly Relation[] = ["equal", "unequal", "at_most", "less"];

export function compareDims(left: Dim, relation: Relation, right: Dim): Comparison {
  return { kind: "compare", left, relation, right };
}

export function every(...conditions: readonly Condition[]): Condition {
  return { kind: "every", conditions };
}

/** What holds if and only if `condition` does not. */
export function negated(condition: Condition): Condition {
  switch (condition.kind) {
    case "every":
      return { kind: "some", conditions: condition.conditions.map(negated) };
    case "some":
      return { kind: "every", conditions: condition.conditions.map(negated) };
    case "compare": {
      const { left, relation, right } = condition;
      switch (relation) {
        case "equal":
          return compareDims(left, "unequal", right);
        case "unequal":
          return compareDims(left, "equal", right);
        case "less":
          return compareDims(right, "at_most", left);
        case "at_most":
          return compareDims(right, "less", left);
      }
    }
  }
}

/** Whether it holds with these sizes; undefined where they do not tell: a dim without a size, or one that is divided by 0. */
export function decide(condition: Condition, bindings: ReadonlyMap<string, number>): boolean | undefined {
  switch (condition.kind) {
    case "every": {
      const decided = condition.conditions.map((one) => decide(one, bindings));
      return decided.includes(false) ? false : decided.includes(undefined) ? undefined : true;
    }
    case "some": {
      const decided = condition.conditions.map((one) => decide(one, bindings));
      return decided.includes(true) ? true : decided.includes(undefined) ? undefined : false;
    }
    case "compare": {
      const { left, relation, right } = condition;
      const difference = subtractDims(substituteDim(left, bindings), substituteDim(right, bindings));
      if (isSymbolic(difference)) return undefined;
      switch (relation) {
        case "equal":
          return difference === 0;
        case "unequal":
          return difference !== 0;
        case "less":
          return difference < 0;
        case "at_most":
          return difference <= 0;
      }
    }
  }
}

/** What of it the dims have to decide; undefined where nothing is left, as it holds or cannot. */
export function undecidedPart(condition: Condition): Condition | undefined {
  if (decide(condition, new Map()) !== undefined) return undefined;
  if (condition.kind === "compare") return condition;
  const conditions = condition.conditions.flatMap((one) => undecidedPart(one) ?? []);
  return conditions.length === 1 ? conditions[0] : { kind: condition.kind, conditions };
}

/** The names of the declared dims that it mentions, in its order. */
export function dimsIn(condition: Condition): readonly string[] {
  const names =
    condition.kind === "compare"
      ? [...symbolsOf(condition.left), ...symbolsOf(condition.right)]
      : condition.conditions.flatMap(dimsIn);
  return [...new Set(names)];
}

/** `N <= 8`, `every(N != 0, some(M == 1, M == N))`. */
export function conditionText(condition: Condition): string {
  if (condition.kind === "compare")
    return `${dimText(condition.left)} ${relationSigns[condition.relation]} ${dimText(condition.right)}`;
  return `${condition.kind}(${condition.conditions.map(conditionText).join(", ")})`;
}
