import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import type { Block, If, IfBranch } from "../ast.js";
import { toTensor } from "./convert.js";
import { evaluate, item } from "./expressions.js";
import { type Item, isLiteral, isPoisoned, literalDType, type Meaning, poisoned } from "./meaning.js";
import { Names } from "./names.js";
import { capturesOf, RegionScope } from "./region_scope.js";
import { applyRegionOp, conditionOf, inside, looseStatement, mayBeEqual, outcome, wordOf } from "./regions.js";
import { type Env, refusal, report } from "./state.js";
import { expectNames, statement } from "./statements.js";
import { restate } from "./types.js";

/** `if a { yield x } else if b { yield y } else { yield z }`: the further conditions stand in the else branch. */
export function branches(env: Env, one: If, rest: readonly IfBranch[]): Meaning {
  const [first, ...others] = rest;
  if (first === undefined) return poisoned;
  const condition = evaluate(env, first.condition);
  if (condition.kind === "bool") return known(env, one, first, others, condition.value);
  const predicate = isPoisoned(condition) ? undefined : conditionOf(env, condition, first.condition.span);
  const [thenScope, elseScope] = [new RegionScope(env.region, false), new RegionScope(env.region, false)];
  const [thenEnv, elseEnv] = [inside(env, thenScope), inside(env, elseScope)];
  const then = yieldsOf(thenEnv, first.body);
  const otherwise = others.length === 0 ? yieldsOf(elseEnv, one.otherwise) : nested(elseEnv, one, others);
  if (then === undefined || otherwise === undefined || predicate === undefined) return poisoned;
  const [left, right] = sameTypes(env, one, { env: thenEnv, items: then }, { env: elseEnv, items: otherwise });
  // Both first: each may add captures.
  const results = [thenScope.close(left), elseScope.close(right)] as const;
  const outside = capturesOf([thenScope, elseScope]);
  const regions = [
    { parameters: thenScope.parametersFor(outside), results: results[0] },
    { parameters: elseScope.parametersFor(outside), results: results[1] },
  ];
  const outputs = applyRegionOp(env, "if", [predicate, ...outside], {}, regions, wordOf(one));
  return outcome(outputs, "if");
}

/** The conditions that follow, as the one statement of an else branch. */
function nested(env: Env, one: If, others: readonly IfBranch[]): readonly Item[] | undefined {
  const meaning = branches(env, one, others);
  if (isPoisoned(meaning)) return undefined;
  const outputs = meaning.kind === "many" ? meaning.outputs : [meaning];
  return outputs.map((output) => ({ meaning: output, span: one.otherwise.span }));
}

/** A condition that the compiler knows (`training`) chooses a branch; the other one is typed and left out. */
function known(env: Env, one: If, first: IfBranch, others: readonly IfBranch[], value: boolean): Meaning {
  const own = (): Env => ({ ...env, names: new Names(env.names, env.region?.depth ?? 0), local: true });
  const [thenEnv, elseEnv] = [own(), own()];
  const then = yieldsOf(thenEnv, first.body);
  const otherwise = others.length === 0 ? yieldsOf(elseEnv, one.otherwise) : nested(elseEnv, one, others);
  if (then === undefined || otherwise === undefined) return poisoned;
  const both = sameTypes(env, one, { env: thenEnv, items: then }, { env: elseEnv, items: otherwise });
  return outcome(value ? both[0] : both[1], "if");
}

/** Elaborates a branch; what its one `yield` gives. */
function yieldsOf(env: Env, block: Block): readonly Item[] | undefined {
  expectNames(env.names, block.statements);
  let found: readonly Item[] | undefined;
  let place: Span | undefined;
  for (const one of block.statements) {
    if (one.kind !== "yield") {
      statement(env, one);
      continue;
    }
    if (place !== undefined) {
      report(env, "G055", one.span, "a branch yields once", {
        notes: [{ span: place, message: "first here" }],
        hint: "`yield a, b` gives several values",
      });
      looseStatement(env, one);
      continue;
    }
    place = one.span;
    found = one.values.map((value) => item(env, value));
  }
  if (found === undefined) {
    // What was not understood may have been the yield.
    const broken = block.statements.some((one) => one.kind === "invalid");
    const end = { ...block.span, start: Math.max(block.span.start, block.span.end - 1) };
    if (!broken) report(env, "G055", end, "this branch yields nothing", { hint: "it ends with `yield value`" });
    return undefined;
  }
  return found.some(({ meaning }) => isPoisoned(meaning)) ? undefined : found;
}

interface Branch {
  readonly env: Env;
  readonly items: readonly Item[];
}

/** The values of both branches, of one type each: a literal takes the dtype of the other side. */
function sameTypes(env: Env, one: If, then: Branch, otherwise: Branch): readonly [readonly Value[], readonly Value[]] {
  if (then.items.length !== otherwise.items.length) {
    const counts = `${then.items.length} and ${otherwise.items.length}`;
    throw refusal(env, "G054", wordOf(one), `the branches of this \`if\` yield ${counts} values`, {
      notes: [then, otherwise].flatMap(({ items: [first] }) =>
        first === undefined ? [] : [{ span: first.span, message: "this branch yields here" }],
      ),
    });
  }
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
    };
    if (!mayBeEqual(a.type, b.type)) {
      const message = `the branches of this \`if\` yield ${typeText(a.type)} and ${typeText(b.type)}`;
      throw refusal(env, "G054", right.span, message, details);
    }
    return [a, restate(otherwise.env, b, a.type, right.span, details)];
  });
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
}
