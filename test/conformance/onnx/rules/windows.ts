/** Convolutions, pooling and resizing: ONNX has channels first, the language last. */
import { Unsupported } from "../format.js";
import { fromStart, list, numeral, type Rules, range, type View } from "../view.js";

/** [N, C, spatial...] to [N, spatial..., C]. */
export function channelsLast(x: string, rank: number): string {
  return `transpose(${x}, ${list([0, ...range(rank - 2, 2), 1])})`;
}

export function channelsFirst(x: string, rank: number): string {
  return `transpose(${x}, ${list([0, rank - 1, ...range(rank - 2, 1)])})`;
}

function pairs(pads: readonly number[]): string {
  const half = pads.length / 2;
  return list(range(half).map((i) => list([pads[i] ?? 0, pads[i + half] ?? 0])));
}

function padding(n: View): string {
  switch (n.text("auto_pad", "NOTSET")) {
    case "SAME_UPPER":
      return '"same"';
    case "SAME_LOWER":
      return '"same_lower"';
    case "VALID":
      return '"valid"';
    default:
      return pairs(n.ints("pads") ?? range(2 * (n.rank() - 2)).map(() => 0));
  }
}

const each = (n: View, attribute: string, otherwise: number) =>
  n.ints(attribute) ?? range(n.rank() - 2).map(() => otherwise);

function convolution(n: View): string {
  const rank = n.rank();
  const weights = `transpose(${n.in(1)}, ${list([...range(rank - 2, 2), 1, 0])})`;
  const options = `strides=${list(each(n, "strides", 1))}, padding=${padding(n)}, dilation=${list(each(n, "dilations", 1))}`;
  const y = `conv(${channelsLast(n.in(0), rank)}, ${weights}, ${options}, groups=${n.number("group", 1)})`;
  return channelsFirst(n.has(2) ? `${y} + ${n.in(2)}` : y, rank);
}

/** `output_shape` decides the padding: an odd one before it where it is SAME_UPPER, else after. */
function transposedPadding(n: View): { readonly pads: string; readonly more: readonly number[] } {
  const more = each(n, "output_padding", 0);
  const asked = n.ints("output_shape");
  const automatic = n.text("auto_pad", "NOTSET");
  const strides = each(n, "strides", 1);
  const sizes =
    asked ??
    n
      .shape()
      .slice(2)
      .map((size, i) => size * (strides[i] ?? 1));
  if (asked === undefined && !automatic.startsWith("SAME")) {
    return { pads: pairs(n.ints("pads") ?? range(2 * more.length).map(() => 0)), more };
  }
  const window = n.shape(1).slice(2);
  const dilations = each(n, "dilations", 1);
  const total = sizes.map((size, i) => {
    const reach = ((window[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    return (strides[i] ?? 1) * ((n.shape()[i + 2] ?? 1) - 1) + (more[i] ?? 0) + reach - size;
  });
  const small = total.map((pad) => Math.floor(Math.max(0, pad) / 2));
  const large = total.map((pad, i) => Math.max(0, pad) - (small[i] ?? 0));
  const pads = automatic === "SAME_UPPER" ? [...small, ...large] : [...large, ...small];
  return { pads: pairs(pads), more: more.map((pad, i) => pad + Math.max(0, -(total[i] ?? 0))) };
}

function transposedConvolution(n: View): string {
  const rank = n.rank();
  const groups = n.number("group", 1);
  const [channels = 1, out = 1, ...window] = n.shape(1);
  const parted = `reshape(${n.in(1)}, ${list([groups, channels / groups, out, ...window])})`;
  const ordered = `transpose(${parted}, ${list([...range(rank - 2, 3), 1, 0, 2])})`;
  const weights = `reshape(${ordered}, ${list([...window, channels / groups, groups * out])})`;
  const { pads, more } = transposedPadding(n);
  const options = `strides=${list(each(n, "strides", 1))}, padding=${pads}, output_padding=${list(more)}, dilation=${list(each(n, "dilations", 1))}`;
  const y = `conv_transpose(${channelsLast(n.in(0), rank)}, ${weights}, ${options}, groups=${groups})`;
  return channelsFirst(n.has(2) ? `${y} + ${n.in(2)}` : y, rank);
}

function windowOptions(n: View): string {
  const window = list(each(n, "kernel_shape", 1));
  return `window=${window}, strides=${list(each(n, "strides", 1))}, padding=${padding(n)}, dilation=${list(each(n, "dilations", 1))}`;
}

function pool(n: View, name: string, more = ""): string {
  const options = `${windowOptions(n)}, ceil_mode=${n.flag("ceil_mode")}${more}`;
  return channelsFirst(`${name}(${channelsLast(n.in(0), n.rank())}, ${options})`, n.rank());
}

/** The position of each largest element in the whole tensor, whose last two axes change places with `storage_order`. */
function maxPool(n: View): readonly string[] {
  const values = pool(n, "max_pool");
  if (!n.wants(1)) return [values];
  if (n.flag("ceil_mode")) throw new Unsupported("positions in windows that reach beyond the end");
  const rank = n.rank();
  const sizes = [...n.shape()];
  const order = [...range(rank)];
  if (n.flag("storage_order")) order.splice(rank - 2, 2, rank - 1, rank - 2);
  const count = sizes.reduce((product, size) => product * size, 1);
  const places = `transpose(reshape(iota(${count}, dtype=f32), ${list(order.map((axis) => sizes[axis] ?? 1))}), ${list(order)})`;
  const chosen = `select_and_gather(${channelsLast(n.in(0), rank)}, ${channelsLast(places, rank)}, ${windowOptions(n)})`;
  return [values, `cast(${channelsFirst(chosen, rank)}, to=i64)`];
}

function sizesAfter(n: View): readonly number[] | undefined {
  if (!n.has(3)) return undefined;
  const axes = (n.ints("axes") ?? range(n.rank())).map((axis) => fromStart(axis, n.rank()));
  const asked = n.numbers(3);
  const scales = asked.map((size, i) => size / (n.shape()[axes[i] ?? 0] ?? 1));
  const policy = n.text("keep_aspect_ratio_policy", "stretch");
  const one = policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  return n.shape().map((size, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return size;
    return policy === "stretch" ? (asked[i] ?? size) : Math.floor(one * size + 0.5);
  });
}

function resize(n: View): string {
  const rank = n.rank();
  const upsample = n.op === "Upsample";
  const coordinates = upsample ? "asymmetric" : n.text("coordinate_transformation_mode", "half_pixel");
  if (n.flag("antialias")) throw new Unsupported("resize has no antialias filter");
  if (coordinates === "tf_crop_and_resize") throw new Unsupported("resize has no crop");
  const axes = (n.ints("axes") ?? range(rank)).map((axis) => fromStart(axis, rank));
  const given = upsample ? n.numbersOr(1, "scales") : n.has(2) ? n.numbers(2) : [];
  const scales = range(rank).map((axis) => given?.[axes.indexOf(axis)] ?? 1);
  const sizes = sizesAfter(n);
  const wanted = sizes === undefined ? `scale=${list(scales.slice(2).map(numeral))}` : `size=${list(sizes.slice(2))}`;
  const rounding = upsample ? "floor" : n.text("nearest_mode", "round_prefer_floor");
  const options = `${wanted}, mode="${n.text("mode", "nearest")}", coordinates="${coordinates}", rounding="${rounding}"`;
  return channelsFirst(`resize(${channelsLast(n.in(0), rank)}, ${options})`, rank);
}

const spatial = (n: View) => list(range(n.rank() - 2, 2));

export const windows: Rules = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  AveragePool: (n) => pool(n, "average_pool", `, count_include_pad=${n.flag("count_include_pad")}`),
  LpPool: (n) => pool(n, "lp_pool", `, p=${n.number("p", 2)}`),
  MaxPool: maxPool,
  GlobalAveragePool: (n) => `mean(${n.in(0)}, axis=${spatial(n)}, keepdims=true)`,
  GlobalMaxPool: (n) => `max(${n.in(0)}, axis=${spatial(n)}, keepdims=true)`,
  Resize: resize,
  Upsample: resize,
  LRN: (n) =>
    channelsFirst(
      `local_response_norm(${channelsLast(n.in(0), n.rank())}, size=${n.number("size", 1)}, alpha=${n.real("alpha", 1e-4)}, beta=${n.real("beta", 0.75)}, bias=${n.real("bias", 1)})`,
      n.rank(),
    ),
};
