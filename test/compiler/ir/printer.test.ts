import test from "ava";
import fc from "fast-check";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import { addDims, type Dim, dimText, floorDivideDims, multiplyDims, symbol } from "../../../compiler/ir/dim.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { internNode, newRegionParameters, type Value } from "../../../compiler/ir/node.js";
import { parseComputation } from "../../../compiler/ir/parser.js";
import { printComputation } from "../../../compiler/ir/printer.js";
import { allocate, type Tensor } from "../../../compiler/ir/tensor.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { add, mul } from "../../../compiler/ops/arithmetic.js";
import { fill, literal } from "../../../compiler/ops/build.js";
import { qr } from "../../../compiler/ops/linear_algebra.js";
import { anyDType } from "../../../compiler/ops/operands.js";
import { constant } from "../../../compiler/ops/sources.js";
import { ops } from "../../../compiler/ops/table.js";
import { reshape } from "../../../compiler/ops/views.js";
import { computationOf, input, state } from "./support.js";

const N = symbol("N");

test("a computation prints line by line, inputs first, with sorted attributes", (t) => {
  const image = input("image", "f32", [N, 2, 3]);
  const w = state("dense/w", "f32", [6]);
  const pixels = reshape(image, { shape: [N, 6] });
  const step = mul(w, fill(w.type, 0.1));
  t.is(
    printComputation(computationOf({ "metrics.pixels": pixels }, { "dense/w": add(w, step) }, "fit")),
    `computation fit(image: f32[N, 2, 3]) {
  variable "dense/w": f32[6]
  %0 = placeholder() {dtype = "f32", name = "image", shape = [N, 2, 3]} : f32[N, 2, 3]
  %1 = reshape(%0) {shape = [N, 6]} : f32[N, 6]
  %2 = variable() {dtype = "f32", path = "dense/w", shape = [6]} : f32[6]
  %3 = constant() {value = f32(0.1)} : f32
  %4 = broadcast_in_dim(%3) {axes = [], shape = [6]} : f32[6]
  %5 = mul(%2, %4) : f32[6]
  %6 = add(%2, %5) : f32[6]
  assign "dense/w" = %6
  return "metrics.pixels" = %1
}
`,
  );
});

test("numbers do not depend on what else the process has built", (t) => {
  const build = () => printComputation(computationOf({ y: add(input("a", "f64"), input("b", "f64")) }));
  const before = build();
  add(input("other", "f64"), input("a", "f64"));
  t.is(build(), before);
});

test("hostile names are quoted and come back", (t) => {
  for (const name of ["__proto__", 'a"b', "../x", "line\nbreak", "\\", "", "\ud800", "%0", "graph"]) {
    const text = printComputation(computationOf({ [`out ${name}`]: input(name, "f32") }, {}, name));
    const parsed = parseComputation(text);
    t.is(parsed.name, name);
    t.is(parsed.placeholders[0]?.name, name);
    t.is(parsed.outputs[0]?.name, `out ${name}`);
    t.is(parsed.outputs[0]?.value, input(name, "f32"));
  }
});

test("special floats keep their bits", (t) => {
  const data = new Float32Array(
    new Uint32Array([0x7fc00000, 0xffc00001, 0x7f800001, 0x80000000, 0xff800000, 1, 0x3dcccccd]).buffer,
  );
  const value = constant({ value: { dtype: "f32", shape: [7], data } });
  const text = printComputation(computationOf({ value }));
  t.true(text.includes("f32[7](nan, nan:0xffc00001, nan:0x7f800001, -0, -inf, 1.4e-45, 0.1)"), text);
  t.is(parseComputation(text).outputs[0]?.value, value);
});

test("equal elements are printed once; long constants are shortened for people only", (t) => {
  const zeros = literal("f32", [784, 10], new Float32Array(7840));
  t.true(printComputation(computationOf({ zeros })).includes("value = f32[784, 10] splat 0}"));
  t.is(parseComputation(printComputation(computationOf({ zeros }))).outputs[0]?.value, zeros);
  const many = literal(
    "i64",
    [100],
    Array.from({ length: 100 }, (_, i) => i),
  );
  const shortened = printComputation(computationOf({ many }), { elide: 10 });
  t.true(shortened.includes("i64[100](0, 1, 2, ... 97 more)"), shortened);
  const error = t.throws(() => parseComputation(shortened), { instanceOf: GraphError });
  t.regex(error?.message ?? "", /shortened/);
});

test("several results and regions have names of their own", (t) => {
  const [q, r] = qr.apply([input("a", "f64", [3, 2])], {}) as [Value, Value];
  const outer = input("x", "f32", [4]);
  const [carry, item] = newRegionParameters([tensorType("f32"), tensorType("f32")]) as [Value, Value];
  const scan = internNode(
    "scan",
    [outer],
    { reverse: false },
    [{ parameters: [carry, item], results: [add(carry, item)] }],
    [tensorType("f32")],
  );
  const text = printComputation(computationOf({ q, r, last: scan.outputs[0] as Value }));
  t.regex(text, /%1, %2 = qr\(%0\) : \(f64\[3, 2\], f64\[2, 2\]\)/);
  t.regex(
    text,
    / {2}%4 = scan\(%3\) \{reverse = false\} : f32 \{\n {4}\(%5: f32, %6: f32\) \{\n {6}%7 = add\(%5, %6\) : f32\n {6}yield %7\n {4}\}\n {2}\}/,
  );
  t.is(printComputation(parseComputation(text)), text);
});

const dims: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: -9, max: 99 }),
    fc.constantFrom<Dim[]>(symbol("N"), symbol("M"), symbol("batch_2")),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => multiplyDims(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => (b === 0 ? a : floorDivideDims(a, b))),
  ),
})).dim;

test("a dim reads back as the same canonical dim", (t) => {
  fc.assert(
    fc.property(dims, (dim) => {
      const value = internNode("opaque", [], { dims: [dim, 0] }, [], [tensorType("f32", [dim])]).outputs[0] as Value;
      const parsed = parseComputation(printComputation(computationOf({ value }))).outputs[0]?.value;
      t.is(parsed, value, dimText(dim));
    }),
    { numRuns: 300 },
  );
});

const literals: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(anyDType as readonly NumericDType[])),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    fc.infiniteStream(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  )
  .map(([dtype, shape, stream]) => {
    const data = allocate(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    const bytes = new Uint8Array(data.buffer);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = Number(stream.next().value & 0xffn) & (dtype === "bool" ? 1 : 0xff);
    return { dtype, shape, data };
  });

const attributes = fc.letrec<{ attribute: unknown }>((tie) => ({
  attribute: fc.oneof(
    { maxDepth: 3 },
    fc.boolean(),
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    dims,
    literals,
    fc.array(tie("attribute"), { maxLength: 4 }),
  ),
})).attribute;

test("print, parse, print is the identity, whatever the attributes", (t) => {
  fc.assert(
    fc.property(attributes, fc.array(dims, { maxLength: 3 }), (attribute, shape) => {
      const [first, second] = internNode(
        "opaque",
        [],
        { a: attribute as never },
        [],
        [tensorType("f32", shape), tensorType("bool")],
      ).outputs;
      const text = printComputation(computationOf({ first: first as Value, second: second as Value }));
      const parsed = parseComputation(text);
      t.is(parsed.outputs[0]?.value, first, text);
      t.is(printComputation(parsed), text);
    }),
    { numRuns: 400 },
  );
});

test("the sample applications of every op come back as the same nodes", (t) => {
  let applied = 0;
  for (const op of ops.values()) {
    for (const sample of op.samples) {
      const operands = sample.inputs.map(({ shape, dtype }, i) =>
        input(`x${i}`, dtype ?? op.operands[Math.min(i, op.operands.length - 1)]?.dtypes[0] ?? "f32", shape),
      );
      let outputs: readonly Value[];
      try {
        outputs = op.apply(operands, sample.attributes ?? {});
      } catch {
        continue; // The generated op tests choose dtypes with care; here the first allowed one is enough.
      }
      const computation = computationOf(Object.fromEntries(outputs.map((value, i) => [`y${i}`, value])));
      const parsed = parseComputation(printComputation(computation), { ops });
      t.deepEqual(
        parsed.outputs.map(({ value }) => value),
        outputs,
      );
      applied++;
    }
  }
  t.true(applied > 300, `${applied} samples`);
});

test("random graphs with shared parts come back, in the same order", (t) => {
  const step = fc.tuple(fc.boolean(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const pool: Value[] = [input("a", "f32", [N]), input("b", "f32", [N]), state("c", "f32")];
      for (const [binary, left, right] of steps) {
        const [x, y] = [pool[left % pool.length] as Value, pool[right % pool.length] as Value];
        pool.push(binary && x.type.shape.length === y.type.shape.length ? add(x, y) : mul(x, x));
      }
      const computation = computationOf(
        { last: pool.at(-1) as Value, middle: pool[pool.length >> 1] as Value },
        { c: pool[2] as Value },
      );
      const text = printComputation(computation);
      const parsed = parseComputation(text, { ops });
      t.is(printComputation(parsed), text);
      t.true(parsed.outputs.every(({ value }, i) => value === computation.outputs[i]?.value));
      t.deepEqual(verify(parsed, ops), []);
    }),
  );
});
