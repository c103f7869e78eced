// Written by `graphc build --target web`, graphc 0.1.0: do it again when the graph has changed.
import type { OpenOptions, Session } from "graphc/web";

export * from "graphc/web";

/** The graph `web_digits`. */
export interface Model {
  readonly signatures: {
    /** predict(image: u8[N, 28, 28]) -> (probs: f32[N, 10], digit: i64[N]) */
    readonly predict: {
      readonly feeds: {
        /** u8[N, 28, 28] */
        readonly image: ["u8", "N", 28, 28];
      };
      readonly results: {
        readonly probs: ["f32", "N", 10];
        readonly digit: ["i64", "N"];
      };
    };
    /** evaluate(image: u8[N, 28, 28], label: u8[N]) -> (metrics.loss: f32, metrics.accuracy: f32) */
    readonly evaluate: {
      readonly feeds: {
        /** u8[N, 28, 28] */
        readonly image: ["u8", "N", 28, 28];
        /** u8[N] */
        readonly label: ["u8", "N"];
      };
      readonly results: {
        readonly "metrics.loss": ["f32"];
        readonly "metrics.accuracy": ["f32"];
      };
    };
    /** fit(image: u8[N, 28, 28], label: u8[N]) does learn -> (metrics.loss: f32, metrics.accuracy: f32) */
    readonly fit: {
      readonly feeds: {
        /** u8[N, 28, 28] */
        readonly image: ["u8", "N", 28, 28];
        /** u8[N] */
        readonly label: ["u8", "N"];
      };
      readonly results: {
        readonly "metrics.loss": ["f32"];
        readonly "metrics.accuracy": ["f32"];
      };
    };
  };
  readonly placeholders: {
    /** u8[N, 28, 28] */
    readonly image: ["u8", "N", 28, 28];
    /** u8[N] */
    readonly label: ["u8", "N"];
  };
  readonly variables: {
    /** f32[784, 64] */
    readonly "hidden/dense/w": ["f32", 784, 64];
    /** f32[64] */
    readonly "hidden/dense/b": ["f32", 64];
    /** f32[64, 10] */
    readonly "logits/dense/w": ["f32", 64, 10];
    /** f32[10] */
    readonly "logits/dense/b": ["f32", 10];
    /** f32[784, 64] */
    readonly "learn/adam/hidden/dense/w/m": ["f32", 784, 64];
    /** f32[784, 64] */
    readonly "learn/adam/hidden/dense/w/v": ["f32", 784, 64];
    /** i64 */
    readonly "learn/adam/hidden/dense/w/t": ["i64"];
    /** f32[64] */
    readonly "learn/adam/hidden/dense/b/m": ["f32", 64];
    /** f32[64] */
    readonly "learn/adam/hidden/dense/b/v": ["f32", 64];
    /** i64 */
    readonly "learn/adam/hidden/dense/b/t": ["i64"];
    /** f32[64, 10] */
    readonly "learn/adam/logits/dense/w/m": ["f32", 64, 10];
    /** f32[64, 10] */
    readonly "learn/adam/logits/dense/w/v": ["f32", 64, 10];
    /** i64 */
    readonly "learn/adam/logits/dense/w/t": ["i64"];
    /** f32[10] */
    readonly "learn/adam/logits/dense/b/m": ["f32", 10];
    /** f32[10] */
    readonly "learn/adam/logits/dense/b/v": ["f32", 10];
    /** i64 */
    readonly "learn/adam/logits/dense/b/t": ["i64"];
  };
  /** All that can be fetched. */
  readonly edges: {
    readonly image: ["u8", "N", 28, 28];
    readonly label: ["u8", "N"];
    readonly "hidden/dense/w": ["f32", 784, 64];
    readonly "hidden/dense/b": ["f32", 64];
    readonly "logits/dense/w": ["f32", 64, 10];
    readonly "logits/dense/b": ["f32", 10];
    readonly "learn/adam/hidden/dense/w/m": ["f32", 784, 64];
    readonly "learn/adam/hidden/dense/w/v": ["f32", 784, 64];
    readonly "learn/adam/hidden/dense/w/t": ["i64"];
    readonly "learn/adam/hidden/dense/b/m": ["f32", 64];
    readonly "learn/adam/hidden/dense/b/v": ["f32", 64];
    readonly "learn/adam/hidden/dense/b/t": ["i64"];
    readonly "learn/adam/logits/dense/w/m": ["f32", 64, 10];
    readonly "learn/adam/logits/dense/w/v": ["f32", 64, 10];
    readonly "learn/adam/logits/dense/w/t": ["i64"];
    readonly "learn/adam/logits/dense/b/m": ["f32", 10];
    readonly "learn/adam/logits/dense/b/v": ["f32", 10];
    readonly "learn/adam/logits/dense/b/t": ["i64"];
    readonly "pixels/flatten/y": ["f32", "N", 784];
    readonly pixels: ["f32", "N", 784];
    readonly "hidden/dense/y": ["f32", "N", 64];
    readonly "hidden/relu/y": ["f32", "N", 64];
    readonly "hidden/dropout/keep": ["bool", "N", 64];
    readonly "hidden/dropout/y": ["f32", "N", 64];
    readonly hidden: ["f32", "N", 64];
    readonly "logits/dense/y": ["f32", "N", 10];
    readonly logits: ["f32", "N", 10];
    readonly "probs/softmax/e": ["f32", "N", 10];
    readonly "probs/softmax/y": ["f32", "N", 10];
    readonly probs: ["f32", "N", 10];
    readonly digit: ["i64", "N"];
    readonly "metrics.loss/sparse_softmax_cross_entropy/chosen/one_hot/position": ["i64", "N"];
    readonly "metrics.loss/sparse_softmax_cross_entropy/chosen/one_hot/y": ["bool", "N", 10];
    readonly "metrics.loss/sparse_softmax_cross_entropy/chosen": ["bool", "N", 10];
    readonly "metrics.loss/sparse_softmax_cross_entropy/loss/log_softmax/shifted": ["f32", "N", 10];
    readonly "metrics.loss/sparse_softmax_cross_entropy/loss/log_softmax/y": ["f32", "N", 10];
    readonly "metrics.loss/sparse_softmax_cross_entropy/loss": ["f32", "N"];
    readonly "metrics.loss/mean/y": ["f32"];
    readonly "metrics.loss": ["f32"];
    readonly "metrics.accuracy/mean/y": ["f32"];
    readonly "metrics.accuracy": ["f32"];
    readonly "learn/adam/hidden/dense/w/k": ["f64"];
    readonly "learn/adam/hidden/dense/w/rate": ["f64"];
    readonly "learn/adam/hidden/dense/w/correction": ["f64"];
    readonly "learn/adam/hidden/dense/b/k": ["f64"];
    readonly "learn/adam/hidden/dense/b/rate": ["f64"];
    readonly "learn/adam/hidden/dense/b/correction": ["f64"];
    readonly "learn/adam/logits/dense/w/k": ["f64"];
    readonly "learn/adam/logits/dense/w/rate": ["f64"];
    readonly "learn/adam/logits/dense/w/correction": ["f64"];
    readonly "learn/adam/logits/dense/b/k": ["f64"];
    readonly "learn/adam/logits/dense/b/rate": ["f64"];
    readonly "learn/adam/logits/dense/b/correction": ["f64"];
  };
  readonly updates: "learn";
}

/** A session of web_digits in this page. Rejects with GraphError. */
export declare function open(options?: OpenOptions): Promise<Session<Model>>;
