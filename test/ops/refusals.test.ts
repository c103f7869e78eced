import test from "ava";
import { type Dim, symbol } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Attributes } from "../../compiler/ir/node.js";
import { type TensorType, tensorType } from "../../compiler/ir/type.js";
import { OpError } from "../../compiler/ops/define.js";
import { opNamed } from "../../compiler/ops/table.js";

/** What the ops themselves refuse where the language has refused it before: graphs may also come from printed forms. */

const type = (dtype: DType, ...shape: readonly Dim[]): TensorType => tensorType(dtype, shape);
const f = (...shape: readonly Dim[]): TensorType => type("f32", ...shape);
const i = (...shape: readonly Dim[]): TensorType => type("i64", ...shape);
const strided = { strides: [1], low: [0], high: [0], lhs_dilation: [1], rhs_dilation: [1], reversal: [] };
const grouped = { ...strided, feature_groups: 1, batch_groups: 1 };

const refusals: readonly (readonly [string, readonly TensorType[], Attributes, string])[] = [
  ["cast", [f(2)], {}, "G030 cast needs the attribute `to`"],
  ["cast", [f(2)], { to: "f64", from: "f32" }, "G030 cast has no attribute `from`"],
  ["cast", [f(2)], { to: "string" }, "G024 cast makes no strings: they are constants only"],
  ["check_index", [i(2)], { size: [1, 2] }, "G031 check_index takes one size, not 2"],
  ["wrap_index", [i(2)], { size: [] }, "G031 wrap_index takes one size, not 0"],
  [
    "dot_general",
    [f(2, 3), f(4, 3)],
    { lhs_batch: [0], rhs_batch: [0], lhs_contract: [1], rhs_contract: [1] },
    "G020 batch dimensions 2 and 4 differ: f32[2, 3] with f32[4, 3]",
  ],
  ["convolution", [f(2), f(2)], grouped, "G025 convolution takes [batch, spatial..., channels], not f32[2]"],
  [
    "convolution",
    [f(1, 5, 2), f(2, 4)],
    grouped,
    "G025 convolution over f32[1, 5, 2] takes weights [window..., in, out] with 1 spatial axis, not f32[2, 4]",
  ],
  [
    "convolution",
    [f(1, 5, 2), f(2, 2, 4)],
    { ...grouped, low: [0, 0] },
    "G025 convolution over 1 spatial axes needs as many numbers in `low`, not 2",
  ],
  [
    "convolution",
    [f(3, 5, 2), f(2, 2, 4)],
    { ...grouped, batch_groups: 2 },
    "G131 the batch of f32[3, 5, 2] is no multiple of 2 groups",
  ],
  ["sum", [f(2, 3)], { axes: [1, 0] }, "G025 sum takes `axes` in ascending order, not [1, 0]"],
  ["concatenate", [], { axis: 0 }, "G030 concatenate needs at least one tensor"],
  ["pad", [f(2), f(1)], { low: [0], high: [0], interior: [0] }, "G025 pad fills with a scalar, not with f32[1]"],
  [
    "broadcast_in_dim",
    [f(2)],
    { shape: [3], axes: [0] },
    "G020 f32[2] does not broadcast to [3]: axis 0 has 2 elements, not 3",
  ],
  ["reshape", [f(2, 3)], { shape: [7] }, "G027 reshape of f32[2, 3] to [7]: 6 elements do not fit 7"],
  [
    "slice",
    [f(4)],
    { start: [0], limit: [4], strides: [0] },
    "G026 slice needs a stride of at least 1 along axis 0, not 0",
  ],
  [
    "slice",
    [f(4)],
    { start: [1], limit: [5], strides: [1] },
    "G026 the slice 1:5 is not within axis 0 of f32[4], which has 4 elements",
  ],
  ["qr", [f(symbol("N"), 3)], {}, "G025 qr of f32[N, 3]: which of N and 3 is less is not known"],
];

test("each op says what it refuses", (t) => {
  for (const [name, types, attributes, expected] of refusals) {
    const error = t.throws(() => opNamed(name).infer(types, attributes), { instanceOf: OpError }, expected);
    t.is(`${error?.code} ${error?.message}`, expected);
  }
});
