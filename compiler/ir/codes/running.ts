import type { CodeRow } from "./row.js";

/** G08x: feeds, fetches and sessions. */
export const sessionCodes = [
  {
    code: "G080",
    title: "placeholder is not fed",
    explain: "What is fetched reads this placeholder, and it has no default.",
    example: "$ graphc run mnist.graph predict",
  },
  {
    code: "G081",
    title: "feed of the wrong shape",
    explain: "The message has the shape of the feed and that of the placeholder.",
    example: "$ graphc run mnist.graph predict --feed image=[1,2,3]",
  },
  {
    code: "G082",
    title: "feed of the wrong dtype",
    explain: "A typed array has the placeholder's dtype; numbers in plain arrays fit into it.",
    example: "$ graphc run divide.graph --fetch y --feed n=0.5",
  },
  {
    code: "G083",
    title: "unknown name in a feed, fetch or signature",
    explain: "The graph has no such placeholder, edge, update or signature. The hint names the nearest.",
    example: "$ graphc run mnist.graph predcit",
  },
  {
    code: "G084",
    title: "dim is beyond its bound",
    explain: "A feed binds a dim to a size above the bound that its `dim` declares.",
    example: "$ graphc train mnist.graph --batch 200",
  },
  {
    code: "G085",
    title: "dim has two sizes",
    explain: "Two feeds of one run bind the same dim differently. The notes give both.",
    example: "$ graphc run mnist.graph evaluate --feed image=two-rows.npy --feed label=three-rows.npy",
  },
  {
    code: "G086",
    title: "index out of range",
    explain:
      "An index computed in the run lies outside the dimension, such as a label beyond the classes. No variable was changed.",
    example: "$ graphc train mnist.graph --data label=labels-above-nine.idx",
  },
  {
    code: "G087",
    title: "matrix is not invertible",
    explain:
      "The matrix is singular to working precision, or not positive definite where that is needed. No variable was changed. `pinv` and `lstsq` take any matrix; `a + 1e-6 * eye(n)` keeps one that is nearly singular away from it.",
    example: "$ graphc run singular.graph --fetch x",
  },
  {
    code: "G088",
    title: "session is closed",
    explain: "The session was closed, so it cannot run, train, save or restore.",
    example: "$ node use-after-close.js",
  },
  {
    code: "G089",
    title: "integer division by zero",
    explain:
      "`//` or `%` of integers met a zero divisor. No variable was changed. Divide by `maximum(n, 1)`, or feed no 0.",
    example: "$ graphc run divide.graph --fetch y --feed n=0",
  },
] as const satisfies readonly CodeRow[];

/** G09x: checkpoints and weights. */
export const checkpointCodes = [
  {
    code: "G090",
    title: "checkpoint is of another model",
    explain: "The keys or shapes differ. The notes list what is missing, what is left over, and which shapes differ.",
    example: "$ graphc run mnist.graph predict --weights other.safetensors",
  },
  {
    code: "G091",
    title: "checkpoint is damaged",
    explain: "The file is cut short, its header is not valid, or its checksum differs. Use an older checkpoint.",
    example: "$ graphc train mnist.graph --resume cut-short.safetensors",
  },
  {
    code: "G092",
    title: "file cannot be saved",
    explain:
      "The disk is full, the folder is not writable, or another kind of file stands there: a checkpoint replaces no graph. The file that was there before is as it was.",
    example: "$ graphc train mnist.graph --save README.md/mnist.safetensors",
  },
  {
    code: "G093",
    title: "checkpoint cannot resume training",
    explain: "The file has weights only, without optimizer slots, step and random state: use it with `--weights`.",
    example: "$ graphc train mnist.graph --resume weights-only.safetensors",
  },
  {
    code: "G094",
    title: "name of a checkpoint is not right",
    explain:
      "The name may hold `{step}` once, after the last `/`: it becomes the number of the step. Old ones are counted by it.",
    example: "$ graphc train misnamed.graph",
  },
] as const satisfies readonly CodeRow[];

/** G1xx: limits, the machine and numerics. */
export const limitCodes = [
  {
    code: "G100",
    title: "file is too large",
    explain: "A source file has at most 4 MiB. Large constants belong in a data file.",
    example: "$ graphc check generated.graph",
  },
  {
    code: "G101",
    title: "nesting is too deep",
    explain: "Brackets nest at most 100 deep and one expression has at most 500 levels. Bind the parts to names.",
    example: `graph g {\n  x = ${"(".repeat(101)}1${")".repeat(101)}\n}\n`,
  },
  {
    code: "G102",
    title: "tensor or graph is too large",
    explain: "The graph needs more memory than the machine has, or a shape has more elements than can be counted.",
    example: "graph g {\n  variable w: f64[1000000, 1000000] = zeros()\n}\n",
  },
  {
    code: "G103",
    title: "too many problems",
    explain: "Only the first 100 problems of a file are shown.",
    example: "$ graphc check generated.graph",
  },
  {
    code: "G110",
    title: "value is not finite",
    explain:
      "With `--check-numerics` the first op that makes a NaN or an infinity is named, with its line and the step.",
    example: "$ graphc train diverging.graph --check-numerics",
  },
  {
    code: "G111",
    title: "training is not finite",
    explain:
      "A trained variable has NaN or infinite elements, or the loss of the last step is not finite. Training ends there; such a state is not saved, so that files which were there stay. Run with `--check-numerics` to find the first op that made it. As a warning: something that is reported was NaN, and all trained variables are finite.",
    example: "$ graphc train diverging.graph",
  },
  {
    code: "G120",
    title: "back end is not available",
    explain: "Something that the target needs is missing on this machine; `graphc doctor` says what.",
    example: "$ graphc train mnist.graph --target cpu",
  },
  {
    code: "G121",
    title: "dtype or op is not supported by the target",
    explain: "The target cannot run this op on this dtype. The message names the targets that can.",
    example: "$ graphc run half.graph --fetch y --target cpu",
  },
  {
    code: "G122",
    title: "device is not available",
    explain: "The device asked for does not work on this machine; `graphc doctor` lists all, with the reasons.",
    example: "$ graphc train mnist.graph --target gpu --device webgpu",
  },
  {
    code: "G123",
    title: "value is on the device",
    explain:
      "With the target gpu, variables stay on the device, and a run that changes one leaves this process's copy behind. `get` gives that copy and cannot wait; `session.read` and `session.save` bring the value.",
    example: "$ node get-after-training-on-a-gpu.js",
  },
  {
    code: "G124",
    title: "device fails while it runs",
    explain:
      "The device refused a kernel, had no memory left, or went away. The run has assigned nothing; what it computes on the cpu or on another device is the same.",
    example: "$ graphc train large.graph --target gpu",
  },
  {
    code: "G125",
    title: "no such place to compute",
    explain: '`on` takes `"cpu"` or `"gpu"`; `--device` chooses which of a machine\'s devices the gpu is.',
    example: 'graph g {\n  placeholder x: f32[4]\n  y = exp(x) on "tpu"\n}\n',
  },
  {
    code: "G126",
    title: "placement is not followed",
    explain:
      "A loop or branch is computed on one side as a whole, where the `on` at its end says, and a statement in it lies where the whole does: another place is an error. It is a warning in a fn that is called there, which may be called elsewhere, too, and where the target given has one place only.",
    example:
      'graph g {\n  placeholder x: f32[3]\n  last = scan v in x with s = 0.0 {\n    t = exp(v) on "gpu"\n    next s = s + t\n  }\n}\n',
  },
] as const satisfies readonly CodeRow[];
