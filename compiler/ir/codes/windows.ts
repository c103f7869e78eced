import type { CodeRow } from "./row.js";

/** G13x: convolutions and pooling. */
export const windowCodes = [
  {
    code: "G130",
    title: "window does not fit",
    explain:
      "A convolution's or a pooling's window is larger than the padded tensor along an axis, so that it has no position; or a size, " +
      "stride or dilation is below 1.",
    example: "graph g {\n  placeholder x: f32[1, 4, 4, 3]\n  y = max_pool(x, window=5)\n}\n",
  },
  {
    code: "G131",
    title: "channels do not agree",
    explain:
      "The last axis of x, divided by the groups, is the last axis but one of the weights [window..., in / groups, out]; the groups divide " +
      "both channel counts.",
    example: "graph g {\n  placeholder x: f32[1, 8, 8, 3]\n  placeholder w: f32[3, 3, 4, 16]\n  y = conv(x, w)\n}\n",
  },
] as const satisfies readonly CodeRow[];
