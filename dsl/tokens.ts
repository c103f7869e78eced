import type { TokenType } from "chevrotain";
import { createToken, Lexer } from "./chevrotain.js";

/**
 * The tokens. `label` is what a message calls the token. Statement words (`seed`, `scope`, ...) are plain names: the grammar
 * reads them by their place, so that an attribute may be called `seed`. Only words that stand inside values are reserved.
 */
/** Any word: what may name an argument or a field. */
export const Word = createToken({ name: "Word", label: "a name", pattern: Lexer.NA });
/** A word that may name a value. */
export const Name = createToken({
  name: "Name",
  label: "a name",
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  categories: [Word],
});
/** Never made by the lexer: what is missing where `x in xs` has no `in`. */
export const InWord = createToken({ name: "InWord", label: "`in`", pattern: Lexer.NA });
/** Never made by the lexer: what is missing where an import has no `from`. */
export const FromWord = createToken({ name: "FromWord", label: "`from`", pattern: Lexer.NA });
/** Signs between two operands; one rule reads them all and `precedence.ts` builds the tree. */
export const BinarySign = createToken({ name: "BinarySign", label: "an operator", pattern: Lexer.NA });
/** Signs that may stand before an operand. */
export const PrefixSign = createToken({ name: "PrefixSign", label: "an operator", pattern: Lexer.NA });

function reserved(word: string, categories: TokenType[] = []): TokenType {
  return createToken({
    name: `Word${word}`,
    label: `\`${word}\``,
    pattern: new RegExp(word),
    longer_alt: Name,
    categories: [Word, ...categories],
  });
}

export const True = reserved("true");
export const False = reserved("false");
export const Inf = reserved("inf");
export const Nan = reserved("nan");
export const And = reserved("and", [BinarySign]);
export const Or = reserved("or", [BinarySign]);
export const Not = reserved("not", [PrefixSign]);
export const If = reserved("if");
export const Else = reserved("else");
export const While = reserved("while");
export const ScanWord = reserved("scan");

function sign(name: string, text: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, label: `\`${text}\``, pattern: text, categories });
}

export const Assign = sign("Assign", ":=");
export const Arrow = sign("Arrow", "->");
export const PipeSign = sign("Pipe", "|>");
export const EqualEqual = sign("EqualEqual", "==", [BinarySign]);
export const NotEqual = sign("NotEqual", "!=", [BinarySign]);
export const LessEqual = sign("LessEqual", "<=", [BinarySign]);
export const GreaterEqual = sign("GreaterEqual", ">=", [BinarySign]);
export const Less = sign("Less", "<", [BinarySign]);
export const Greater = sign("Greater", ">", [BinarySign]);
export const StarStar = sign("StarStar", "**", [BinarySign]);
export const Star = sign("Star", "*", [BinarySign]);
export const SlashSlash = sign("SlashSlash", "//", [BinarySign]);
export const Slash = sign("Slash", "/", [BinarySign]);
export const Percent = sign("Percent", "%", [BinarySign]);
export const At = sign("At", "@", [BinarySign]);
export const Plus = sign("Plus", "+", [BinarySign, PrefixSign]);
export const Minus = sign("Minus", "-", [BinarySign, PrefixSign]);
export const Equal = sign("Equal", "=");
export const EllipsisSign = sign("Ellipsis", "...");
export const Dot = sign("Dot", ".");
export const Comma = sign("Comma", ",");
export const Colon = sign("Colon", ":");
export const LeftParen = sign("LeftParen", "(");
export const RightParen = sign("RightParen", ")");
export const LeftBracket = sign("LeftBracket", "[");
export const RightBracket = sign("RightBracket", "]");
export const LeftBrace = sign("LeftBrace", "{");
export const RightBrace = sign("RightBrace", "}");

export const Float = createToken({
  name: "Float",
  label: "a number",
  pattern: /(?:[0-9][0-9_]*\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?|[0-9][0-9_]*[eE][+-]?[0-9]+)(?![A-Za-z0-9_])/,
});
export const Integer = createToken({
  name: "Integer",
  label: "an integer",
  pattern: /[0-9][0-9_]*(?![A-Za-z0-9_]|\.[0-9])/,
});
export const Text = createToken({
  name: "Text",
  label: "a string",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/,
  line_breaks: false,
});

export const DocComment = createToken({
  name: "DocComment",
  pattern: /##[^\r\n]*/,
  group: "comments",
  line_breaks: false,
});
export const LineComment = createToken({
  name: "LineComment",
  pattern: /#[^\r\n]*/,
  group: "comments",
  line_breaks: false,
});
const WhiteSpace = createToken({
  name: "WhiteSpace",
  pattern: /[ \t\r\n\uFEFF]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});

// What people write from other languages or by accident. The lexer knows these, so that the report names the right
// spelling and the parser goes on with what was meant.
function foreign(name: string, pattern: RegExp): TokenType {
  return createToken({ name, pattern, line_breaks: false });
}

export const BadNumber = foreign("BadNumber", /[0-9][0-9_]*(?:\.[0-9][0-9_]*)?[A-Za-z_][A-Za-z0-9_]*/);
/** `1.` at the end, and `.5`. */
export const HalfNumber = foreign("HalfNumber", /[0-9][0-9_]*\.(?![.0-9])|\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?/);
export const SingleQuoted = foreign("SingleQuoted", /'(?:[^'\\\r\n]|\\[^\r\n])*'/);
export const CurlyQuoted = foreign("CurlyQuoted", /[\u201C\u201D][^\u201C\u201D"\r\n]*[\u201C\u201D"]/);
export const OpenText = foreign("OpenText", /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/);
/** `// words`: in no division do two words stand side by side. */
export const SlashComment = foreign(
  "SlashComment",
  /\/\/[ \t]*[A-Za-z_][A-Za-z0-9_]*[ \t]+(?!(?:and|or|not|if|else|in|with|frozen|does|on)\b)[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_]|[ \t]*[=(])[^\r\n]*/,
);
/** To its end, or that of its line. */
export const BlockComment = createToken({
  name: "BlockComment",
  pattern: /\/\*(?:[\s\S]*?\*\/|[^\r\n]*)/,
  line_breaks: true,
});
/** `? a :` of `condition ? a : b`. */
export const Choice = foreign("Choice", /\?[^?:\r\n]*:/);
export const Semicolon = foreign("Semicolon", /;+/);
export const ForeignSign = foreign(
  "ForeignSign",
  /&&|\|\||===|!==|=>|<>|&|\|(?!>)|!(?!=)|\^|~|\?|\$|\u00D7|\u00F7|\u00B7|\u2212|\u2013|\u2264|\u2265|\u2260|\u2026|\u2192|\u2190/,
);

/** Statement words with the tokens that tell them from a binding of the same name: see `grammar-statements.ts`. */
export const graphWords = ["seed", "dim", "placeholder", "signature", "train"] as const;
export const blockWords = ["variable", "constant", "scope", "on", "update", "require", "next", "yield"] as const;
export const fileWords = ["import", "fn", "optimizer", "graph"] as const;
export const statementWords: readonly string[] = [...graphWords, ...blockWords, ...fileWords];
/** Words that join the parts of a statement, and are names elsewhere. */
export const clauseWords = ["as", "from", "in", "with", "does", "training", "frozen"] as const;
export type ClauseWord = (typeof clauseWords)[number];

/** In the order in which the lexer tries them. */
export const allTokens: readonly TokenType[] = [
  WhiteSpace,
  DocComment,
  LineComment,
  Text,
  OpenText,
  SingleQuoted,
  CurlyQuoted,
  Float,
  EllipsisSign,
  HalfNumber,
  Integer,
  BadNumber,
  SlashComment,
  BlockComment,
  Choice,
  Semicolon,
  ForeignSign,
  Assign,
  Arrow,
  PipeSign,
  EqualEqual,
  NotEqual,
  LessEqual,
  GreaterEqual,
  Less,
  Greater,
  StarStar,
  Star,
  SlashSlash,
  Slash,
  Percent,
  At,
  Plus,
  Minus,
  Equal,
  Dot,
  Comma,
  Colon,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Word,
  InWord,
  FromWord,
  BinarySign,
  PrefixSign,
  True,
  False,
  Inf,
  Nan,
  And,
  Or,
  Not,
  If,
  Else,
  While,
  ScanWord,
  Name,
];
