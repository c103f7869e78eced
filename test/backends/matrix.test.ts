import test from "ava";
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { ops } from "../../compiler/ops/table.js";
import { outputsOf, startState } from "./bound.js";
import { hasKernel, moduleOf, outputDType, toleranceOf } from "./matrix.js";
import { bindBoth, nativeIsAvailable } from "./support.js";
import { firstDifference } from "./tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

for (const op of ops.values()) {
  if (!hasKernel(op)) continue;
  native(`${op.opName} gives natively what the reference gives`, async (t) => {
    const { computation, feeds, operands } = moduleOf(op);
    const both = await bindBoth(computation, new Map(), hostTarget());
    const expected = outputsOf(both.reference.executable.run(feeds, startState));
    const actual = outputsOf(both.native.executable.run(feeds, startState));
    const wrong = computation.outputs.flatMap(({ name, value }, i) => {
      const dtype = outputDType(value);
      const inputs = operands.get(name) ?? [];
      const [found, wanted] = [actual[i], expected[i]];
      if (found === undefined || wanted === undefined) return [`${name} is missing`];
      const difference = firstDifference(dtype, found, wanted, toleranceOf(op, dtype, inputs));
      if (difference === undefined) return [];
      const shapes = inputs.map((input) => `${input.dtype}[${input.shape.join(", ")}]`).join(", ");
      return [`${name} of ${shapes} with ${JSON.stringify(value.node.attributes)}: ${difference}`];
    });
    t.deepEqual(wrong, []);
    t.true(computation.outputs.length > 0);
    both.close();
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
