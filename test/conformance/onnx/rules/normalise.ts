/** Normalisation, softmax and its losses, and products of matrices. */
import { list, type Rules, range, type View } from "../view.js";

/** A vector of the channels beside [N, C, spatial...]. */
const perChannel = (x: string, rank: number) => `reshape(${x}, ${list([-1, ...range(rank - 2).map(() => 1)])})`;

/** In training, the batch's own moments, and the running ones. */
function batchNorm(n: View): readonly string[] {
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => n.in(i));
  const at = (x: string) => perChannel(x, n.rank());
  const epsilon = n.real("epsilon", 1e-5);
  const y = (m: string, v: string) =>
    `(${n.in(0)} - ${at(m)}) / sqrt(${at(v)} + ${epsilon}) * ${at(scale ?? "")} + ${at(shift ?? "")}`;
  if (!n.flag("training_mode")) return [y(mean ?? "", variance ?? "")];
  const axes = `axis=${list([0, ...range(n.rank() - 2, 2)])}`;
  const moments = [`mean(${n.in(0)}, ${axes})`, `variance(${n.in(0)}, ${axes})`] as const;
  const share = n.real("momentum", 0.9);
  const running = (old: string, now: string) => `${old} * ${share} + ${now} * (1 - ${share})`;
  return [y(...moments), running(mean ?? "", moments[0]), running(variance ?? "", moments[1])];
}

/** Groups of channels, each normalised with its space. Since 21, scale and bias are the channels'; before, the groups'. */
function groupNorm(n: View): string {
  const [batch = 0, channels = 0] = n.shape();
  const groups = n.op === "InstanceNormalization" ? channels : n.number("num_groups", 1);
  const grouped = `standardise(reshape(${n.in(0)}, ${list([batch, groups, -1])}), 2, ${n.real("epsilon", 1e-5)})`;
  const whole = `reshape(${grouped}, ${list(n.shape())})`;
  const at = (i: number) => {
    const each = n.shape(i)[0] === channels ? n.in(i) : `repeat(${n.in(i)}, ${channels / groups})`;
    return perChannel(each, n.rank());
  };
  return `${whole} * ${at(1)} + ${at(2)}`;
}

const trailing = (n: View) => list(range(n.rank() - n.axis(-1), n.axis(-1)));

function layerNorm(n: View): readonly string[] {
  const axes = trailing(n);
  const epsilon = n.real("epsilon", 1e-5);
  const y = `standardise(${n.in(0)}, ${axes}, ${epsilon}) * ${n.in(1)}`;
  const options = `axis=${axes}, keepdims=true`;
  return [
    n.has(2) ? `${y} + ${n.in(2)}` : y,
    `mean(${n.in(0)}, ${options})`,
    `rsqrt(variance(${n.in(0)}, ${options}) + ${epsilon})`,
  ];
}

function rmsNorm(n: View): string {
  const square = `mean(${n.in(0)} * ${n.in(0)}, axis=${trailing(n)}, keepdims=true)`;
  return `${n.in(0)} / sqrt(${square} + ${n.real("epsilon", 1e-5)}) * ${n.in(1)}`;
}

/** Before 13 the axes from `axis` (1 where it is left out) on count as one. */
function alongAxis(n: View, name: string): string {
  const axis = n.opset >= 13 ? n.axis(-1) : list(range(n.rank() - n.axis(1), n.axis(1)));
  return `${name}(${n.in(0)}, axis=${axis})`;
}

function likelihood(n: View, logProbability: string): string {
  const weights = n.has(2) ? n.in(2) : `ones([${n.shape()[1]}], dtype=${n.dtype()})`;
  const ignored = n.node.attributes.get("ignore_index");
  const keep = ignored === undefined ? `full(${list(n.shape(1))}, true, dtype=bool)` : `${n.in(1)} != ${ignored}`;
  return `negative_log_likelihood_${n.text("reduction", "mean")}(${logProbability}, ${n.in(1)}, ${keep}, ${weights})`;
}

function softmaxLoss(n: View): readonly string[] {
  const logarithm = `log_softmax(${n.in(0)}, axis=1)`;
  return [likelihood(n, logarithm), logarithm];
}

function gemm(n: View): string {
  const turned = (i: number, attribute: string) => (n.flag(attribute) ? `transpose(${n.in(i)})` : n.in(i));
  const product = `${n.real("alpha", 1)} * (${turned(0, "transA")} @ ${turned(1, "transB")})`;
  return n.has(2) ? `${product} + ${n.real("beta", 1)} * ${n.in(2)}` : product;
}

export const normalise: Rules = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  InstanceNormalization: groupNorm,
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  LpNormalization: (n) => `unit_${n.number("p", 2) === 1 ? "l1" : "l2"}(${n.in(0)}, ${n.axis(-1)})`,
  MeanVarianceNormalization: (n) => `standardise(${n.in(0)}, ${list(n.ints("axes") ?? [0, 2, 3])}, 1e-9)`,
  Softmax: (n) => alongAxis(n, "softmax"),
  LogSoftmax: (n) => alongAxis(n, "log_softmax"),
  NegativeLogLikelihoodLoss: (n) => likelihood(n, n.in(0)),
  SoftmaxCrossEntropyLoss: softmaxLoss,
  MatMul: (n) => `${n.in(0)} @ ${n.in(1)}`,
  Gemm: gemm,
  Einsum: (n) => `einsum("${n.text("equation", "")}", ${n.all().join(", ")})`,
};
