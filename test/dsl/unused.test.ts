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

/** Each warning with what goes with it, and what the text is after its first fix. */
function toldWith(text: string): readonly string[] {
  return loadGraphFromText(text, "/nowhere/a.graph", { unused: true }).diagnostics.map(({ message, notes }) =>
    [message, ...notes.map((note) => note.message)].join("; "),
  );
}

function mended(text: string): string {
  const [first] = loadGraphFromText(text, "/nowhere/a.graph", { unused: true }).diagnostics;
  const edits = [...(first?.fixes?.[0]?.edits ?? [])].sort((a, b) => b.span.start - a.span.start);
  return edits.reduce((out, { span, text: by }) => out.slice(0, span.start) + by + out.slice(span.end), text);
}

test("what is read for an unread name alone is named with it, and goes with it", (t) => {
  const text = `graph g {
  dim N <= 8
  placeholder x: f32[N]
  variable w: f32 = 1.0
  scope part {
    near = w + 1
    far = near * 2
  }
  a = part.far + 1
  b = a * 2
  y = sum(x)
  signature s(x) -> (y)
}
`;
  t.deepEqual(toldWith(text), [
    "nothing reads `b`; `w` is used for `b` alone; `part` is used for `b` alone; `a` is used for `b` alone",
  ]);
  const left = mended(text);
  t.is(left, "graph g {\n  dim N <= 8\n  placeholder x: f32[N]\n  y = sum(x)\n  signature s(x) -> (y)\n}\n");
  t.deepEqual(toldWith(left), []);
});

test("what two unread names need is named once; what is wanted elsewhere or starts with `_` is not of use for them alone", (t) => {
  const graph = (lines: string): string => `graph g {\n  placeholder x: f32\n${lines}  signature s(x) -> (y)\n}\n`;
  t.deepEqual(toldWith(graph("  a = x + 1\n  b = a * 2\n  c = a * 3\n  y = x\n")), [
    "nothing reads `b`; `a` is used for `b` and others that nothing reads",
    "nothing reads `c`",
  ]);
  t.deepEqual(toldWith(graph("  a = x + 1\n  _b = a * 2\n  y = x\n")), []);
  t.deepEqual(toldWith(graph("  a = x + 1\n  b = a * 2\n  y = a\n")), ["nothing reads `b`"]);
});

test("chains inside loops, and from them to what stands around, are told once", (t) => {
  t.deepEqual(
    toldWith(`graph g {
  placeholder x: f32[3]
  rate = 0.5
  y = scan v in x with s = 0.0 {
    first = v * rate
    second = first + 1
    next s = s + v
  }
  signature s(x) -> (y)
}
`),
    ["nothing reads `second`; `first` is used for `second` alone; `rate` is used for `second` alone"],
  );
});

test("functions that are called from an unread one alone are named with it", (t) => {
  t.deepEqual(
    toldWith(`constant two = 2.0

fn inner(x: f32) -> (y: f32) {
  y = x * two
}

fn outer(x: f32) -> (y: f32) {
  y = inner(x)
}

graph g {
  placeholder x: f32
  y = x + 1
  signature s(x) -> (y)
}
`),
    ["nothing calls the fn `outer`; `two` is used for `outer` alone; `inner` is used for `outer` alone"],
  );
});

test("a parameter that its function does not read is told of, unless it tells a size, a dtype, or what is passed on is given", (t) => {
  const calls = (fns: string, call: string): string =>
    `${fns}\ngraph g {\n  placeholder x: f32[3]\n  y = ${call}\n  signature s(x) -> (y)\n}\n`;
  t.deepEqual(toldWith(calls("fn f(x: f32[3], k: int) -> (y: f32[3]) {\n  y = x\n}\n", "f(x, 2)")), [
    "`f` does not read its parameter `k`",
  ]);
  t.deepEqual(toldWith(calls("fn f(x: f32[3], k: int) -> (y: f32[3]) {\n  z = x * k\n  y = x\n}\n", "f(x, 2)")), [
    "nothing reads `z`; `k` is used for `z` alone",
  ]);
  t.deepEqual(toldWith(calls("fn f(x: f32[3], _k: int) -> (y: f32[3]) {\n  y = x\n}\n", "f(x, 2)")), []);
  // The size of `like` is all that is wanted of it, while that of `mask` is known from `x`.
  t.deepEqual(toldWith(calls("fn f[N](like: f32[N]) -> (y: f32[N]) {\n  y = ones([N])\n}\n", "f(x)")), []);
  t.deepEqual(
    toldWith(calls("fn f[N](x: f32[N], mask: f32[N]) -> (y: f32[N]) {\n  y = x + ones([N])\n}\n", "f(x, x)")),
    ["`f` does not read its parameter `mask`"],
  );
  const given = "fn one(x: f32[3], k: f32) -> (y: f32[3]) {\n  y = x\n}\n";
  const taking = "fn apply(h: fn, x: f32[3]) -> (y: f32[3]) {\n  y = h(x, 2.0)\n}\n";
  t.deepEqual(toldWith(calls(`${given}\n${taking}`, "apply(one, x)")), []);
  t.deepEqual(toldWith("optimizer still(p, g) {\n  p := p\n}\n\nfn f(x: f32) -> (y: f32) {\n  y = x\n}\n"), []);
});

test("a value may have the name of the function that makes it: the call reads the function", (t) => {
  const twice = "fn twice(x: f32) -> (y: f32) {\n  y = 2 * x\n}\n\n";
  const graph = (body: string): string => `graph g {\n  placeholder x: f32\n${body}}\n`;
  const called = "  twice = twice(x)\n  signature f(x) -> (twice)\n";
  t.deepEqual(told(`${twice}${graph(called)}`), []);
  const learnt = `import { dense } from "std/layers"
import { adam } from "std/optimizers"

graph g {
  placeholder x: f32[2, 3]
  dense = dense(x, units=3)
  update adam = minimize(mean(dense), adam())
  signature fit(x) does adam -> (dense)
}
`;
  t.deepEqual(told(learnt), []);
  const looped = `  last = scan v in [1.0, 2.0] with a = x {
    twice = twice(a * v)
    next a = twice
  }
  signature f(x) -> (last)
`;
  t.deepEqual(told(`${twice}${graph(looped)}`), []);
  // In a function, too, and where the value is unread the function is not, since the text calls it.
  t.deepEqual(told(`${twice}${graph("  twice = twice(x)\n  signature f(x) -> (x)\n")}`), ["nothing reads `twice`"]);
  const inside = "fn four(x: f32) -> (y: f32) {\n  twice = twice(x)\n  y = twice(twice)\n}\n\n";
  t.deepEqual(told(`${twice}${inside}${graph("  y = four(x)\n  signature f(x) -> (y)\n")}`), []);
});
