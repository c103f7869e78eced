import { placingHint } from "../../compiler/ir/device.js";
import { type DType, isDType } from "../../compiler/ir/dtype.js";
import { type Hint, writeInstead } from "../../compiler/ir/fix.js";
import type { Span } from "../../compiler/ir/span.js";

/** What other libraries call what takes the same arguments here. */
export const renamed: ReadonlyMap<string, string> = new Map([
  ["absolute", "abs"],
  ["amax", "max"],
  ["amin", "min"],
  ["arccos", "acos"],
  ["arcsin", "asin"],
  ["arctan", "atan"],
  ["arctan2", "atan2"],
  ["average", "mean"],
  ["bernoulli", "random_bernoulli"],
  ["bitwise_xor", "xor"],
  ["detach", "stop_gradient"],
  ["divide", "div"],
  ["equal", "eq"],
  ["fabs", "abs"],
  ["flip", "reverse"],
  ["greater", "gt"],
  ["greater_equal", "ge"],
  ["inv", "inverse"],
  ["isfinite", "is_finite"],
  ["isinf", "is_inf"],
  ["isnan", "is_nan"],
  ["less", "lt"],
  ["less_equal", "le"],
  ["ln", "log"],
  ["logical_xor", "xor"],
  ["moveaxis", "move_axis"],
  ["movedim", "move_axis"],
  ["multiply", "mul"],
  ["negative", "neg"],
  ["norm", "l2_norm"],
  ["not_equal", "ne"],
  ["permutation", "random_permutation"],
  ["power", "pow"],
  ["reduce_all", "all"],
  ["reduce_any", "any"],
  ["reduce_max", "max"],
  ["reduce_mean", "mean"],
  ["reduce_min", "min"],
  ["reduce_prod", "prod"],
  ["reduce_sum", "sum"],
  ["remainder", "mod"],
  ["shuffle", "random_shuffle"],
  ["std", "standard_deviation"],
  ["subtract", "sub"],
  ["swapaxes", "swap_axes"],
  ["topk", "top_k"],
  ["unbind", "unstack"],
  ["unsqueeze", "expand_dims"],
  ["var", "variance"],
]);

const each = (names: readonly string[], hint: string): readonly (readonly [string, string])[] =>
  names.map((name) => [name, hint] as const);

const variableHint = "a variable is declared by a statement: `variable w: f32[3, 3] = zeros()`";
const inputHint = "an input is declared by a statement: `placeholder x: f32[N, 3]`";
const listHint = "a nested list is a tensor: `x = [[1, 2], [3, 4]]`";
const classesHint =
  "`sparse_softmax_cross_entropy(logits, label)` of class numbers, or `softmax_cross_entropy(logits, target)` of one target for each class";
const yesNoHint = "`sigmoid_cross_entropy(logits, target)`, of logits: it applies the sigmoid itself";
const squaredHint = "`mean(squared_error(prediction, target))`";
const absoluteHint = "`mean(absolute_error(prediction, target))`";
const loopHint = "a loop is `ys = scan x in xs with h = h0 { ... }`, or `y = while y < 9 with y = 1 { ... }`";
const nothingHint = "there is no empty value: what may be left out is left out";
const lambdaHint = "a function has a name, which is passed: `fn f(x: f32[...]) -> (y: f32[...]) { ... }`";

/** What other libraries have, and how that is written here: NumPy, PyTorch, TensorFlow, Keras, JAX, Python. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["None", "an axis of size 1 is `expand_dims(x, axis)`; what may be left out is left out"],
  ["newaxis", "an axis of size 1 is `expand_dims(x, axis)`"],
  ...each(["variable", "Variable", "Parameter", "param"], variableHint),
  ...each(["placeholder", "Input", "InputLayer"], inputHint),
  ...each(["array", "asarray", "tensor", "Tensor", "as_tensor", "convert_to_tensor"], listHint),
  ...each(["null", "nil", "undefined"], nothingHint),
  ...each(["self", "this"], "a fn calls its variables and parameters by their names alone"),
  ["lambda", lambdaHint],
  ["print", "name the edge in a signature, or fetch it with `graphc run FILE --fetch NAME`"],
  ...each(["type", "dtype"], "`dtype_of(x)`; `graphc check FILE` shows the types of all signatures"),
  ["map", "operators and functions work on whole tensors; `scan x in xs` goes through the first axis of one"],
  ["vmap", "functions work on tensors with any leading axes; `scan x in xs` goes through the first axis of one"],
  ["zip", "a scan goes through several: `scan a in xs, b in ys`"],
  ...each(["fori_loop", "while_loop"], loopHint),
  ...each(
    ["no_grad", "GradientTape"],
    "gradients are asked for by name, `gradients(loss, [w])`; `stop_gradient(x)` cuts one",
  ),
  ["pi", "`3.141592653589793`"],
  ...each(["Adam", "AdamOptimizer"], "`adam(learning_rate=1e-3)` of std/optimizers"),
  ["AdamW", "`adamw(learning_rate=1e-3)` of std/optimizers"],
  ...each(["SGD", "GradientDescentOptimizer"], "`sgd(learning_rate=0.1)` of std/optimizers"),
  ["RMSprop", "`rmsprop(learning_rate=1e-3)` of std/optimizers"],
  ["logical_and", "`x and y`"],
  ["logical_or", "`x or y`"],
  ["logical_not", "`not x`"],
  ...each(["cat", "concat", "vstack"], "`concatenate([a, b], axis=0)`"),
  ["hstack", "`concatenate([a, b], axis=1)`"],
  ["permute", "`transpose(x, [1, 0])`"],
  ["view", "`reshape(x, [...])`"],
  ["randn", "`random_normal([3])`"],
  ["rand", "`random_uniform([3])`"],
  ["randint", "`random_integers`"],
  ["multinomial", "`random_categorical(logits)`"],
  ["full_like", "`full(shape(x), 3.0)`"],
  ["empty", "`zeros([3])`"],
  ...each(
    [
      "cross_entropy",
      "CrossEntropyLoss",
      "categorical_crossentropy",
      "CategoricalCrossentropy",
      "softmax_cross_entropy_with_logits",
    ],
    classesHint,
  ),
  ...each(
    [
      "nll_loss",
      "NLLLoss",
      "sparse_categorical_crossentropy",
      "SparseCategoricalCrossentropy",
      "sparse_softmax_cross_entropy_with_logits",
      "softmax_cross_entropy_with_integer_labels",
    ],
    "`sparse_softmax_cross_entropy(logits, label)`, of logits: it applies the softmax itself",
  ),
  ...each(
    [
      "binary_cross_entropy",
      "binary_crossentropy",
      "binary_cross_entropy_with_logits",
      "sigmoid_cross_entropy_with_logits",
      "BCELoss",
      "BCEWithLogitsLoss",
      "BinaryCrossentropy",
    ],
    yesNoHint,
  ),
  ...each(["mse_loss", "mse", "MSELoss", "mean_squared_error", "MeanSquaredError"], squaredHint),
  ...each(["l1_loss", "mae", "L1Loss", "mean_absolute_error", "MeanAbsoluteError"], absoluteHint),
  ...each(["smooth_l1_loss", "SmoothL1Loss", "HuberLoss"], "`mean(huber(prediction, target))`"),
  ...each(["kl_div", "KLDivLoss"], "`kl_divergence(log_prediction, target)`"),
  ["to_categorical", "`one_hot(label, 10)`"],
  ...each(["len", "length"], "`size(x, 0)`"),
  ["numel", "`size(x)`"],
  ["ndim", "`rank(x)`"],
  ["range", "`iota(n)`, or `arange`"],
  ["clip", "`clamp(x, low, high)`"],
  ...each(["mm", "bmm", "dot"], "`a @ b`"),
  ["tensordot", '`einsum("ij,jk->ik", a, b)`'],
  ...each(["grad", "value_and_grad"], "`gradients(loss, [w])`"),
  ["float", "`cast(x, to=f32)`"],
  ["int", "`cast(x, to=i64)`"],
  ["astype", "`cast(x, to=f32)`"],
  ...each(["item", "numpy", "tolist"], "a run gives the values of what a signature names: `-> (loss)`"),
  ...each(["Linear", "Dense"], "`dense(x, units=10)` of std/layers"),
  ["Flatten", "`flatten(x)` of std/layers"],
  ...each(["Conv1d", "Conv1D"], "`conv1d(x, units=8)` of std/convolution"),
  ...each(["Conv2d", "Conv2D"], "`conv2d(x, units=8)` of std/convolution"),
  ...each(["Conv3d", "Conv3D"], "`conv3d(x, units=8)` of std/convolution"),
  ...each(["ConvTranspose2d", "Conv2DTranspose"], "`conv2d_transpose(x, units=8)` of std/convolution"),
  ...each(["MaxPool1d", "MaxPool2d", "MaxPooling2D", "max_pool2d"], "`max_pool(x, window=2)`"),
  ...each(["AvgPool2d", "AveragePooling2D", "avg_pool2d"], "`average_pool(x, window=2)`"),
  ...each(["GlobalAveragePooling2D", "AdaptiveAvgPool2d"], "`global_average_pool(x)` of std/convolution"),
  ...each(["BatchNorm1d", "BatchNorm2d", "BatchNormalization"], "`batch_norm(x)` of std/normalisation"),
  ...each(["LayerNorm", "LayerNormalization"], "`layer_norm(x)` of std/normalisation"),
  ...each(["MultiheadAttention", "MultiHeadAttention"], "`multi_head_attention(x, x, x, heads=4)` of std/attention"),
  ["Embedding", "`embedding(ids, vocabulary=100, units=8)` of std/layers"],
  ["Dropout", "`dropout(x, rate=0.2)`"],
  ["LSTM", "`lstm(x, units=16)` of std/recurrent"],
  ["GRU", "`gru(x, units=16)` of std/recurrent"],
  ["Sequential", "layers follow each other by `|>`: `x |> dense(units=10) |> relu()`"],
  ["T", "`transpose(x)`"],
  ["to", 'a conversion is `cast(x, to=f32)`; a statement is placed at its end: `y = exp(x) on "gpu"`'],
  ...each(["gpu", "cpu", "cuda", "device", "to_device", "device_put"], placingHint),
]);

/** What is here under the name that a module of another library has for something else. */
const members: ReadonlyMap<string, string> = new Map([["constant", listHint]]);

const parameters: ReadonlyMap<string, readonly string[]> = new Map([
  ["dim", ["axis"]],
  ["keepdim", ["keepdims"]],
  ["lr", ["learning_rate"]],
  ["use_bias", ["bias"]],
  ["kernel_initializer", ["initialiser"]],
  ["out_features", ["units"]],
  ["filters", ["units"]],
  ["out_channels", ["units"]],
  ["kernel_size", ["window"]],
  ["stride", ["strides"]],
  ["num_embeddings", ["vocabulary"]],
  ["embedding_dim", ["units"]],
  ["hidden_size", ["units"]],
  ["num_heads", ["heads"]],
  ["p", ["rate"]],
  ["eps", ["epsilon"]],
  ["std", ["standard_deviation"]],
  ["size", ["shape"]],
  ["dtype", ["to"]],
  ["num_classes", ["depth", "classes"]],
  ["target_shape", ["shape"]],
  ["kernel", ["window"]],
  ["pool_size", ["window"]],
  ["y_true", ["target", "label"]],
  ["y_pred", ["prediction", "logits"]],
  ["labels", ["label", "target"]],
  ["input", ["x"]],
]);

/** What other libraries have parameters for, and nothing here does. */
const absentParameters: ReadonlyMap<string, string> = new Map([
  ["activation", "an activation is a call of its own: `dense(x, units=10) |> relu()`"],
  ["return_sequences", "the states of all steps are given: `states[:, -1]` is the last one"],
  ["return_state", "the states of all steps are given: `states[:, -1]` is the last one"],
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
  "tensorflow",
  "optax",
  "np",
  "numpy",
  "jnp",
  "jax",
  "math",
  "random",
  "scipy",
  "optim",
  "layers",
  "lax",
  "linalg",
]);

/** Whether a name is that of a module of another library. */
export function isModule(name: string): boolean {
  return modules.has(name);
}

/** How a name of another library is written here; undefined for any other. */
export function foreignName(name: string): Hint | undefined {
  const same = respelt(name);
  if (same !== undefined) return writeInstead(same, `write \`${same}\``);
  const ours = foreignNames.get(name);
  return ours?.startsWith("`") === true ? `write ${ours}` : ours;
}

/** Our name of what has another elsewhere and is otherwise the same. */
export function respelt(name: string): string | undefined {
  if (name === "True" || name === "False") return name.toLowerCase();
  return renamed.get(name) ?? dtypeOf(name);
}

/** How what is taken from a module of another library is written here: `np.mean`, all of which stands at `path`. */
export function foreignMember(
  module: string,
  member: string | undefined,
  path: Span,
  isOurs: (name: string) => boolean,
  nearest: (name: string) => string | undefined,
): Hint {
  const bare = "functions are called by their bare names";
  const general = `${bare}, such as \`relu(x)\`: docs/std.md has them all`;
  if (member === undefined) return general;
  if (modules.has(member)) return general;
  const write = (name: string, hint: string): Hint => ({
    text: hint,
    fix: () => ({ title: `change to \`${name}\``, edits: [{ span: path, text: name }] }),
  });
  const special = members.get(member);
  if (special !== undefined) return special;
  const names = [...(module === "random" ? [`random_${member}`] : []), member];
  const ours = names.find(isOurs);
  if (ours !== undefined) return write(ours, `${bare}: \`${ours}(...)\``);
  const same = respelt(member);
  if (same !== undefined) return write(same, `write \`${same}\``);
  const known = foreignNames.get(member);
  if (known !== undefined) return known.startsWith("`") ? `write ${known}` : known;
  const near = nearest(member);
  return near === undefined ? general : write(near, `${bare}: did you mean \`${near}(...)\`?`);
}

/** What is written here, in a call with the parameters `own`, for one of another library. */
export function foreignParameter(name: string, own: readonly string[]): Hint | undefined {
  const ours = parameters.get(name)?.find((one) => own.includes(one));
  return ours !== undefined ? writeInstead(ours, `here it is called \`${ours}\``) : absentParameters.get(name);
}

/** Types of other languages. */
const dtypeNames: ReadonlyMap<string, DType> = new Map([
  ["float", "f32"],
  ["double", "f64"],
  ["half", "f16"],
  ["int", "i64"],
  ["integer", "i64"],
  ["long", "i64"],
  ["byte", "u8"],
  ["boolean", "bool"],
  ["str", "string"],
]);

/** What another language's type is called here. */
export function foreignDType(name: string): DType | undefined {
  return dtypeNames.get(name) ?? dtypeOf(name);
}

/** `float32` is `f32`, `uint8` is `u8`. */
function dtypeOf(name: string): DType | undefined {
  const [, kind, bits] = /^([fiu])(?:loat|int|nt)(\d+)$/.exec(name) ?? [];
  const short = `${kind}${bits}`;
  return isDType(short) ? short : undefined;
}
