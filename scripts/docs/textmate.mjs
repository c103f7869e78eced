// editor/vscode/syntaxes/graph.tmLanguage.json from the tables of the lexer: what an editor colours before the language server has
// answered, or without it.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkTables, clauses, statements, tokenRules } from "./textmate_tokens.mjs";

/** The text of the grammar. */
export async function textMateGrammar(dist) {
  const load = (...path) => import(pathToFileURL(join(dist, ...path)));
  const tokens = await load("dsl", "tokens.js");
  const { escapes } = await load("dsl", "lex.js");
  const { dtypes } = await load("compiler", "ir", "dtype.js");
  checkTables(tokens);
  return `${JSON.stringify(grammarOf(tokens, [...escapes.keys()], dtypes), undefined, 2)}\n`;
}

function grammarOf(tokens, escapes, dtypes) {
  const name = tokens.Name.PATTERN.source;
  const { words, others } = tokenRules(tokens);
  const nextItem = `^(?=[ \\t]*(?:import[ \\t]*\\{|${oneOf(tokens.fileWords)}[ \\t]+(?!as\\b)\\w))`;
  return {
    information_for_contributors: [
      "Made from the tokens of dsl/ by scripts/docs/textmate.mjs: change what is there, then `npm run docs`.",
    ],
    name: "graph",
    scopeName: "source.graph",
    fileTypes: ["graph"],
    patterns: [include("statements")],
    repository: {
      // Braces hold statements or fields, which follows from what is around.
      statements: all(
        ...[
          "comments",
          "imports",
          "functions",
          "signatures",
          "train",
          "loops",
          "declarations",
          "blocks",
          "annotations",
        ],
        "expressions",
      ),
      expressions: all("strings", "words", "calls", "parentheses", "brackets", "dtypes", "names", "tokens"),
      values: all("comments", "records", "expressions"),
      comments: comments(tokens),
      strings: strings(escapes),
      imports: imports(name, nextItem),
      functions: functions(name, nextItem),
      signatures: signatures(name),
      train: {
        name: "meta.train.graph",
        begin: `${wordStart}(train)[ \\t]*(\\{)`,
        end: "\\}",
        beginCaptures: captures(wordScope("train"), "punctuation.section.block.begin.graph"),
        endCaptures: captures0("punctuation.section.block.end.graph"),
        patterns: [include("fields")],
      },
      loops: loops(tokens, name),
      declarations: { patterns: declarations(name) },
      blocks: enclosed("{}", "meta.block.graph", "punctuation.section.block", ["statements"]),
      records: enclosed("{}", "meta.record.graph", "punctuation.section.record", ["fields"]),
      fields: {
        patterns: [
          { match: `${name}(?=(?:[./]${name})*${isBound})`, name: "variable.other.property.graph" },
          include("values"),
        ],
      },
      annotations: annotations(name),
      "type-names": {
        patterns: [
          { match: oneOf(dtypes), name: "support.type.primitive.graph" },
          { match: name, name: "entity.name.type.graph" },
        ],
      },
      sizes: sizes(name),
      words: { patterns: words },
      calls: {
        ...callArguments(name),
        name: "meta.function-call.graph",
        begin: `(${name})[ \\t]*(\\()`,
        beginCaptures: captures("entity.name.function.graph", argumentsBegin),
      },
      parentheses: enclosed("()", "meta.parens.graph", "punctuation.parens", ["values"]),
      brackets: enclosed("[]", "meta.brackets.graph", "punctuation.brackets", ["values"]),
      // A name of its own may be spelt as one: it is bound, called, or has members.
      dtypes: { match: `(?<!\\.)${oneOf(dtypes)}(?![ \\t]*[(.:]|${isBound})`, name: "support.type.primitive.graph" },
      names: {
        patterns: [
          { match: `(?<=\\.)(?<!\\.\\.)${name}`, name: "variable.other.property.graph" },
          { match: "\\btraining\\b", name: "variable.language.training.graph" },
          { match: name, name: "variable.other.readwrite.graph" },
        ],
      },
      tokens: { patterns: others },
    },
  };
}

/** Not within a word, nor behind the point or stroke of a path. */
const wordStart = "(?<![\\w./])";
const isBound = "[ \\t]*=(?!=)";

function include(name) {
  return { include: `#${name}` };
}

function all(...names) {
  return { patterns: names.map(include) };
}

function oneOf(words) {
  return `\\b(?:${words.join("|")})\\b`;
}

function wordScope(word) {
  return `${statements[word].word}.${word}.graph`;
}

function clauseScope(word) {
  return `${clauses[word]}.${word}.graph`;
}

/** A word between the parts of a statement. */
function clause(word) {
  return { match: `\\b${word}\\b`, name: clauseScope(word) };
}

/** Names for the groups of an expression, or what is looked for in them. */
function captures(...names) {
  return Object.fromEntries(names.map((name, index) => [index + 1, typeof name === "string" ? { name } : name]));
}

function captures0(name) {
  return { 0: { name } };
}

const argumentsBegin = "punctuation.definition.arguments.begin.graph";

/** From behind a `(` to its `)`. */
function callArguments(name) {
  return {
    end: "\\)",
    endCaptures: captures0("punctuation.definition.arguments.end.graph"),
    patterns: [{ match: `${name}(?=${isBound})`, name: "variable.parameter.function-call.graph" }, include("values")],
  };
}

/** What stands between two brackets. */
function enclosed([open, close], name, punctuation, inside) {
  return {
    name,
    begin: `\\${open}`,
    end: `\\${close}`,
    beginCaptures: captures0(`${punctuation}.begin.graph`),
    endCaptures: captures0(`${punctuation}.end.graph`),
    patterns: inside.map(include),
  };
}

function comments({ DocComment, LineComment }) {
  const comment = ({ PATTERN }, name, inside) => ({
    match: PATTERN.source.replace(/^(#+)(.*)$/, "($1)($2)"),
    name: `comment.line.${name}.graph`,
    captures: captures("punctuation.definition.comment.graph", { patterns: inside }),
  });
  return {
    patterns: [
      comment(DocComment, "documentation", [{ match: "`[^`]+`", name: "markup.inline.raw.string.graph" }]),
      comment(LineComment, "number-sign", []),
    ],
  };
}

/** A string ends on its line: one that does not is marked at the line's end. */
function strings(escapes) {
  const letters = escapes.map((letter) => letter.replace(/["\\]/g, "\\$&")).join("");
  return {
    name: "string.quoted.double.graph",
    begin: '"',
    end: '"|(?:(\\\\|[^"\\\\])$)',
    beginCaptures: captures0("punctuation.definition.string.begin.graph"),
    endCaptures: {
      0: { name: "punctuation.definition.string.end.graph" },
      ...captures("invalid.illegal.newline.graph"),
    },
    patterns: [
      { match: `\\\\(?:[${letters}]|u\\{[0-9A-Fa-f]{1,6}\\})`, name: "constant.character.escape.graph" },
      { match: "\\\\.", name: "invalid.illegal.escape.graph" },
    ],
  };
}

function imports(name, nextItem) {
  return {
    name: "meta.import.graph",
    begin: `${wordStart}(import)(?=[ \\t]*\\{)`,
    end: `(?<=")|${nextItem}`,
    beginCaptures: captures(wordScope("import")),
    patterns: [
      include("comments"),
      {
        ...enclosed("{}", "meta.block.graph", "punctuation.section.block", []),
        end: `\\}|${nextItem}`,
        patterns: [
          include("comments"),
          { ...clause("as"), match: `\\bas\\b(?=[ \\t]+${name})` },
          { match: name, name: "variable.other.readwrite.alias.graph" },
          include("tokens"),
        ],
      },
      clause("from"),
      include("strings"),
    ],
  };
}

function functions(name, nextItem) {
  return {
    name: "meta.function.graph",
    begin: `${wordStart}(?:(fn)|(optimizer))[ \\t]+(${name})`,
    // At its block, or where it has none and the next item begins.
    end: `(?=\\{)|${nextItem}`,
    beginCaptures: captures(wordScope("fn"), wordScope("optimizer"), `${statements.fn.name}.graph`),
    patterns: [
      include("comments"),
      {
        ...enclosed("[]", "meta.type.parameters.graph", "punctuation.definition.typeparameters", []),
        patterns: [
          include("comments"),
          {
            match: `(:)[ \\t]*(${name})`,
            captures: captures("punctuation.separator.colon.graph", "support.type.bound.graph"),
          },
          { match: name, name: "entity.name.type.parameter.graph" },
          include("tokens"),
        ],
      },
      {
        ...enclosed("()", "meta.parameters.graph", "punctuation.definition.parameters", []),
        patterns: [
          include("comments"),
          {
            begin: "=",
            end: "(?=[,)])",
            beginCaptures: captures0("keyword.operator.assignment.graph"),
            patterns: [include("values")],
          },
          include("annotations"),
          { match: name, name: "variable.parameter.graph" },
          include("tokens"),
        ],
      },
      include("tokens"),
    ],
  };
}

/** Over several lines, as long as they go on with it. */
function signatures(name) {
  return {
    name: "meta.signature.graph",
    begin: `${wordStart}(signature)[ \\t]+(${name})`,
    end: "^(?![ \\t]*(?:does\\b|training\\b|->|#|$))|(?=\\})",
    beginCaptures: captures(wordScope("signature"), `${statements.signature.name}.graph`),
    patterns: [
      include("comments"),
      { ...clause("does"), match: `\\bdoes\\b(?=[ \\t]+${name})` },
      { ...clause("training"), match: `\\btraining\\b(?=${isBound})` },
      include("expressions"),
    ],
  };
}

function loops({ While, ScanWord, statementWords }, name) {
  return {
    name: "meta.loop.graph",
    begin: `\\b(?:${While.PATTERN.source}|${ScanWord.PATTERN.source})\\b`,
    end: `(?=\\{)|^(?=[ \\t]*${oneOf(statementWords)}[ \\t]+\\w)`,
    beginCaptures: captures0("keyword.control.loop.graph"),
    patterns: [
      include("comments"),
      {
        ...callArguments(name),
        begin: `(?<=${ScanWord.PATTERN.source})(\\()`,
        beginCaptures: captures(argumentsBegin),
      },
      { ...clause("in"), match: `(?<=\\w[ \\t])${clause("in").match}` },
      { ...clause("with"), match: `${clause("with").match}(?=[ \\t]+${name}${isBound})` },
      include("expressions"),
    ],
  };
}

/** The other statements: a word, and the name that it declares. */
function declarations(name) {
  const elsewhere = new Set(["import", "fn", "optimizer", "signature", "train"]);
  const rules = Object.entries(statements)
    .filter(([word]) => !elsewhere.has(word))
    .map(([word, { name: scope, before }]) =>
      scope === undefined
        ? { match: `${wordStart}${word}\\b(?=[ \\t]*${before})`, name: wordScope(word) }
        : {
            match: `${wordStart}(${word})[ \\t]+(${name})`,
            captures: captures(wordScope(word), `${scope}.graph`),
          },
    );
  return [...rules, { match: '(?<=[\\w)\\]}"][ \\t])frozen\\b', name: clauseScope("frozen") }];
}

/** `: f32[N, 784]` behind a name. */
function annotations(name) {
  const typed = (more) => `(:)(?!=)[ \\t]*(${name})${more}`;
  const scoped = captures("punctuation.separator.annotation.graph", { patterns: [include("type-names")] });
  return {
    patterns: [
      {
        name: "meta.type.annotation.graph",
        begin: typed("(?=[ \\t]*\\[)"),
        end: "(?<=\\])",
        beginCaptures: scoped,
        patterns: [include("sizes")],
      },
      { match: typed(""), name: "meta.type.annotation.graph", captures: scoped },
    ],
  };
}

/** `[N, 28 * 28]` behind a type, and the type in `list[f32[N]]`. */
function sizes(name) {
  return {
    ...enclosed("[]", "meta.type.sizes.graph", "punctuation.brackets", []),
    patterns: [
      include("comments"),
      include("sizes"),
      include("strings"),
      include("words"),
      { match: `${name}(?=[ \\t]*\\[)`, captures: { 0: { patterns: [include("type-names")] } } },
      include("calls"),
      include("parentheses"),
      include("records"),
      { match: name, name: "entity.name.type.dim.graph" },
      include("tokens"),
    ],
  };
}
