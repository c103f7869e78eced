import test from "ava";
import { editorOn, type Position } from "./client.js";

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
