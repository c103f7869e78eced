import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadGraph, loadGraphFromText } from "../../dsl/load.js";
import { root } from "../docs/pages.js";

/** Every `.graph` file below a folder. */
function graphsIn(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return graphsIn(path);
    return name.endsWith(".graph") ? [path] : [];
  });
}

test("no warning comes on an example, the standard library or a benchmark, which mean what they say", (t) => {
  const files = ["examples", "dsl/std", "bench"].flatMap((folder) => graphsIn(join(root, folder)));
  t.true(files.length > 40, String(files.length));
  for (const file of files) {
    const { diagnostics } = loadGraph(file, { unused: true, stdFolder: join(root, "dsl/std") });
    t.deepEqual(
      diagnostics.map(({ code, message }) => `${code} ${message}`),
      [],
      file,
    );
  }
});

function told(text: string): readonly string[] {
  return loadGraphFromText(text, "/nowhere/a.graph", { unused: true }).diagnostics.map(({ message }) => message);
}

test("what only a session could fetch is told of where signatures say what is wanted", (t) => {
  const body = "  variable w: f32 = 1.0\n  y = 2 * w\n  update learn {\n    w := 0.5 * w\n  }\n";
  t.deepEqual(told(`graph g {\n${body}}\n`), []);
  t.deepEqual(told(`graph g {\n${body}  signature step() -> (w)\n}\n`), [
    "nothing reads `y`",
    "no signature does the update `learn`",
  ]);
});

test("it is not told unless it is asked for, nor beside errors, nor of a library's declarations", (t) => {
  const text = "fn f(x: f32) -> (y: f32) {\n  y = x\n}\n\ngraph g {\n  y = 1.0\n}\n";
  t.deepEqual(told(text), ["nothing calls the fn `f`"]);
  t.deepEqual(loadGraphFromText(text, "/nowhere/a.graph").diagnostics, []);
  t.deepEqual(told(text.replace("1.0", "unknown")), ["unknown name `unknown`"]);
  t.deepEqual(told(text.slice(0, text.indexOf("graph"))), []);
});

test("paths into calls, whole scopes, names of `train` and of loops count as reads", (t) => {
  t.deepEqual(
    told(`fn f(x: f32) -> (y: f32) {
  variable w: f32 = 1.0
  inner = 2 * x
  other = 3 * x
  y = w * x
}

graph g {
  scope part {
    h = f(1.0)
    loss = h ** 2
  }
  shown = 3 * part.h
  top = [1.0, 2.0]
  last = scan x in top with s = part.h {
    top = x + 1
    next s = s + top
  }
  update learn = minimize(part.loss, sgd_like(), variables=[part])
  signature fit() does learn -> (last, part.h/f/inner)
  train {
    run = fit
    steps = 3
    report = { of = [shown] }
  }
}

optimizer sgd_like(p, g) {
  p := p - g
}
`),
    ["nothing reads `other`"],
  );
});
