import test from "ava";
import type { Value } from "../../../compiler/ir/node.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { ops } from "../../../compiler/ops/table.js";
import { foldConstants, foldSplats } from "../../../compiler/passes/fold.js";
import { type Rule, rules } from "../../../compiler/passes/rule.js";
import { arithmeticRules } from "../../../compiler/passes/simplify-arithmetic.js";
import { logicRules } from "../../../compiler/passes/simplify-logic.js";
import { reductionRules } from "../../../compiler/passes/simplify-reductions.js";
import { viewRules } from "../../../compiler/passes/simplify-views.js";
import { stableRules } from "../../../compiler/passes/stabilise.js";
import { computationOf } from "../ir/support.js";
import type { Row } from "./rows.js";
import { arithmeticRows } from "./rows-arithmetic.js";
import { logicRows } from "./rows-logic.js";
import { reductionRows } from "./rows-reductions.js";
import { stableRows } from "./rows-stable.js";
import { viewRows } from "./rows-views.js";
import { contextFor, sameResults, tame, wild } from "./support.js";

const tables: readonly { readonly rules: readonly Rule[]; readonly rows: readonly Row[] }[] = [
  { rules: [...viewRules, foldSplats, foldConstants], rows: viewRows },
  { rules: arithmeticRules, rows: arithmeticRows },
  { rules: logicRules, rows: logicRows },
  { rules: reductionRules, rows: reductionRows },
  { rules: stableRules((shift) => shift), rows: stableRows },
];

/** The value after one rule alone has been applied as often as it can be, and how often that was. */
function applied(rule: Rule, value: Value): { readonly result: Value; readonly times: number } {
  let times = 0;
  const after = rules("alone", "", [rule]).run(computationOf({ y: value }), () => times++);
  return { result: after.outputs[0]?.value ?? value, times };
}

for (const { rules: table, rows } of tables) {
  for (const rule of table) {
    const own = rows.filter((row) => row.rule === rule.name);
    test(`${rule.name} has rows and keeps the values`, (t) => {
      t.true(own.length > 0, `the rule ${rule.name} has no row`);
      for (const row of own) {
        const { result, times } = applied(rule, row.before);
        if (row.declines === true) {
          t.is(times, 0, `${rule.name} should decline`);
          t.is(result, row.before);
          continue;
        }
        t.true(times > 0, `${rule.name} did not fire`);
        if (row.after !== undefined) t.is(result, row.after, `${rule.name} gave another form`);
        const [before, after] = [computationOf({ y: row.before }), computationOf({ y: result })];
        t.deepEqual(verify(after, ops), []);
        const fillers = row.filler === undefined ? [tame, wild] : [row.filler];
        for (const [seed, filler] of fillers.entries()) {
          sameResults(t, before, after, contextFor(before, seed + 1, filler), row.tolerance, rule.name);
        }
      }
    });
  }
  const names = new Set(table.map((rule) => rule.name));
  for (const row of rows) {
    if (!names.has(row.rule)) test(`there is a rule ${row.rule}`, (t) => t.fail("a row names no rule"));
  }
  test(`the ${rows[0]?.rule} table names each rule once`, (t) => t.is(names.size, table.length));
}
