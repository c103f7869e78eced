import test from "ava";
import { graph, graphOf, load, notes, problems, types } from "./support.js";

test("a name is bound once, before its use, and may shadow what is visible everywhere", (t) => {
  t.deepEqual(problems(graph("x = 1", "x = 2", "y = z + x", "z = 1", "w = nothing")), [
    "G010 3:3 `x` is bound twice (use another name; `:=` in an update gives a variable a new value)",
    "G011 4:7 `z` is used before it is bound (move the binding up: only update, signature and train look ahead)",
    "G012 6:7 unknown name `nothing`",
  ]);
  t.deepEqual(types(graph("softmax = softmax([1.0, 2.0])", "y = softmax(softmax)"), "y"), ["f32[2]"]);
  t.deepEqual(types(`fn relu(x: f32) -> (y: i64) {\n  y = cast(x, to=i64)\n}\n${graph("y = relu(1.0)")}`, "y"), [
    "i64",
  ]);
});

test("a name whose definition failed is not reported again", (t) => {
  t.deepEqual(
    problems(
      graph(
        "x = nothing + 1",
        "y = x * 2",
        "z = softmax(y)",
        "scope s {",
        "  l = z",
        "}",
        "update u {",
        "  w := s.l",
        "}",
        "variable w: f32 = x",
        "signature f() does u -> (y, s.l)",
      ),
    ).map((p) => p.slice(0, 8)),
    ["G012 2:7"],
  );
});

test("what only needs an import says so", (t) => {
  t.deepEqual(problems(graph("placeholder x: f32[3]", "y = dense(x, units=3)")), [
    'G012 3:7 unknown name `dense` (`import { dense } from "std/layers"`)',
  ]);
});

test("a name of another kind", (t) => {
  const text = graph(
    "scope metrics {",
    "  loss = 1.0",
    "}",
    "a = metrics + 1",
    "b = relu + 1",
    "c = metrics.los",
    "x = 1.0",
    "d = x.y",
    "e = x(1)",
    'f = "a" + 1',
    "h = f32 + 1",
  );
  t.deepEqual(
    problems(text).map((p) => p.replace(/ \(.*/, "")),
    [
      "G016 5:7 a tensor is needed here, not a scope",
      "G016 6:7 a tensor is needed here, not a function",
      "G012 7:15 unknown name `los`",
      "G016 9:9 `x.y` is no path: what stands before `y` is the float 1.0",
      "G016 10:7 `x` is the float 1.0, not a function",
      "G024 11:7 a string is no tensor",
      "G016 12:7 a tensor is needed here, not the dtype f32",
    ],
  );
});

test("an undeclared name in a shape is an error, not a new dimension", (t) => {
  t.deepEqual(
    problems(
      graph(
        "dim N",
        "placeholder x: f32[M, 4]",
        "placeholder y: f33",
        "variable w: f32[-1] = 0",
        "placeholder z: f32[...]",
        "dim K <= 0",
      ),
    ).map((p) => p.replace(/; .*/, "")),
    [
      "G017 3:22 the dim `M` is not declared (`dim M <= 1024` declares it)",
      "G012 4:18 unknown dtype `f33` (did you mean `f32`?)",
      "G027 5:19 a size is not negative: -1",
      "G017 6:22 `...` stands for the leading dims of a fn's parameters, and there are none here",
      "G031 7:12 the bound of a dim is an int above 0, not the int 0",
    ],
  );
});

test("declared types are checked, never trusted", (t) => {
  t.deepEqual(
    problems(
      graph(
        "dim N",
        "placeholder x: f32[N, 4]",
        "a: f32[N, 5] = x",
        "b: f64[N, 4] = x",
        "c: f32[N] = x",
        "d: f32[4, 4] = x",
      ),
    ).map((p) => p.replace(/ \(.*/, "")),
    [
      "G023 4:18 `a` is f32[N, 4], not f32[N, 5]",
      "G023 5:18 `b` is f32[N, 4], not f64[N, 4]",
      "G023 6:15 `c` is f32[N, 4], not f32[N]",
    ],
  );
});

test("defaults of placeholders: constants of the type; a dim takes any size up to its bound", (t) => {
  const g = graphOf(graph("dim N <= 4", "placeholder x: f32[N] = [1, 2, 3]", "placeholder r: f32 = 0.5"));
  t.deepEqual(
    g.placeholders.map(({ defaultValue }) => defaultValue?.type.shape),
    [[3], []],
  );
  t.deepEqual(
    problems(
      graph(
        "dim N <= 2",
        "placeholder x: f32[N] = [1, 2, 3]",
        "placeholder y: f32[2] = [1.0]",
        "placeholder z: f32[N] = x",
      ),
    ).map((p) => p.slice(0, 8)),
    ["G084 3:27", "G023 4:27", "G037 5:27"].map((p) => p.slice(0, 8)),
  );
});

test("string constants are fetched, never computed with", (t) => {
  const g = graphOf(
    graph(
      'greeting = "Hello, graph!"',
      'constant title: string = "T"',
      "scope s {",
      '  inner = "x"',
      "}",
      "signature hello() -> (greeting, s.inner)",
    ),
  );
  t.deepEqual(
    [...g.strings],
    [
      ["greeting", "Hello, graph!"],
      ["title", "T"],
      ["s.inner", "x"],
    ],
  );
});

test("names that look like code are names", (t) => {
  const g = graphOf(
    graph(
      "__proto__ = 1.0",
      "constructor = __proto__ + 1",
      "variable hasOwnProperty: f32 = 0",
      "scope toString {",
      "  valueOf = constructor * 2",
      "}",
      "y = toString.valueOf",
    ),
  );
  t.deepEqual([...g.inference.names.keys()], ["__proto__", "constructor", "toString.valueOf", "y"]);
  t.deepEqual(
    problems(graph("x = toString + valueOf", "y = prototype")).map((p) => p.slice(0, 9)),
    ["G012 2:7 ", "G012 2:18", "G012 3:7 "],
  );
});

test("imports: other files, `as`, constants, cycles, missing files and names, paths", (t) => {
  const others = {
    "lib.graph": 'import { k } from "more/consts"\nfn scale(x: f32) -> (y: f32) {\n  y = x * k\n}\n',
    "more/consts.graph": "constant k = 3.0\n",
    "loop.graph": 'import { b } from "loop2"\nfn a(x: f32) -> (y: f32) {\n  y = x\n}\n',
    "loop2.graph": 'import { a } from "loop"\nfn b(x: f32) -> (y: f32) {\n  y = x\n}\n',
    "broken.graph": "fn f(x: f32) -> (y: f32) {\n  y = = x\n}\nfn g(x: f32) -> (y: f32) {\n  y = x\n}\n",
  };
  t.deepEqual(
    types(
      `import { scale as times } from "std/nothing"\n${graph("y = 1.0")}`.replace(
        'import { scale as times } from "std/nothing"\n',
        "",
      ),
      "y",
    ),
    ["f32"],
  );
  t.is(
    graphOf(`import { scale as times } from "lib.graph"\n${graph("y = times(2.0)")}`, others).inference.names.has(
      "y/scale/y",
    ),
    true,
  );
  const first = (text: string): readonly string[] =>
    problems(`${text}\n${graph("y = 1.0")}`, others).map((p) => p.replace(/ \(.*/, ""));
  t.deepEqual(first('import { a } from "loop"'), [
    "G061 loop2.graph:1:19 the files import each other in a circle: loop.graph -> loop2.graph -> loop.graph",
  ]);
  t.deepEqual(first('import { a } from "none"'), ["G060 1:19 cannot import `none.graph`: there is no such file"]);
  t.deepEqual(first('import { adam } from "std/optimisers"'), [
    "G060 1:22 the standard library has no file `optimisers`",
  ]);
  t.deepEqual(first('import { scales } from "lib"'), ["G062 1:10 `lib.graph` has no `scales`"]);
  t.deepEqual(first('import { k } from "lib"'), ["G062 1:10 `lib.graph` has no `k`"]);
  const hint = (text: string): string => problems(`${text}\n${graph("y = 1.0")}`)[0]?.replace(/^.*?` \(/, "(") ?? "";
  t.is(hint('import { max_pool2d } from "std/convolution"'), "(`max_pool` needs no import)");
  t.is(hint('import { relu } from "std/layers"'), "(`relu` needs no import)");
  t.is(hint('import { adam } from "std/layers"'), '(`import { adam } from "std/optimizers"`)');
  t.is(hint('import { dens } from "std/layers"'), "(did you mean `dense`?)");
  t.deepEqual(first('import { a } from "../lib"'), [
    "G063 1:19 the import `../lib` leaves the folder of the main file",
  ]);
  t.deepEqual(first('import { a } from "/etc/passwd"'), [
    "G063 1:19 the import `/etc/passwd` leaves the folder of the main file",
  ]);
  t.deepEqual(
    first('import { f } from "broken"').map((p) => p.slice(0, 21)),
    ["G002 broken.graph:2:7"],
  );
  t.deepEqual(load(graph("y = relu(1.0)")).diagnostics, []);
  const allowed = load(
    `import { scale } from "/lib/a"\n${graph("y = scale(1.0)")}`,
    {
      "/lib/a.graph": others["more/consts.graph"].replace(
        "constant k = 3.0",
        "fn scale(x: f32) -> (y: f32) {\n  y = x\n}",
      ),
    },
    ["/lib"],
  );
  t.deepEqual(allowed.diagnostics, []);
});

test("problems of all files come at once, each with its own places", (t) => {
  const others = { "lib.graph": "fn f(x: f32) -> (y: f32) {\n  y = x + unbound_name\n}\n" };
  t.deepEqual(problems(`import { f } from "lib"\n${graph("a = f(1.0)", "b = quixotic", "c = f(2.0)")}`, others), [
    "G012 4:7 unknown name `quixotic`",
    "G012 lib.graph:2:11 unknown name `unbound_name`",
  ]);
  t.deepEqual(notes(`import { f } from "lib"\n${graph("a = f(1.0)")}`, others), ["3:7 in this call of `f`"]);
});

test("documentation and places reach the symbols, placeholders, variables and signatures", (t) => {
  const text = `graph g {
  ## The input.
  placeholder x: f32
  ## The weight.
  variable w: f32 = 0
  ## The output.
  y = x * w
  ## Answers.
  signature s(x) -> (y)
}
`;
  const { graph: g, symbols } = load(text);
  const docs = [g?.placeholders[0]?.doc, g?.variables[0]?.doc, g?.signatures[0]?.doc, symbols.get("y")?.doc];
  t.deepEqual(docs, ["The input.", "The weight.", "Answers.", "The output."]);
  const y = g?.inference.names.get("y");
  const spans = y === undefined ? [] : (g?.sources.spansOf(y.node) ?? []);
  t.deepEqual(
    spans.map(({ start, end }) => text.slice(start, end)),
    ["x * w"],
  );
});

test("an edge made in the standard library points at the user's line first", (t) => {
  const text = graph("placeholder x: f32[3]", "y = softmax(x)");
  const { graph: g } = load(text);
  const y = g?.inference.names.get("y");
  const [first, second] = y === undefined ? [] : (g?.sources.spansOf(y.node) ?? []);
  t.is(text.slice(first?.start, first?.end), "softmax(x)");
  t.is(second?.file, "<std>/activations.graph");
});

test("what a statement that is not understood would have bound is not reported as unknown", (t) => {
  const text = graph("dimq N", "placeholder x: f32[N]", "y = x + M", "signature s(z) -> (y, a.b)");
  t.deepEqual(
    problems(text).map((p) => p.slice(0, 8)),
    ["G004 2:3"],
  );
});
