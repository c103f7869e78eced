/** A place in a text, and what is typed there. */
export interface Rehearsed {
  readonly text: string;
  readonly at: number;
  readonly typed: string;
}

/** Of what people write, the most usual, the simplest first: each step of a rehearsal is to be short. */
const texts: readonly { readonly text: string; readonly lines: readonly string[] }[] = [
  {
    text: `graph values {
  placeholder x: f32[4, 16]
  variable w: f32[16] = ones()
  # A value of values.
  v0 = tanh(x * 0.5 + w)
  v1 = relu(v0 - mean(x, axis=-1, keepdims=true))
  signature run(x) -> (v1)
}
`,
    lines: ["+ w)", "keepdims=true))"],
  },
  {
    text: `graph more_values {
  dim N <= 64
  placeholder x: f32[N, 16]
  v2 = where(x > 0, x, x * 0.01)
  v3 = softmax(v2, axis=-1) |> transpose([1, 0]) |> transpose([1, 0])
  v4 = concatenate([v3[:, 0:8], v2[:, 8:16]], axis=1)
  v5 = maximum(v4, v2) ** 2
  result = sum(v5)
  signature run(x) -> (result)
}
`,
    lines: ["x * 0.01)", "sum(v5)", "axis=1)"],
  },
  {
    text: `## The distance of two batches.
fn distance[T: float, N](a: T[..., N], b: T[..., N], scale: float = 1.0) -> (d: T[...]) {
  difference = (a - b) * scale
  squares = square(difference)
  d = sqrt(sum(squares, axis=-1) + 1e-6)
}

graph distances {
  placeholder x: f32[4, 16]
  d = distance(x, x * 2.0)
}
`,
    lines: ["square(difference)", "1e-6)", "x * 2.0)"],
  },
  {
    text: `import { dense } from "std/layers"

fn block[T: float, I](x: T[..., I], units: int, rate: float = 0.1) -> (y: T[..., I]) {
  variable gate: T[I] = zeros()
  wide = relu(dense(x, units=units))
  back = dense(dropout(wide, rate=rate), units=shape(x)[-1])
  y = x + sigmoid(gate) * back
}

graph layers {
  dim N <= 64
  placeholder x: f32[N, 16]
  h = block(x, units=8)
}
`,
    lines: ["units=units))", "units=shape(x)[-1])", "units=8)"],
  },
  {
    text: `import { dense } from "std/layers"
import { adam } from "std/optimizers"

graph training {
  dim N <= 64
  placeholder x: f32[N, 16]
  placeholder label: u8[N]
  logits = dense(x, units=10)

  scope metrics {
    loss = mean(sparse_softmax_cross_entropy(logits, label))
    right = argmax(logits, axis=-1) == cast(label, to=i64)
    accuracy = mean(cast(right, to=f32))
  }

  update learn = minimize(metrics.loss, adam(learning_rate=1e-3))
  signature evaluate(x, label) -> (metrics.loss, metrics.accuracy)
  signature fit(x, label) does learn -> (metrics.loss)

  train {
    run = fit
    data = { x = npy("x.npy"), label = npy("label.npy") }
    batch = 64
    epochs = 3
  }
}
`,
    lines: ["units=10)", "logits, label))", "to=f32))"],
  },
];

/** Ends of lines with calls, where something is added. */
export const rehearsed: readonly Rehearsed[] = texts.flatMap(({ text, lines }) =>
  lines.map((end) => ({ text, at: text.indexOf(`${end}\n`) + end.length, typed: " + 1.0" })),
);
