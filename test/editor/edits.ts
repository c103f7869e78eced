import fc from "fast-check";

/** A file with something of everything. */
export const model = `## Two layers, and what trains them.
import { dense } from "std/layers"
import { adam, sgd } from "std/optimizers"

constant width = 8

## Goes round.
fn residual[T: float, I](x: T[..., I], rate: float = 0.1) -> (y: T[..., I]) {
  variable gate: T[I] = zeros()
  inner = dropout(relu(dense(x, units=width)), rate=rate)
  y = x + gate * dense(inner, units=size(x, axis=-1))
}

fn unused[N](a: f32[N], b: f32[N], scale: int) -> (c: f32[N]) {
  d = a - b * scale
  c = if training { yield d } else { yield a }
}

optimizer plain(p, g, rate: f32 = 1e-3) {
  variable n: i64 = 0
  n := n + 1
  p := p - rate * g
}

graph model {
  seed 7
  dim N <= 32
  placeholder x: f32[N, 6]
  placeholder label: u8[N]
  placeholder factor: f32 = 0.5
  a = tanh(x)
  b = tanh(x) * factor
  h = residual(a)
  h2 = residual(h, rate=0.2)
  c = a
  noise = random_uniform([6])
  variable w: f32[6] = normal() frozen
  last, all = scan row in transpose(h2, [1, 0]) with s = zeros([size(x, axis=0)]) {
    next s = s + row * 0.5
    yield s
  }
  picked = h2[:, -1]
  on "gpu" {
    far = relu(h2) * 2.0
    near = far - 1.0 on "cpu"
  }
  logits = dense(h2 * w + noise, units=4)
  ## What is measured.
  scope metrics {
    loss = mean(sparse_softmax_cross_entropy(logits, label))
    accuracy = mean(cast(argmax(logits, axis=-1) == cast(label, to=i64), to=f32))
    scope inner {
      twice = loss * 2
    }
  }
  slope = gradients(metrics.loss, [h])
  k = 3.0
  cube = k ** 3
  dk = gradients(cube, [k])
  update learn = minimize(metrics.loss, adam(learning_rate=1e-3))
  update other = minimize(metrics.inner.twice, plain(rate=0.1), variables=[h])
  update reset {
    h/residual/gate := zeros([6])
  }
  signature predict(x) -> (logits, picked, last)
  signature fit(x, label) does learn -> (metrics.loss, metrics.accuracy)
  signature step(x, label, factor) does other -> (b, slope, dk)
  train {
    run = fit
    data = { x = npy("x.npy"), label = npy("l.npy") }
    batch = 8
    epochs = 2
  }
}
`;

const pieces = [
  "",
  " ",
  "\n",
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ",",
  "=",
  ":=",
  "# why",
  "\n  ## Says.\n",
  '"',
  "1",
  "1.5",
  " + 1.0",
  "x",
  "h",
  "a",
  "w",
  "tanh(x)",
  "\n  z = tanh(x)\n",
  "\n  a = relu(x)\n",
  "\n  v = a @ transpose(a, [1, 0])\n",
  "relu",
  "dense",
  "nope",
  "\n  variable u: f32[3] = zeros()\n",
  "\n}\n",
  "\n  scope extra {\n    e = x\n  }\n",
  "N",
  "f32",
  "i64",
  "&&",
  "metrics.",
  "training",
  "import",
  ' on "gpu"',
  '\n  on "cpu" {\n    e2 = h * h\n  }\n',
  "fn f(x: f32[3]) -> (y: f32[3]) {\n  y = x\n}\n",
  '\n  require width > 4, "wide"\n',
  '\n  require N > 4, "rows"\n',
  '\n  require N < 4, "few rows"\n',
  "\n  first = x[:4]\n",
  "\n  constant c2 = width * 2\n",
  "\n  d2 = gradients(metrics.loss, [c])\n",
];

export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

export const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 300 }),
  ),
  text: fc.constantFrom(...pieces),
});

const words = model.split(/(?<=\W)(?=\w)|(?<=\w)(?=\W)/);
const offsets = words.map((_, i) => words.slice(0, i).join("").length);

/** The text after an edit at a share of its words. */
export function edited(text: string, { at, length, text: inserted }: Edit): string {
  const place = Math.min(text.length, offsets[Math.floor(at * (offsets.length - 1))] ?? 0);
  return text.slice(0, place) + inserted + text.slice(place + length);
}

/** A change of whole lines: one goes, comes twice, changes places with another, or has a word of it taken or written behind it. */
export interface LineEdit {
  readonly kind: "delete" | "repeat" | "swap" | "shorten" | "extend";
  readonly at: number;
  readonly other: number;
  readonly text: string;
}

export const lineEdit: fc.Arbitrary<LineEdit> = fc.record({
  kind: fc.constantFrom("delete", "repeat", "swap", "shorten", "extend", "extend"),
  at: fc.nat(999),
  other: fc.nat(999),
  text: fc.constantFrom(" + 1.0", " +", "1", " * 2.0", ")", " # why", "[0]", "\n", " |> relu"),
});

export function editedLines(text: string, { kind, at, other, text: inserted }: LineEdit): string {
  const lines = text.split("\n");
  const [i, k] = [at % lines.length, other % lines.length];
  const [one = "", second = ""] = [lines[i], lines[k]];
  switch (kind) {
    case "delete":
      return lines.toSpliced(i, 1).join("\n");
    case "repeat":
      return lines.toSpliced(k, 0, one).join("\n");
    case "swap":
      return lines.with(i, second).with(k, one).join("\n");
    case "shorten":
      return lines.with(i, one.replace(/\w+\W*$/, "")).join("\n");
    case "extend":
      return lines.with(i, one + inserted).join("\n");
  }
}
