import test, { type ExecutionContext } from "ava";
import { symbol } from "../../../compiler/ir/dim.js";
import type { Computation } from "../../../compiler/ir/graph.js";
import { internNode, type Node, newRegionParameters, type Value } from "../../../compiler/ir/node.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { type VerifyOptions, verify } from "../../../compiler/ir/verifier.js";
import { add, neg } from "../../../compiler/ops/arithmetic.js";
import { exp } from "../../../compiler/ops/exponential.js";
import { stopGradient } from "../../../compiler/ops/pseudo.js";
import { opNamed, ops } from "../../../compiler/ops/table.js";
import { computationOf, input, state } from "./support.js";

const x = input("x", "f32", [2]);

function finds(t: ExecutionContext, computation: Computation, message: RegExp, options?: VerifyOptions): void {
  const diagnostics = verify(computation, ops, options);
  t.true(
    diagnostics.some((diagnostic) => message.test(diagnostic.message)),
    diagnostics.map((d) => d.message).join("\n") || "nothing found",
  );
}

const raw = (op: string, inputs: readonly Value[], shape: readonly number[] = [2], attributes = {}): Value =>
  internNode(op, inputs, attributes, [], [tensorType("f32", shape)]).outputs[0] as Value;

test("a well-formed computation has no problems", (t) => {
  const w = state("w", "f32", [2]);
  t.deepEqual(verify(computationOf({ y: exp(x) }, { w: add(w, x) }), ops), []);
});

test("unknown ops, wrong operands and types that do not follow are found", (t) => {
  finds(t, computationOf({ y: raw("frobnicate", [x]) }), /frobnicate: there is no such op/);
  finds(t, computationOf({ y: raw("add", [x]) }), /add takes 2 operands, not 1/);
  finds(t, computationOf({ y: raw("add", [x, x], [3]) }), /has the type f32\[3\], but its operands give f32\[2\]/);
  finds(t, computationOf({ y: raw("add", [x, input("n", "i64", [2])]) }), /one dtype/);
  finds(t, computationOf({ y: raw("sum", [x], [2], { axes: [7] }) }), /no axis 7/);
  finds(t, computationOf({ y: raw("sum", [x], [], {}) }), /needs the attribute `axes`/);
});

test("the faulty node is shown between its neighbours", (t) => {
  let y = x;
  for (let i = 0; i < 6; i++) y = neg(exp(y));
  const wrong = raw("add", [y, y], [3]);
  const after = raw("exp", [wrong], [3]);
  const [diagnostic] = verify(computationOf({ y: after }), ops);
  t.is(diagnostic?.notes.length, 5);
  t.true(diagnostic?.notes.some(({ message }) => message === "> %13 = add(%12, %12) : f32[3]"));
  t.true(diagnostic?.notes.some(({ message }) => message === "  %14 = exp(%13) : f32[3]"));
});

test("edges that belong to another node and cycles are found", (t) => {
  finds(t, computationOf({ y: { node: x.node, index: 0, type: x.type } }), /an edge is no output of its node/);
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const node: Node = { id: -1, op: "neg", inputs, attributes: {}, regions: [], outputs, device: undefined };
  outputs.push({ node, index: 0, type: x.type });
  inputs.push(...outputs);
  finds(t, { ...computationOf({ x }), outputs: [{ name: "y", value: outputs[0] as Value }] }, /cycle/);
});

test("parameters are listed with their types", (t) => {
  const good = computationOf({ y: exp(x) });
  finds(t, { ...good, placeholders: [] }, /"x" is not listed/);
  finds(t, { ...good, placeholders: [{ name: "x", type: tensorType("f32", [3]) }] }, /"x" is listed as f32\[3\]/);
  finds(t, { ...good, placeholders: [...good.placeholders, ...good.placeholders] }, /"x" is listed twice/);
  finds(t, { ...good, outputs: [...good.outputs, ...good.outputs] }, /output "y" is listed twice/);
});

test("assignments fit their variables", (t) => {
  const good = computationOf({}, { w: x });
  t.deepEqual(verify(good, ops), []);
  finds(t, { ...good, variables: [] }, /"w" is assigned, but is none of the variables/);
  finds(
    t,
    { ...good, variables: [{ name: "w", type: tensorType("f64", [2]) }] },
    /"w" of type f64\[2\] is assigned a f32\[2\]/,
  );
});

test("pseudo-ops and symbolic dims are found where they must be gone", (t) => {
  const pseudo = computationOf({ y: stopGradient(x) });
  t.deepEqual(verify(pseudo, ops), []);
  finds(t, pseudo, /left over after differentiation/, { differentiated: true });
  const symbolic = computationOf({ y: exp(input("s", "f32", [symbol("N")])) });
  t.deepEqual(verify(symbolic, ops), []);
  finds(t, symbolic, /still symbolic/, { specialised: true });
});

test("a region's parameter is used only inside it", (t) => {
  const [parameter] = newRegionParameters([tensorType("f32")]) as [Value];
  finds(t, computationOf({ y: exp(parameter) }), /parameter is used outside it/);
  const [index, element] = newRegionParameters([tensorType("i64"), tensorType("f32")]) as [Value, Value];
  const attributes = { captures: 0, sequences: 1, length: [2], reverse: false, checkpoint: false };
  const body = { parameters: [index, element], results: [exp(element)] };
  const [stack] = opNamed("scan").apply([x], attributes, [body]) as [Value];
  t.deepEqual(verify(computationOf({ y: stack }), ops), []);
  finds(t, computationOf({ y: stack, z: exp(element) }), /parameter is used outside it/);
});

test("the number of problems is bounded", (t) => {
  const outputs = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`y${i}`, raw("nothing", [x], [2], { i })]));
  t.is(verify(computationOf(outputs), ops).length, 100);
});
