import test from "ava";
import fc from "fast-check";
import { type Dim, substituteDim, symbol } from "../../compiler/ir/dim.js";
import type { Attributes } from "../../compiler/ir/node.js";
import { tensorType, typeText } from "../../compiler/ir/type.js";
import type { Op } from "../../compiler/ops/define.js";
import { OpError } from "../../compiler/ops/op_error.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { choices, drawnSample, draws, sampledOps, sampleText } from "../support/draws.js";
import { sampleDTypes } from "../support/samples.js";

/** Regions are of the types of their sample, and the state of a run is three numbers. */
const numbersOnly: ReadonlySet<string> = new Set(["scan", "while", "if", "random_uniform"]);

for (const op of sampledOps) {
  if (numbersOnly.has(op.opName) || op.operands.length === 0) continue;

  test(`${op.opName}: its shape rule gives for declared dims what it gives for the sizes they are bound to`, (t) => {
    let compared = 0;
    fc.assert(
      fc.property(choices, (numbers) => {
        const sample = drawnSample(op, numbers);
        const found = inferSymbolic(op, sample);
        if (found === undefined) return;
        compared++;
        const wanted = infer(op, sample, (size) => size).map(typeText);
        if (found.join() !== wanted.join())
          throw new Error(`${found.join(", ")}, not ${wanted.join(", ")}, of ${sampleText(op, sample, "f32")}`);
      }),
      draws(20),
    );
    t.true(compared > 0);
  });
}

function infer(op: Op, { inputs, attributes = {} }: Sample, size: (size: number) => Dim) {
  const fallback = sampleDTypes(op)[0] ?? "f32";
  const types = inputs.map(({ shape, dtype = fallback }) => tensorType(dtype, shape.map(size)));
  const given: Attributes = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) =>
      op.schema[name] === "dims" && ["shape", "sizes", "limit"].includes(name)
        ? [name, (value as readonly number[]).map(size)]
        : [name, value],
    ),
  );
  return op.infer(types, given);
}

/** With a dim in place of each size from 2 on; undefined where the rule cannot decide without the numbers. */
function inferSymbolic(op: Op, sample: Sample): readonly string[] | undefined {
  const bindings = new Map<string, number>();
  const named = (size: number): Dim => {
    if (size < 2) return size;
    bindings.set(`D${size}`, size);
    return symbol(`D${size}`);
  };
  try {
    return infer(op, sample, named).map((type) =>
      typeText(
        tensorType(
          type.dtype,
          type.shape.map((dim) => substituteDim(dim, bindings)),
        ),
      ),
    );
  } catch (error) {
    if (error instanceof OpError) return undefined;
    throw error;
  }
}
