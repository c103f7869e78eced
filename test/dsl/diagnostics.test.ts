import test from "ava";
import { catalogue } from "../../compiler/ir/codes/catalogue.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";

/** What the parser says of the lines of a graph: code, line:column, message, label, hint. */
function problems(text: string): string[] {
  const result = parse(text, "x.graph");
  return result.diagnostics.map((d) => {
    const before = text.slice(0, d.span?.start ?? 0).split("\n");
    const label = d.label === undefined ? "" : ` [${d.label}]`;
    const hint = d.hint === undefined ? "" : ` | ${d.hint}`;
    return `${d.code} ${before.length}:${(before.at(-1)?.length ?? 0) + 1} ${d.message}${label}${hint}`;
  });
}

function inGraph(...lines: string[]): string[] {
  return problems(`graph g {\n${lines.join("\n")}\n}\n`);
}

const rows: readonly (readonly [string, string])[] = [
  ["x = 1;", "G001 2:6 `;` is not part of the language | statements end at the end of the line, without `;`"],
  ["x = a && b", "G001 2:7 `&&` is not part of the language | write `and`"],
  ["x = a \u00D7 b", "G001 2:7 `\u00D7` is not part of the language | write `*`"],
  ["x = a\u00A0+ b", "G001 2:6 `U+00A0` is not part of the language | use a plain space"],
  ["x = a \u0007+ b", "G001 2:7 `U+0007` is not part of the language"],
  ["x = 1 +", "G002 2:8 expected a value, found the end of the line | `+` needs a value on its right"],
  ["x = * 2", "G002 2:5 expected a value, found `*` | an operand is missing before it"],
  ["x = f(, 2)", "G002 2:7 expected a value, found `,` | a value is missing before the comma"],
  ["x = [1, 2 3]", "G002 2:11 expected `,` or `]`, found `3` | a comma may be missing"],
  ["x = a = b", "G002 2:7 expected a new line, found `=` | `==` compares two values; `=` binds a name"],
  [
    "x = f(a)(b)",
    "G002 2:9 expected a new line, found `(` | only a name can be called: a layer takes its input and what it is made with together, `dense(x, units=10)` of std/layers",
  ],
  [
    "x = if a { yield 1 }",
    "G002 2:21 expected `else`, found the end of the line | an `if` gives a value in every case, so it ends with `else { ... }`",
  ],
  [
    "x = 1 + if a { yield 1 } else { yield 2 }",
    "G002 2:9 expected a value, found `if` | `if` stands only directly after the `=` of a binding; bind its result to a name first",
  ],
  [
    'x = (exp(a) on "gpu") + 1',
    'G002 2:13 expected `)`, found `on` | a whole statement is placed, at its end: `y = exp(x) on "gpu"`',
  ],
  [
    'x: f32 on "gpu" = a',
    'G002 2:8 expected `=`, found `on` | a whole statement is placed, at its end: `y = exp(x) on "gpu"`',
  ],
  [
    'placeholder x: f32 on "gpu"',
    'G002 2:20 expected a new line, found `on` | `on` stands behind a value, or before the `{` of a scope or an update; a block of statements is `on "gpu" { ... }`',
  ],
  [
    'on "gpu" x = 1',
    'G002 2:10 expected `{`, found `x` | a block follows it, as in `on "gpu" { ... }`; of one statement it stands at the end: `y = exp(x) on "gpu"`',
  ],
  ["x = 1 on", 'G002 2:9 expected `"cpu"` or `"gpu"`, found the end of the line | `on` names a place: `on "gpu"`'],
  ["x = 1 on tpu", 'G002 2:10 expected `"cpu"` or `"gpu"`, found `tpu` | a place is quoted: `on "gpu"`'],
  ["x = 1 on 'gpu'", 'G008 2:10 strings stand in double quotes | write `"gpu"`'],
  [
    'x = 1 on "tpu"',
    'G125 2:10 there is no device "tpu" | there is `"cpu"` and `"gpu"`; `--device` chooses which device the gpu is',
  ],
  [
    "require N > 4",
    'G002 2:14 expected `,`, found the end of the line | a requirement says what is wrong where it is not met: `require N > 4, "at least five rows"`',
  ],
  ["x = scan a on b { yield a }", "G002 2:12 expected `in`, found `on`"],
  [
    "x = a == not b",
    "G002 2:10 expected a value after `==`, found `not` | `not` binds looser: put brackets round it, `(not x)`",
  ],
  ["seed x", "G002 2:6 expected an integer, found `x`"],
  [
    "placeholder x",
    "G002 2:14 expected `:`, found the end of the line | a placeholder has a type: `placeholder x: f32[4]`",
  ],
  [
    "signature s(x) does step",
    "G002 2:25 expected `->`, found the end of the line | a signature says what it gives: `-> (loss)`, or `-> ()` for nothing",
  ],
  ["signature s(x) -> y", "G002 2:19 expected `(`, found `y` | outputs stand in brackets: `-> (y)`"],
  [
    "train { batch = 3, epochs = 2 }",
    "G002 2:18 expected a field or `}`, found `,` | fields of `train` stand on lines of their own, without commas",
  ],
  ["x = 1 // a comment", "G001 2:7 `//` begins no comment | a comment starts with `#`"],
  ["x = relu(1.0, 2", "G003 2:16 `(` is not closed [expected `,` or `)`, found the end of the line]"],
  ["x = 1)", "G003 2:6 `)` closes nothing | remove it, or add the bracket that it closes"],
  ["placehoder x: f32", "G004 2:1 unknown statement `placehoder` | did you mean `placeholder`?"],
  ["let x = 3", "G004 2:1 unknown statement `let` | a binding needs no word: `x = 3`"],
  [
    "def f(x):",
    "G004 2:1 unknown statement `def` | functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file",
  ],
  ["x == 3", "G004 2:3 `==` compares, it does not bind | write `x = ...`"],
  ["x += 3", "G004 2:3 there is no `+=` | in an update, write `x := x + ...`"],
  ["f(x)", "G004 2:1 a value alone is no statement | bind it to a name: `y = f(...)`"],
  [
    "x[0] = 3",
    "G004 2:1 elements of a tensor are not assigned | `scatter(x, [0], [value])` and `dynamic_update_slice` give a tensor with others in their places",
  ],
  [
    "(1 + 2)",
    "G004 2:1 a statement cannot start with `(` | the `(` or `[` of a call or an index stands on the line of what it follows",
  ],
  ["+ 2", "G004 2:1 a statement cannot start with `+` | a statement is a statement word or `name = value`"],
  ["if a { yield 1 }", "G004 2:1 `if` is no statement: it gives values | bind them: `y = if ...`"],
  ['import { f } from "a"', "G005 2:1 `import` stands only at the top of a file | move it out of the braces"],
  ["yield 3", "G005 2:1 `yield` cannot stand in a graph | it stands in a scan or an if"],
  ["scope s { seed 1 }", "G005 2:11 `seed` cannot stand in a scope | it stands in a graph"],
  ["x = 1 < 2 < 3", "G006 2:11 comparisons do not chain | write `1 < 2 and 2 < 3`"],
  ["x = 9223372036854775808", "G007 2:5 the integer does not fit in i64 | the largest is 9223372036854775807"],
  ["x = 1e999", "G007 2:5 the decimal is beyond the range of f64 | infinity is written `inf`"],
  ["x = 3y", "G007 2:5 `3y` is not a number | a name starts with a letter; a product is `3 * y`"],
  ["x = .5", "G007 2:5 a digit stands on both sides of the point | write `0.5`"],
  ["x = 0x1F", "G007 2:5 `0x1F` is not a number | integers are written in decimal"],
  ['x = "abc', "G008 2:5 the string has no closing quote on its line | a line break in a string is `\\n`"],
  ["x = 'abc'", 'G008 2:5 strings stand in double quotes | write `"abc"`'],
  [
    'x = "\\q"',
    'G008 2:6 unknown escape `\\q` | escapes are \\" \\\\ \\n \\t \\r \\u{...}; write `\\\\` for a backslash',
  ],
  [
    'x = "\\u{D800}"',
    "G008 2:6 this is not a Unicode character | `\\u{1F600}` has 1 to 6 hexadecimal digits, at most 10FFFF",
  ],
  ["// a comment", "G001 2:1 `//` begins no comment | a comment starts with `#`"],
  ["x = 3  // how many", "G001 2:8 `//` begins no comment | a comment starts with `#`"],
  ["// this, and that", "G004 2:1 a statement cannot start with `//` | a comment starts with `#`"],
  ["seed 3 // - first", "G002 2:8 expected a new line, found `//` | a comment starts with `#`"],
  ["x = 3 /* a\nb */", "G001 2:7 `/*` begins no comment | a comment starts with `#`, on each of its lines"],
  ["/* never closed", "G001 2:1 `/*` begins no comment | a comment starts with `#`, on each of its lines"],
  [
    "x = a > 0 ? b : c",
    "G001 2:11 `?` is not part of the language | one of two values is `select(condition, a, b)`, or `if condition { yield a } else { yield b }`",
  ],
  [
    "signature f(x: f32[3]) -> (y)",
    "G002 2:14 expected `,` or `)`, found `:` | a signature gives names only: their types stand where they are declared",
  ],
  ["placeholder f32[3] x", "G002 2:16 expected `:`, found `[` | a type follows its name: `x: f32`"],
  ["variable f32[3] w = zeros()", "G002 2:13 expected `=`, found `[` | a type follows its name: `x: f32`"],
  ["f32[3] y = relu(x)", "G004 2:1 a value alone is no statement | a type follows its name: `x: f32 = ...`"],
  ["f32 y = relu(x)", "G004 2:1 a value alone is no statement | a type follows its name: `x: f32 = ...`"],
  ["if = 3", "G014 2:1 `if` is a word of the language and cannot be a name | another name, such as `if_`"],
  ["a, a = f()", "G015 2:4 name `a` is given twice | use another name; `_` drops an output"],
  ["x = f(a=1, a=2)", "G015 2:12 argument `a` is given twice | leave one of them out"],
  ["x = f(a=1, 2)", "G039 2:12 a positional argument follows a named one | name it, or move it before the named ones"],
  [
    "x := 3",
    "G040 2:1 `:=` stands only in an update block, an optimizer, or a fn that owns the variable | a binding is `x = ...`; a group of assignments is `update NAME { ... }`",
  ],
];

for (const [line, expected] of rows) {
  test(`${expected.slice(0, 4)}: ${JSON.stringify(line).slice(0, 50)}`, (t) => {
    t.deepEqual(inGraph(line), [expected]);
  });
}

const itemRows: readonly (readonly [string, string])[] = [
  ...[
    'import * from "std/layers"',
    'import * as layers from "std/layers"',
    'import "std/layers"',
    'from "std/layers" import dense',
  ].map((line): [string, string] => [line, "G004 1:1 this is no `import`"]),
  ['import dense from "std/layers"', "G002 1:8 expected `{`, found `dense`"],
  ["import std/layers", "G002 1:8 expected `{`, found `std`"],
].map(([line = "", start = ""]) => [
  line,
  `${start} | an import names what it takes: \`import { dense } from "std/layers"\``,
]);

for (const [line, expected] of [
  ...itemRows,
  ["fn f(f32[3] x) -> (y) {}", "G002 1:9 expected `,` or `)`, found `[` | a type follows its name: `x: f32`"],
  [
    "fn f(x) -> f32[3] {}",
    "G002 1:12 expected `(`, found `f32` | outputs have names, and stand in brackets: `-> (y: f32[4])`",
  ],
  ["fn f(x): f32[3] {}", "G002 1:8 expected `->`, found `:` | outputs follow `->`: `-> (y: f32[4])`"],
] as const) {
  test(`at the top of a file: ${line}`, (t) => {
    t.deepEqual(problems(line), [expected]);
  });
}

test("two words side by side follow no division: `//` with its operands stays one", (t) => {
  for (const line of [
    "y = a // b and c",
    "y = a // b  z = 3",
    "y = a // b(c)",
    "variable w: f32 = a // b frozen",
    "l = scan x in a // b with h = 0 {}",
    "y = if a // b == c { yield 1 } else { yield 2 }",
  ])
    t.false(
      inGraph(line).some((text) => text.startsWith("G001")),
      line,
    );
});

test("an `on` block in a branch or loop holds what may stand there", (t) => {
  t.deepEqual(inGraph("x = if a {", 'on "gpu" {', "y = 1", "yield y", "}", "} else {", "yield a", "}"), []);
  t.deepEqual(inGraph("x = scan v in a with s = b {", 'on "gpu" {', "next s = v", "update u {", "}", "}", "}"), [
    "G005 5:1 `update` cannot stand in a scan | it stands in a graph, a scope or an `on` block",
  ]);
});

test("each statement's problem is reported, and only that", (t) => {
  // All the wrong lines in one graph: recovery starts afresh at each.
  // A line that starts with a bracket or an operator is taken as the rest of a refused statement before it, and one comment runs to the end of another.
  const separate = rows.filter(([line]) => !/^[(+/]|\/\*/.test(line));
  const lines = separate.map(([line]) => line);
  const together = new Set(
    inGraph(...lines, "last = 1").map((p) => p.split(" ").slice(0, 2).join(" ").replace(/:\d+$/, "")),
  );
  const missed = separate.flatMap(([, expected], i) =>
    together.has(`${expected.slice(0, 4)} ${i + 2}`) ? [] : [`${i + 2} ${expected}`],
  );
  t.deepEqual(missed, []);
  t.is(together.size, separate.length);
});

test("an unclosed brace is found by its indentation", (t) => {
  t.deepEqual(problems("graph g {\n  scope s {\n    x = 1\n  y = 2\n}\n"), [
    "G003 5:2 `{` is not closed [expected `}`, found the end of the file]",
  ]);
  const { diagnostics } = parse("graph g {\n  scope s {\n    x = 1\n  y = 2\n}\n", "x.graph");
  t.is(diagnostics[0]?.notes[0]?.span?.start, 20);
});

test("the opening bracket of a list is named where the list is broken on another line", (t) => {
  const { diagnostics } = parse("graph g {\n  x = [\n    1,\n    2 3\n  ]\n}\n", "x.graph");
  t.is(diagnostics.length, 1);
  t.deepEqual(
    diagnostics[0]?.notes.map((n) => n.message),
    ["the list in `[` starts here"],
  );
});

test("the statement after an unclosed call is not read as its argument", (t) => {
  const text = "graph g {\n  w = a |> g(\n  k = f(a, b\n  m = 3\n  n = h(\n    i = 1,\n    j = 2,\n  )\n}\n";
  t.deepEqual(problems(text), [
    "G003 2:14 `(` is not closed [expected `)`, found the end of the line]",
    "G003 3:13 `(` is not closed [expected `,` or `)`, found the end of the line]",
  ]);
});

test("file level", (t) => {
  t.deepEqual(problems("x = 1\ny = 2\n"), [
    "G005 1:1 this statement stands outside of a graph | only imports, fns, optimizers and constants stand beside the graph",
  ]);
  t.deepEqual(problems("graph a {\n}\ngraph b {\n}\n"), [
    "G065 3:7 a file holds one graph | move the other into a file of its own",
  ]);
  t.deepEqual(problems("}\ngraph a {\n}\n"), [
    "G003 1:1 `}` closes nothing | remove it, or add the bracket that it closes",
  ]);
  t.deepEqual(
    problems('import { a } frm "b"\nimport { c c2 } from "d"\nfn f(x: f32 = 1, y: int = ) -> (y: f32) {\n}\n'),
    [
      "G002 1:14 expected `from`, found `frm`",
      "G002 2:12 expected `,` or `}`, found `c2` | a comma may be missing",
      "G002 3:27 expected a value, found `)`",
    ],
  );
  t.deepEqual(problems("graph g {\n  x = 1\n}\n## nothing\n"), [
    "G009 4:1 `##` documents nothing here | it documents the declaration on the next line; use `#` for a comment",
  ]);
});

test("a refused statement keeps the names that it would have bound", (t) => {
  const { ast } = parse("graph g {\n  a, b = f(1 2)\n  variable w: = 3\n  y = a\n}\n", "x.graph");
  const [graph] = ast.items;
  if (graph?.kind !== "graph") return t.fail();
  t.deepEqual(
    graph.body.statements.map((s) => (s.kind === "invalid" ? s.names.map((n) => n.name) : s.kind)),
    [["a", "b"], ["w"], "binding"],
  );
});

test("a value that is not read to its end is told of once, and what rests on it is silent", (t) => {
  for (const value of [
    "nn.Linear(3, 4)(x)",
    "lambda x: x + 1",
    "dense(units=4)(x)",
    "x.relu().sum()",
    "dense(3, 4)(x) + z",
  ])
    t.deepEqual(
      loadGraphFromText(
        `graph g {\n  placeholder x: f32[4]\n  y = ${value}\n  z = y + 1\n}\n`,
        "a.graph",
      ).diagnostics.map(({ code }) => code),
      ["G002"],
      value,
    );
});

test("many problems are cut off with a count", (t) => {
  const found = inGraph(...Array.from({ length: 150 }, (_, i) => `x${i} = 1 2`));
  t.is(found.length, 101);
  t.regex(found.at(-1) ?? "", /^G103 .* 50 more problems are not shown$/);
});

test("the catalogue: codes are unique and sorted in their groups, texts are whole", (t) => {
  t.is(new Set(catalogue.map((row) => row.code)).size, catalogue.length);
  for (const row of catalogue) {
    t.regex(row.code, /^G\d{3}$/);
    t.true(row.title.length > 0 && !row.title.endsWith("."), row.code);
    t.true(row.explain.endsWith("."), row.code);
    t.true(row.example.startsWith("$ ") || row.example.endsWith("\n"), row.code);
  }
});

test("each syntax code's example gives that code, and the other examples are well formed", (t) => {
  const parsed = new Set([
    "G001",
    "G002",
    "G003",
    "G004",
    "G005",
    "G006",
    "G007",
    "G008",
    "G009",
    "G014",
    "G015",
    "G039",
    "G040",
    "G065",
    "G101",
    "G125",
  ]);
  for (const row of catalogue) {
    if (row.example.startsWith("$ ")) continue;
    const codes = new Set(parse(row.example, "x.graph").diagnostics.map((d) => d.code));
    t.deepEqual([...codes], parsed.has(row.code) ? [row.code] : [], `${row.code}\n${row.example}`);
  }
});
