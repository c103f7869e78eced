import { addDims, type Dim, subtractDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { typeText } from "../../../compiler/ir/type.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { dilatedSize } from "../../../compiler/ops/window_rules.js";
import { unifyDTypes } from "../broadcast.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";
import { originNote, refusal } from "../state.js";
import {
  dilationParameter,
  paddingOf,
  paddingParameter,
  perAxis,
  spatialAxesOf,
  stepsPerAxis,
  stridesParameter,
} from "./window_arguments.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor", doc: "[batch, spatial..., in]" };
const w: IntrinsicParameter = { name: "w", kind: "tensor", doc: "[window..., in / groups, out]" };
const groups: IntrinsicParameter = { name: "groups", kind: "int", default: "1" };

interface Operands {
  readonly values: readonly [Value, Value];
  /** Spatial axes of x. */
  readonly axes: readonly number[];
}

function operandsOf(call: Arguments): Operands {
  const values = unifyDTypes(call.env, [call.item("x"), call.item("w")], call.site("x", "w")) as readonly [
    Value,
    Value,
  ];
  const axes = spatialAxesOf(call, values[0]);
  const [left, right] = values;
  if (right.type.shape.length !== left.type.shape.length) {
    const text = `\`${call.name}\` of ${typeText(left.type)} takes w as [window..., in, out] with ${axes.length} window sizes, not ${typeText(right.type)}`;
    throw refusal(call.env, "G025", call.spanOf("w"), text, {
      notes: [originNote(call.env, right, call.spanOf("w")), originNote(call.env, left, call.spanOf("x"))],
    });
  }
  return { values, axes };
}

function conv(call: Arguments): Meaning {
  const { values, axes } = operandsOf(call);
  const [left, right] = values;
  const strides = stepsPerAxis(call, "strides", axes.length);
  const dilation = stepsPerAxis(call, "dilation", axes.length);
  const padding = paddingOf(
    call,
    axes.map((axis, i) => ({
      axis,
      size: left.type.shape[axis] as Dim,
      window: right.type.shape[i] as Dim,
      stride: strides[i] as number,
      dilation: dilation[i] as number,
    })),
  );
  const attributes = {
    strides,
    ...padding,
    lhs_dilation: axes.map(() => 1),
    rhs_dilation: dilation,
    reversal: [],
    feature_groups: call.has("groups") ? call.integer("groups") : 1,
    batch_groups: 1,
  };
  return tensor(call.apply("convolution", values, attributes, call.site("x", "w")));
}

/** Each element of x stamps w onto the result, `strides` apart: x with holes, slid over by the reversed window. */
function convTranspose(call: Arguments): Meaning {
  const { values, axes } = operandsOf(call);
  const [, right] = values;
  const strides = stepsPerAxis(call, "strides", axes.length);
  const dilation = stepsPerAxis(call, "dilation", axes.length);
  const further = perAxis(call, "output_padding", axes.length, 0);
  const extents = axes.map((_, i) => dilatedSize(right.type.shape[i] as Dim, dilation[i] as number));
  const cut = cutOf(call, extents, strides);
  const attributes = {
    strides: axes.map(() => 1),
    low: extents.map((extent, i) => subtractDims(subtractDims(extent, 1), cut.low[i] as Dim)),
    high: extents.map((extent, i) =>
      addDims(subtractDims(subtractDims(extent, 1), cut.high[i] as Dim), further[i] as number),
    ),
    lhs_dilation: strides,
    rhs_dilation: dilation,
    reversal: axes.map((_, i) => i),
    feature_groups: call.has("groups") ? call.integer("groups") : 1,
    batch_groups: 1,
  };
  return tensor(call.apply("convolution", values, attributes, call.site("x", "w")));
}

/** What is cut off the ends of the full result. "same" makes it x's size times the strides. */
function cutOf(
  call: Arguments,
  extents: readonly Dim[],
  strides: readonly number[],
): { readonly low: readonly Dim[]; readonly high: readonly Dim[] } {
  const { meaning } = call.item("padding");
  if (meaning.kind !== "string" || !meaning.value.startsWith("same")) {
    const slidings = extents.map((window, axis) => ({ axis, size: 0, window, stride: 1, dilation: 1 }));
    return paddingOf(call, slidings);
  }
  // (n - 1) s + k, less the cut, is n s.
  const totals = extents.map((extent, i) => subtractDims(extent, strides[i] as number));
  const halves = totals.map((total) => (typeof total === "number" ? Math.floor(total / 2) : 0));
  const rests = totals.map((total, i) => subtractDims(total, halves[i] as number));
  return meaning.value === "same_lower" ? { low: rests, high: halves } : { low: halves, high: rests };
}

function convolution(call: Arguments): Meaning {
  const site = call.site("lhs", "rhs");
  const values = unifyDTypes(call.env, [call.item("lhs"), call.item("rhs")], site) as readonly [Value, Value];
  const count = Math.max(0, values[0].type.shape.length - 2);
  const each = (parameter: string, fallback: number): readonly number[] => perAxis(call, parameter, count, fallback);
  const attributes = {
    strides: each("strides", 1),
    low: each("low", 0),
    high: each("high", 0),
    lhs_dilation: each("lhs_dilation", 1),
    rhs_dilation: each("rhs_dilation", 1),
    reversal: call.has("reversal") ? call.integers("reversal") : [],
    feature_groups: call.has("feature_groups") ? call.integer("feature_groups") : 1,
    batch_groups: call.has("batch_groups") ? call.integer("batch_groups") : 1,
  };
  return tensor(call.apply("convolution", values, attributes, site));
}

const perSpatial = (name: string, fallback: string): IntrinsicParameter => ({ name, kind: "axes", default: fallback });

export const convolutions: readonly Intrinsic[] = [
  {
    name: "conv",
    doc:
      "Convolution of x [batch, spatial..., in] with w [window..., in / groups, out], in 1, 2, 3 or more spatial dimensions: for each " +
      "position of the window the sum of its products with x, over the window and the channels (the window is not reversed). With " +
      "`groups` = in it is depthwise. Any leading layout is a transpose away, which costs nothing. The bias is added by the caller.",
    parameters: [x, w, stridesParameter, paddingParameter, dilationParameter, groups],
    result: "y",
    build: conv,
  },
  {
    name: "conv_transpose",
    doc:
      "Transposed convolution: each element of x stamps w [window..., in / groups, out], times it, onto the result, `strides` apart; " +
      "`padding` cuts that much off the full result of (n - 1) * stride + window, and `output_padding` adds to its end.",
    parameters: [
      x,
      w,
      stridesParameter,
      paddingParameter,
      { name: "output_padding", kind: "axes", default: "0" },
      dilationParameter,
      groups,
    ],
    result: "y",
    build: convTranspose,
  },
  {
    name: "convolution",
    doc: opNamed("convolution").doc,
    parameters: [
      { name: "lhs", kind: "tensor" },
      { name: "rhs", kind: "tensor" },
      perSpatial("strides", "1"),
      perSpatial("low", "0"),
      perSpatial("high", "0"),
      perSpatial("lhs_dilation", "1"),
      perSpatial("rhs_dilation", "1"),
      { name: "reversal", kind: "axes", default: "[]" },
      { name: "feature_groups", kind: "int", default: "1" },
      { name: "batch_groups", kind: "int", default: "1" },
    ],
    result: "y",
    build: convolution,
  },
];
