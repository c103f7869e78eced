import { type Dim, symbol } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import { type Attributes, newRegionParameters, type Region } from "../../compiler/ir/node.js";
import { type TensorType, tensorType } from "../../compiler/ir/type.js";

/** What the ops themselves refuse where the language has refused it before: graphs may also come from printed forms. */

const type = (dtype: DType, ...shape: readonly Dim[]): TensorType => tensorType(dtype, shape);
const f = (...shape: readonly Dim[]): TensorType => type("f32", ...shape);
const i = (...shape: readonly Dim[]): TensorType => type("i64", ...shape);
const strided = { strides: [1], low: [0], high: [0], lhs_dilation: [1], rhs_dilation: [1], reversal: [] };
const grouped = { ...strided, feature_groups: 1, batch_groups: 1 };

const draw = { path: "x", index: 0, shape: [2] };
const loop = { captures: 0, sequences: 0, length: [3], reverse: false, checkpoint: false };

/** A region with results of these types: parameters of another region stand in for what computes them. */
function region(parameters: readonly TensorType[], results: readonly TensorType[]): Region {
  return { parameters: newRegionParameters(parameters), results: newRegionParameters(results) };
}

/** The op, the types of its operands, its attributes, what it says, and its regions. */
export type Refusal = readonly [
  op: string,
  operands: readonly TensorType[],
  attributes: Attributes,
  says: string,
  regions?: readonly Region[],
];

export const refusals: readonly Refusal[] = [
  ["tanh", [], {}, "G030 tanh takes 1 operand, not 0"],
  ["cast", [f(2)], {}, "G030 cast needs the attribute `to`"],
  ["cast", [f(2)], { to: "f64", from: "f32" }, "G030 cast has no attribute `from`"],
  ["cast", [f(2)], { to: "string" }, "G024 cast makes no strings: they are constants only"],
  ["check_index", [i(2)], { size: [1, 2] }, "G031 check_index takes one size, not 2"],
  ["wrap_index", [i(2)], { size: [] }, "G031 wrap_index takes one size, not 0"],
  [
    "dot_general",
    [f(2, 3), f(4, 3)],
    { lhs_batch: [], rhs_batch: [], lhs_contract: [0], rhs_contract: [0] },
    "G021 inner dimensions 2 and 4 differ: f32[2, 3] with f32[4, 3]",
  ],
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
  ["cast", [f(2)], { to: 3 }, "G031 the attribute `to` of cast must be a dtype"],
  [
    "placeholder",
    [],
    { name: "x", dtype: "string", shape: [] },
    "G024 a placeholder cannot hold strings: they are constants only",
  ],
  [
    "random_uniform",
    [i(2)],
    { ...draw, dtype: "f32" },
    "G020 random_uniform takes the run's state, i64[3], not i64[2]",
  ],
  ["random_uniform", [i(3), i(1)], { ...draw, dtype: "f32" }, "G025 a loop index is a scalar, not i64[1]"],
  ["random_uniform", [i(3)], { ...draw, dtype: "f16" }, "G024 random_uniform makes f32 or f64, not f16"],
  ["gather", [f(4)], { axes: [] }, "G030 gather needs at least one index tensor"],
  ["gather", [f(4, 4), i(2)], { axes: [0, 1] }, "G025 gather takes one index tensor for each of `axes`: 1 for 2"],
  [
    "scatter",
    [f(4, 3), f(2), i(2)],
    { axes: [0], combiner: "add" },
    "G020 scatter into f32[4, 3] needs updates of shape [2, 3], not f32[2]",
  ],
  [
    "scatter",
    [f(4), f(2), i(2)],
    { axes: [0], combiner: "sub" },
    "G031 scatter combines by set, add, mul, max, min, not by `sub`",
  ],
  [
    "select_and_gather",
    [f(4), f(5)],
    { window: [2], strides: [2], low: [0], high: [0], dilation: [1] },
    "G020 select_and_gather takes `values` of the shape of x: f32[4], not f32[5]",
  ],
  [
    "windows",
    [f(4)],
    { axes: [0], size: [2], strides: [1, 1], dilation: [1] },
    "G025 windows along 1 axes needs as many numbers in `strides`, not 2",
  ],
  ["argmax", [f(2, 0)], { axis: 1 }, "G025 an empty axis has no maximum: axis 1 of f32[2, 0]"],
  [
    "scan",
    [f()],
    { ...loop, sequences: 1 },
    "G025 scan goes through axis 0 of a sequence, and f32 is a scalar",
    [region([i(), f()], [])],
  ],
  [
    "scan",
    [f(3), f(2)],
    { ...loop, sequences: 2 },
    "G020 scan goes through sequences of one length, and these have 3 and 2",
    [region([i(), f(), f()], [])],
  ],
  ["scan", [f(2)], loop, "G053 a carry of scan is f32[2] at first and f32[3] next", [region([i(), f(2)], [f(3)])]],
  [
    "while",
    [f(2)],
    { captures: 0 },
    "G053 a carry of while is f32[2] at first and nothing next",
    [region([i(), f(2)], [type("bool")]), region([i(), f(2)], [])],
  ],
  [
    "while",
    [f(2)],
    { captures: 0 },
    "G024 the condition of a while is one bool, not f32[2]",
    [region([i(), f(2)], [f(2)]), region([i(), f(2)], [f(2)])],
  ],
  [
    "if",
    [type("bool", 2)],
    {},
    "G025 the predicate of an if is a scalar, not bool[2]",
    [region([], []), region([], [])],
  ],
  [
    "if",
    [type("bool")],
    {},
    "G054 the two branches of an if give f32 and f32[2]",
    [region([], [f()]), region([], [f(2)])],
  ],
];
