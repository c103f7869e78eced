import { placingHint } from "../../compiler/ir/device.js";
import { type DType, isDType } from "../../compiler/ir/dtype.js";

/** What other libraries call what is here under another name: NumPy, PyTorch, TensorFlow, Keras, Python. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["True", "`true`"],
  ["False", "`false`"],
  ["None", "an axis of size 1 is `expand_dims(x, axis)`; what may be left out is left out"],
  ["newaxis", "an axis of size 1 is `expand_dims(x, axis)`"],
  ["array", "a nested list is a tensor: `x = [[1, 2], [3, 4]]`"],
  ["asarray", "a nested list is a tensor: `x = [[1, 2], [3, 4]]`"],
  ["tensor", "a nested list is a tensor: `x = [[1, 2], [3, 4]]`"],
  ["map", "operators and functions work on whole tensors; `scan x in xs` goes through the first axis of one"],
  ["zip", "a scan goes through several: `scan a in xs, b in ys`"],
  ["Adam", "`adam(learning_rate=1e-3)` of std/optimizers"],
  ["AdamW", "`adamw(learning_rate=1e-3)` of std/optimizers"],
  ["SGD", "`sgd(learning_rate=0.1)` of std/optimizers"],
  ["RMSprop", "`rmsprop(learning_rate=1e-3)` of std/optimizers"],
  ["bitwise_xor", "`xor(x, y)`"],
  ["logical_and", "`x and y`"],
  ["logical_or", "`x or y`"],
  ["logical_xor", "`xor(x, y)`"],
  ["logical_not", "`not x`"],
  ["cat", "`concatenate([a, b], axis=0)`"],
  ["concat", "`concatenate([a, b], axis=0)`"],
  ["permute", "`transpose(x, [1, 0])`"],
  ["view", "`reshape(x, [...])`"],
  ["unsqueeze", "`expand_dims(x, axis)`"],
  ["randn", "`random_normal([3])`"],
  ["rand", "`random_uniform([3])`"],
  ["randint", "`random_integers`"],
  ["multinomial", "`random_categorical(logits)`"],
  [
    "cross_entropy",
    "`sparse_softmax_cross_entropy(logits, label)`, or `softmax_cross_entropy` of one target for each class",
  ],
  ["nll_loss", "`sparse_softmax_cross_entropy(logits, label)`"],
  ["binary_cross_entropy", "`sigmoid_cross_entropy(logits, target)`"],
  ["mse_loss", "`mean(squared_error(prediction, target))`"],
  ["mse", "`mean(squared_error(prediction, target))`"],
  ["mae", "`mean(absolute_error(prediction, target))`"],
  ["std", "`standard_deviation(x)`"],
  ["var", "`variance(x)`"],
  ["len", "`size(x, 0)`"],
  ["numel", "`size(x)`"],
  ["ndim", "`rank(x)`"],
  ["range", "`iota(n)`, or `arange`"],
  ["clip", "`clamp(x, low, high)`"],
  ["mm", "`a @ b`"],
  ["bmm", "`a @ b`"],
  ["dot", "`a @ b`"],
  ["inv", "`inverse(a)`"],
  ["norm", "`l2_norm(x)`"],
  ["detach", "`stop_gradient(x)`"],
  ["grad", "`gradients(loss, [w])`"],
  ["float", "`cast(x, to=f32)`"],
  ["int", "`cast(x, to=i64)`"],
  ["astype", "`cast(x, to=f32)`"],
  ["Linear", "`dense(x, units=10)` of std/layers"],
  ["Dense", "`dense(x, units=10)` of std/layers"],
  ["Conv2d", "`conv2d(x, units=8)` of std/convolution"],
  ["Conv2D", "`conv2d(x, units=8)` of std/convolution"],
  ["Embedding", "`embedding(ids, vocabulary=100, units=8)` of std/layers"],
  ["Dropout", "`dropout(x, rate=0.2)`"],
  ["LSTM", "`lstm(x, units=16)` of std/recurrent"],
  ["GRU", "`gru(x, units=16)` of std/recurrent"],
  ["Sequential", "layers follow each other by `|>`: `x |> dense(units=10) |> relu()`"],
  ["T", "`transpose(x)`"],
  ["to", 'a conversion is `cast(x, to=f32)`; a statement is placed at its end: `y = exp(x) on "gpu"`'],
  ...["gpu", "cpu", "cuda", "device", "to_device", "device_put"].map((name) => [name, placingHint] as const),
]);

const parameters: ReadonlyMap<string, string> = new Map([
  ["dim", "axis"],
  ["keepdim", "keepdims"],
  ["lr", "learning_rate"],
  ["use_bias", "bias"],
  ["kernel_initializer", "initialiser"],
  ["out_features", "units"],
  ["filters", "units"],
  ["out_channels", "units"],
  ["kernel_size", "window"],
  ["stride", "strides"],
  ["num_embeddings", "vocabulary"],
  ["embedding_dim", "units"],
  ["hidden_size", "units"],
  ["num_heads", "heads"],
  ["p", "rate"],
  ["eps", "epsilon"],
  ["std", "standard_deviation"],
  ["size", "shape"],
  ["dtype", "to"],
]);

/** What other libraries have parameters for, and nothing here does. */
const absentParameters: ReadonlyMap<string, string> = new Map([
  ["activation", "an activation is a call of its own: `dense(x, units=10) |> relu()`"],
  ["requires_grad", "what is not trained is `variable w: f32[3] = zeros() frozen`"],
  ["trainable", "what is not trained is `variable w: f32[3] = zeros() frozen`"],
  ["input_shape", "sizes of inputs follow from what is given"],
  ["in_features", "sizes of inputs follow from what is given"],
  ["in_channels", "sizes of inputs follow from what is given"],
]);

const modules: ReadonlySet<string> = new Set([
  "torch",
  "nn",
  "F",
  "tf",
  "keras",
  "np",
  "numpy",
  "jnp",
  "jax",
  "math",
  "random",
  "scipy",
  "optim",
  "layers",
]);

/** How a name of another library is written here, of a module with what is taken from it; undefined for any other. */
export function foreignName(name: string, member?: string, isOurs?: (name: string) => boolean): string | undefined {
  if (modules.has(name)) {
    const bare = "functions are called by their bare names";
    const names = member === undefined ? [] : [...(name === "random" ? [`random_${member}`] : []), member];
    const ours = names.find((one) => isOurs?.(one) === true);
    if (ours !== undefined) return `${bare}: \`${ours}(...)\``;
    const written = member === undefined ? undefined : foreignName(member);
    return written ?? `${bare}, such as \`relu(x)\`: docs/std.md has them all`;
  }
  const ours = foreignNames.get(name) ?? (dtypeOf(name) === undefined ? undefined : `\`${dtypeOf(name)}\``);
  return ours?.startsWith("`") === true ? `write ${ours}` : ours;
}

/** What is written here, in a call with the parameters `own`, for one of another library. */
export function foreignParameter(name: string, own: readonly string[]): string | undefined {
  const ours = parameters.get(name);
  return ours !== undefined && own.includes(ours) ? `here it is called \`${ours}\`` : absentParameters.get(name);
}

/** `float32` is `f32`, `uint8` is `u8`. */
function dtypeOf(name: string): DType | undefined {
  const [, kind, bits] = /^([fiu])(?:loat|int|nt)(\d+)$/.exec(name) ?? [];
  const short = `${kind}${bits}`;
  return isDType(short) ? short : undefined;
}
