/** Milliseconds of AlexNet at a batch of 128 on a Titan X: convnet-benchmarks of commit b458aab, with its names. */
const published: readonly Row[] = [
  { name: "CuDNN R4, fp16 (Torch)", total: 71, forward: 25, backward: 46 },
  { name: "Nervana neon, fp16", total: 78, forward: 25, backward: 52 },
  { name: "CuDNN R4, fp32 (Torch)", total: 81, forward: 27, backward: 53 },
  { name: "TensorFlow", total: 81, forward: 26, backward: 55 },
  { name: "Nervana neon, fp32", total: 87, forward: 28, backward: 58 },
  { name: "fbfft (Torch)", total: 104, forward: 31, backward: 72 },
  { name: "Chainer", total: 177, forward: 40, backward: 136 },
  { name: "cudaconvnet2", total: 177, forward: 42, backward: 135 },
  { name: "CuDNN R2", total: 231, forward: 70, backward: 161 },
  { name: "Caffe (native)", total: 324, forward: 121, backward: 203 },
  { name: "Torch-7 (native)", total: 342, forward: 132, backward: 210 },
  { name: "CL-nn (Torch)", total: 963, forward: 388, backward: 574 },
  { name: "Caffe-CLGreenTea", total: 1442, forward: 210, backward: 1232 },
];

interface Row {
  readonly name: string;
  readonly total: number;
  readonly forward: number;
  readonly backward: number;
}

/** The published times and one's own, in milliseconds, the fastest first. */
export function besidePublished(own: { readonly forward: number; readonly step: number }): readonly string[] {
  const mine = {
    name: "graphc, fp32, one core",
    total: own.step,
    forward: own.forward,
    backward: own.step - own.forward,
  };
  const rows = [...published, mine].sort((a, b) => a.total - b.total);
  const cell = (ms: number, width: number): string => Math.round(ms).toLocaleString("en").padStart(width);
  return [
    "milliseconds, batch 128 |  total  forward  backward",
    ...rows.map(({ name, total, forward, backward }) =>
      [name.padEnd(23), "|", cell(total, 6), cell(forward, 8), cell(backward, 9)].join(" "),
    ),
  ];
}
