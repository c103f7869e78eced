import test from "ava";
import { isFloat } from "../../compiler/ir/dtype.js";
import { ops } from "../../compiler/ops/table.js";
import { agree, slopes } from "../support/gradient-check.js";
import { materialise, sampleDTypes } from "../support/samples.js";

for (const op of ops.values()) {
  const takesFloats = op.operands.some((operand) => operand.dtypes.some(isFloat));
  // Ops with regions have their gradients checked in control-flow.test.ts.
  if (!op.differentiable || !takesFloats || op.kernel.kind === "region") continue;

  test(`${op.opName}: first and second gradients equal central differences on every sample`, (t) => {
    const checked = op.samples.filter((sample) => sample.differentiable !== false);
    checked.forEach((sample, number) => {
      t.true(sampleDTypes(op).includes("f64"));
      const inputs = materialise(sample, "f64", number);
      const { first, second } = slopes(inputs, (values) => op.apply(values, sample.attributes ?? {}), number);
      t.true(agree(first), `sample ${number}, first order: ${JSON.stringify(first)} ${JSON.stringify(sample)}`);
      t.true(agree(second), `sample ${number}, second order: ${JSON.stringify(second)} ${JSON.stringify(sample)}`);
    });
    t.true(checked.length > 0);
  });
}
