import test from "ava";
import { longFiles } from "../../bench/long_files.js";
import { AnsweredError, type Editor, editorOn, type Position, type Range } from "./client.js";

const whole = `import { dense } from "std/layers"

constant width = 4

## Twice.
fn double(x: f32[...]) -> (y: f32[...]) {
  y = x * 2.0
}

graph g {
  dim N <= 8
  placeholder x: f32[N, 4]
  h = dense(x, units=width)
  scope metrics {
    loss = mean(h)
  }
  y = double(h)
  z = sum(y)
  signature run(x) -> (z, metrics.loss)
}
`;

/** A text that is broken in one place, as it is while it is typed; `known` are names that still are what they were. A name on the line behind a lone `variable` or `update` is that statement's. */
const broken: readonly { readonly from: string; readonly to: string; readonly known: readonly string[] }[] = [
  { from: "h = dense(x, units=width)", to: "h = dense(x, units=", known: ["x: f32", "width = 4"] },
  { from: "h = dense(x, units=width)", to: "h = ", known: ["x: f32"] },
  { from: "h = dense(x, units=width)", to: "h = dense(x, units=width", known: ["x: f32"] },
  { from: "h = dense(x, units=width)", to: "h = dense(x, units=width))", known: ["x: f32"] },
  { from: "h = dense(x, units=width)", to: "h = dense(x units=width)", known: ["x: f32"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = [1.0, 2.0", known: ["h = dense", "loss =", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = h[", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: 'y = double(h)\n  v = "open', known: ["h = dense", "y = double", "z ="] },
  { from: "y = double(h)", to: "y = double(h)\n  v = 1.", known: ["h = dense", "y = double", "z ="] },
  { from: "y = double(h)", to: "y = double(h)\n  v", known: ["h = dense", "y = double", "z ="] },
  { from: "y = double(h)", to: "y = double(h)\n  variable", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  variable v:", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  scope s {", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = if x {", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = scan r in", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  update", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = h |>", known: ["h = dense", "y = double", "z ="] },
  { from: "y = double(h)", to: "y = double(h)\n  v = metrics.", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  v = nope(", known: ["h = dense", "y = double"] },
  { from: "y = double(h)", to: "y = double(h)\n  )", known: ["h = dense", "y = double", "z ="] },
  { from: "y = double(h)", to: "y = double(h)\n  }", known: ["h = dense", "y = double"] },
  { from: "signature run(x) -> (z, metrics.loss)", to: "signature run(", known: ["h = dense", "z ="] },
  { from: "signature run(x) -> (z, metrics.loss)", to: "signature", known: ["h = dense", "z ="] },
  { from: "constant width = 4", to: "constant width", known: ["x: f32"] },
  { from: 'import { dense } from "std/layers"', to: 'import { dense } from "std/', known: ["x: f32"] },
  { from: 'import { dense } from "std/layers"', to: "import { dense, ", known: ["x: f32"] },
  { from: "y = x * 2.0", to: "y = x *", known: ["h = dense", "loss ="] },
  { from: "y = x * 2.0\n}", to: "y = x * 2.0", known: [] },
  { from: "fn double(x: f32[...])", to: "fn double(x: f32[", known: ["h = dense", "loss ="] },
  { from: "fn double(x: f32[...]) -> (y: f32[...]) {", to: "fn", known: ["h = dense", "loss ="] },
  { from: "dim N <= 8", to: "dim", known: ["width = 4"] },
  { from: "graph g {", to: "graph", known: ["width = 4"] },
];

const types: Readonly<Record<string, string>> = {
  "x: f32": "x: f32[N, 4]",
  "h = dense": "h: f32[N, 4]",
  "loss =": "loss: f32",
  "y = double": "y: f32[N, 4]",
  "z =": "z: f32",
  "width = 4": "width: int = 4",
};

test("while one place is broken, what stands elsewhere is known as before, and mending it mends all", async (t) => {
  const editor = await editorOn(t);
  t.deepEqual(await editor.open("a.graph", whole), []);
  const lost: string[] = [];
  for (const { from, to, known } of broken) {
    const shown = await editor.type("a.graph", from, to);
    const name = JSON.stringify(to);
    t.true(
      shown.some(({ severity }) => severity === 1),
      name,
    );
    for (const place of known) {
      const start = editor.text("a.graph").lastIndexOf(place);
      const before = editor.text("a.graph").slice(0, start).split("\n");
      const position: Position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
      const textDocument = { uri: editor.uri("a.graph") };
      const hover = await editor.request<{ contents: { value: string } } | null>("textDocument/hover", {
        textDocument,
        position,
      });
      const wanted = types[place] ?? "";
      if (hover?.contents.value.includes(wanted) !== true) lost.push(`${name}: ${place} is ${hover?.contents.value}`);
    }
    t.deepEqual(await editor.type("a.graph", editor.text("a.graph"), whole), [], name);
  }
  t.deepEqual(lost, []);
});

/** Whether a name is known: what hover says of it. */
async function hoverOn(editor: Editor, file: string, line: number, character: number): Promise<string> {
  const hover = await editor.request<{ contents: { value: string } } | null>("textDocument/hover", {
    textDocument: { uri: editor.uri(file) },
    position: { line, character },
  });
  return hover?.contents.value ?? "";
}

interface Entry {
  readonly name: string;
  readonly children: readonly Entry[];
}

test("in a long file that is broken in the middle, hover, completion, outline, colours and problems of all the rest stay", async (t) => {
  const editor = await editorOn(t);
  const long = longFiles(1000).find(({ name }) => name === "flat")?.text ?? "";
  t.deepEqual(await editor.open("long.graph", long), []);
  const textDocument = { uri: editor.uri("long.graph") };
  const outline = async (): Promise<ReadonlySet<string>> => {
    const [graph] = await editor.request<readonly Entry[]>("textDocument/documentSymbol", { textDocument });
    return new Set(graph?.children.map(({ name }) => name));
  };
  const whole = await outline();
  const middle = /^ {2}v500 = .*$/m.exec(long)?.[0] ?? "";
  t.true(middle !== "" && whole.size > 900);
  for (const wrong of [
    "  v500 = tanh((v499",
    "  v500 = ",
    "  v500 = [v499, ",
    '  v500 = "',
    "  v500",
    "  scope s {",
    "  v500 = tanh(v499))",
    "  v500 = if v499 {",
    "  v500 == v499",
    "  }",
  ]) {
    const shown = await editor.type("long.graph", middle, wrong);
    const said = JSON.stringify(wrong);
    // What a slip hides may be missed where it is used; the lines behind it are no problems of their own.
    t.true(shown.length > 0 && shown.length <= 4, `${said}: ${shown.map(({ message }) => message).join("; ")}`);
    const lines = editor.text("long.graph").split("\n");
    const lineOf = (name: string): number => lines.findIndex((line) => line.startsWith(`  ${name} = `));
    t.true((await hoverOn(editor, "long.graph", lineOf("v100"), 3)).includes("v100: f32[N, 16]"), said);
    const names = await outline();
    const found = (name: string): boolean => names.has(name);
    t.true(found("v100") && found("v499"), said);
    const completion = await editor.request<readonly { readonly label: string }[]>("textDocument/completion", {
      textDocument,
      position: { line: lineOf("v400"), character: "  v400 = ".length },
    });
    t.true(completion.some(({ label }) => label === "v100") && completion.some(({ label }) => label === "tanh"), said);
    // A brace may hold all that follows, or end the graph; else what stands behind is declared as before.
    if (!/[{}]$/.test(wrong)) {
      t.true(names.size >= whole.size - 1 && found("v900") && found("result"), said);
      const later = await editor.request<readonly { readonly label: string }[]>("textDocument/completion", {
        textDocument,
        position: { line: lineOf("v900"), character: "  v900 = ".length },
      });
      t.true(later.some(({ label }) => label === "v600") && later.some(({ label }) => label === "tanh"), said);
      const definition = await editor.request<readonly { readonly range: Range }[]>("textDocument/definition", {
        textDocument,
        position: { line: lineOf("v900"), character: (lines[lineOf("v900")] ?? "").indexOf("v899") },
      });
      t.is(definition[0]?.range.start.line, lineOf("v899"), said);
    }
    t.deepEqual(await editor.type("long.graph", wrong, middle), [], said);
  }
});

test("what is asked of a text that has changed meanwhile is answered so where the editor asks again", async (t) => {
  const answered = async (capabilities: object): Promise<readonly (number | undefined)[]> => {
    const editor = await editorOn(t, {}, [], capabilities);
    await editor.open("a.graph", whole);
    const asked = ["tanh", "sin", "cos"].map((fn, i) => {
      editor.typeOnly("a.graph", `z = ${["sum", "tanh", "sin"][i]}(y)`, `z = ${fn}(y)`);
      const textDocument = { uri: editor.uri("a.graph") };
      return editor.request("textDocument/semanticTokens/full", { textDocument }).then(
        () => undefined,
        (error: unknown) => (error instanceof AnsweredError ? error.code : Number.NaN),
      );
    });
    return Promise.all(asked);
  };
  t.deepEqual(await answered({}), [undefined, undefined, undefined]);
  const contentModified = -32801;
  const stale = await answered({ general: { staleRequestSupport: { cancel: true, retryOnContentModified: [] } } });
  t.is(stale.at(-1), undefined);
  t.true(stale.every((code) => code === undefined || code === contentModified));
});
