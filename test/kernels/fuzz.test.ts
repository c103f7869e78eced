import test from "ava";
import fc from "fast-check";
import "../../compiler/ops/table.js";
import type { Value } from "../../compiler/ir/node.js";
import { staticShape } from "../../compiler/ir/type.js";
import { printKernels } from "../../compiler/kernels/printer.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, maximum, mod, mul, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal } from "../../compiler/ops/build.js";
import { dotGeneral } from "../../compiler/ops/contraction.js";
import { cast } from "../../compiler/ops/conversion.js";
import { dynamicSlice, dynamicUpdateSlice } from "../../compiler/ops/dynamic_slices.js";
import { sigmoid, tanh } from "../../compiler/ops/exponential.js";
import { gather, scatter } from "../../compiler/ops/indexing.js";
import { randomUniform } from "../../compiler/ops/random.js";
import { argmax, max, sum } from "../../compiler/ops/reduction.js";
import { placeholder, runState, variable } from "../../compiler/ops/sources.js";
import { concatenate, iota, pad } from "../../compiler/ops/structure.js";
import { broadcastInDim, reshape, reverse, slice, transpose } from "../../compiler/ops/views.js";
import { Choices } from "../backends/choices.js";
import { withRegion } from "../backends/graph_regions.js";
import { avx2, avx512, build, computationOf, disagreements } from "./support.js";

const sizes = [1, 2, 3, 5, 4, 0, 17];

function source(choices: Choices, number: number): Value {
  const rank = choices.below(4);
  const shape = Array.from({ length: rank }, () => choices.of(sizes));
  const name = `s${number}`;
  return choices.below(2) === 0
    ? placeholder({ name, dtype: "f64", shape })
    : variable({ path: name, dtype: "f64", shape });
}

/** Loops and branches, whose bodies are made by the same steps, and may have such in them. */
function region(choices: Choices, values: readonly Value[], exact: Set<Value>, depth: number): readonly Value[] {
  const grow = (parameters: readonly Value[], indices: readonly Value[], steps: number): readonly Value[] => {
    const counts = indices.map((index) => cast(index, { to: "f64" }));
    const inner = [...parameters.filter(({ type }) => type.dtype === "f64"), ...counts];
    for (let number = 0; number < steps && inner.length > 0; number++) {
      const nested = depth < 2 && choices.below(8) === 0;
      const made = nested ? region(choices, inner, exact, depth + 1) : [step(choices, inner, number, true)];
      inner.push(...made.filter(isSmall));
    }
    return [...parameters.filter(({ type }) => type.dtype !== "f64"), ...inner];
  };
  const made = withRegion(choices, { values, exact, tooLarge, grow });
  return made.flatMap(({ value }) => (value.type.dtype === "f64" ? [value] : []));
}

function isSmall({ type }: Value): boolean {
  return staticShape(type).reduce((product, size) => product * size, 1) <= tooLarge && type.shape.length < 6;
}

/** One more value on top of `values`; all of f64, so that the order of sums does not matter for the comparison. */
function step(choices: Choices, values: readonly Value[], number: number, isInside = false): Value {
  const x = choices.of(values);
  const shape = staticShape(x.type);
  const axes = shape.map((_, axis) => axis);
  // What a region draws of would be a capture.
  switch (choices.below(isInside ? 18 : 19)) {
    case 0:
      return choices.of([tanh, sigmoid])(x);
    case 1: {
      const partner = values.filter((value) => staticShape(value.type).join() === shape.join());
      return choices.of([add, mul, sub, maximum])(x, choices.of(partner));
    }
    case 2:
      return sum(x, { axes: axes.filter(() => choices.below(2) === 0) });
    case 3:
      return shape.includes(0) ? x : max(x, { axes: axes.filter(() => choices.below(2) === 0) });
    case 4: {
      // Back to the shape it was summed from: the pattern of softmax and normalisation.
      if (shape.length === 0) return tanh(x);
      const axis = choices.below(shape.length);
      const row = sum(x, { axes: [axis] });
      return sub(x, broadcastInDim(row, { shape, axes: axes.filter((other) => other !== axis) }));
    }
    case 5: {
      const extra = choices.of(sizes);
      const at = choices.below(shape.length + 1);
      return broadcastInDim(x, {
        shape: [...shape.slice(0, at), extra, ...shape.slice(at)],
        axes: axes.map((axis) => (axis < at ? axis : axis + 1)),
      });
    }
    case 6:
      return transpose(x, { permutation: [...axes].sort((a, b) => ((a * 7 + number) % 5) - ((b * 7 + number) % 5)) });
    case 7: {
      const start = shape.map((size) => choices.below(size + 1));
      const strides = shape.map(() => 1 + choices.below(2));
      return slice(x, { start, limit: shape, strides });
    }
    case 8:
      return reverse(x, { axes: axes.filter(() => choices.below(2) === 0) });
    case 9:
      return reshape(x, { shape: reshaped(choices, shape) });
    case 10: {
      if (shape.length === 0) return sigmoid(x);
      const axis = choices.below(shape.length);
      return concatenate([x, tanh(x), x], { axis });
    }
    case 11:
      return pad(x, literal("f64", [], [0.5]), {
        low: shape.map(() => choices.below(4) - 1),
        high: shape.map((size) => choices.below(3) + (size === 0 ? 1 : 0)),
        interior: shape.map(() => choices.below(2)),
      });
    case 12: {
      const partner = choices.of(values);
      const other = staticShape(partner.type);
      const pairs = shape.flatMap((size, axis) =>
        other.flatMap((size2, axis2) => (size === size2 ? [[axis, axis2] as const] : [])),
      );
      const pair = pairs.length === 0 ? undefined : choices.of(pairs);
      return dotGeneral(x, partner, {
        lhs_batch: [],
        rhs_batch: [],
        lhs_contract: pair === undefined ? [] : [pair[0]],
        rhs_contract: pair === undefined ? [] : [pair[1]],
      });
    }
    case 13: {
      if (shape.length === 0 || shape.includes(0)) return x;
      return cast(argmax(x, { axis: choices.below(shape.length) }), { to: "f64" });
    }
    case 15:
    case 16: {
      const { axes: indexed, indices } = indicesFor(choices, values, shape);
      if (indices.length === 0) return x;
      const read = gather(x, indices, { axes: indexed });
      if (staticShape(read.type).reduce((product, size) => product * size, 1) > tooLarge) return x;
      if (choices.below(2) === 0) return read;
      return scatter(x, tanh(read), indices, { axes: indexed, combiner: choices.of(["add", "set", "max", "mul"]) });
    }
    case 17: {
      const sizes = shape.map((size) => Math.max(0, size - choices.below(3)));
      const starts = shape.map((size, axis) => literal("i64", [], [choices.below(size - (sizes[axis] ?? 0) + 1)]));
      const box = dynamicSlice(x, starts, { sizes });
      return choices.below(2) === 0 ? box : dynamicUpdateSlice(x, sigmoid(box), starts);
    }
    case 14:
      return shape.length === 0 ? x : add(x, iota({ dtype: "f64", shape, axis: choices.below(shape.length) }));
    default:
      return mul(x, randomUniform(runState(), [], { path: `r${number}`, index: 0, dtype: "f64", shape }));
  }
}

/** Positions that come from feeds, variables and counting, brought inside; some along all axes, as `take_along_axis` has them. */
function indicesFor(choices: Choices, values: readonly Value[], shape: readonly number[]) {
  if (shape.length === 0 || shape.includes(0)) return { axes: [], indices: [] };
  const within = (index: Value, size: number): Value =>
    mod(index, broadcastScalar(literal("i64", [], [size]), index.type.shape));
  const axes = shape.map((_, axis) => axis);
  if (choices.below(3) === 0) {
    const turned = choices.below(shape.length);
    const counts = axes.map((axis) => iota({ dtype: "i64", shape, axis }));
    const all = counts.reduce((a, b) => add(a, b));
    return { axes, indices: counts.map((count, axis) => (axis === turned ? within(all, shape[axis] ?? 1) : count)) };
  }
  const known = values.filter(({ node }) => ["placeholder", "variable", "parameter"].includes(node.op));
  if (known.length === 0) return { axes: [], indices: [] };
  const from = choices.of(known);
  const thirds = mul(from, broadcastScalar(literal("f64", [], [3.7]), from.type.shape));
  const chosen = axes.filter(() => choices.below(2) === 0);
  return {
    axes: chosen,
    indices: chosen.map((axis) => within(cast(thirds, { to: "i64" }), shape[axis] ?? 1)),
  };
}

function reshaped(choices: Choices, shape: readonly number[]): readonly number[] {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === 0) return [0, 2];
  for (const divisor of [2, 3, 5])
    if (count % divisor === 0 && choices.below(2) === 0) return [divisor, count / divisor];
  return [count];
}

/** What the interpreter refuses to do is a problem of the program. */
function compared(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (error) {
    return [String(error)];
  }
}

const tooLarge = 4000;

for (const checked of [false, true]) {
  test(`random graphs give what the reference gives${checked ? ", with checks" : ""}`, (t) => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5039 }), { minLength: 20, maxLength: 240, size: "max" }), (numbers) => {
        const choices = new Choices(numbers);
        const values: Value[] = [source(choices, 0), source(choices, 1), source(choices, 2)];
        // Decisions hang on these only, so that they are the same whatever the order of sums.
        const exact = new Set(values);
        let looped = values[0];
        for (let number = 3; choices.left > 8 && number < 24; number++) {
          const loops = choices.below(4) === 0 ? region(choices, values, exact, 0) : undefined;
          const made = loops ?? [step(choices, values, number)];
          values.push(...made.filter(isSmall));
          looped = loops?.find(isSmall) ?? looped;
        }
        const ends = [0, 1, 2].map((i) => values[values.length - 1 - i * choices.below(3)] ?? values[0]);
        const outputs = Object.fromEntries([...ends, looped].map((value, i) => [`y${i}`, value]));
        const variables = values.filter((value) => value.node.op === "variable");
        const assignments = Object.fromEntries(
          variables.flatMap((target) => {
            const same = values.filter((value) => staticShape(value.type).join() === staticShape(target.type).join());
            return [
              [
                String(target.node.attributes["path"]),
                same[same.length - 1 - choices.below(Math.min(3, same.length))] as Value,
              ],
            ];
          }),
        );
        const computation = computationOf(outputs as Record<string, Value>, assignments);
        for (const target of [avx512, avx2]) {
          const program = build(computation, { checkNumerics: checked, fuseEpilogues: choices.below(4) > 0 }, target);
          const problems = [
            ...verifyKernels(program).map((d) => d.message),
            ...compared(() => disagreements(computation, program, undefined, 1e-6)),
          ];
          if (problems.length > 0) throw new Error(`${problems.slice(0, 3).join("\n")}\n${printKernels(program)}`);
        }
      }),
      { includeErrorInReport: true, numRuns: Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 150) },
    );
    t.pass();
  });
}
