/** ONNX's optimizers: each takes a rate, the step, and for all of its tensors the values, then the gradients, then the slots. */
import { list, type Rules, range, type View } from "../view.js";

/** For each tensor the names of its value, its gradient and its slots. */
function tensors(n: View, kinds: number): readonly (readonly string[])[] {
  const count = (n.count - 2) / kinds;
  return range(count).map((i) => range(kinds).map((kind) => n.in(2 + kind * count + i)));
}

const call = (name: string, ...operands: readonly string[]) => `${name}(${operands.join(", ")})`;

/** The gradient with that of the squared norm. */
const regular = (n: View, x = "", g = "") => `(${n.real("norm_coefficient", 0)} * ${x} + ${g})`;

function adagrad(n: View): readonly string[] {
  const rate = `(${n.in(0)} / (1 + cast(${n.in(1)}, to=${n.dtype()}) * ${n.real("decay_factor", 0)}))`;
  const all = tensors(n, 3).map(([x = "", g = "", h = ""]) => ({ x, g: regular(n, x, g), h }));
  const square = ({ g, h }: { readonly g: string; readonly h: string }) => `${h} + ${g} * ${g}`;
  return [
    ...all.map((one) => `${one.x} - ${rate} * ${one.g} / (sqrt(${square(one)}) + ${n.real("epsilon", 1e-6)})`),
    ...all.map(square),
  ];
}

function adam(n: View): readonly string[] {
  const [alpha, beta] = [n.real("alpha", 0.9), n.real("beta", 0.999)];
  const rate = call("adam_rate", n.in(0), n.in(1), alpha, beta);
  const all = tensors(n, 4).map(([x = "", gradient = "", v = "", h = ""]) => {
    const g = regular(n, x, gradient);
    const first = `(${alpha} * ${v} + (1 - ${alpha}) * ${g})`;
    const second = `(${beta} * ${h} + (1 - ${beta}) * ${g} * ${g})`;
    const moved = `${x} - ${rate} * ${first} / (sqrt(${second}) + ${n.real("epsilon", 1e-6)})`;
    return { x: `(1 - ${n.real("norm_coefficient_post", 0)}) * (${moved})`, first, second };
  });
  return [...all.map(({ x }) => x), ...all.map(({ first }) => first), ...all.map(({ second }) => second)];
}

function momentum(n: View): readonly string[] {
  const beta = `select(${n.in(1)} > 0, ${n.real("beta", 1)}, cast(1.0, to=${n.dtype()}))`;
  const all = tensors(n, 3).map(([x = "", gradient = "", old = ""]) => {
    const g = regular(n, x, gradient);
    const v = `(${n.real("alpha", 0)} * ${old} + ${beta} * ${g})`;
    const step = n.text("mode", "standard") === "nesterov" ? `(${g} + ${n.real("alpha", 0)} * ${v})` : v;
    return { x: `${x} - ${n.in(0)} * ${step}`, v };
  });
  return [...all.map(({ x }) => x), ...all.map(({ v }) => v)];
}

export const training: Rules = {
  "ai.onnx.preview.training::Adagrad": adagrad,
  "ai.onnx.preview.training::Adam": adam,
  "ai.onnx.preview.training::Momentum": momentum,
  "ai.onnx.preview.training::Gradient": (n) => ({
    call: `gradients(${n.named(n.text("y", ""))}, ${list(n.all())})`,
    outputs: n.count,
  }),
};
