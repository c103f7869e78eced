import test from "ava";
import { ops } from "../../compiler/ops/table.js";
import { hasKernel, moduleOf } from "./matrix.js";
import { nativeDifferences, nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;

for (const op of ops.values()) {
  if (!hasKernel(op)) continue;
  native(`${op.opName} gives natively what the reference gives`, async (t) => {
    const module = moduleOf(op);
    t.true(module.computation.outputs.length > 0);
    t.deepEqual(await nativeDifferences(module), []);
  });
}

test("every dtype that an op takes for an operand is compared", (t) => {
  for (const op of ops.values()) {
    // The indices of a draw are those of loops: matrix-random.test.ts has them.
    if (!hasKernel(op) || op.opName === "random_uniform") continue;
    const operands = [...moduleOf(op).operands.values()];
    op.operands.forEach((operand, i) => {
      const seen = new Set(
        operands.flatMap((all) => all.slice(i, operand.variadic ? undefined : i + 1)).map(({ dtype }) => dtype),
      );
      t.deepEqual(
        operand.dtypes.filter((dtype) => dtype !== "string" && !seen.has(dtype)),
        [],
        `${op.opName}: ${operand.name}`,
      );
    });
  }
});
