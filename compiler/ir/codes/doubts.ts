import type { CodeRow } from "./row.js";

/** G15x: warnings of what can be computed and is hardly meant. */
export const doubtCodes = [
  {
    code: "G150",
    title: "both operands are repeated",
    explain:
      "[N, 1] and [N] broadcast to [N, N]: each element of the one meets each of the other, so a mean over them is another number than was meant. A warning where one size meets itself at two axes and the axis of size 1 was not made for it: give both the same shape. Where each is meant with each, give both operands as many axes: [N, 1] and [1, N].",
    example:
      'import { dense } from "std/layers"\n\ngraph g {\n  dim N <= 64\n  placeholder x: f32[N, 4]\n  placeholder target: f32[N]\n  prediction = dense(x, units=1)\n  loss = mean((prediction - target) ** 2)\n}\n',
  },
  {
    code: "G151",
    title: "probabilities where logits are taken",
    explain:
      "A loss of logits applies the softmax or the sigmoid itself, since that is more accurate. A warning where it is given what went through one already: it would be applied twice, and what is learnt is slow and wrong. Give it what the softmax was taken of; fetch the probabilities beside it.",
    example:
      "graph g {\n  dim N <= 64\n  placeholder x: f32[N, 10]\n  placeholder label: u8[N]\n  probs = softmax(x)\n  loss = mean(sparse_softmax_cross_entropy(probs, label))\n}\n",
  },
  {
    code: "G152",
    title: "comparison with nan",
    explain:
      "nan equals nothing, itself included, and is neither less nor greater than a number: `is_nan(x)` finds it.",
    example: "graph g {\n  placeholder x: f32[3]\n  broken = any(x == nan)\n}\n",
  },
  {
    code: "G153",
    title: "loss is not a single number",
    explain:
      "`minimize` goes down the sum of what it is given. A warning where that has several elements: with a sum, the steps grow with the batch. Say which is meant, `mean(loss)` or `sum(loss)`.",
    example:
      'import { sgd } from "std/optimizers"\n\ngraph g {\n  dim N <= 64\n  placeholder x: f32[N, 3]\n  placeholder target: f32[N]\n  variable w: f32[3] = zeros()\n  loss = (x @ w - target) ** 2\n  update learn = minimize(loss, sgd(learning_rate=0.1))\n}\n',
  },
  {
    code: "G154",
    title: "one position compared with many",
    explain:
      "Without `axis`, `argmax` and `argmin` give one position among all elements. A warning where it is compared with a tensor: of each row, the position is `argmax(x, axis=-1)`.",
    example:
      "graph g {\n  dim N <= 64\n  placeholder logits: f32[N, 3]\n  placeholder label: i64[N]\n  accuracy = mean(cast(argmax(logits) == label, to=f32))\n}\n",
  },
  {
    code: "G155",
    title: "nothing reads a name",
    explain:
      "A warning of `graphc check` and of editors, which show the name faded: of an import, a fn, an optimizer or a constant that the file does not use, of a dim that is no size, and, in a graph with signatures, of a binding, variable, placeholder or scope that nothing reads and no signature gives, of an update that no signature does, and of a parameter that its function does not read, unless a size or dtype is known from it alone. What is read for such a name alone is named with it and goes with it. Of several outputs of one call it is enough that one is read. A session may fetch a name all the same: one that starts with `_` is not told of. A library is for others, so that its fns, optimizers and constants are not told of.",
    example:
      'import { sgd } from "std/optimizers"\n\ngraph g {\n  placeholder x: f32[3]\n  variable w: f32[3] = zeros()\n  loss = sum((x * w - 1) ** 2)\n  update learn = minimize(loss, sgd(learning_rate=0.1))\n  signature fit(x) -> (loss)\n}\n',
  },
  {
    code: "G156",
    title: "number read as an axis",
    explain:
      "`max` and `min` go along axes of one tensor, so that the second argument is an axis, as in NumPy. A warning where it is a bare 0 (or 1 in `min`), by which values are cut off as often: `maximum(x, 0)` takes the larger of each element and 0, and `max(x, axis=0)` says that the axis is meant.",
    example: "graph g {\n  dim N <= 64\n  placeholder x: f32[N, 4]\n  rectified = max(x, 0)\n}\n",
  },
] as const satisfies readonly CodeRow[];
