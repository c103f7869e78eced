import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { type Diagnostic, GraphError } from "../../../compiler/ir/diagnostic.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { moduleOf } from "../../../compiler/ir/module.js";
import { parseComputation, parseModule } from "../../../compiler/ir/parser.js";
import { printComputation, printModule } from "../../../compiler/ir/printer.js";
import { selectSignature } from "../../../compiler/ir/select.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { exp } from "../../../compiler/ops/exponential.js";
import { ops } from "../../../compiler/ops/table.js";
import { exampleGraph } from "./example.js";
import { computationOf, input } from "./support.js";

function refused(t: ExecutionContext, text: string, parse: (text: string) => unknown = parseComputation): Diagnostic {
  const error = t.throws(() => parse(text), { instanceOf: GraphError }, text.slice(0, 200));
  const [diagnostic] = error?.diagnostics ?? [];
  if (diagnostic === undefined) throw new Error("no diagnostic");
  return diagnostic;
}

const body = (line: string): string => `computation c() {\n  ${line}\n}`;

test("a whole graph prints and comes back", (t) => {
  const graph: Graph = exampleGraph();
  const text = printModule(moduleOf(graph, [selectSignature(graph, "fit"), selectSignature(graph, "predict")]));
  t.true(
    text.startsWith(
      'graph example {\n  file "example.graph"\n  seed -42\n  dim N <= 64\n  dim M\n  placeholder x: f32[N, 3]\n',
    ),
    text,
  );
  t.true(text.includes("\n  placeholder rate: f32 default\n"), text);
  t.true(text.includes('\n  variable "dense/w": f32[3] trainable on "gpu"\n'), text);
  t.true(text.includes('\n  string greeting = "Hello, \\"graph\\"!"\n'), text);
  t.true(text.includes('\n  require N == M "G020" "the batches differ'), text);
  t.true(text.includes('\n  require M != 0 "G025" "a batch of {left} has no maximum"\n'), text);
  const parsed = parseModule(text, { ops });
  t.is(printModule(parsed), text);
  t.is(parsed.seed, -42n);
  t.deepEqual(
    parsed.computations.map(({ name }) => name),
    ["fit", "predict"],
  );
  t.is(parsed.initial.assignments[0]?.value, graph.variables[0]?.initial);
  for (const computation of parsed.computations) t.deepEqual(verify(computation, ops), []);
});

test("comments and layout do not matter", (t) => {
  const text =
    'computation c(x:f32)#c\n{%7=placeholder(){dtype="f32",name="x",shape=[]}:f32 # the input\n%1=exp(%7):f32 return"y"=%1}#end';
  t.is(parseComputation(text).outputs[0]?.value, exp(input("x", "f32")));
});

test("each problem has its code and place", (t) => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["", "G002", /expected `computation`, found the end/],
    ["computation c() {", "G002", /`}`, found the end/],
    [body("%0 = exp(%1) : f32"), "G011", /%1 is used before/],
    [body("%0 = run_state() : i64[3]\n%0 = run_state() : i64[3]"), "G010", /%0 is already/],
    [body("%0 = run_state( : i64[3]"), "G002", /expected a value such as/],
    [body("%0 = run_state() : i63[3]"), "G002", /expected a dtype, found `i63`/],
    [body("%0, %1 = run_state() : i64[3]"), "G032", /2 values are named, but 1 types/],
    [body("%0 = f() {a = 1, a = 2} : f32"), "G015", /`a` is given twice/],
    [body("%0 = f() {a = @} : f32"), "G001", /unexpected character "@"/],
    [body('%0 = f() {a = "open} : f32'), "G008", /not closed/],
    [body('%0 = f() {a = "\\q"} : f32'), "G008", /not one of JSON/],
    [body("%0 = f() {a = 12.5n} : f32"), "G007", /no integer/],
    [body("%0 = f() {a = f32[2](1)} : f32"), "G002", /expected `,`/],
    [body("%0 = f() {a = u8(256)} : f32"), "G028", /256 is no u8/],
    [body("%0 = f() {a = i64(9223372036854775808)} : f32"), "G028", /is no i64/],
    [body("%0 = f() {a = bool(1)} : f32"), "G002", /true or false/],
    [body("%0 = f() {a = f16(nan:0x123456)} : f32"), "G007", /more bits/],
    [body("%0 = f() {a = f32[N](1)} : f32"), "G023", /sizes that are numbers/],
    [body("%0 = f() {a = f64[1000000, 1000000] splat 0} : f32"), "G102", /1 GiB/],
    [body("%0 = f() {a = f64[99999999, 99999999, 99999999, 9999999] splat 0} : f32"), "G102", /1 GiB/],
    [body("%0 = f() {a = N // 0} : f32"), "G002", /divided by zero/],
    [body("%0 = f() {a = 9007199254740991 * N * 4} : f32"), "G007", /too large/],
    [body('return "y" = %0'), "G011", /%0/],
    [body(`%0 = f() {a = ${"[".repeat(500)}${"]".repeat(500)}} : f32`), "G101", /more than 100 deep/],
    [body(`%0 = f() {a = ${"(".repeat(5000)}N${")".repeat(5000)}} : f32`), "G101", /more than 100 deep/],
    [body(`%0 = f() {a = ${"-".repeat(50000)}N} : f32`), "G101", /more than 100 deep/],
    [
      `${printComputation(computationOf({ y: input("x", "f32") }))} extra`,
      "G002",
      /the end of the text, found `extra`/,
    ],
  ];
  for (const [text, code, message] of cases) {
    const diagnostic = refused(t, text);
    t.is(diagnostic.code, code, `${text.slice(0, 120)}\n${diagnostic.message}`);
    t.regex(diagnostic.message, message);
    t.true((diagnostic.span?.start ?? -1) >= 0 && (diagnostic.span?.end ?? 0) <= text.length);
  }
});

test("an op that is not in the table is named with the nearest", (t) => {
  const diagnostic = refused(t, body("%0 = run_stat() : i64[3]"), (text) => parseComputation(text, { ops }));
  t.is(diagnostic.code, "G012");
  t.is(diagnostic.hint, "did you mean `run_state`?");
});

test("products of sums do not explode", (t) => {
  const sum = `(${Array.from({ length: 60 }, (_, i) => `d${i}`).join(" + ")})`;
  t.is(refused(t, body(`%0 = f() {a = ${Array.from({ length: 40 }, () => sum).join(" * ")}} : f32`)).code, "G102");
});

test("names that mean something to JavaScript are only names", (t) => {
  const text = body('%0 = f() {__proto__ = [1], constructor = "x"} : f32[__proto__]\n  return "__proto__" = %0');
  const parsed = parseComputation(text);
  t.deepEqual(Object.keys(parsed.outputs[0]?.value.node.attributes ?? {}).sort(), ["__proto__", "constructor"]);
  t.is(({} as Record<string, unknown>)["1"], undefined);
  t.true(printComputation(parsed).includes('{__proto__ = [1], constructor = "x"} : f32[__proto__]'));
});

test("mangled text gives diagnostics and never crashes", (t) => {
  const graph = exampleGraph();
  const text = printModule(moduleOf(graph, [selectSignature(graph, "fit")]));
  const edit = fc.tuple(
    fc.nat(text.length),
    fc.nat(12),
    fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom("{", "}", "(", "%1", '"', "f32", "=", "9".repeat(30), "[", "-"),
    ),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let mangled = text;
      for (const [at, length, replacement] of edits)
        mangled = mangled.slice(0, at) + replacement + mangled.slice(at + length);
      try {
        const parsed = parseModule(mangled, { ops });
        // What still parses may break the rules of the form: the verifier says so, and does not crash either.
        for (const computation of parsed.computations) t.true(Array.isArray(verify(computation, ops)));
      } catch (error) {
        t.true(error instanceof GraphError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("a large constant is read in reasonable time and to the bit", (t) => {
  const count = 200_000;
  const elements = Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i)));
  const text = body(
    `%0 = constant() {value = f32[${count}](${elements.join(", ")})} : f32[${count}]\n  return "y" = %0`,
  );
  const literal = parseComputation(text, { ops }).outputs[0]?.value.node.attributes["value"] as {
    readonly data: Float32Array;
  };
  t.deepEqual(literal.data, Float32Array.from(elements));
});
