import type { Dim } from "../../compiler/ir/dim.js";
import type { Value } from "../../compiler/ir/node.js";
import { staticShape } from "../../compiler/ir/type.js";
import { add, div, maximum, mul, neg, pow, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal, matmul, matrixTranspose, zerosLike } from "../../compiler/ops/build.js";
import { checkIndex } from "../../compiler/ops/checks.js";
import { eq, ge, gt } from "../../compiler/ops/comparison.js";
import { cast } from "../../compiler/ops/conversion.js";
import { exp, log, rsqrt, sqrt } from "../../compiler/ops/exponential.js";
import { select } from "../../compiler/ops/logic.js";
import { randomUniform } from "../../compiler/ops/random.js";
import { argmax, max, sum } from "../../compiler/ops/reduction.js";
import { placeholder, runState, variable } from "../../compiler/ops/sources.js";
import { iota } from "../../compiler/ops/structure.js";
import { broadcastInDim, reshape } from "../../compiler/ops/views.js";

/** Models written out in core ops, as the front end and the differentiation pass leave them. */

export const f32 = (value: number): Value => literal("f32", [], [value]);
export const input = (name: string, shape: readonly Dim[], dtype: "f32" | "u8" | "i64" | "f64" = "f32"): Value =>
  placeholder({ name, dtype, shape });
export const weight = (path: string, shape: readonly Dim[]): Value => variable({ path, dtype: "f32", shape });

export function rows(value: Value, shape: readonly Dim[]): Value {
  return broadcastInDim(value, { shape, axes: shape.map((_, axis) => axis).slice(0, shape.length - 1) });
}

export function columns(value: Value, shape: readonly Dim[]): Value {
  return broadcastInDim(value, { shape, axes: [shape.length - 1] });
}

function scale(value: Value, factor: number): Value {
  return mul(value, broadcastScalar(f32(factor), value.type.shape));
}

export interface CrossEntropy {
  readonly loss: Value;
  readonly accuracy: Value;
  readonly probabilities: Value;
  /** The gradient of the mean loss. */
  readonly dlogits: Value;
}

/** Mean softmax cross entropy of [batch, classes] logits with u8 labels. */
export function crossEntropy(logits: Value, label: Value): CrossEntropy {
  const shape = staticShape(logits.type);
  const [batch = 1, classes = 1] = shape;
  const shifted = sub(logits, rows(max(logits, { axes: [1] }), shape));
  const exponentials = exp(shifted);
  const total = sum(exponentials, { axes: [1] });
  const probabilities = div(exponentials, rows(total, shape));
  const index = checkIndex(cast(label, { to: "i64" }), { size: [classes] });
  const hot = cast(eq(iota({ dtype: "i64", shape, axis: 1 }), rows(index, shape)), { to: "f32" });
  const logProbabilities = sub(shifted, rows(log(total), shape));
  const losses = neg(sum(mul(logProbabilities, hot), { axes: [1] }));
  const loss = div(sum(losses, { axes: [0] }), f32(batch));
  const right = cast(eq(argmax(logits, { axis: 1 }), cast(label, { to: "i64" })), { to: "f32" });
  const accuracy = div(sum(right, { axes: [0] }), f32(batch));
  const dlogits = scale(sub(probabilities, hot), 1 / batch);
  return { loss, accuracy, probabilities, dlogits };
}

export function layerNorm(x: Value, gamma: Value, beta: Value): Value {
  const shape = staticShape(x.type);
  const width = shape.at(-1) ?? 1;
  const axes = [shape.length - 1];
  const perRow = shape.slice(0, -1);
  const mean = div(sum(x, { axes }), broadcastScalar(f32(width), perRow));
  const centred = sub(x, rows(mean, shape));
  const variance = div(sum(mul(centred, centred), { axes }), broadcastScalar(f32(width), perRow));
  const scaleOf = rsqrt(add(variance, broadcastScalar(f32(1e-5), perRow)));
  return add(mul(mul(centred, rows(scaleOf, shape)), columns(gamma, shape)), columns(beta, shape));
}

/** Assignments of one Adam step for each gradient. */
export function adam(
  gradients: Readonly<Record<string, { readonly parameter: Value; readonly gradient: Value }>>,
): Record<string, Value> {
  const t = variable({ path: "adam/t", dtype: "i64", shape: [] });
  const next = add(t, literal("i64", [], [1]));
  const k = cast(next, { to: "f32" });
  const assignments: Record<string, Value> = { "adam/t": next };
  for (const [path, { parameter, gradient }] of Object.entries(gradients)) {
    const shape = parameter.type.shape;
    const all = (value: Value): Value => broadcastScalar(value, shape);
    const m = weight(`adam/${path}/m`, shape);
    const v = weight(`adam/${path}/v`, shape);
    const newM = add(mul(all(f32(0.9)), m), mul(all(f32(0.1)), gradient));
    const newV = add(mul(all(f32(0.999)), v), mul(all(f32(0.001)), mul(gradient, gradient)));
    const correctedM = div(newM, all(sub(f32(1), pow(f32(0.9), k))));
    const correctedV = div(newV, all(sub(f32(1), pow(f32(0.999), k))));
    const step = div(correctedM, add(sqrt(correctedV), all(f32(1e-7))));
    assignments[`adam/${path}/m`] = newM;
    assignments[`adam/${path}/v`] = newV;
    assignments[path] = sub(parameter, mul(all(f32(1e-3)), step));
  }
  return assignments;
}

export interface Step {
  readonly outputs: Record<string, Value>;
  readonly assignments: Record<string, Value>;
}

/** 784 -> 10 by gradient descent: the softmax regression of the benchmarks. */
export function softmaxRegression(batch: number, features = 784, classes = 10): Step {
  const image = input("image", [batch, 28, features / 28], "u8");
  const label = input("label", [batch], "u8");
  const w = weight("w", [features, classes]);
  const b = weight("b", [classes]);
  const shape = [batch, features];
  const x = reshape(div(cast(image, { to: "f32" }), broadcastScalar(f32(255), image.type.shape)), { shape });
  const logits = add(matmul(x, w), columns(b, [batch, classes]));
  const { loss, accuracy, dlogits } = crossEntropy(logits, label);
  const dw = matmul(matrixTranspose(x), dlogits);
  const db = sum(dlogits, { axes: [0] });
  return {
    outputs: { loss, accuracy },
    assignments: { w: sub(w, scale(dw, 0.5)), b: sub(b, scale(db, 0.5)) },
  };
}

/** 784 -> 128 relu, dropout -> 10 with Adam. */
export function network(batch: number, features = 784, units = 128, classes = 10): Step {
  const image = input("image", [batch, features], "u8");
  const label = input("label", [batch], "u8");
  const w1 = weight("hidden/w", [features, units]);
  const b1 = weight("hidden/b", [units]);
  const w2 = weight("out/w", [units, classes]);
  const b2 = weight("out/b", [classes]);
  const x = div(cast(image, { to: "f32" }), broadcastScalar(f32(255), image.type.shape));
  const hiddenShape = [batch, units];
  const before = add(matmul(x, w1), columns(b1, hiddenShape));
  const nothing = zerosLike(before);
  const active = maximum(before, nothing);
  const uniform = randomUniform(runState(), [], { path: "dropout", index: 0, dtype: "f32", shape: hiddenShape });
  const kept = ge(uniform, broadcastScalar(f32(0.2), hiddenShape));
  const hidden = select(kept, scale(active, 1.25), nothing);
  const logits = add(matmul(hidden, w2), columns(b2, [batch, classes]));
  const { loss, accuracy, dlogits } = crossEntropy(logits, label);
  const dw2 = matmul(matrixTranspose(hidden), dlogits);
  const db2 = sum(dlogits, { axes: [0] });
  const dhidden = matmul(dlogits, matrixTranspose(w2));
  const dactive = select(kept, scale(dhidden, 1.25), nothing);
  const dbefore = select(gt(before, nothing), dactive, nothing);
  const dw1 = matmul(matrixTranspose(x), dbefore);
  const db1 = sum(dbefore, { axes: [0] });
  return {
    outputs: { loss, accuracy },
    assignments: adam({
      "hidden/w": { parameter: w1, gradient: dw1 },
      "hidden/b": { parameter: b1, gradient: db1 },
      "out/w": { parameter: w2, gradient: dw2 },
      "out/b": { parameter: b2, gradient: db2 },
    }),
  };
}

/** A line through eight points by gradient descent: the smallest training step there is. */
export function linearRegression(): Step {
  const x = input("x", [8]);
  const y = input("y", [8]);
  const w = weight("w", []);
  const b = weight("b", []);
  const error = sub(add(mul(broadcastScalar(w, [8]), x), broadcastScalar(b, [8])), y);
  const cost = div(sum(mul(error, error), { axes: [0] }), f32(16));
  const dw = div(sum(mul(error, x), { axes: [0] }), f32(8));
  const db = div(sum(error, { axes: [0] }), f32(8));
  return { outputs: { cost }, assignments: { w: sub(w, mul(f32(1e-5), dw)), b: sub(b, mul(f32(1e-5), db)) } };
}
