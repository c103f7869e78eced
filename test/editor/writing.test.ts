import test from "ava";
import { type Edit, type Editor, edited, editorOn, type Position, textIn, unmarked } from "./client.js";

const file = "a.graph";

const model = `import { dense } from "std/layers"

## Scales.
fn scale(x: f32[...], by: float = 2.0, offset: float = 0.0) -> (y: f32[...]) {
  y = x * by + offset
}

graph g {
  dim N <= 8
  ## What comes in.
  placeholder x: f32[N, 4]
  scope inner {
    deep = x + 1
  }
  hidden = dense(x, units=3)
  loss = mean(hidden)
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature run(x) -> (loss)
}
`.replace('"std/layers"\n', '"std/layers"\nimport { sgd } from "std/optimizers"\n');

interface Item {
  readonly label: string;
  readonly kind: number;
  readonly sortText?: string;
  readonly detail?: string;
  readonly documentation?: { readonly value: string };
  readonly additionalTextEdits?: readonly Edit[];
  readonly data?: string;
}

/** What is offered at `|` when `written` has been put behind a line of the model. */
async function offered(editor: Editor, after: string, written: string): Promise<readonly Item[]> {
  const before = editor.text(file);
  // What begins on a line of its own also ends it.
  const bare = unmarked(written) + (after.endsWith("\n") ? "\n" : "");
  await editor.type(file, after, `${after}${bare}`);
  const position = `${after}${written}`;
  const items = await editor.ask<readonly Item[]>("completion", file, position);
  await editor.type(file, `${after}${bare}`, after);
  if (editor.text(file) !== before) throw new Error("the text is not what it was");
  return items;
}

test.serial("completion offers what may stand at the place, also while the text is broken", async (t) => {
  const editor = await editorOn(t, { "lib.graph": "fn mine(x) -> (y) {\n  y = x\n}\n" });
  const unread = await editor.open(file, model);
  t.deepEqual(
    unread.map(({ code, range }) => `${code} ${range.start.line}`),
    ["G155 4", "G155 12", "G155 17"],
  );
  const labels = async (after: string, written: string): Promise<readonly string[]> =>
    (await offered(editor, after, written)).map(({ label }) => label);
  const has = (found: readonly string[], names: readonly string[]): void => {
    t.deepEqual(
      names.filter((name) => !found.includes(name)),
      [],
      found.slice(0, 40).join(),
    );
  };
  const hasNot = (found: readonly string[], names: readonly string[]): void => {
    t.deepEqual(
      names.filter((name) => found.includes(name)),
      [],
    );
  };
  const line = "mean(hidden)\n";
  const expression = await labels(line, "  v = hid|");
  has(expression, ["hidden", "x", "inner", "scale", "softmax", "dense", "N", "loss", "true", "training"]);
  hasNot(expression, ["learn", "run", "v", "placeholder", "deep", "by"]);
  has(await labels(line, "  v = inner.|"), ["deep"]);
  hasNot(await labels(line, "  v = inner.|"), ["hidden", "softmax"]);
  const argument = await labels(line, "  v = scale(hidden, |");
  has(argument, ["by=", "offset=", "N"]);
  // A float parameter takes no tensor.
  hasNot(argument, ["x=", "hidden"]);
  hasNot(await labels(line, "  v = scale(hidden, by=|"), ["by=", "offset="]);
  hasNot(await labels(line, "  v = scale(hidden, by=3.0, |"), ["by="]);
  has(await labels(line, "  v = softmax(hidden, |"), ["axis="]);
  has(await labels(line, "  v = hidden |> scale(|"), ["by=", "offset="]);
  const statement = await labels(line, "  |");
  has(statement, ["placeholder", "variable", "signature", "scope", "on", "train"]);
  hasNot(statement, ["fn", "graph", "softmax"]);
  has(await labels('from "std/optimizers"\n', "f|"), ["fn", "graph", "import"]);
  const types = await labels(line, "  variable w: |");
  has(types, ["f32", "bf16", "i64"]);
  hasNot(types, ["hidden", "softmax"]);
  has(await labels("offset: float = 0.0", ", more: |"), ["int", "axes", "f32"]);
  has(await labels(line, "  v = hidden[0:|"), ["N"]);
  t.deepEqual(await labels(line, "  signature s(|"), ["x"]);
  t.deepEqual(await labels(line, "  signature s(x) does |"), ["learn"]);
  has(await labels(line, "  signature s(x) -> (|"), ["hidden", "loss", "inner"]);
  t.deepEqual(await labels(line, "  # comment |"), []);
  t.deepEqual(await labels(line, '  s = "str|"'), []);
  t.deepEqual(await labels(line, '  v = exp(x) on "|"'), ["cpu", "gpu"]);
  t.deepEqual(await labels(line, '  on "|" {'), ["cpu", "gpu"]);
  has(await labels('from "std/optimizers"\n', 'import { | } from "std/layers"'), ["dense", "embedding"]);
  has(await labels('from "std/optimizers"\n', 'import { | } from "./lib"'), ["mine"]);
  has(await labels('from "std/optimizers"\n', 'import { a } from "|"'), ["std/layers", "lib"]);
});

const trained = `graph g {
  dim N <= 8
  ## What comes in.
  placeholder x: f32[N, 4]
  placeholder label: i32[N]
  placeholder other: f32[N]
  variable w: f32[4] = zeros()
  loss = mean((x @ w - cast(label, to=f32)) ** 2)
  update learn = minimize(loss, sgd(learning_rate=0.1))
  signature fit(x, label) does learn -> (loss)
  signature evaluate(x, label) -> (loss)
  train {
    run = fit
    data = { x = npy("x.npy") }
    best = { metric = loss, to = "best" }
  }
}
`;

test.serial(
  "in a train block its fields, readers, placeholders and words are offered, those that are not yet written",
  async (t) => {
    const editor = await editorOn(t);
    await editor.open(file, trained);
    const labels = async (after: string, written: string): Promise<readonly string[]> =>
      (await offered(editor, after, written)).map(({ label }) => label);
    // docs/language.md lists the fields: all but the three that are there.
    const absent = "validate batch shuffle remainder epochs steps checkpoint early_stopping report summary".split(" ");
    t.deepEqual(await labels("    run = fit\n", "    |"), absent);
    t.deepEqual(await labels('to = "best" }\n', "    b|"), absent);
    const [, batch] = await offered(editor, "    run = fit\n", "    |");
    t.regex(batch?.documentation?.value ?? "", /rows of a step/);
    t.deepEqual(await labels("    run = fit\n", "    validate = { |"), ["run", "data"]);
    t.deepEqual(await labels("    run = fit\n", "    validate = { run = |"), ["evaluate"]);
    t.deepEqual(await labels("    run = fit\n", "    validate = { run = evaluate, data = { |"), ["x", "label"]);
    t.deepEqual(await labels("    run = fit\n", "    report = { every = 10, |"), ["of"]);
    t.deepEqual(await labels("    run = fit\n", "    report = { of = [|"), ["loss"]);
    t.deepEqual(await labels("    run = fit\n", "    remainder = |"), ["drop", "keep"]);
    t.deepEqual(await labels("    run = fit\n", "    shuffle = |"), ["true", "false"]);
    t.deepEqual(await labels("    run = fit\n", "    batch = |"), []);
    t.deepEqual(await labels("train {\n", "    run = |"), ["fit"]);
    const readers = ["idx", "npy", "npz", "csv", "safetensors", "file"];
    t.deepEqual(await labels('x = npy("x.npy")', ", label = |"), readers);
    t.deepEqual(await labels('x = npy("x.npy")', ", |"), ["label"]);
    t.deepEqual(await labels('x = npy("x.npy")', ', label = csv("t.csv", |'), ["column=", "header=", "dtype="]);
    t.true((await labels('x = npy("x.npy")', ', label = csv("t.csv", dtype=|')).includes("i32"));
    t.deepEqual(await labels('x = npy("x.npy")', ', label = csv("|"'), []);
  },
);

test.serial("an argument is offered what it takes, and nothing that it does not", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, `import { conv2d } from "std/convolution"\n${model}`);
  const line = "mean(hidden)\n";
  const labels = async (written: string): Promise<readonly string[]> =>
    [...(await offered(editor, line, written))]
      .sort((a, b) => ((a.sortText ?? a.label) < (b.sortText ?? b.label) ? -1 : 1))
      .map(({ label }) => label);
  const dtypes = await labels("  v = cast(x, to=|");
  for (const dtype of ["f32", "i32", "u8", "bool", "bf16"]) t.true(dtypes.includes(dtype), dtype);
  t.deepEqual(
    dtypes.filter((label) => !/^(?:b?f\d+|[iu]\d+|bool|string|dtype_of)$/.test(label)),
    [],
  );
  const sizes = await labels("  variable w: f32[|");
  t.true(sizes.includes("N") && sizes.includes("rank"));
  t.deepEqual(
    sizes.filter((label) => ["x", "hidden", "loss", "softmax", "dense", "inner", "true"].includes(label)),
    [],
  );
  t.deepEqual(await labels("  v = mean(hidden, axis=|"), ["0", "1"]);
  t.deepEqual(await labels("  v = hidden |> mean(axis=|"), ["0", "1"]);
  t.deepEqual(await labels("  v = mean(exp(hidden), axis=|"), []);
  t.deepEqual(await labels("  v = mean(exp(hidden), axis=[0, |"), []);
  t.deepEqual(await labels("  v = dense(x, units=3, bias=|"), ["known", "false", "training", "true"]);
  const optimizers = await labels("  update u = minimize(loss, |");
  t.deepEqual(
    ["sgd", "adam", "rmsprop"].filter((name) => !optimizers.includes(name)),
    [],
  );
  t.deepEqual(
    optimizers.filter((label) => ["x", "hidden", "softmax", "mean", "N", "scale"].includes(label)),
    [],
  );
  t.false((await labels("  v = |")).includes("adam"));
  t.deepEqual(await labels("  update u = |"), ["minimize"]);
  const paddings = ['"same"', '"same_lower"', '"valid"'];
  t.deepEqual((await labels("  v = conv(x, x, padding=|")).slice(0, 3), paddings);
  t.deepEqual((await labels("  v = conv2d(x, 3, padding=|")).slice(0, 3), ['"same"', '"same_lower"', '"valid"']);
  t.deepEqual(await labels('  v = conv(x, x, padding="|"'), ["same", "same_lower", "valid"]);
  t.deepEqual(await labels("  v = pad(x, 1, 1, mode=|"), ['"constant"', '"edge"', '"reflect"', '"wrap"']);
});

test.serial("a completion brings its type, documentation and import along", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, model);
  const items = await offered(editor, "mean(hidden)\n", "  v = |");
  const item = (label: string): Item | undefined => items.find((one) => one.label === label);
  t.is(item("hidden")?.detail, "f32[N, 3]");
  t.is(item("x")?.documentation?.value, "What comes in.");
  t.is(item("softmax")?.additionalTextEdits, undefined);
  const imported = edited(model, item("embedding")?.additionalTextEdits ?? []);
  t.true(imported.includes('import { dense, embedding } from "std/layers"'), imported);
  const other = edited(model, item("lstm")?.additionalTextEdits ?? []);
  t.true(other.includes('import { sgd } from "std/optimizers"\nimport { lstm } from "std/recurrent"\n'), other);
  const resolved = await editor.request<Item>("completionItem/resolve", item("softmax") ?? {});
  t.true((resolved.documentation?.value.length ?? 0) > 10);
});

test.serial("signature help shows the parameters of the call, and which one stands here", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, model);
  const line = "mean(hidden)\n";
  const help = async (written: string): Promise<string> => {
    const bare = unmarked(written);
    await editor.type(file, line, line + bare);
    const found = await editor.ask<{
      signatures: readonly { label: string; parameters: readonly { label: readonly [number, number] }[] }[];
      activeParameter: number;
    } | null>("signatureHelp", file, line + written);
    await editor.type(file, line + bare, line);
    if (found === null) return "none";
    const [signature] = found.signatures;
    const label = signature?.parameters[found.activeParameter]?.label;
    return `${signature?.label} / ${label === undefined ? "-" : signature?.label.slice(...label)}`;
  };
  const scale = "scale(x: f32[...], by: float = 2.0, offset: float = 0.0)";
  t.is(await help("  v = scale(|"), `${scale} / x: f32[...]`);
  t.is(await help("  v = scale(hidden, |"), `${scale} / by: float = 2.0`);
  t.is(await help("  v = scale(hidden, offset=|"), `${scale} / offset: float = 0.0`);
  t.is(await help("  v = hidden |> scale(|"), `${scale} / by: float = 2.0`);
  t.is(await help("  v = scale(tanh(hidden), |"), `${scale} / by: float = 2.0`);
  t.is(await help("  v = scale(tanh(|"), "tanh(x: tensor) / x: tensor");
  t.is(await help("  v = scale(hidden)|"), "none");
  t.is(await help("  v = unknown(|"), "none");
  t.is(await help("  # scale(|"), "none");
});

test.serial("inlay hints are the inferred types of what has none", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, model);
  const hints = await editor.request<readonly { label: string; position: Position }[]>("textDocument/inlayHint", {
    textDocument: { uri: editor.uri(file) },
    range: { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } },
  });
  const lines = model.split("\n");
  t.deepEqual(
    hints.map(({ label, position }) => `${lines[position.line]?.slice(0, position.character).trim()}${label}`),
    ["deep: f32[N, 4]", "hidden: f32[N, 3]", "loss: f32"],
  );
  const none = await editor.request<readonly unknown[]>("textDocument/inlayHint", {
    textDocument: { uri: editor.uri(file) },
    range: { start: { line: 0, character: 0 }, end: { line: 3, character: 0 } },
  });
  t.deepEqual(none, []);
});

test.serial("semantic colours tell names by what they mean", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, model);
  const provider = editor.capabilities["semanticTokensProvider"] as {
    legend: { tokenTypes: readonly string[]; tokenModifiers: readonly string[] };
  };
  const { data } = await editor.request<{ data: readonly number[] }>("textDocument/semanticTokens/full", {
    textDocument: { uri: editor.uri(file) },
  });
  const found: string[] = [];
  let [line, character] = [0, 0];
  for (let i = 0; i < data.length; i += 5) {
    const [down = 0, right = 0, length = 0, type = 0, modifiers = 0] = data.slice(i, i + 5);
    [line, character] = [line + down, down > 0 ? right : character + right];
    const range = { start: { line, character }, end: { line, character: character + length } };
    const shown = provider.legend.tokenModifiers.filter((_, bit) => (modifiers & (1 << bit)) !== 0);
    found.push([textIn(model, range), provider.legend.tokenTypes[type], ...shown].join(" "));
  }
  for (const expected of [
    "scale function declaration",
    "by parameter declaration",
    "by parameter",
    "N typeParameter declaration",
    "x parameter declaration",
    "inner namespace declaration",
    "hidden variable",
    "dense function defaultLibrary",
    "mean function defaultLibrary",
    "learn event declaration",
    "run interface declaration",
    "g class declaration",
  ])
    t.true(found.includes(expected), `${expected} in\n${found.join("\n")}`);
});

test.serial("of the colours only what has changed is told, and gives all of them", async (t) => {
  interface Told {
    readonly resultId: string;
    readonly data?: readonly number[];
    readonly edits?: readonly {
      readonly start: number;
      readonly deleteCount: number;
      readonly data?: readonly number[];
    }[];
  }
  const editor = await editorOn(t);
  await editor.open(file, model);
  const textDocument = { uri: editor.uri(file) };
  const all = (): Promise<Told> => editor.request<Told>("textDocument/semanticTokens/full", { textDocument });
  let { resultId, data: known = [] } = await all();
  const whole = known.length;
  const since = async (): Promise<Told> => {
    const told = await editor.request<Told>("textDocument/semanticTokens/full/delta", {
      textDocument,
      previousResultId: resultId,
    });
    resultId = told.resultId;
    const edits = told.edits ?? [{ start: 0, deleteCount: known.length, data: told.data ?? [] }];
    for (const { start, deleteCount, data = [] } of [...edits].reverse())
      known = [...known.slice(0, start), ...data, ...known.slice(start + deleteCount)];
    return told;
  };
  for (const [old, text] of [
    ["hidden =", "more = mean(x)\n  hidden ="],
    ["mean(x)", "mean(x) + mean(x)"],
    ["mean(x) + mean(x)", "mean((x)"],
    ["more = mean((x)\n  ", ""],
  ] as const) {
    await editor.type(file, old, text);
    const told = await since();
    t.true(
      told.edits?.every(({ data = [] }) => data.length < whole / 2),
      text,
    );
    // What is asked as a whole between has an id of its own.
    const anew = await all();
    t.deepEqual(known, anew.data, text);
    resultId = anew.resultId;
  }
  // Of colours that were never told, or are not the last ones, all are told.
  resultId = "nope";
  t.is((await since()).edits, undefined);
  t.deepEqual(known, (await all()).data);
});

test.serial("the outline is what the file declares, as it nests", async (t) => {
  const editor = await editorOn(t);
  await editor.open(file, model);
  interface Entry {
    readonly name: string;
    readonly children: readonly Entry[];
  }
  const show = ({ name, children }: Entry): string =>
    children.length === 0 ? name : `${name}(${children.map(show).join(" ")})`;
  const outline = await editor.request<readonly Entry[]>("textDocument/documentSymbol", {
    textDocument: { uri: editor.uri(file) },
  });
  t.is(outline.map(show).join(" "), "scale(x by offset y) g(N x inner(deep) hidden loss learn run)");
});
