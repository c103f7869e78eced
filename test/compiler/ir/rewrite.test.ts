import test from "ava";
import type { Node, Value } from "../../../compiler/ir/node.js";
import { rewrite } from "../../../compiler/ir/rewrite.js";
import { add, mul, neg } from "../../../compiler/ops/arithmetic.js";
import { exp, log } from "../../../compiler/ops/exponential.js";
import { qr } from "../../../compiler/ops/linear_algebra.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { computationOf, input } from "./support.js";

const x = input("x", "f32", [2]);
const rebuild = (node: Node, inputs: readonly Value[]) => opNamed(node.op).apply(inputs, node.attributes, node.regions);
const byOp = (table: Readonly<Record<string, (input: Value) => Value>>) => (node: Node) => {
  const [input] = node.inputs;
  const replace = table[node.op];
  return replace === undefined || input === undefined ? undefined : [replace(input)];
};

test("a computation without anything to do is the same object", (t) => {
  const computation = computationOf({ y: exp(x) });
  t.is(rewrite(computation, { rebuild, step: () => undefined }), computation);
});

test("users are rebuilt on what their inputs became, and assignments too", (t) => {
  const before = computationOf({ y: add(exp(x), x) }, { w: neg(exp(x)) });
  const after = rewrite(before, { rebuild, step: byOp({ exp: (v) => log(v) }) });
  t.is(after.outputs[0]?.value, add(log(x), x));
  t.is(after.assignments[0]?.value, neg(log(x)));
});

test("what a step builds is rewritten on", (t) => {
  const steps = byOp({ exp: (v) => log(neg(v)), neg: (v) => mul(v, v) });
  t.is(rewrite(computationOf({ y: exp(x) }), { rebuild, step: steps }).outputs[0]?.value, log(mul(x, x)));
});

test("steps that undo each other end", (t) => {
  const seesaw = byOp({ exp: (v) => log(v), log: (v) => exp(v) });
  const result = rewrite(computationOf({ y: exp(x) }), { rebuild, step: seesaw }).outputs[0]?.value;
  t.true(result === exp(x) || result === log(x));
});

test("a step that always grows ends when the fuel is spent", (t) => {
  let steps = 0;
  const grow = (node: Node) => {
    if (node.op !== "neg") return undefined;
    steps++;
    return [neg(exp(node.inputs[0] as Value))];
  };
  rewrite(computationOf({ y: neg(x) }), { rebuild, step: grow, fuel: 50 });
  t.is(steps, 50);
});

test("each output of a node keeps its place", (t) => {
  const a = input("a", "f64", [3, 2]);
  const [q, r] = qr.apply([neg(neg(a))], {}) as [Value, Value];
  const steps = (node: Node) =>
    node.op === "neg" && node.inputs[0]?.node.op === "neg" ? node.inputs[0].node.inputs : undefined;
  const after = rewrite(computationOf({ r, q }), { rebuild, step: steps });
  t.deepEqual(
    after.outputs.map(({ value }) => value.index),
    [1, 0],
  );
  t.is(after.outputs[1]?.value, qr.apply([a], {})[0]);
});
