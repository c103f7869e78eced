import type { DType } from "../../compiler/ir/dtype.js";
import type { Advice, Fix, FixEdit, Hint } from "../../compiler/ir/fix.js";
import { behind, wordsOf } from "../../compiler/ir/fix.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Argument, Ident, Reference } from "../ast.js";
import { commentHint } from "../diagnostics.js";
import { foreignDType, foreignName, respelt } from "./foreign.js";
import type { Texts } from "./texts.js";

/** How constructs of other languages are written here, with the edits that write them so. */

/** `x.relu(...)` and `x.T` as a call; `callee` is what stands for the method, undefined where nothing does. */
export function methodAdvice(
  texts: Texts,
  path: Reference,
  method: string,
  callee: { readonly name: string; readonly needsMore: boolean } | undefined,
): Hint {
  const other = wordsOf(foreignName(method));
  const name = method === "T" ? "transpose" : callee?.name;
  const object = path.text.endsWith(`.${method}`) ? path.text.slice(0, -method.length - 1) : undefined;
  if (name === undefined || object === undefined) {
    return other === undefined ? "`.` enters a scope" : `tensors have no methods: ${other}`;
  }
  const rest = callee?.needsMore === true ? "..." : "";
  const after = rest === "" ? "" : `, ${rest}`;
  const text =
    method === "T"
      ? `tensors have no methods: write \`transpose(${object})\``
      : `tensors have no methods: \`${name}(${object}${after})\`, or \`${object} |> ${name}(${rest})\``;
  return { text, fix: () => methodFix(texts, path, name, object, rest !== "") };
}

function methodFix(
  texts: Texts,
  { span }: Reference,
  name: string,
  object: string,
  needsMore: boolean,
): Fix | undefined {
  const title = `change to \`${name}(${object}${needsMore ? ", ..." : ""})\``;
  const next = texts.at({ ...span, start: span.end, end: span.end + 200 }) ?? "";
  if (!next.startsWith("(")) {
    return needsMore ? undefined : { title, edits: [{ span, text: `${name}(${object})` }] };
  }
  const opening: Span = { ...span, start: span.end + 1, end: span.end + 1 };
  const separator = /^\(\s*\)/.test(next) ? "" : ", ";
  return {
    title,
    edits: [
      { span, text: name },
      { span: opening, text: object + separator },
    ],
  };
}

/** `f32(x)`, `float(x)`: a type that is called converts elsewhere. */
export function castAdvice(texts: Texts, callee: Reference, given: readonly Argument[], dtype: DType): Advice {
  const [argument] = given;
  const shown = argument === undefined ? "x" : texts.shown(argument.span);
  return {
    text: `write \`cast(${shown}, to=${dtype})\``,
    fix: () => {
      if (argument === undefined || given.length !== 1) return undefined;
      const edits: FixEdit[] = [
        { span: callee.span, text: "cast" },
        { span: behind(argument.span), text: `, to=${dtype}` },
      ];
      return { title: `change to \`cast(${shown}, to=${dtype})\``, edits };
    },
  };
}

/** The dtype that a call of this name converts to in other languages. */
export function castsTo(name: string): DType | undefined {
  return name === "bool" ? "bool" : foreignDType(name);
}

/** `w = variable(zeros([3]))`, as the statement that declares it; only words where it is more than one value. */
export function declarationAdvice(texts: Texts, { name, span }: Ident): Hint | undefined {
  const hint = foreignName(name);
  const words = wordsOf(hint);
  if (words === undefined || !/^(variable|parameter|param)$/i.test(name)) return hint;
  return { text: words, fix: () => declarationFix(texts, span) };
}

function declarationFix(texts: Texts, span: Span): Fix | undefined {
  const text = texts.at({ ...span, start: 0, end: span.end + 2000 });
  if (text === undefined) return undefined;
  const begin = text.lastIndexOf("\n", span.start - 1) + 1;
  const bound = /^([ \t]*)(\w+(?:[ \t]*:[^=\n]*)?)[ \t]*=[ \t]*$/.exec(text.slice(begin, span.start));
  const given = /^\(([^,()\n]+(?:\([^()\n]*\))?)\)[ \t]*(?=[#\n])/.exec(text.slice(span.end));
  const [, indent, target] = bound ?? [];
  if (indent === undefined || target === undefined || given?.[1] === undefined) return undefined;
  const start = begin + indent.length;
  const end = span.end + given[1].length + 2;
  const statement = `variable ${target} = ${given[1]}`;
  return { title: `change to \`${statement}\``, edits: [{ span: { ...span, start, end }, text: statement }] };
}

/** What a fn that is unknown is called here and otherwise the same. */
export function calledHere(name: string): string {
  return respelt(name) ?? name;
}

/** Where a name is the first word of what is a comment elsewhere: on its line, or behind `//`. */
export function commentAdvice(texts: Texts, { file, start }: Span): Advice | undefined {
  const before = texts.at({ file, start: Math.max(0, start - 200), end: start }) ?? "";
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const sign = (/^[ \t]*(\/\/|--|%)[ \t]*$/.exec(line) ?? /(\/\/|--)[ \t]*$/.exec(line))?.[1];
  if (sign === undefined) return undefined;
  const at = start - line.length + line.lastIndexOf(sign);
  return {
    text: sign === "//" ? `\`//\` divides; ${commentHint}` : commentHint,
    fix: () => ({ title: "change to `#`", edits: [{ span: { file, start: at, end: at + sign.length }, text: "#" }] }),
  };
}
