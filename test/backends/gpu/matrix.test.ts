import test from "ava";
import { partsOf } from "../../../compiler/backends/gpu/compile.js";
import { processorOps } from "../../../compiler/backends/gpu/documented.js";
import { ops } from "../../../compiler/ops/table.js";
import { hasKernel, moduleOf } from "../matrix.js";
import { testOps } from "./matrix.js";

testOps(test.serial, "webasm");

test("what no kernel is made for, of f32, u8 and bool, is on the list", (t) => {
  const small = new Set(["f32", "u8", "bool"]);
  const found = new Set<string>();
  for (const op of ops.values()) {
    if (!hasKernel(op)) continue;
    for (const { node } of partsOf(moduleOf(op).computation).placement.reasons) {
      const types = [...node.inputs, ...node.outputs].map(({ type }) => type.dtype);
      if (op.kernel.kind === "routine" || types.every((dtype) => small.has(dtype))) found.add(node.op);
    }
  }
  t.deepEqual([...found].sort(), processorOps);
});
