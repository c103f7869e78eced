/**
 * For each function and optimizer of the standard library: the test that compares it with values of another source, and what that
 * source is. files.test.ts fails where one is missing here, or is not called by the test that is named.
 */

export interface Derivation {
  readonly names: string;
  /** In test/std; a file in test/language gives its source in its own `# from:`. */
  readonly test: string;
  readonly by: string;
}

export const derivations: readonly Derivation[] = [
  {
    names: `relu leaky_relu elu selu softplus softsign gelu gelu_tanh swish mish step threshold relu6 celu silu hard_tanh hard_sigmoid
      hard_swish soft_shrink hard_shrink tanh_shrink log_sigmoid`,
    test: "activations.test.ts",
    by: "the textbook formula in float64, Phi by Simpson's rule; slopes by central differences",
  },
  {
    names: "glu logsumexp softmax softmin log_softmax",
    test: "activations.test.ts",
    by: "the formula over rows in float64, shifted by the largest; slopes by central differences",
  },
  {
    names:
      "attention multi_head_attention sinusoidal_positions positional_encoding learned_positions transformer_encoder",
    test: "attention.test.ts",
    by: "the equations of Vaswani et al. (2017) on plain arrays; gradients and steps by central differences",
  },
  {
    names: "clip_by_value clip_by_norm clip_by_global_norm",
    test: "optimizers.test.ts",
    by: "Pythagorean gradients, (3, 4) and (3, 4, 12), whose clipped steps are exact",
  },
  { names: "global_norm_of global_norm square reciprocal", test: "math.test.ts", by: "the formula in float64" },
  {
    names: "conv1d conv2d conv3d depthwise_conv2d separable_conv2d conv1d_transpose conv2d_transpose conv3d_transpose",
    test: "convolution_layers.test.ts",
    by: "the sum in its words over all places of window and channels; TensorFlow's documented padding for `same`",
  },
  {
    names: "global_average_pool global_max_pool global_lp_pool local_response_norm",
    test: "convolution.test.ts",
    by: "the definition over each channel's elements, and over each element's neighbours",
  },
  { names: "zeros ones constant", test: "initialisers.test.ts", by: "the values themselves, of several dtypes" },
  {
    names: `uniform normal truncated_normal glorot_uniform glorot_normal he_uniform he_normal lecun_uniform lecun_normal`,
    test: "initialisers.test.ts",
    by: "mean, deviation, range and quantiles of the distribution, within five standard errors; fans of ranks 0 to 4 by hand",
  },
  { names: "orthogonal", test: "orthogonal.test.ts", by: "products of columns and rows: the identity times gain ** 2" },
  {
    names: "dense flatten prelu residual radial_basis layer_norm dropout",
    test: "layers.test.ts",
    by: "sums by hand and formulas in float64; shares and means of what dropout leaves, within five standard errors",
  },
  { names: "embedding", test: "positions.test.ts", by: "the rows of the table that the ids name" },
  {
    names: "identity_matrix inverse lstsq polyfit",
    test: "linear_algebra.test.ts",
    by: "exact inverses, and coefficients that NIST certifies (Longley, Wampler)",
  },
  { names: "eye", test: "language/linear_algebra/eye.graph", by: "numpy" },
  {
    names: "pinv matrix_rank cond",
    test: "rank.test.ts",
    by: "Penrose's four conditions, the rank in whole numbers (Bareiss, 1968), exact singular values",
  },
  {
    names: `squared_error absolute_error huber log_cosh softmax_cross_entropy sparse_softmax_cross_entropy sigmoid_cross_entropy hinge
      squared_hinge one_hot`,
    test: "losses.test.ts",
    by: "the formula in float64, written otherwise than in the library; gradients by central differences or in closed form",
  },
  {
    names: "focal kl_divergence cosine_similarity cosine_distance triplet",
    test: "embedding_losses.test.ts",
    by: "the formula in float64; gradients by central differences",
  },
  {
    names: "clamp mean variance moments",
    test: "math.test.ts",
    by: "fractions by hand",
  },
  {
    names:
      "trunc is_nan is_inf fmod exp2 log2 log10 tan atan asin acos sinh cosh asinh acosh atanh hypot logaddexp erf_inv",
    test: "elementary.test.ts",
    by: "JavaScript's Math, to the units in the last place that the comments state; slopes in closed form",
  },
  {
    names: "logcumsumexp quantile median",
    test: "order.test.ts",
    by: "the definition for each prefix, and definition 7 of Hyndman and Fan (1996), on random rows",
  },
  { names: "sort", test: "language/along/sort.graph", by: "numpy" },
  {
    names: "top_k l1_norm l2_norm max_norm lp_norm standard_deviation arange linspace tril triu trace outer kron",
    test: "norms.test.ts",
    by: "small numbers by hand",
  },
  {
    names: "accuracy top_k_accuracy binary_accuracy precision recall f1_score confusion_matrix auc r2_score",
    test: "metrics.test.ts",
    by: "counts over examples and pairs by hand; scikit-learn's documented example for R2",
  },
  {
    names: "batch_norm group_norm instance_norm rms_norm spatial_dropout",
    test: "normalisation.test.ts",
    by: "moments of each group in float64; PyTorch's running statistics; steps by central differences",
  },
  {
    names: "sgd gradient_descent momentum nesterov adagrad adadelta rmsprop adam amsgrad adamw nadam lion lamb",
    test: "optimizer_rules.ts",
    by: "the paper's algorithm in float64 for 1, 2, 3 and 100 steps; PyTorch's form where the comment says so",
  },
  {
    names: "random_open normal_quantile",
    test: "probability.test.ts",
    by: "the test values of Wichura (1988), tables, R's qnorm, and the distribution function by Simpson's rule",
  },
  {
    names: `random_normal random_truncated_normal random_bernoulli random_integers random_exponential random_gumbel random_categorical
      random_permutation random_shuffle`,
    test: "random.test.ts",
    by: "mean, deviation, range and shares of the distribution, within five standard errors",
  },
  {
    names: "simple_rnn lstm lstm_with_cells gru bidirectional",
    test: "recurrent.test.ts",
    by: "the cell's equations step by step on plain arrays, PyTorch's for gru; gradients by central differences",
  },
  {
    names:
      "step_decay piecewise_constant exponential_decay inverse_time_decay polynomial_decay cosine_decay warm_up one_cycle",
    test: "schedules.test.ts",
    by: "the formula in float64 for each of twelve steps; PyTorch's for one_cycle",
  },
  {
    names:
      "best_matching_unit quantisation_error competitive_step neighbourhood self_organising_map_step topographic_error u_matrix",
    test: "unsupervised.test.ts",
    by: "Kohonen's rules over each example and unit on plain arrays",
  },
];

/** What the library keeps for itself: a part, and the function whose test reaches it. */
export const parts: Readonly<Record<string, string>> = {
  split_heads: "multi_head_attention",
  norm_of_rows: "transformer_encoder",
  logcumsumexp_of_rows: "logcumsumexp",
  count_true: "precision",
  normalise: "batch_norm",
  bias_correction: "adamw",
  draw_dtype: "uniform",
  deviation_before_cut: "he_normal",
  polynomial_7: "normal_quantile",
  first_state: "lstm",
  lstm_steps: "lstm",
  forget_bias: "lstm",
  step_within: "cosine_decay",
  half_cosine: "cosine_decay",
  squared_distances: "best_matching_unit",
  pulled: "competitive_step",
  sum_of_edges: "u_matrix",
};
