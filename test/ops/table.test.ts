import { isDeepStrictEqual } from "node:util";
import test from "ava";
import fc from "fast-check";
import { describeCode } from "../../compiler/ir/codes/catalogue.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape, tensorType } from "../../compiler/ir/type.js";
import { add, div, mul } from "../../compiler/ops/arithmetic.js";
import { checkIndex } from "../../compiler/ops/checks.js";
import { type Op, ReferenceFailure } from "../../compiler/ops/define.js";
import { select } from "../../compiler/ops/logic.js";
import { OpError } from "../../compiler/ops/op_error.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { binaryScalars, ternaryScalars, unaryScalars } from "../../compiler/ops/scalar.js";
import { opNamed, ops } from "../../compiler/ops/table.js";
import { choices, drawnSample, draws, sampledOps, sampleText } from "../support/draws.js";
import { applied, elementsOf, placeholdersFor, vector } from "../support/evaluate.js";
import { isMadeOf, materialise, sampleDTypes } from "../support/samples.js";

test("each op has a manual entry, and each scalar function an op that is made of it", (t) => {
  const scalars = new Set<string>();
  for (const [name, op] of ops) {
    t.is(name, op.opName);
    t.regex(op.doc, /^[^ ].*\.$/s, name);
    if (op.kernel.kind === "elementwise") scalars.add(op.kernel.scalar);
  }
  // `identity` is what kernels make of a copy.
  t.deepEqual([...scalars, "identity"].sort(), [...unaryScalars, ...binaryScalars, ...ternaryScalars].sort());
  t.throws(() => opNamed("__proto__"), { message: /no op named/ });
});

/** Throws where the op does not evaluate to what its shape rule promises. */
function evaluateAsPromised(op: Op, sample: Sample, dtype: NumericDType, seed: number): void {
  const inputs = materialise(sample, dtype, seed);
  const { attributes = {}, regions = () => [] } = sample;
  const promised = op
    .infer(
      inputs.map((input) => tensorType(input.dtype, input.shape)),
      attributes,
      regions(placeholdersFor(inputs)),
    )
    .map((type) => `${type.dtype}[${staticShape(type).join(", ")}]`);
  const outputs = applied(op, inputs, attributes, regions);
  const found = outputs.map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`);
  const isWhole = outputs.every(({ data, shape }) => data.length === elementCount(shape));
  if (isWhole && isDeepStrictEqual(found, promised)) return;
  throw new Error(`${found.join(", ")}, not ${promised.join(", ")}, of ${sampleText(op, sample, dtype)}`);
}

for (const op of sampledOps) {
  test(`${op.opName}: every sample evaluates in every dtype to what infer promises`, (t) => {
    for (const dtype of sampleDTypes(op)) {
      for (const [number, sample] of op.samples.entries()) evaluateAsPromised(op, sample, dtype, number);
    }
    fc.assert(
      fc.property(choices, fc.constantFrom(...sampleDTypes(op)), fc.nat(), (numbers, dtype, seed) => {
        const sample = drawnSample(op, numbers);
        if (isMadeOf(sample, dtype)) evaluateAsPromised(op, sample, dtype, seed);
      }),
      draws(20),
    );
    t.pass();
  });
}

test("the sample ranks go from 0 to 5, and sizes 0 and 1 are among them, for every element-wise op", (t) => {
  for (const op of ops.values()) {
    if (op.kernel.kind !== "elementwise") continue;
    const shapes = op.samples.flatMap((sample) => sample.inputs.map((input) => input.shape));
    for (const rank of [0, 1, 2, 3, 4, 5])
      t.true(
        shapes.some((shape) => shape.length === rank),
        `${op.opName} of rank ${rank}`,
      );
    t.true(shapes.some((shape) => shape.includes(0)));
    t.true(shapes.some((shape) => shape.includes(1)));
  }
});

const refusals: readonly (readonly [string, () => unknown, string, number | undefined, RegExp])[] = [
  [
    "shapes",
    () => add.infer([tensorType("f32", [3]), tensorType("f32", [4])], {}),
    "G020",
    1,
    /add of f32\[3\] and f32\[4\]/,
  ],
  ["dtypes", () => mul.infer([tensorType("f32"), tensorType("i64")], {}), "G022", 1, /not f32 and i64/],
  ["a dtype", () => div.infer([tensorType("i64"), tensorType("i64")], {}), "G024", 0, /div does not take i64 for `x`/],
  [
    "a condition",
    () => select.infer([tensorType("f32"), tensorType("f32"), tensorType("f32")], {}),
    "G024",
    0,
    /`condition`/,
  ],
  ["a count", () => add.infer([tensorType("f32")], {}), "G030", undefined, /takes 2 operands, not 1/],
  [
    "a missing attribute",
    () => checkIndex.infer([tensorType("i64")], {}),
    "G030",
    undefined,
    /needs the attribute `size`/,
  ],
  [
    "an attribute's kind",
    () => checkIndex.infer([tensorType("i64")], { size: 3 }),
    "G031",
    undefined,
    /must be a shape/,
  ],
  [
    "an attribute too many",
    () => add.infer([tensorType("f32"), tensorType("f32")], { axis: 1 }),
    "G030",
    undefined,
    /no attribute `axis`/,
  ],
];

for (const [what, attempt, code, operand, message] of refusals) {
  test(`${what}: refused with a code of the catalogue and the operand at fault`, (t) => {
    const error = t.throws(attempt, { instanceOf: OpError, message });
    t.is(error?.code, code as NonNullable<typeof error>["code"]);
    t.is(error?.operand, operand);
    t.truthy(describeCode(code));
  });
}

test("check_index passes what is in range and fails the run on the rest", (t) => {
  t.deepEqual(elementsOf(checkIndex, [vector("u8", 0, 9)], { size: [10] }), [0, 9]);
  for (const x of [vector("i64", 0, 10), vector("i32", -1), vector("i64", 2n ** 40n)]) {
    const failure = t.throws(() => elementsOf(checkIndex, [x], { size: [10] }), { instanceOf: ReferenceFailure });
    t.is(failure?.code, "G086");
    t.regex(failure?.message ?? "", /index (10|-1|1099511627776) is out of range: it must be from 0 to 9/);
  }
});
