import { problem } from "../compiler/ir/codes.js";
import { isDeviceKind, unknownDevice } from "../compiler/ir/device.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Span } from "../compiler/ir/span.js";
import type { Block, SourceFile, Statement } from "./ast.js";
import { assignmentOutside, misplacedStatement, wrongNumberOfGraphs } from "./diagnostics.js";

/** The kinds of block; what may stand where is this file's table. */
type Place = "graph" | "fn" | "optimizer" | "scope" | "on" | "update" | "scan" | "while" | "if";

const names: Readonly<Record<Place, string>> = {
  graph: "a graph",
  fn: "a fn",
  optimizer: "an optimizer",
  scope: "a scope",
  on: "an `on` block",
  update: "an update",
  scan: "a scan",
  while: "a while",
  if: "an if",
};

const allowed: Readonly<Record<Exclude<Statement["kind"], "invalid" | "binding">, readonly Place[]>> = {
  seed: ["graph"],
  dim: ["graph"],
  placeholder: ["graph", "scope", "on"],
  signature: ["graph"],
  train: ["graph"],
  variable: ["graph", "scope", "on", "fn", "optimizer", "if"],
  constant: ["graph", "scope", "on", "fn", "optimizer", "scan", "while", "if", "update"],
  scope: ["graph", "scope", "on", "fn"],
  on: ["graph", "scope", "on", "fn", "optimizer", "update", "scan", "while", "if"],
  update: ["graph", "scope", "on"],
  assignment: ["update", "optimizer", "fn"],
  require: ["graph", "scope", "on", "fn", "optimizer"],
  next: ["scan", "while"],
  yield: ["scan", "if"],
};

/** Statements that stand in the wrong kind of block, and a second graph in one file. */
export function checkPlacement(ast: SourceFile): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  let graph: Span | undefined;
  for (const item of ast.items) {
    if (item.kind === "graph") {
      if (graph !== undefined) diagnostics.push(wrongNumberOfGraphs(item.name.span, graph));
      graph ??= item.name.span;
      checkBlock(item.body, "graph", diagnostics);
    } else if (item.kind === "fn" || item.kind === "optimizer") {
      checkBlock(item.body, item.kind, diagnostics);
    }
  }
  return diagnostics;
}

function checkBlock(block: Block, place: Place, diagnostics: Diagnostic[]): void {
  const once = new Map<string, Span>();
  for (const statement of block.statements) {
    const { kind } = statement;
    if (kind === "invalid") continue;
    if (kind !== "binding" && !allowed[kind].includes(place)) diagnostics.push(misplaced(statement, place));
    if (kind === "seed" || kind === "train") {
      const first = once.get(kind);
      if (first !== undefined) diagnostics.push(twice(statement, first));
      else once.set(kind, statement.span);
    }
    checkInside(statement, place, diagnostics);
  }
}

function checkInside(statement: Statement, place: Place, diagnostics: Diagnostic[]): void {
  if ("on" in statement && statement.on !== undefined && !isDeviceKind(statement.on.value)) {
    const { message, hint } = unknownDevice(statement.on.value);
    diagnostics.push(problem("G125", statement.on.span, message, { hint }));
  }
  const idle = idlePlace(statement);
  if (idle !== undefined) diagnostics.push(idle);
  if (statement.kind === "scope") {
    // A scope in a fn is still the fn's own code.
    checkBlock(statement.body, place === "fn" ? "fn" : "scope", diagnostics);
  } else if (statement.kind === "on") {
    // In a fn, an optimizer or an update, it is still that one's own code.
    checkBlock(statement.body, place === "graph" || place === "scope" ? "on" : place, diagnostics);
  } else if (statement.kind === "update" && statement.body.kind === "block") {
    checkBlock(statement.body, "update", diagnostics);
  } else if (statement.kind === "binding") {
    const { value } = statement;
    if (value.kind === "scan" || value.kind === "while") checkBlock(value.body, value.kind, diagnostics);
    else if (value.kind === "if") {
      for (const branch of value.branches) checkBlock(branch.body, "if", diagnostics);
      checkBlock(value.otherwise, "if", diagnostics);
    }
  }
}

/** An `on` that places nothing: an empty block, or a text, which is known when the graph is compiled. */
function idlePlace(statement: Statement): Diagnostic | undefined {
  if (statement.kind === "on" && statement.body.statements.length === 0)
    return problem("G126", statement.on.span, "this block places nothing: it is empty", { severity: "warning" });
  if (statement.kind !== "binding" || statement.on === undefined || statement.value.kind !== "string") return undefined;
  const message = `a string is known when the graph is compiled, and lies nowhere: \`on "${statement.on.value}"\` has no effect`;
  return problem("G126", statement.on.span, message, { severity: "warning", hint: "leave it out" });
}

function misplaced(statement: Exclude<Statement, { kind: "invalid" | "binding" }>, place: Place): Diagnostic {
  if (statement.kind === "assignment") {
    const name = statement.target.text;
    const region = place === "scan" || place === "while";
    return assignmentOutside(
      statement.span,
      region
        ? `a carry takes its next value with \`next ${name} = ...\``
        : `a binding is \`${name} = ...\`; a group of assignments is \`update NAME { ... }\``,
    );
  }
  const places = allowed[statement.kind].map((p) => names[p]);
  const list = places.length < 2 ? places.join("") : `${places.slice(0, -1).join(", ")} or ${places.at(-1)}`;
  const span = wordSpan(statement.span, statement.kind);
  return misplacedStatement(span, `\`${statement.kind}\` cannot stand in ${names[place]}`, `it stands in ${list}`);
}

function twice(statement: Statement, first: Span): Diagnostic {
  const d = misplacedStatement(
    wordSpan(statement.span, statement.kind),
    `a graph has one \`${statement.kind}\``,
    undefined,
  );
  return { ...d, notes: [{ span: first, message: "the first one" }] };
}

function wordSpan(span: Span, word: string): Span {
  return { ...span, end: Math.min(span.end, span.start + word.length) };
}
