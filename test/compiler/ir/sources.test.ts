import test from "ava";
import type { Value } from "../../../compiler/ir/node.js";
import { type SourceScope, SourceTable } from "../../../compiler/ir/sources.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { add, mul } from "../../../compiler/ops/arithmetic.js";
import { tanh } from "../../../compiler/ops/exponential.js";
import { placeholder } from "../../../compiler/ops/sources.js";

const span = (start: number) => ({ file: "a.graph", start, end: start + 1 });
const call: SourceScope = { kind: "call", name: "f", binding: "y", path: "y/f", span: span(0), parent: undefined };

function input(name: string): Value {
  const { dtype, shape } = tensorType("f32", [2]);
  return placeholder({ name, dtype, shape });
}

test("what the text has just made gets its place and call; what had one keeps it", (t) => {
  const sources = new SourceTable();
  const x = input("x");
  sources.write(x, [span(1)], undefined);
  const y = tanh(add(x, x));
  sources.write(y, [span(2)], call);
  t.deepEqual(sources.spansOf(y.node), [span(2)]);
  t.deepEqual(sources.spansOf(y.node.inputs[0]?.node ?? x.node), [span(2)]);
  t.is(sources.scopeOf(y.node), call);
  t.is(sources.scopeOf(x.node), undefined);
  t.deepEqual(sources.spansOf(x.node), [span(1)]);
  t.deepEqual(sources.stemsOf(y.node), [y.node]);
});

test("what takes the place of a node stems from it, over any number of steps", (t) => {
  const sources = new SourceTable();
  const x = input("x2");
  sources.write(x, [span(1)], undefined);
  const y = tanh(x);
  sources.write(y, [span(2)], call);
  const once = mul(y, y);
  sources.inherit(once, y.node);
  const twice = add(once, x);
  sources.inherit(twice, once.node);
  t.deepEqual(sources.stemsOf(twice.node), [y.node]);
  t.deepEqual(sources.spansOf(twice.node), [span(2)]);
  t.is(sources.scopeOf(twice.node), call);
  t.false(sources.isBackward(twice.node));
  // A rule that gives an operand back: x stands for itself, and for what it replaced.
  sources.inherit(x, y.node);
  t.deepEqual(sources.stemsOf(x.node), [x.node, y.node]);
});

test("parts of gradients are marked, and so is what passes make of them", (t) => {
  const sources = new SourceTable();
  const x = input("x3");
  sources.write(x, [span(1)], undefined);
  const y = tanh(x);
  sources.write(y, [span(2)], undefined);
  const cotangent = mul(y, add(y, y));
  const [request, other] = [tanh(y), mul(y, x)];
  sources.write(request, [span(3)], undefined);
  sources.write(other, [span(4)], undefined);
  sources.inheritGradient(cotangent, y.node, request.node);
  const simplified = add(cotangent, cotangent);
  sources.inherit(simplified, cotangent.node);
  t.true(sources.isBackward(cotangent.node) && sources.isBackward(simplified.node));
  t.deepEqual(sources.stemsOf(simplified.node), [y.node]);
  t.false(sources.isBackward(y.node));
  t.deepEqual(sources.requestsOf(simplified.node), [request.node]);
  // What two requests have in common is for both; what the text made is not.
  sources.inheritGradient(cotangent, y.node, other.node);
  sources.inheritGradient(y, x.node, other.node);
  t.deepEqual(sources.requestsOf(cotangent.node), [request.node, other.node]);
  t.deepEqual(sources.requestsOf(y.node), []);
});
