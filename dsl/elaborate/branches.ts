import type { Value } from "../../compiler/ir/node.js";
import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import type { Block, If, IfBranch } from "../ast.js";
import { withoutPlaces } from "../mentions.js";
import { toTensor } from "./convert.js";
import { evaluate, item } from "./expressions.js";
import { type Item, isLiteral, isPoisoned, literalDType, type Meaning, poisoned, tensor } from "./meaning.js";
import { Names } from "./names.js";
import { capturesOf, RegionScope } from "./region_scope.js";
import {
  applyRegionOp,
  conditionOf,
  eachStatement,
  inside,
  looseStatement,
  mayBeEqual,
  outcome,
  wordOf,
} from "./regions.js";
import { type Env, refusal, report } from "./state.js";
import { expectNames } from "./statements.js";
import { restate } from "./types.js";
import { checkUnread, yieldOf } from "./unread.js";

/** `if a { yield x } else if b { yield y } else { yield z }`: the further conditions stand in the else branch. */
export function branches(env: Env, one: If, rest: readonly IfBranch[]): Meaning {
  const [first, ...others] = rest;
  if (first === undefined) return poisoned;
  const condition = evaluate(env, first.condition);
  if (condition.kind === "bool") return known(env, one, first, others, condition.value);
  const predicate = isPoisoned(condition) ? undefined : conditionOf(env, condition, first.condition.span);
  if (predicate !== undefined)
    refuseVariables(env, [...rest.map(({ body }) => body), one.otherwise], predicate, first.condition.span);
  const [thenScope, elseScope] = [new RegionScope(env.region, false), new RegionScope(env.region, false)];
  const [thenEnv, elseEnv] = [inside(env, thenScope, one), inside(env, elseScope, one)];
  const then = yieldsOf(thenEnv, first.body);
  const otherwise = others.length === 0 ? yieldsOf(elseEnv, one.otherwise) : nested(elseEnv, one, others);
  if (then === undefined || otherwise === undefined || predicate === undefined) return poisoned;
  const [left, right] = sameTypes(env, one, { env: thenEnv, items: then }, { env: elseEnv, items: otherwise });
  const { sources } = env.state.shared;
  // Both first: each may add captures.
  const results = [thenScope.close(left, sources), elseScope.close(right, sources)] as const;
  const outside = capturesOf([thenScope, elseScope]);
  const regions = [
    { parameters: thenScope.parametersFor(outside), results: results[0] },
    { parameters: elseScope.parametersFor(outside), results: results[1] },
  ];
  const outputs = applyRegionOp(env, "if", [predicate, ...outside], {}, regions, wordOf(one));
  return outcome(outputs, "if");
}

/** A variable is there or is not, whatever a run computes. */
function refuseVariables(env: Env, blocks: readonly Block[], predicate: Value, condition: Span): void {
  for (const block of blocks) {
    for (const { kind, span } of withoutPlaces(block.statements)) {
      if (kind !== "variable") continue;
      const word = deriveSpan(span, { end: span.start + kind.length });
      report(env, "G005", word, "`variable` stands in a branch only where the compiler knows the condition", {
        notes: [{ span: condition, message: `this is ${typeText(predicate.type)}, computed in the run` }],
        hint: "declare it before the `if`",
      });
    }
  }
}

/** The conditions that follow, as the one statement of an else branch. */
function nested(env: Env, one: If, others: readonly IfBranch[]): readonly Item[] | undefined {
  const meaning = branches(env, one, others);
  if (isPoisoned(meaning)) return undefined;
  const outputs = meaning.kind === "many" ? meaning.outputs : [meaning];
  return outputs.map((output) => ({ meaning: output, span: one.otherwise.span }));
}

/**
 * A condition that the compiler knows (`training`, a bool parameter) chooses a branch. The other one is left unread: it declares
 * nothing, and what it would give is nothing to the rest.
 */
function known(env: Env, one: If, first: IfBranch, others: readonly IfBranch[], value: boolean): Meaning {
  const own = (): Env => ({ ...env, names: new Names(env.names, env.region?.depth ?? 0), local: true });
  const bodies = [...others.map(({ body }) => body), one.otherwise];
  const unread = value ? bodies : [first.body];
  const counts = unread.map((block) => checkUnread(env, block));
  if (!value && others.length > 0) return branches(env, one, others);
  const block = value ? first.body : one.otherwise;
  const read = own();
  const items = yieldsOf(read, block);
  if (items === undefined) return poisoned;
  for (const found of counts) if (found !== undefined) requireEqualCounts(env, one, items, found.values);
  return given(read, items);
}

/** What a branch that was chosen gives: as if it stood in the place of the `if`. */
function given(env: Env, items: readonly Item[]): Meaning {
  const outputs = items.map((one) => (one.meaning.kind === "many" ? tensor(toTensor(env, one)) : one.meaning));
  const [only] = outputs;
  return outputs.length === 1 && only !== undefined ? only : { kind: "many", outputs, callee: "if" };
}

/** Elaborates a branch; what its one `yield` gives. */
function yieldsOf(env: Env, block: Block): readonly Item[] | undefined {
  env.state.read(block);
  expectNames(env.names, block.statements);
  const last = yieldOf(env, block);
  let found: readonly Item[] | undefined;
  for (const one of block.statements) {
    eachStatement(env, one, (inner) => {
      if (inner === last) found = last.values.map((value) => item(env, value));
      else looseStatement(env, inner);
    });
  }
  return found?.some(({ meaning }) => isPoisoned(meaning)) ? undefined : found;
}

interface Branch {
  readonly env: Env;
  readonly items: readonly Item[];
}

/** The values of both branches, of one type each: a literal takes the dtype of the other side. */
function sameTypes(env: Env, one: If, then: Branch, otherwise: Branch): readonly [readonly Value[], readonly Value[]] {
  requireEqualCounts(env, one, then.items, otherwise.items);
  const pairs = then.items.map((left, i): readonly [Value, Value] => {
    const right = otherwise.items[i] as Item;
    const [leftLiteral, rightLiteral] = [isLiteral(left.meaning), isLiteral(right.meaning)];
    const dtype =
      leftLiteral && rightLiteral
        ? literalDType({ kind: "list", items: [left, right] })
        : leftLiteral
          ? toTensor(otherwise.env, right).type.dtype
          : rightLiteral
            ? toTensor(then.env, left).type.dtype
            : undefined;
    const a = toTensor(then.env, left, dtype);
    const b = toTensor(otherwise.env, right, dtype);
    const details = {
      label: `this is ${typeText(b.type)}`,
      notes: [{ span: left.span, message: `the other branch yields ${typeText(a.type)}` }],
      hint: "the rest of the graph sees one type: yield it from both, with `cast`, `reshape` or `broadcast_to`",
    };
    if (!mayBeEqual(a.type, b.type)) {
      const message = `the branches of this \`if\` yield ${typeText(a.type)} and ${typeText(b.type)}`;
      throw refusal(env, "G054", right.span, message, details);
    }
    return [a, restate(otherwise.env, b, a.type, right.span, details)];
  });
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
}

/** The branches of an `if` yield equally many values: so many names are bound. */
function requireEqualCounts(env: Env, one: If, left: readonly Yielded[], right: readonly Yielded[]): void {
  if (left.length === right.length) return;
  const inOrder = [left, right].sort(([a], [b]) => (a?.span.start ?? 0) - (b?.span.start ?? 0));
  const counts = inOrder.map(({ length }) => length).join(" and ");
  throw refusal(env, "G054", wordOf(one), `the branches of this \`if\` yield ${counts} values`, {
    hint: "yield as many values from each branch",
    notes: inOrder.flatMap(([first]) =>
      first === undefined ? [] : [{ span: first.span, message: "this branch yields here" }],
    ),
  });
}

interface Yielded {
  readonly span: Span;
}
