import { symbol } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { add, floorDiv, mul } from "../../../compiler/ops/arithmetic.js";
import { constantLike, fill, literal } from "../../../compiler/ops/build.js";
import { checkIndex, wrapIndex } from "../../../compiler/ops/checks.js";
import { log } from "../../../compiler/ops/exponential.js";
import { gather, scatter } from "../../../compiler/ops/indexing.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { constant } from "../../../compiler/ops/sources.js";
import { concatenate, iota, pad } from "../../../compiler/ops/structure.js";
import { broadcastInDim, reshape, reverse, slice, transpose } from "../../../compiler/ops/views.js";
import { input } from "../ir/support.js";
import { declines, exact, type Row } from "./rows.js";

const x = input("x", "f32", [2, 3, 4]);
const row = input("row", "f32", [1, 3]);
const seven = fill({ dtype: "f32", shape: [2, 3] }, 7);
const table = literal("f32", [2, 2], [1, 2, 3, -0]);
const N = symbol("N");

const zero = fill({ dtype: "f32", shape: [] }, 0);

/** An operand between so many rows of a number. */
function placed(value: Value, low: number, high: number, by = 0): Value {
  const padding = fill({ dtype: value.type.dtype, shape: [] }, by);
  return pad(value, padding, { low: [0, low, 0], high: [0, high, 0], interior: [0, 0, 0] });
}

export const viewRows: readonly Row[] = [
  exact("constant-splat", literal("f32", [2, 3], new Float32Array(6).fill(7)), seven),
  exact("constant-splat", literal("f32", [1], [-0]), fill({ dtype: "f32", shape: [1] }, -0)),
  exact(
    "constant-splat",
    constant({ value: { dtype: "f32", shape: [2], data: new Float32Array(2).fill(Number.NaN) } }),
  ),
  declines("constant-splat", literal("f32", [2], [0, -0])),
  declines("constant-splat", literal("f32", [0], [])),
  exact("reshape-splat", reshape(seven, { shape: [6] }), fill({ dtype: "f32", shape: [6] }, 7)),
  exact("transpose-splat", transpose(seven, { permutation: [1, 0] }), fill({ dtype: "f32", shape: [3, 2] }, 7)),
  exact("slice-splat", slice(seven, { start: [0, 1], limit: [2, 2], strides: [1, 1] })),
  exact("reverse-splat", reverse(seven, { axes: [1] }), seven),
  exact("broadcast_in_dim-splat", broadcastInDim(seven, { shape: [4, 2, 3], axes: [1, 2] })),
  declines("broadcast_in_dim-splat", seven),
  exact("iota-unit", iota({ dtype: "i64", shape: [3, 1], axis: 1 }), fill({ dtype: "i64", shape: [3, 1] }, 0)),
  declines("iota-unit", iota({ dtype: "i64", shape: [3, 1], axis: 0 })),

  exact("broadcast-unit-axes", broadcastInDim(row, { shape: [2, 3], axes: [0, 1] })),
  declines("broadcast-unit-axes", broadcastInDim(input("v", "f32", [3]), { shape: [2, 3], axes: [1] })),
  declines("broadcast-unit-axes", broadcastInDim(input("u", "f32", [1]), { shape: [1, 4], axes: [0] })),
  exact(
    "broadcast-broadcast",
    broadcastInDim(broadcastInDim(input("v", "f32", [3]), { shape: [3, 4], axes: [0] }), {
      shape: [4, 2, 3],
      axes: [2, 0],
    }),
    broadcastInDim(input("v", "f32", [3]), { shape: [4, 2, 3], axes: [2] }),
  ),
  exact("broadcast-reshape", broadcastInDim(x, { shape: [2, 3, 4], axes: [0, 1, 2] }), x),
  exact(
    "broadcast-reshape",
    broadcastInDim(x, { shape: [2, 1, 3, 4], axes: [0, 2, 3] }),
    reshape(x, { shape: [2, 1, 3, 4] }),
  ),
  declines("broadcast-reshape", broadcastInDim(input("q", "f32", [2, 2]), { shape: [2, 2], axes: [1, 0] })),

  exact("reshape-identity", reshape(x, { shape: [2, 3, 4] }), x),
  exact("reshape-reshape", reshape(reshape(x, { shape: [6, 4] }), { shape: [2, 12] }), reshape(x, { shape: [2, 12] })),
  exact("reshape-reshape", reshape(reshape(x, { shape: [24] }), { shape: [2, 3, 4] }), x),

  exact(
    "elementwise-of-unit-reshapes",
    log(reshape(input("v", "f32", [3]), { shape: [3, 1] })),
    reshape(log(input("v", "f32", [3])), { shape: [3, 1] }),
  ),
  exact(
    "elementwise-of-unit-reshapes",
    add(
      reshape(input("u", "f32", [3]), { shape: [1, 3, 1] }),
      mul(fill({ dtype: "f32", shape: [1, 3, 1] }, 2), reshape(input("v", "f32", [3]), { shape: [1, 3, 1] })),
    ),
  ),
  declines("elementwise-of-unit-reshapes", log(reshape(x, { shape: [6, 4] }))),
  declines("elementwise-of-unit-reshapes", add(row, reshape(input("v", "f32", [3]), { shape: [1, 3] }))),

  exact("transpose-identity", transpose(x, { permutation: [0, 1, 2] }), x),
  exact(
    "transpose-transpose",
    transpose(transpose(x, { permutation: [2, 0, 1] }), { permutation: [1, 0, 2] }),
    transpose(x, { permutation: [0, 2, 1] }),
  ),
  exact("transpose-transpose", transpose(transpose(x, { permutation: [2, 0, 1] }), { permutation: [1, 2, 0] }), x),
  exact("transpose-unit-axes", transpose(row, { permutation: [1, 0] }), reshape(row, { shape: [3, 1] })),
  declines("transpose-unit-axes", transpose(x, { permutation: [1, 0, 2] })),
  exact(
    "transpose-broadcast",
    transpose(broadcastInDim(input("v", "f32", [3]), { shape: [3, 4, 2], axes: [0] }), { permutation: [2, 0, 1] }),
    broadcastInDim(input("v", "f32", [3]), { shape: [2, 3, 4], axes: [1] }),
  ),

  exact("reverse-unit-axes", reverse(row, { axes: [0, 1] }), reverse(row, { axes: [1] })),
  exact("reverse-unit-axes", reverse(x, { axes: [] }), x),
  exact("reverse-reverse", reverse(reverse(x, { axes: [2, 0] }), { axes: [1, 0] }), reverse(x, { axes: [1, 2] })),
  exact("reverse-reverse", reverse(reverse(x, { axes: [2] }), { axes: [2] }), x),

  exact("slice-identity", slice(x, { start: [0, 0, 0], limit: [2, 3, 4], strides: [1, 1, 1] }), x),
  declines("slice-identity", slice(input("one", "f32", [3]), { start: [0], limit: [3], strides: [2] })),
  exact(
    "slice-slice",
    sliced(sliced(input("long", "f32", [40]), 3, 38, 4), 1, 8, 3),
    sliced(input("long", "f32", [40]), 7, 32, 12),
  ),
  exact("slice-slice", sliced(sliced(input("long", "f32", [40]), 3, 38, 1), 5, 20, 2)),
  exact("slice-slice", sliced(sliced(input("long", "f32", [40]), 30, 40, 3), 4, 4, 1)),
  exact("slice-concatenate", sliced(joined(), 3, 7, 2), sliced(input("b", "f32", [6]), 1, 5, 2)),
  exact("slice-concatenate", sliced(joined(), 0, 2, 1)),
  declines("slice-concatenate", sliced(joined(), 1, 4, 1)),

  exact("concatenate-one", concatenate([x], { axis: 1 }), x),
  exact("concatenate-empty", concatenate([x, input("none", "f32", [2, 0, 4])], { axis: 1 })),
  declines("concatenate-empty", concatenate([input("none", "f32", [0])], { axis: 0 })),
  exact("concatenate-concatenate", concatenate([joined(), joined()], { axis: 0 })),
  declines("concatenate-concatenate", concatenate([concatenate([x, x], { axis: 0 })], { axis: 1 })),
  exact("pad-nothing", pad(x, input("s", "f32"), { low: [0, 0, 0], high: [0, 0, 0], interior: [0, 0, 0] }), x),
  declines("pad-nothing", pad(x, input("s", "f32"), { low: [0, 0, 0], high: [0, 0, 0], interior: [1, 0, 0] })),

  // The sum's own zeros: -0 in a part becomes 0, as wild operands show.
  exact("add-disjoint-pads", add(placed(x, 0, 6), placed(x, 3, 3))),
  exact("add-disjoint-pads", add(placed(x, 4, 0), add(placed(x, 0, 4), placed(input("u", "f32", [2, 1, 4]), 3, 3)))),
  exact(
    "add-disjoint-pads",
    add(placed(input("k", "i32", [2, 3, 4]), 0, 3), placed(input("l", "i32", [2, 3, 4]), 3, 0)),
  ),
  exact("add-disjoint-pads", add(placed(x, 3, 0), concatenate([x, fill(x.type, 0)], { axis: 1 }))),
  exact(
    "add-disjoint-pads",
    add(placed(input("h", "bf16", [2, 3, 4]), 3, 1), placed(input("i", "bf16", [2, 3, 4]), 0, 4)),
  ),
  declines("add-disjoint-pads", add(placed(x, 0, 5), placed(x, 2, 3))),
  declines("add-disjoint-pads", add(placed(x, 0, 3), placed(x, 3, 0, -0))),
  declines("add-disjoint-pads", add(placed(x, 0, 3), placed(x, 3, 0, 1))),
  declines("add-disjoint-pads", add(placed(x, 0, 3), input("w", "f32", [2, 6, 4]))),
  exact(
    "add-disjoint-pads",
    add(
      placed(x, 0, 2),
      pad(input("v", "f32", [2, 2, 4]), zero, { low: [0, 3, 0], high: [0, 0, 0], interior: [0, 0, 0] }),
    ),
  ),
  declines(
    "add-disjoint-pads",
    add(
      placed(x, 0, 3),
      pad(input("p", "f32", [1, 3, 4]), zero, { low: [1, 3, 0], high: [0, 0, 0], interior: [0, 0, 0] }),
    ),
  ),
  declines(
    "add-disjoint-pads",
    add(
      placed(x, 0, 5),
      pad(input("q", "f32", [2, 2, 4]), zero, { low: [0, 3, 0], high: [0, 2, 0], interior: [0, 1, 0] }),
    ),
  ),

  exact("fold-splats", mul(seven, fill(seven.type, 0.1)), fill(seven.type, Math.fround(7 * Math.fround(0.1)))),
  exact("fold-splats", log(fill({ dtype: "f64", shape: [] }, 2)), fill({ dtype: "f64", shape: [] }, Math.log(2))),
  declines("fold-splats", mul(x, constantLike(x, 2))),
  // The run reports what makes a NaN or divides by zero, with its place.
  declines("fold-splats", log(fill({ dtype: "f32", shape: [] }, -1))),
  declines("fold-splats", floorDiv(fill({ dtype: "i32", shape: [] }, 1), fill({ dtype: "i32", shape: [] }, 0))),
  exact("fold-constants", transpose(table, { permutation: [1, 0] }), literal("f32", [2, 2], [1, 3, 2, -0])),
  exact("fold-constants", sum(table, { axes: [0] }), literal("f32", [2], [4, 2])),
  exact("fold-constants", add(table, constantLike(table, 1))),
  exact("fold-constants", concatenate([table, fill({ dtype: "f32", shape: [2, 1] }, 5)], { axis: 1 })),
  exact(
    "fold-constants",
    gather(table, [literal("i64", [3], [1, 0, 1])], { axes: [0] }),
    literal("f32", [3, 2], [3, -0, 1, 2, 3, -0]),
  ),
  exact(
    "fold-constants",
    scatter(table, literal("f32", [1, 2], [7, 8]), [literal("i64", [1], [1])], { axes: [0], combiner: "add" }),
    literal("f32", [2, 2], [1, 2, 10, 8]),
  ),
  declines("fold-constants", gather(table, [literal("i64", [1], [2])], { axes: [0] })),
  exact("fold-constants", wrapIndex(literal("i32", [2], [0, -1]), { size: [4] }), literal("i64", [2], [0, 3])),
  declines("fold-constants", wrapIndex(literal("i32", [2], [0, -5]), { size: [4] })),
  declines("fold-constants", checkIndex(literal("i64", [2], [0, 9]), { size: [4] })),
  declines("fold-constants", broadcastInDim(table, { shape: [100, 2, 2], axes: [1, 2] })),
  declines(
    "fold-constants",
    add(
      literal(
        "f32",
        [5000],
        new Float32Array(5000).map((_, i) => i),
      ),
      fill({ dtype: "f32", shape: [5000] }, 1),
    ),
  ),
  declines("fold-constants", fill({ dtype: "f32", shape: [N] }, 1)),
];

function sliced(value: Row["before"], start: number, limit: number, stride: number): Row["before"] {
  return slice(value, { start: [start], limit: [limit], strides: [stride] });
}

function joined(): Row["before"] {
  return concatenate([input("a", "f32", [2]), input("b", "f32", [6])], { axis: 0 });
}
