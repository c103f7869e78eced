import { dtypes, isDType } from "../../compiler/ir/dtype.js";
import { type Advice, type Hint, writeInstead } from "../../compiler/ir/fix.js";
import { joinSpans, type Span } from "../../compiler/ir/span.js";
import { quote } from "../diagnostics.js";
import { foreignDType } from "./foreign.js";
import type { Item } from "./meaning.js";
import type { Texts } from "./texts.js";

/** How to mend an argument of the wrong kind, where a slip explains it. */

/** What folds along axes, and what takes two tensors instead. */
const ofTwo: ReadonlyMap<string, string> = new Map([
  ["max", "maximum"],
  ["min", "minimum"],
  ["sum", "add"],
  ["prod", "mul"],
]);

const ofLists: ReadonlySet<string> = new Set(["stack", "concatenate"]);

/** `wanted` is the kind of the parameter; `call` the place of the whole call. */
export function wrongArgumentHint(
  texts: Texts,
  callee: string,
  parameter: string,
  wanted: string,
  { meaning }: Item,
  call: Span,
): Hint | undefined {
  if (wanted === "dtype" && meaning.kind === "string") return dtypeAdvice(meaning.value);
  if (wanted === "dtype" && meaning.kind === "int")
    return `a shape is one list: \`${callee}([3, 4])\`; a dtype is one of ${dtypes.slice(0, -1).join(", ")}`;
  if (wanted === "fn" && meaning.kind === "string")
    return parameter === "initialiser"
      ? "a function stands without quotes; an activation is a call of its own: `dense(x, units=10) |> relu()`"
      : `a function stands without quotes: \`${meaning.value}\``;
  const isNumber = meaning.kind === "tensor" || meaning.kind === "float";
  if ((parameter === "axis" || parameter === "axes") && isNumber) {
    const other = ofTwo.get(callee);
    if (other !== undefined) return otherFunction(texts, callee, other, call);
    if (ofLists.has(callee) && meaning.kind === "tensor") return listAdvice(callee);
  }
  if (callee === "einsum" && parameter === "equation") return 'the equation stands first: `einsum("ij,jk->ik", a, b)`';
  return meaning.kind === "tensor" && wanted !== ""
    ? `${quote(parameter)} must be known when the graph is compiled`
    : undefined;
}

function dtypeAdvice(value: string): Hint {
  const ours = isDType(value) ? value : foreignDType(value);
  return ours === undefined
    ? `a dtype stands without quotes: ${dtypes.join(", ")}`
    : writeInstead(ours, `a dtype stands without quotes: write \`${ours}\``);
}

/** Of an axis that is not there: what it may have been meant as, besides an axis. */
export function extremeHint(texts: Texts, callee: string, call: Span, axes: string): Hint | undefined {
  const other = callee === "max" || callee === "min" ? ofTwo.get(callee) : undefined;
  return other === undefined ? undefined : otherFunction(texts, callee, other, call, `${axes}; `);
}

function otherFunction(texts: Texts, callee: string, other: string, call: Span, before = ""): Advice {
  return {
    text: `${before}\`${other}(x, y)\` takes two tensors, element by element; \`${callee}\` goes along axes of one`,
    fix: () => {
      const span = { ...call, end: call.start + callee.length };
      return texts.at(span) === callee
        ? { title: `change to \`${other}\``, edits: [{ span, text: other }] }
        : undefined;
    },
  };
}

function listAdvice(callee: string): string {
  return `the tensors stand in one list: \`${callee}([a, b], axis=0)\``;
}

/** Numbers by themselves where one list of them is taken: `reshape(x, 2, 3)`. */
export function oneListAdvice(given: readonly Item[]): Advice | undefined {
  const [first] = given;
  const last = given.at(-1);
  if (first === undefined || last === undefined) return undefined;
  if (first.span.file !== last.span.file || given.some(({ meaning }) => meaning.kind !== "int")) return undefined;
  const span = joinSpans(first.span, last.span);
  return {
    text: "sizes and axes stand in one list, in square brackets: `[2, 3]`",
    fix: () => ({
      title: "put them in square brackets",
      edits: [
        { span: { ...span, end: span.start }, text: "[" },
        { span: { ...span, start: span.end }, text: "]" },
      ],
    }),
  };
}
