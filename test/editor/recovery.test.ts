import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Block, Item, Statement } from "../../dsl/ast.js";
import { parse } from "../../dsl/parse.js";
import { meaningTexts } from "../../editor/server/describe.js";
import { outlineOf } from "../../editor/server/outline.js";
import { Workspace } from "../../editor/server/workspace.js";
import { model } from "./edits.js";

const examples = join(import.meta.dirname, "..", "..", "examples");
const files = ["activations", "newton", "mandelbrot", "som"].map((name) => join(examples, name, `${name}.graph`));
const sources = [
  { file: join(examples, "hello", "model.graph"), text: model },
  ...files.map((file) => ({ file, text: readFileSync(file, "utf8") })),
];

/** Lines that are not whole, as they stand while they are typed, each before a statement or item and indented as that is. */
const unfinished: readonly string[] = [
  "variable",
  "placeholder",
  "constant",
  "dim",
  "scope",
  "update",
  "signature",
  "require",
  "seed",
  "next",
  "yield",
  "train",
  "on",
  "variable w9:",
  "variable w9: f32[4] =",
  "placeholder p9: f32[4",
  "q9 =",
  "q9 = [1,",
  "q9 = 1.0 +",
  "q9 = tanh(",
  "q9 = clip(1.0, low=",
  "q9 = [[1.0, (2.0",
  "q9, r9",
  "signature s9(",
  "signature s9() ->",
  "train {",
  "scope s9 {",
  "update u9 {",
  "q9 = if true {",
  "q9 = scan r9 in [1.0] {",
  "}",
  ")",
  "fn foo9(",
  "fn foo9",
  "fn foo9(a: f32) -> (b: f32) {",
];

interface Broken {
  readonly text: string;
  /** The lines that are broken, from 0. */
  readonly from: number;
  readonly to: number;
  /** So many lines came before the line at `from`. */
  readonly added: number;
  /** It stands in a loop or a branch, whose values are not known where a line of it is not. */
  readonly inRegion: boolean;
}

/** The first lines of all statements and items that begin their line, and whether they stand in a loop or a branch. */
function startsOf(text: string): ReadonlyMap<number, boolean> {
  const lines = new Map<number, boolean>();
  const add = (one: Item | Statement, inRegion: boolean): void => {
    const before = text.slice(0, one.span.start);
    if (/(?:^|\n) *$/.test(before)) lines.set(before.split("\n").length - 1, inRegion);
    for (const { statements } of blocksOf(one))
      for (const inner of statements) add(inner, inRegion || one.kind === "binding");
  };
  for (const item of parse(text, "a.graph").ast.items) add(item, false);
  return lines;
}

function blocksOf(one: Item | Statement): readonly Block[] {
  switch (one.kind) {
    case "graph":
    case "fn":
    case "optimizer":
    case "scope":
    case "on":
      return [one.body];
    case "update":
      return one.body.kind === "block" ? [one.body] : [];
    case "binding":
      if (one.value.kind === "scan" || one.value.kind === "while") return [one.value.body];
      return one.value.kind === "if" ? [...one.value.branches.map(({ body }) => body), one.value.otherwise] : [];
    default:
      return [];
  }
}

function everyBreak(text: string): readonly Broken[] {
  const lines = text.split("\n");
  const inserted = [...startsOf(text)].flatMap(([from, inRegion]) => {
    const indent = /^ */.exec(lines[from] ?? "")?.[0] ?? "";
    const atMargin = indent === "" ? [] : ["}"];
    return [...unfinished.map((line) => indent + line), ...atMargin].map((line) => ({
      text: lines.toSpliced(from, 0, line).join("\n"),
      from,
      to: from + 1,
      added: 1,
      inRegion,
    }));
  });
  const headers = lines.flatMap((line, from) => {
    const wrong = /^(?:graph|fn|optimizer|scope)\b.*\{$/.test(line.trim())
      ? [line.replace(/ \{$/, ""), line.replace(/^( *\w+)\w/, "$1x")]
      : [];
    return wrong.map((other) => ({
      text: lines.with(from, other).join("\n"),
      from,
      to: from + 1,
      added: 0,
      inRegion: false,
    }));
  });
  return [...inserted, ...headers];
}

interface Known {
  readonly line: number;
  readonly told: string;
}

/** All that hover, definitions, outline and problems tell, by lines. */
function knownIn(workspace: Workspace, file: string, text: string): readonly Known[] {
  workspace.setText(file, text);
  const analysis = workspace.analysis(file);
  if (analysis === undefined) throw new Error("no analysis");
  const starts = [...text.matchAll(/^/gm)].map(({ index }) => index);
  const lineOf = (offset: number): number => starts.findLastIndex((start) => start <= offset);
  const written = ({ start, end }: Span): string => text.slice(start, end);
  const names = [...analysis.facts.namesIn(file)].flatMap(([, fact]) => {
    const { span, origin } = fact;
    const from =
      origin?.file === file ? `${written(origin)} ${origin.start - (starts[lineOf(origin.start)] ?? 0)}` : "";
    const line = lineOf(span.start);
    return [
      { line, told: `definition of ${written(span)}: ${from}` },
      { line, told: `hover on ${written(span)}: ${meaningTexts(fact).join("; ")}` },
    ];
  });
  const outline: Known[] = [];
  const visit = (entries: ReturnType<typeof outlineOf>, path: string): void => {
    for (const { name, detail, kind, selectionRange, children } of entries) {
      outline.push({ line: selectionRange.start.line, told: `outline ${path}${name} ${kind} ${detail}` });
      visit(children ?? [], `${path}${name}.`);
    }
  };
  visit(outlineOf(analysis.source), "");
  const problems = analysis.loaded.diagnostics
    // What nothing reads is told of in a text without errors only.
    .filter(({ span, severity }) => span?.file === file && severity === "error")
    .map((one: Diagnostic) => ({
      line: lineOf(one.span?.start ?? 0),
      told: `${one.severity} ${one.code} ${one.message}`,
    }));
  return [...names, ...outline, ...problems];
}

test("whatever line is not whole, hover, definitions, outline and problems of all others stay, and one error is on that line", (t) => {
  const lost: string[] = [];
  let count = 0;
  for (const { file, text } of sources) {
    const workspace = new Workspace();
    const whole = knownIn(workspace, file, text);
    for (const broken of everyBreak(text)) {
      count += 1;
      const line = broken.text.split("\n")[broken.from];
      const isElsewhere = ({ line: at }: Known): boolean => at < broken.from || at >= broken.to;
      const found = knownIn(workspace, file, broken.text);
      const moved = whole.map((one) => ({ ...one, line: one.line + (one.line >= broken.from ? broken.added : 0) }));
      const shown = (all: readonly Known[]): ReadonlySet<string> =>
        new Set(
          all
            .filter((one) => isElsewhere(one) && !(broken.inRegion && one.told.startsWith("hover")))
            .map((one) => `${one.line} ${one.told}`),
        );
      const [wanted, got] = [shown(moved), shown(found)];
      const errors = found.filter((one) => one.told.startsWith("error"));
      const inIt = errors.filter((one) => !isElsewhere(one));
      // What is not whole may have no right to stand there either.
      const said = inIt.filter(({ told }) => !/cannot stand in|stands only at/.test(told));
      const place = `${file.split("/").at(-1)}:${broken.from + 1} ${JSON.stringify(line)}`;
      if (inIt.length === 0 || said.length > 1) lost.push(`${place}: ${inIt.map(({ told }) => told).join("; ")}`);
      const [missing] = [...wanted].filter((one) => !got.has(one));
      const [more] = [...got].filter((one) => !wanted.has(one));
      if (missing !== undefined || more !== undefined) lost.push(`${place}: lost ${missing}; more ${more}`);
    }
  }
  t.true(count > 3000, `${count} texts`);
  t.deepEqual(lost, []);
});
