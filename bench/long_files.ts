/** Files of about a thousand lines, such as people write: what a keystroke costs is measured on them. */
export interface LongFile {
  readonly name: string;
  readonly text: string;
}

/** A model of many blocks, each a fn of its own, with the layers and the optimizer of the library and a train block. */
function layers(lines: number): LongFile {
  const imports = [
    'import { dense } from "std/layers"',
    'import { layer_norm } from "std/normalisation"',
    'import { adam } from "std/optimizers"',
  ];
  const calls: string[] = [];
  const fns: string[] = [];
  for (let i = 0; fns.length + calls.length < lines - 45; i++) {
    fns.push(
      "",
      `## Block ${i}: a residual layer whose gate is learned.`,
      `fn block${i}[T: float, I](x: T[..., I], units: int, rate: float = 0.1) -> (y: T[..., I]) {`,
      `  variable gate: T[I] = zeros()`,
      `  # What goes round the block, normalised first.`,
      `  normal_x = layer_norm(x)`,
      `  wide = relu(dense(normal_x, units=units))`,
      `  kept = dropout(wide, rate=rate)`,
      `  back = dense(kept, units=shape(x)[-1])`,
      `  opened = sigmoid(gate)`,
      `  y = x + opened * back`,
      `}`,
    );
    const before = i === 0 ? "entered" : `h${i - 1}`;
    calls.push(`  h${i} = block${i}(${before}, units=${32 + (i % 3) * 16})`);
  }
  const head = [
    "graph layers {",
    "  seed 7",
    "  dim N <= 512",
    "",
    "  placeholder x: f32[N, 24]",
    "  placeholder label: u8[N]",
    "",
  ];
  const tail = [
    `  logits = dense(h${calls.length - 1}, units=10)`,
    "",
    "  scope metrics {",
    "    loss = mean(sparse_softmax_cross_entropy(logits, label))",
    "    accuracy = mean(cast(argmax(logits, axis=-1) == cast(label, to=i64), to=f32))",
    "  }",
    "",
    "  update learn = minimize(metrics.loss, adam(learning_rate=1e-3))",
    "",
    "  signature evaluate(x, label) -> (metrics.loss, metrics.accuracy)",
    "  signature fit(x, label) does learn -> (metrics.loss, metrics.accuracy)",
    "",
    "  train {",
    "    run = fit",
    '    data = { x = npy("x.npy"), label = npy("label.npy") }',
    "    batch = 64",
    "    shuffle = true",
    "    epochs = 3",
    "  }",
    "}",
    "",
  ];
  const text = [...imports, ...fns, "", ...head, "  entered = dense(x, units=48)", ...calls, ...tail].join("\n");
  return { name: "layers", text };
}

/** One graph without a fn: a thousand bindings, each of the ones before it. */
function flat(lines: number): LongFile {
  const body: string[] = [];
  const step = (i: number): string => {
    const before = i < 1 ? "x" : `v${i - 1}`;
    const earlier = i < 8 ? "x" : `v${i - 7}`;
    switch (i % 8) {
      case 0:
        return `tanh(${before} * 0.5 + ${earlier})`;
      case 1:
        return `${before} * w + ${earlier} / 3.0`;
      case 2:
        return `relu(${before} - mean(${earlier}, axis=-1, keepdims=true))`;
      case 3:
        return `where(${before} > 0, ${before}, ${earlier} * 0.01)`;
      case 4:
        return `${before} @ mixing`;
      case 5:
        return `softmax(${before}, axis=-1) |> transpose([1, 0]) |> transpose([1, 0])`;
      case 6:
        return `concatenate([${before}[:, 0:8], ${earlier}[:, 8:16]], axis=1)`;
      default:
        return `maximum(${before}, ${earlier}) ** 2`;
    }
  };
  for (let i = 0; body.length < lines - 14; i++) {
    if (i % 40 === 20) body.push(`  # The values from here on are those of step ${i}.`);
    body.push(`  v${i} = ${step(i)}`);
  }
  const last = /v\d+/.exec(body.at(-1) ?? "")?.[0] ?? "x";
  const text = [
    "graph flat {",
    "  seed 1",
    "  dim N <= 64",
    "  placeholder x: f32[N, 16]",
    "  variable w: f32[16] = ones()",
    "  variable mixing: f32[16, 16] = glorot_uniform()",
    ...body,
    `  result = sum(${last})`,
    "  signature run(x) -> (result)",
    "}",
    "",
  ].join("\n");
  return { name: "flat", text };
}

/** A library of fns that nothing in the file calls, as the library's own files are. */
function library(lines: number): LongFile {
  const body: string[] = [
    "## Functions of two tensors, which other files import.",
    'import { dense } from "std/layers"',
    "",
  ];
  for (let i = 0; body.length < lines - 12; i++) {
    body.push(
      `## The ${i}th distance of two batches of vectors, weighted.`,
      `fn distance${i}[T: float, N](a: T[..., N], b: T[..., N], scale: float = ${i + 1}.0) -> (d: T[...]) {`,
      "  difference = (a - b) * scale",
      "  squares = square(difference)",
      "  total = sum(squares, axis=-1)",
      "  root = sqrt(total + 1e-6)",
      `  d = root / (1 + root) * ${i + 1}`,
      "}",
      "",
    );
  }
  return { name: "library", text: body.join("\n") };
}

/** Many small models in scopes, each trained by an update of its own. */
function trained(lines: number): LongFile {
  const body: string[] = [];
  const last: string[] = [];
  for (let i = 0; body.length + last.length < lines - 34; i++) {
    body.push(
      `  scope model${i} {`,
      `    hidden = relu(dense(pixels, units=${16 + (i % 4) * 8}))`,
      "    logits = dense(hidden, units=10)",
      "    probabilities = softmax(logits, axis=-1)",
      "    loss = mean(sparse_softmax_cross_entropy(logits, label))",
      "    right = argmax(logits, axis=-1) == cast(label, to=i64)",
      "    accuracy = mean(cast(right, to=f32))",
      "  }",
      "",
    );
    last.push(
      `  update learn${i} = minimize(model${i}.loss, adam(learning_rate=1e-3))`,
      `  signature predict${i}(image) -> (model${i}.probabilities)`,
      `  signature fit${i}(image, label) does learn${i} -> (model${i}.loss, model${i}.accuracy)`,
    );
  }
  const text = [
    "## Many models of one data set, side by side.",
    'import { dense, flatten } from "std/layers"',
    'import { adam } from "std/optimizers"',
    "",
    "graph trained {",
    "  seed 3",
    "  dim N <= 256",
    "",
    "  placeholder image: u8[N, 28, 28]",
    "  placeholder label: u8[N]",
    "  pixels = flatten(cast(image, to=f32) / 255)",
    "",
    ...body,
    ...last,
    "",
    "  train {",
    "    run = fit0",
    "    data = {",
    '      image = idx("train-images-idx3-ubyte")[0:55000],',
    '      label = idx("train-labels-idx1-ubyte")[0:55000],',
    "    }",
    "    batch = 64",
    "    shuffle = true",
    "    epochs = 4",
    "    report = { every = 430, of = [model0.loss, model0.accuracy] }",
    "  }",
    "}",
    "",
  ].join("\n");
  return { name: "trained", text };
}

/** One deep net, a line a layer, each with variables of its own and all trained by one update. */
function deep(name: string, lines: number, imports: readonly string[], layer: (before: string) => string): LongFile {
  const head = [
    'import { dense } from "std/layers"',
    'import { adam } from "std/optimizers"',
    "",
    `graph ${name} {`,
    "  dim N <= 512",
    "  placeholder x: f32[N, 64]",
    "  placeholder label: u8[N]",
  ];
  const body: string[] = [];
  while (body.length < lines - 14) {
    body.push(`  h${body.length} = ${layer(body.length === 0 ? "x" : `h${body.length - 1}`)}`);
  }
  const tail = [
    `  logits = dense(h${body.length - 1}, units=10)`,
    "  loss = mean(sparse_softmax_cross_entropy(logits, label))",
    "  update learn = minimize(loss, adam())",
    "  signature fit(x, label) does learn -> (loss)",
    "}",
    "",
  ];
  return { name, text: [...imports, ...head, ...body, ...tail].join("\n") };
}

function normalised(lines: number): LongFile {
  return deep(
    "normalised",
    lines,
    ['import { batch_norm } from "std/normalisation"'],
    (before) => `${before} |> dense(units=64) |> batch_norm() |> relu()`,
  );
}

function residual(lines: number): LongFile {
  return deep("residual", lines, [], (before) => `relu(dense(${before}, units=64)) + ${before}`);
}

export function longFiles(lines = 1000): readonly LongFile[] {
  return [layers, flat, trained, library, normalised, residual].map((file) => file(lines));
}
