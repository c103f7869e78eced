// What the tokens and words of the language are called in a TextMate grammar. The conventions for the names are those of
// https://macromates.com/manual/en/language_grammars#naming-conventions.

/**
 * By the name under which dsl/tokens.ts exports the token. Each token of the lexer is here or in `structural`: a new one fails the
 * generator until somebody says what it is.
 */
const scopes = new Map(
  Object.entries({
    True: "constant.language.boolean",
    False: "constant.language.boolean",
    Inf: "constant.language.float",
    Nan: "constant.language.float",
    And: "keyword.operator.logical",
    Or: "keyword.operator.logical",
    Not: "keyword.operator.logical",
    If: "keyword.control.conditional",
    Else: "keyword.control.conditional",
    While: "keyword.control.loop",
    ScanWord: "keyword.control.loop",
    Assign: "keyword.operator.assignment.update",
    Equal: "keyword.operator.assignment",
    Arrow: "keyword.operator.arrow",
    PipeSign: "keyword.operator.pipe",
    EqualEqual: "keyword.operator.comparison",
    NotEqual: "keyword.operator.comparison",
    LessEqual: "keyword.operator.comparison",
    GreaterEqual: "keyword.operator.comparison",
    Less: "keyword.operator.comparison",
    Greater: "keyword.operator.comparison",
    StarStar: "keyword.operator.arithmetic",
    Star: "keyword.operator.arithmetic",
    SlashSlash: "keyword.operator.arithmetic",
    Slash: "keyword.operator.arithmetic",
    Percent: "keyword.operator.arithmetic",
    At: "keyword.operator.arithmetic",
    Plus: "keyword.operator.arithmetic",
    Minus: "keyword.operator.arithmetic",
    EllipsisSign: "constant.other.ellipsis",
    Dot: "punctuation.accessor",
    Comma: "punctuation.separator.comma",
    Colon: "punctuation.separator.colon",
    Float: "constant.numeric.float",
    Integer: "constant.numeric.integer",
    BadNumber: "invalid.illegal.number",
    HalfNumber: "invalid.illegal.number",
    SingleQuoted: "invalid.illegal.string",
    CurlyQuoted: "invalid.illegal.string",
    SlashComment: "invalid.illegal.comment",
    BlockComment: "invalid.illegal.comment",
    Choice: "invalid.illegal.operator",
    Semicolon: "invalid.illegal.semicolon",
    ForeignSign: "invalid.illegal.operator",
  }),
);

/** Coloured with what stands around them, or never made by the lexer. */
const structural = new Set([
  ...["WhiteSpace", "DocComment", "LineComment", "Text", "OpenText", "Name"],
  ...["LeftParen", "RightParen", "LeftBracket", "RightBracket", "LeftBrace", "RightBrace"],
  ...["Word", "InWord", "FromWord", "BinarySign", "PrefixSign"],
]);

/** Statement words: what they and the names that they declare are called, and what tells them from a name (else: a word behind them). */
export const statements = {
  import: { word: "keyword.control.import", before: "\\{" },
  fn: { word: "storage.type.function", name: "entity.name.function" },
  optimizer: { word: "storage.type.function", name: "entity.name.function" },
  graph: { word: "storage.type.module", name: "entity.name.type.module" },
  scope: { word: "storage.type.namespace", name: "entity.name.namespace" },
  on: { word: "storage.modifier", before: '"' },
  placeholder: { word: "storage.type", name: "variable.parameter.placeholder" },
  variable: { word: "storage.type", name: "variable.other.property" },
  constant: { word: "storage.type", name: "variable.other.constant" },
  dim: { word: "storage.type", name: "entity.name.type.dim" },
  update: { word: "storage.type", name: "entity.name.function.update" },
  signature: { word: "storage.type", name: "entity.name.function.signature" },
  train: { word: "storage.type", before: "\\{" },
  next: { word: "keyword.control.flow", name: "variable.other.readwrite" },
  yield: { word: "keyword.control.flow", before: '[\\w"(\\[{+-]' },
  require: { word: "keyword.control.require", before: '[\\w"(\\[{+-]' },
  seed: { word: "keyword.other", before: "[-0-9]" },
};

/** What joins the parts of a statement. */
export const clauses = {
  as: "keyword.control.import",
  from: "keyword.control.import",
  in: "keyword.control.loop",
  with: "keyword.control.loop",
  does: "keyword.other",
  training: "keyword.other",
  frozen: "storage.modifier",
};

/** Throws where a table of the lexer and one of these differ. */
export function checkTables({ allTokens, statementWords, clauseWords, ...tokens }) {
  const known = namesOf(tokens);
  const inLexer = allTokens.map((token) => known.get(token) ?? token.name);
  same("token", inLexer, [...scopes.keys(), ...structural]);
  same("statement word", statementWords, Object.keys(statements));
  same("word", clauseWords, Object.keys(clauses));
}

function same(what, theirs, ours) {
  const without = theirs.filter((name) => !ours.includes(name));
  if (without.length > 0) throw new Error(`textmate: say what the ${what} ${without.join(", ")} is called`);
  const gone = ours.filter((name) => !theirs.includes(name));
  if (gone.length > 0) throw new Error(`textmate: there is no ${what} ${gone.join(", ")}`);
}

function namesOf(tokens) {
  return new Map(Object.entries(tokens).map(([name, token]) => [token, name]));
}

/** One rule for each run of tokens of the same scope, in the order in which the lexer tries them: reserved words, and all others. */
export function tokenRules({ allTokens, ...tokens }) {
  const known = namesOf(tokens);
  const named = allTokens
    .map((token) => ({ token, scope: scopes.get(known.get(token)) }))
    .filter(({ scope }) => scope !== undefined);
  const isWord = ({ token }) => token.LONGER_ALT !== undefined;
  return {
    words: runs(named.filter(isWord)).map(({ match, name }) => ({ match: `\\b(?:${match})\\b`, name })),
    others: runs(named.filter((one) => !isWord(one))),
  };
}

function runs(named) {
  const found = [];
  for (const { token, scope } of named) {
    const part = oniguruma(token.PATTERN);
    const last = found.at(-1);
    if (last?.scope === scope) last.parts.push(part);
    else found.push({ scope, parts: [part] });
  }
  return found.map(({ scope, parts }) => ({ match: parts.join("|"), name: `${scope}.graph` }));
}

/** The spelling of Oniguruma, which editors search with, of an expression of JavaScript. */
function oniguruma(pattern) {
  const source = typeof pattern === "string" ? pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") : pattern.source;
  return source.replace(/\\u([0-9A-Fa-f]{4})/g, "\\x{$1}").replaceAll("\\/", "/");
}
