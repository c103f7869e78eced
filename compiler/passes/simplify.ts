import { type Pass, rules } from "./rule.js";
import { arithmeticRules } from "./simplify-arithmetic.js";
import { logicRules } from "./simplify-logic.js";
import { reductionRules } from "./simplify-reductions.js";
import { canonicalRules, viewRules } from "./simplify-views.js";

export const simplify: Pass = rules(
  "simplify",
  "Algebra that holds for every operand, views merged, and reductions over what need not be reduced.",
  [...viewRules, ...arithmeticRules, ...logicRules, ...reductionRules],
);

/** Safe before gradients are expanded: it changes how constants and broadcasts are spelt, and no arithmetic. */
export const canonicalise: Pass = rules(
  "canonicalise",
  "One spelling for constants, broadcasts and reshapes, which the patterns of the later passes are written for.",
  canonicalRules,
);
