import test from "ava";
import { partsOf } from "../../../compiler/backends/gpu/compile.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";
import { ops } from "../../../compiler/ops/table.js";
import { hasKernel, moduleOf, outputDType, toleranceOf } from "../matrix.js";
import { bindOn, firstDifference, outputsOf, startState } from "../support.js";
import { backendOf } from "./support.js";

const device = "webasm";

for (const op of ops.values()) {
  if (!hasKernel(op)) continue;
  test(`${device}: ${op.opName} gives what the reference gives`, async (t) => {
    const { computation, feeds: given, operands } = moduleOf(op);
    const feeds = new Map([...given].map(([name, data]) => [name, withoutSubnormals(data)]));
    const reference = await bindOn(referenceBackend(), computation);
    const found = await bindOn(await backendOf(device), computation);
    const expected = outputsOf(reference.executable.run(feeds, startState));
    const outcome = await found.executable.runAside(feeds, startState, undefined);
    if (outcome.kind === "interrupted") throw new Error("interrupted");
    const actual = outputsOf(outcome);
    const wrong = computation.outputs.flatMap(({ name, value }, i) => {
      const [got, wanted] = [actual[i], expected[i]];
      if (got === undefined || wanted === undefined) return [`${name} is missing`];
      const dtype = outputDType(value);
      const inputs = operands.get(name) ?? [];
      const { ulps, absolute } = toleranceOf(op, dtype, inputs);
      const tolerance = { ulps, relative: 1e-5, absolute: Math.max(1e-6, absolute), zeroSigns: false };
      const difference = firstDifference(dtype, got, wanted, tolerance);
      if (difference === undefined) return [];
      const shapes = inputs.map((input) => `${input.dtype}[${input.shape.join(", ")}]`).join(", ");
      return [`${name} of ${shapes} with ${JSON.stringify(value.node.attributes)}: ${difference}`];
    });
    t.deepEqual(wrong, []);
    reference.close();
    found.close();
  });
}

/** What the processor does for the target gpu, of operands and results that f32 holds. A new op stands here, or it has kernels. */
const onProcessor: readonly string[] = [
  "cholesky",
  "count_leading_zeros",
  "cummax",
  "cummin",
  "cumprod",
  "cumsum",
  "det",
  "eigh",
  "floor_div",
  "linear_recurrence",
  "mod",
  "popcnt",
  "pow",
  "qr",
  "shift_left",
  "shift_right_arithmetic",
  "shift_right_logical",
  "slogdet",
  "solve",
  "svd",
  "triangular_solve",
];

test("what no kernel is made for, of f32, u8 and bool, is on the list", (t) => {
  const small = new Set(["f32", "u8", "bool"]);
  const found = new Set<string>();
  for (const op of ops.values()) {
    if (!hasKernel(op)) continue;
    for (const { node } of partsOf(moduleOf(op).computation).placement.reasons) {
      const types = [...node.inputs, ...node.outputs].map(({ type }) => type.dtype);
      if (types.every((dtype) => small.has(dtype))) found.add(node.op);
    }
  }
  t.deepEqual([...found].sort(), onProcessor);
});

/** Native code and the reference count subnormals as zeros; devices may do so or not. */
function withoutSubnormals(data: TensorData): TensorData {
  return data instanceof Float32Array ? data.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)) : data;
}
