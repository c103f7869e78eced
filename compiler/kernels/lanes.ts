import type { NumericDType } from "../ir/dtype.js";
import { expressionsOfStatement, forEachExpression } from "./access.js";
import type { LoopSchedule, ScalarExpr, Statement } from "./form.js";

/** A loop as it stands: no lanes, one iteration after another. */
export const serial: LoopSchedule = { vector: false, unroll: 1, rows: [] };

/** Bytes of an element in a register: half precision computes in f32, and a bool or a small integer follows the others. */
function registerBytes(dtype: NumericDType): number {
  switch (dtype) {
    case "f32":
    case "f16":
    case "bf16":
    case "i32":
      return 4;
    case "f64":
    case "i64":
      return 8;
    case "i8":
    case "u8":
    case "bool":
      return 1;
  }
}

/** Lanes of a nest's registers: f32 and i32 fill one with 4 bytes a lane (wider values take two); bytes alone use them all. */
export function lanesOfNest(body: readonly Statement[], vectorBytes: number): number {
  let widest = 1;
  let narrow = false;
  const seen = new Set<ScalarExpr>();
  const look = (expression: ScalarExpr): void =>
    forEachExpression(expression, seen, ({ dtype }) => {
      const bytes = registerBytes(dtype);
      if (bytes === 4) narrow = true;
      else widest = Math.max(widest, bytes);
    });
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "loop") {
        visit(statement.body);
        continue;
      }
      expressionsOfStatement(statement).forEach(look);
    }
  };
  visit(body);
  return Math.max(1, Math.floor(vectorBytes / (narrow ? 4 : widest)));
}

/** Lanes of a loop of this extent: a short one takes a part of the register. */
export function lanesAlong(extent: number, registerLanes: number): number {
  return Math.min(registerLanes, 2 ** Math.ceil(Math.log2(Math.max(1, extent))));
}
