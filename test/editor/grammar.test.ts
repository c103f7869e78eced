import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
import { tokenMatcher } from "../../dsl/chevrotain.js";
import { printSource } from "../../dsl/format.js";
import { lex } from "../../dsl/lex.js";
import * as tokens from "../../dsl/tokens.js";
import { root } from "../docs/pages.js";
import { sourceFile } from "../dsl/arbitrary-ast.js";

/** The TextMate grammar of the extension, read by the library that VS Code reads it with. */

const file = join(root, "editor", "vscode", "syntaxes", "graph.tmLanguage.json");
const wasm = readFileSync(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(new Uint8Array(wasm).buffer);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: oniguruma.createOnigScanner,
    createOnigString: oniguruma.createOnigString,
  }),
  loadGrammar: async () => textmate.parseRawGrammar(readFileSync(file, "utf8"), file),
});
const grammar = await registry.loadGrammar("source.graph");

interface Coloured {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Without the language's own name at their ends. */
  readonly scopes: readonly string[];
}

/** All but white space. */
function colour(text: string): readonly Coloured[] {
  const found: Coloured[] = [];
  let stack = textmate.INITIAL;
  let start = 0;
  for (const line of text.split("\n")) {
    const result = grammar?.tokenizeLine(line, stack);
    if (result === undefined) throw new Error("there is no grammar");
    stack = result.ruleStack;
    for (const { startIndex, endIndex, scopes } of result.tokens) {
      const part = line.slice(startIndex, endIndex);
      if (part.trim() === "") continue;
      const names = scopes.slice(1).map((scope) => scope.replace(/\.graph$/, ""));
      found.push({ start: start + startIndex, end: start + endIndex, text: part, scopes: names });
    }
    start += line.length + 1;
  }
  return found;
}

/** Each piece of a text with the most special of its scopes. */
function pieces(text: string): readonly (readonly [string, string])[] {
  return colour(text).map((one) => [one.text.trim(), one.scopes.at(-1) ?? ""]);
}

function scopeOf(text: string, piece: string): string | undefined {
  return pieces(text).find(([one]) => one === piece)?.[1];
}

const inGraph = (statement: string): string => `graph g {\n  ${statement}\n}\n`;

test("imports", (t) => {
  t.deepEqual(pieces('import { dense as layer } from "std/layers"'), [
    ["import", "keyword.control.import.import"],
    ["{", "punctuation.section.block.begin"],
    ["dense", "variable.other.readwrite.alias"],
    ["as", "keyword.control.import.as"],
    ["layer", "variable.other.readwrite.alias"],
    ["}", "punctuation.section.block.end"],
    ["from", "keyword.control.import.from"],
    ['"', "punctuation.definition.string.begin"],
    ["std/layers", "string.quoted.double"],
    ['"', "punctuation.definition.string.end"],
  ]);
});

test("a function: its name, type parameters, parameters with types and defaults, results", (t) => {
  const text = "fn scaled[T: float, I](x: T[..., 2 * I], by: f32 = 1e-3) -> (y: T[I]) {\n  y = x\n}";
  t.deepEqual(
    pieces(text).filter(([piece]) => /\w|->|\.\.\./.test(piece)),
    [
      ["fn", "storage.type.function.fn"],
      ["scaled", "entity.name.function"],
      ["T", "entity.name.type.parameter"],
      ["float", "support.type.bound"],
      ["I", "entity.name.type.parameter"],
      ["x", "variable.parameter"],
      ["T", "entity.name.type"],
      ["...", "constant.other.ellipsis"],
      ["2", "constant.numeric.integer"],
      ["I", "entity.name.type.dim"],
      ["by", "variable.parameter"],
      ["f32", "support.type.primitive"],
      ["1e-3", "constant.numeric.float"],
      ["->", "keyword.operator.arrow"],
      ["y", "variable.parameter"],
      ["T", "entity.name.type"],
      ["I", "entity.name.type.dim"],
      ["y", "variable.other.readwrite"],
      ["x", "variable.other.readwrite"],
    ],
  );
  t.is(scopeOf("optimizer plain(p, g) {\n}", "plain"), "entity.name.function");
});

test("statements, with the names that they declare", (t) => {
  const declared: readonly (readonly [string, string, string, string])[] = [
    ["dim N <= 64", "dim", "N", "entity.name.type.dim"],
    ["placeholder x: f32[N]", "placeholder", "x", "variable.parameter.placeholder"],
    ["variable w: f32[2] = zeros()", "variable", "w", "variable.other.property"],
    ["constant k = 3", "constant", "k", "variable.other.constant"],
    ["scope metrics {}", "scope", "metrics", "entity.name.namespace"],
    ["update learn = 3", "update", "learn", "entity.name.function.update"],
    ["signature fit(x) -> (y)", "signature", "fit", "entity.name.function.signature"],
  ];
  for (const [text, word, name, scope] of declared) {
    t.regex(scopeOf(inGraph(text), word) ?? "", /^storage\.type\./, text);
    t.is(scopeOf(inGraph(text), name), scope, text);
  }
  t.is(scopeOf(inGraph("seed 42"), "seed"), "keyword.other.seed");
  t.is(scopeOf(inGraph('require a >= 0, "no"'), "require"), "keyword.control.require.require");
  t.is(scopeOf(inGraph("variable w: f32[2] = zeros() frozen"), "frozen"), "storage.modifier.frozen");
  for (const text of ['on "gpu" {}', 'y = x on "gpu"', 'scope s on "gpu" {}', 'update u = f(x) on "cpu"'])
    t.is(scopeOf(inGraph(text), "on"), "storage.modifier.on", text);
});

test("words of statements are names where they declare nothing", (t) => {
  for (const word of ["seed", "constant", "scope", "on", "update", "train", "import", "yield", "next"]) {
    t.is(scopeOf(inGraph(`${word} = 3`), word), "variable.other.readwrite", word);
    t.is(scopeOf(inGraph(`y = f(${word}=3)`), word), "variable.parameter.function-call", word);
    t.is(scopeOf(inGraph(`y = a.${word} + 1`), word), "variable.other.property", word);
  }
  t.is(scopeOf(inGraph("frozen = frozen + 1"), "frozen"), "variable.other.readwrite");
});

test("calls, attributes, dtypes, members and slices", (t) => {
  t.deepEqual(pieces("y = cast(metrics.loss[..., 0:-1], to=f32) |> relu()"), [
    ["y", "variable.other.readwrite"],
    ["=", "keyword.operator.assignment"],
    ["cast", "entity.name.function"],
    ["(", "punctuation.definition.arguments.begin"],
    ["metrics", "variable.other.readwrite"],
    [".", "punctuation.accessor"],
    ["loss", "variable.other.property"],
    ["[", "punctuation.brackets.begin"],
    ["...", "constant.other.ellipsis"],
    [",", "punctuation.separator.comma"],
    ["0", "constant.numeric.integer"],
    [":", "punctuation.separator.colon"],
    ["-", "keyword.operator.arithmetic"],
    ["1", "constant.numeric.integer"],
    ["]", "punctuation.brackets.end"],
    [",", "punctuation.separator.comma"],
    ["to", "variable.parameter.function-call"],
    ["=", "keyword.operator.assignment"],
    ["f32", "support.type.primitive"],
    [")", "punctuation.definition.arguments.end"],
    ["|>", "keyword.operator.pipe"],
    ["relu", "entity.name.function"],
    ["(", "punctuation.definition.arguments.begin"],
    [")", "punctuation.definition.arguments.end"],
  ]);
});

test("loops and branches", (t) => {
  const text = inGraph("a, b = scan(reverse=false) x in xs with h = h0 {\n next h = x\n yield h\n }");
  t.is(scopeOf(text, "scan"), "keyword.control.loop");
  t.is(scopeOf(text, "reverse"), "variable.parameter.function-call");
  t.is(scopeOf(text, "false"), "constant.language.boolean");
  t.is(scopeOf(text, "in"), "keyword.control.loop.in");
  t.is(scopeOf(text, "with"), "keyword.control.loop.with");
  t.is(scopeOf(text, "next"), "keyword.control.flow.next");
  t.is(scopeOf(text, "yield"), "keyword.control.flow.yield");
  const other = inGraph("y = if a and not b { yield inf } else { yield 0 }\n z = while k < 3 with k = 0 {}");
  for (const word of ["if", "else"]) t.is(scopeOf(other, word), "keyword.control.conditional");
  for (const word of ["and", "not"]) t.is(scopeOf(other, word), "keyword.operator.logical");
  t.is(scopeOf(other, "inf"), "constant.language.float");
  t.is(scopeOf(other, "while"), "keyword.control.loop");
});

test("a signature over several lines, and the fields of `train`", (t) => {
  const text = inGraph("signature fit(\n image,\n ) does learn training=true\n -> (loss)\n does = 3");
  t.deepEqual(
    pieces(text).filter(([piece]) => piece === "does" || piece === "training"),
    [
      ["does", "keyword.other.does"],
      ["training", "keyword.other.training"],
      ["does", "variable.other.readwrite"],
    ],
  );
  const train = inGraph('train {\n run = fit\n data = { image = idx("x")[0:5] }\n }');
  for (const name of ["run", "data", "image"]) t.is(scopeOf(train, name), "variable.other.property");
  t.is(scopeOf(train, "idx"), "entity.name.function");
});

test("comments, documentation, strings and numbers", (t) => {
  t.deepEqual(
    colour("## doc\n# note ## no doc\n#").map(({ scopes }) => scopes[0]),
    ["comment.line.documentation", "comment.line.number-sign", "comment.line.number-sign"].flatMap((scope, index) =>
      index === 2 ? [scope] : [scope, scope],
    ),
  );
  t.deepEqual(
    pieces('"a\\n\\u{1F600}\\""').map(([, scope]) => scope),
    [
      "punctuation.definition.string.begin",
      "string.quoted.double",
      ...Array.from({ length: 3 }, () => "constant.character.escape"),
      "punctuation.definition.string.end",
    ],
  );
  for (const number of ["1", "1_000", "0"]) t.is(scopeOf(`x = ${number}`, number), "constant.numeric.integer");
  for (const number of ["1.5", "1e3", "1_0.5E-12", "2e+4"])
    t.is(scopeOf(`x = ${number}`, number), "constant.numeric.float");
});

test("what the lexer refuses is marked, and nothing behind it", (t) => {
  for (const wrong of ["10px", "1.", ".5", "'a'", ";", "&&", "!", "\u201Ca\u201D", "\u2264", "=>", "?", "0x1F"]) {
    const text = `x = ${wrong} \ny = 3`;
    t.true(lex(text, "x.graph").diagnostics.length > 0, wrong);
    t.regex(scopeOf(text, wrong) ?? "", /^invalid\./, wrong);
    t.is(scopeOf(text, "3"), "constant.numeric.integer", wrong);
  }
  t.deepEqual(
    pieces('"\\q"').map(([, scope]) => scope),
    ["punctuation.definition.string.begin", "invalid.illegal.escape", "punctuation.definition.string.end"],
  );
  const open = 'x = "abc\ny = 3';
  t.is(scopeOf(open, "c"), "invalid.illegal.newline");
  t.is(scopeOf(open, "3"), "constant.numeric.integer");
  // A bracket that is not closed, or a function without a block, leaves the next item its colours.
  t.is(scopeOf("import { a\nfn f(x: f32) -> (y: f32)\nfn g() -> () {\n seed 3\n}", "seed"), "keyword.other.seed");
});

/** What a token of the lexer is called, where that does not depend on its place. */
function expectedScope(token: ReturnType<typeof lex>["tokens"][number]): RegExp {
  switch (token.tokenType) {
    case tokens.Text:
      return /^(?:string\.|punctuation\.definition\.string)/;
    case tokens.Float:
    case tokens.Integer:
      return /^constant\.numeric\./;
    case tokens.Equal:
    case tokens.Assign:
    case tokens.Arrow:
    case tokens.PipeSign:
      return /^keyword\.operator\./;
    case tokens.Name:
      return /^(?:variable|entity|support|storage|keyword|meta)\./;
    default:
      if (tokenMatcher(token, tokens.Name)) return /^variable|entity/;
      if (tokenMatcher(token, tokens.BinarySign) || tokenMatcher(token, tokens.PrefixSign))
        return /^keyword\.operator\./;
      if (tokenMatcher(token, tokens.Word)) return /^(?:keyword\.control|constant\.language|variable|entity)\./;
      return /^(?:punctuation|constant\.other\.ellipsis)/;
  }
}

/** Where colours and lexer differ. */
function differences(text: string): readonly string[] {
  const coloured = colour(text);
  const byStart = new Map(coloured.map((one) => [one.start, one]));
  const wrong = coloured
    .filter(({ scopes }) => scopes.some((scope) => scope.startsWith("invalid")))
    .map((one) => `invalid: ${one.text}`);
  const lexed = lex(text, "x.graph");
  for (const token of lexed.tokens) {
    const scope = byStart.get(token.startOffset)?.scopes.at(-1) ?? "nothing begins here";
    if (!expectedScope(token).test(scope)) wrong.push(`${token.image} at ${token.startOffset}: ${scope}`);
  }
  for (const { span, doc } of lexed.comments) {
    const [scope] = byStart.get(span.start)?.scopes.filter((name) => name.startsWith("comment")) ?? [];
    if (scope !== `comment.line.${doc ? "documentation" : "number-sign"}`) wrong.push(`comment at ${span.start}`);
  }
  return [...wrong, ...lexed.diagnostics.map(({ message }) => message)];
}

const files = ["dsl/std", "examples"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".graph"))
    .map((name) => join(folder, name)),
);

for (const name of files)
  test(`${name}: colours begin where the lexer's tokens do, and nothing is invalid`, (t) => {
    t.deepEqual(differences(readFileSync(join(root, name), "utf8")), []);
  });

test("any file that parses: colours begin where the lexer's tokens do, and nothing is invalid", (t) => {
  t.true(files.length > 30);
  fc.assert(
    fc.property(sourceFile, (ast) => {
      const text = printSource(ast);
      assert.deepEqual(differences(text), [], text);
    }),
    { numRuns: 100, includeErrorInReport: true },
  );
});
