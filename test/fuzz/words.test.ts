import test from "ava";
import type { Value } from "../../compiler/ir/node.js";
import { placeholder } from "../../compiler/ops/sources.js";
import { ops } from "../../compiler/ops/table.js";
import { computationOf } from "../kernels/support.js";
import { materialise, sampleDTypes } from "../support/samples.js";
import { textFault } from "./compare.js";

/** The run's state as a whole has no name: draws read it, and `global_step` gives its step. The others have no samples of their own. */
const nameless: ReadonlySet<string> = new Set(["run_state"]);

for (const [name, op] of ops) {
  if (op.samples.length === 0 || nameless.has(name)) continue;
  test(`${name} is reached by the language: its samples are what their text means`, (t) => {
    const outputs: Record<string, Value> = {};
    const feeds = new Map();
    op.samples.forEach((sample, at) => {
      const dtypes = sampleDTypes(op);
      const tensors = materialise(sample, dtypes[at % dtypes.length] ?? "f32", at);
      const inputs = tensors.map(({ dtype, shape, data }, i) => {
        feeds.set(`x${at}_${i}`, data);
        return placeholder({ name: `x${at}_${i}`, dtype, shape });
      });
      op.apply(inputs, sample.attributes ?? {}).forEach((value, i) => {
        outputs[`y${at}_${i}`] = value;
      });
    });
    const fault = textFault({ asked: computationOf(outputs), feeds, contents: new Map(), choice: 1 }, false);
    t.deepEqual(fault?.problems ?? [], []);
  });
}
