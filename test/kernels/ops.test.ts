import test from "ava";
import type { Sample } from "../../compiler/ops/samples.js";
import "../../compiler/ops/table.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { type Op, registeredOps } from "../../compiler/ops/define.js";
import { placeholder, runState } from "../../compiler/ops/sources.js";
import { build, computationOf, contextOf, disagreements } from "./support.js";

/** The sample's operands as placeholders: the kernels must agree with the op's reference evaluator. */
function operandsOf(op: Op, sample: Sample): readonly Value[] {
  return sample.inputs.map(({ shape, dtype }, i) => {
    if (op.opName === "random_uniform" && i === 0) return runState();
    const spec = op.operands[Math.min(i, op.operands.length - 1)];
    const fallback: DType = spec?.dtypes.includes("f32") ? "f32" : (spec?.dtypes[0] ?? "f32");
    return placeholder({ name: `x${i}`, dtype: dtype ?? fallback, shape });
  });
}

// Ops with regions are tested by what their bodies hold: control-flow.test.ts.
const skipped = new Set(["placeholder", "variable", "parameter", "gradients", "stop_gradient"]);

for (const [name, op] of registeredOps()) {
  if (skipped.has(name) || op.kernel.kind === "region") continue;
  test(`${name} lowers to kernels that give what the reference gives`, (t) => {
    for (const sample of op.samples) {
      const outputs = op.apply(operandsOf(op, sample), sample.attributes ?? {});
      const named = Object.fromEntries(outputs.map((output, i) => [`y${i}`, output]));
      const computation = computationOf(named);
      const program = build(computation);
      t.deepEqual(verifyKernels(program), [], name);
      const matrices = op.kernel.kind === "routine" && op.kernel.along !== true;
      const context = contextOf(computation, (i, path) =>
        matrices ? wellConditioned(i, path, sample) : (position(i, path, sample) ?? fill(i, name)),
      );
      t.deepEqual(disagreements(computation, program, context), [], JSON.stringify(sample.inputs));
    }
  });
}

/** Operands that are positions stay within what the sample allows (a third of it, as integers are made of thirds). */
function position(i: number, path: string, { inputs }: Sample): number | undefined {
  const input = inputs[Number(path.slice(1))];
  if (input?.fill.kind !== "integers" || input.dtype === undefined) return undefined;
  const { low, high } = input.fill;
  return (low + ((5 * i + 2) % (high - low + 1)) + 0.5) / 3;
}

function fill(position: number, op: string): number {
  if (op === "check_index") return 0.4;
  return [1.5, -0.75, 0.25, 2, -1.25, 0.5, 3, -2][position % 8] as number;
}

/** A symmetric positive definite first operand; anything as the second. */
function wellConditioned(position: number, name: string, sample: Sample): number {
  const size = sample.inputs[name === "x0" ? 0 : 1]?.shape.at(-1) ?? 1;
  const rows = sample.inputs[name === "x0" ? 0 : 1]?.shape.at(-2) ?? 1;
  const [row, column] = [Math.floor(position / size) % rows, position % size];
  return row === column ? size + 2 : 1 / (1 + Math.abs(row - column));
}
