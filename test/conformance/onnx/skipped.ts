/** The cases that are not run, and why. A case that stands here and would pass fails the test. */

export interface Skip {
  readonly reason: string;
  readonly cases: RegExp;
}

export const skipped: readonly Skip[] = [
  {
    reason: "graphs of several nodes: later",
    cases: /(?<!castlike_DOUBLE_to_FLOAT|clip_default_inbounds)_expanded|gradient_of_add/,
  },
  {
    reason: "no rule yet",
    cases:
      /^test_(adagrad|adam|attention|averagepool|basic_conv|conv|batchnorm|convtranspose|einsum|gemm|global|group_norm|gru|instance|l[12]norm|layer_norm|logsoftmax|lppool|lrn|lstm|matmul|maxpool|momentum|nesterov|nllloss|resize|rms|rotary|sce|simple_rnn|softmax|upsample)/,
  },
];
