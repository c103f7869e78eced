import { unreachable } from "../compiler/ir/diagnostic.js";
import type {
  Argument,
  Expression,
  Field,
  IndexItem,
  ParsedSource,
  Pipe,
  StringLiteral,
  TypeExpression,
} from "./ast.js";
import type { Comments, Piece } from "./format-comments.js";
import { group, hardLine, ifBroken, indent, type Layout, line, lineEnd, softLine } from "./format-layout.js";
import { comparisonPrecedence, precedenceOf, unaryPrecedence } from "./precedence.js";

/** What printing needs besides the node: the comments still to be printed, and the author's spelling. */
export interface Printing {
  readonly comments: Comments;
  readonly source: ParsedSource;
}

const pipePrecedence = 0;
const postfixPrecedence = 9;
const atomPrecedence = 10;

function precedence(e: Expression): number {
  switch (e.kind) {
    case "pipe":
      return pipePrecedence;
    case "binary":
      return precedenceOf[e.operator];
    case "unary":
      return unaryPrecedence[e.operator];
    case "index":
      return postfixPrecedence;
    default:
      return atomPrecedence;
  }
}

/** A value where an operator of precedence `least` or tighter may stand; brackets where it is looser, or had them. */
export function printExpression(p: Printing, e: Expression, least = pipePrecedence): Layout {
  if (precedence(e) >= least && !p.source.parenthesized.has(e)) return printBare(p, e);
  return group(["(", indent([softLine, printBare(p, e)]), softLine, ")"]);
}

function printBare(p: Printing, e: Expression): Layout {
  switch (e.kind) {
    case "integer":
    case "float":
      return e.text;
    case "boolean":
      return e.value ? "true" : "false";
    case "string":
      return printString(p, e);
    case "reference":
      return e.text;
    case "ellipsis":
      return "...";
    case "call":
      return [e.callee.text, printArguments(p, e.arguments, e.callee.span.end, e.span.end)];
    case "pipe":
      return printPipe(p, e);
    case "index": {
      const target = printExpression(p, e.target, postfixPrecedence);
      return [
        target,
        printList(
          p,
          "[",
          "]",
          e.items.map((i) => piece(i, () => printIndexItem(p, i))),
          findSign(p, e.target.span.end, "["),
          e.span.end,
        ),
      ];
    }
    case "unary": {
      const operand = printExpression(p, e.operand, unaryPrecedence[e.operator]);
      return [e.operator === "not" ? "not " : e.operator, operand];
    }
    case "binary":
      return printBinary(p, e);
    case "list": {
      const numbers = e.items.length > 8 ? numberTexts(e.items) : undefined;
      if (numbers !== undefined && !p.comments.pendingBefore(e.span.end)) {
        return group(["[", indent([softLine, { kind: "fill", items: numbers }]), softLine, "]"]);
      }
      return printList(
        p,
        "[",
        "]",
        e.items.map((i) => piece(i, () => printExpression(p, i))),
        e.span.start,
        e.span.end,
      );
    }
    case "record":
      return printRecord(p, e.fields, e.span.start, e.span.end);
    default:
      return unreachable(e);
  }
}

/** The texts of items that are all plain numbers, undefined where one is not. */
function numberTexts(items: readonly Expression[]): readonly string[] | undefined {
  const texts: string[] = [];
  for (const item of items) {
    const negative = item.kind === "unary" && item.operator === "-";
    const literal = negative ? item.operand : item;
    if (literal.kind !== "integer" && literal.kind !== "float") return undefined;
    texts.push(negative ? `-${literal.text}` : literal.text);
  }
  return texts;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\r", "\\r"],
]);

function printString(p: Printing, e: StringLiteral): string {
  const written = p.source.text.slice(e.span.start, e.span.end);
  if (written.startsWith('"')) return written;
  const escape = (c: string): string => escapes.get(c) ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  return `"${e.value.replace(/["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escape)}"`;
}

/** A chain of one precedence breaks before each of its operators; walked in a loop, as such chains grow long. */
function printBinary(p: Printing, e: Expression & { readonly kind: "binary" }): Layout {
  const level = precedenceOf[e.operator];
  if (e.operator === "**") {
    const left = printExpression(p, e.left, postfixPrecedence);
    return [left, " ** ", printExpression(p, e.right, unaryPrecedence["-"])];
  }
  const chain: { readonly operator: string; readonly right: Expression }[] = [];
  let first: Expression = e;
  while (first.kind === "binary" && precedenceOf[first.operator] === level) {
    const inner = first !== e && p.source.parenthesized.has(first);
    if (inner || (first !== e && level === comparisonPrecedence)) break;
    chain.unshift({ operator: first.operator, right: first.right });
    first = first.left;
  }
  const head = printExpression(p, first, level === comparisonPrecedence ? level + 1 : level);
  const rest = chain.map((c) => [line, `${c.operator} `, printExpression(p, c.right, level + 1)]);
  return group([head, indent(rest)]);
}

function printPipe(p: Printing, e: Pipe): Layout {
  const calls: Pipe[] = [e];
  let input = e.input;
  while (input.kind === "pipe" && !p.source.parenthesized.has(input)) {
    calls.unshift(input);
    input = input.input;
  }
  const head = printExpression(p, input, pipePrecedence + 1);
  const rest = calls.map(({ call }) => {
    return [line, "|> ", call.callee.text, printArguments(p, call.arguments, call.callee.span.end, call.span.end)];
  });
  return group([head, indent(rest)]);
}

/** The offset of `sign` at or after `from`, comments skipped; `from` where the tree was not parsed from a text. */
export function findSign(p: Printing, from: number, sign: string): number {
  const { text } = p.source;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "#") while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at += 1;
    if (text[at] === sign) return at;
  }
  return from;
}

/** `begin` is the end of what stands before the bracket. */
export function printArguments(p: Printing, args: readonly Argument[], begin: number, end: number): Layout {
  const print = (a: Argument): Layout => {
    return a.name === undefined ? printExpression(p, a.value) : [`${a.name.name}=`, printExpression(p, a.value)];
  };
  const items = args.map((a) => piece(a, () => print(a)));
  return printList(p, "(", ")", items, findSign(p, begin, "("), end);
}

function printIndexItem(p: Printing, item: IndexItem): Layout {
  if (item.kind !== "slice") return printExpression(p, item);
  const part = (e: Expression | undefined): Layout => (e === undefined ? "" : printExpression(p, e));
  const start = part(item.start);
  const stop = part(item.stop);
  return [start, ":", stop, item.step === undefined ? "" : [":", part(item.step)]];
}

function printRecord(p: Printing, fields: readonly Field[], begin: number, end: number): Layout {
  if (fields.length === 0 && !p.comments.pendingBefore(end)) return "{}";
  return printItems(
    p,
    "{",
    "}",
    fields.map((f) => piece(f, () => printField(p, f))),
    begin,
    end,
    line,
  );
}

export function printField(p: Printing, field: Field): Layout {
  return [`${field.name.text} = `, printExpression(p, field.value)];
}

export function piece(
  node: { readonly span: { readonly start: number; readonly end: number } },
  layout: () => Layout,
): Piece {
  return { start: node.span.start, end: node.span.end, layout };
}

/** Items in brackets with commas: on one line where they fit, else (and where comments stand among them) one a line. */
export function printList(
  p: Printing,
  open: string,
  close: string,
  items: readonly Piece[],
  begin: number,
  end: number,
): Layout {
  if (items.length === 0 && !p.comments.pendingBefore(end)) return `${open}${close}`;
  return printItems(p, open, close, items, begin, end, softLine);
}

function printItems(
  p: Printing,
  open: string,
  close: string,
  items: readonly Piece[],
  begin: number,
  end: number,
  edge: Layout,
): Layout {
  if (p.comments.pendingBefore(end - 1)) {
    const heading = p.comments.takeTrailing(begin + 1).map((c) => lineEnd(c.text));
    const rows = p.comments.lines(items, begin + 1, end - 1, ",", () => false);
    return [open, heading, rows.length === 0 ? "" : indent([hardLine, rows]), hardLine, close];
  }
  const rows = items.map((item, index) => (index === 0 ? item.layout() : [",", line, item.layout()]));
  return group([open, indent([edge, rows]), ifBroken(","), edge, close]);
}

export function printType(p: Printing, type: TypeExpression): Layout {
  if (type.kind === "list-type")
    return type.element === undefined ? "list" : ["list[", printType(p, type.element), "]"];
  if (type.dims === undefined) return type.name.name;
  const dims = type.dims.map((d) => piece(d, () => printExpression(p, d)));
  return [type.name.name, printList(p, "[", "]", dims, findSign(p, type.name.span.end, "["), type.span.end)];
}
