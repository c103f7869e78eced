/** The comments of a test file that say what is expected, read into data. README.md describes them. */
import { lex } from "../../../dsl/lex.js";
import { indexLines, lineIndex } from "../../../dsl/source-text.js";
import { readValue, type Written, type WrittenType } from "./values.js";

export type Stage = "graph" | "gradients" | "optimized" | "kernels";

/** Where a diagnostic stands: columns `7-11` of the directive's line, a place in another file, or nowhere. */
export type Place = string;

interface At {
  /** The line, from 0, that the directive speaks of. */
  readonly line: number;
  /** The lines, from 0, that the directive itself stands on. */
  readonly first: number;
  readonly last: number;
  readonly ownLine: boolean;
}

export type Directive = At &
  (
    | {
        readonly kind: "expect";
        readonly name: string;
        readonly value: Written;
        readonly type?: WrittenType;
        readonly within?: number;
      }
    | { readonly kind: "text"; readonly name: string; readonly text: string }
    | {
        readonly kind: "gradient";
        readonly of: string;
        readonly in: string;
        readonly value: Written | "numeric";
        readonly within?: number;
      }
    | { readonly kind: "feed"; readonly name: string; readonly value: Written }
    | { readonly kind: "error" | "warning"; readonly code: string; readonly place: Place; readonly message: string }
    | {
        readonly kind: "fails";
        readonly name: string;
        readonly code: string;
        readonly place: Place;
        readonly message: string;
      }
    | { readonly kind: "does"; readonly name: string }
    | { readonly kind: "check-numerics" }
    | { readonly kind: "from"; readonly text: string }
    | { readonly kind: "form"; readonly stage: Stage; readonly signature: string | undefined; readonly text: string }
  );

export interface TestFile {
  readonly path: string;
  readonly text: string;
  readonly directives: readonly Directive[];
  /** Directives that cannot be read. */
  readonly problems: readonly string[];
}

interface Comment {
  readonly line: number;
  readonly text: string;
  readonly ownLine: boolean;
}

const words =
  /^(expect|gradient|feed|error|warning|fails|does|check-numerics|from:|graph|gradients|optimized|kernels)(?=[ :]|$)/;

export function readTestFile(path: string, text: string): TestFile {
  const source = indexLines(text);
  const lines = text.split("\n");
  const comments = lex(text, path).comments.flatMap((comment): Comment[] =>
    comment.doc
      ? []
      : [{ line: lineIndex(source, comment.span.start), text: comment.text.slice(1), ownLine: comment.ownLine }],
  );
  const directives: Directive[] = [];
  const problems: string[] = [];
  const own = new Set(comments.filter(({ ownLine }) => ownLine).map(({ line }) => line));
  for (let i = 0; i < comments.length; i++) {
    const comment = comments[i] as Comment;
    if (!words.test(comment.text.trim())) continue;
    let line = comment.line;
    while (comment.ownLine && line > 0 && own.has(line)) line--;
    const more = following(comments, i);
    i += more.length;
    const at = { line, first: comment.line, last: comment.line + more.length, ownLine: comment.ownLine };
    try {
      const name = comment.ownLine ? undefined : bindingAt(lines, comment.line);
      directives.push({ ...at, ...readDirective(comment, more, name) } as Directive);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      problems.push(`line ${comment.line + 1}: ${error.message}`);
    }
  }
  return { path, text, directives, problems };
}

/** The lines that a directive goes on over: until its brackets close, or, for a printed form, while lines are indented. */
function following(comments: readonly Comment[], start: number): readonly Comment[] {
  const first = comments[start] as Comment;
  const more: Comment[] = [];
  const isForm = /^ (graph|gradients|optimized|kernels)( \w+)?:$/.test(first.text);
  let depth = isForm ? 1 : depthOf(first.text);
  if (!isForm && !/^ (expect|gradient|feed) /.test(first.text)) return [];
  for (let next = comments[start + 1]; next !== undefined && depth > 0; next = comments[start + 1 + more.length]) {
    if (!next.ownLine || next.line !== first.line + more.length + 1) break;
    if (isForm && !next.text.startsWith("   ")) break;
    more.push(next);
    if (!isForm) depth += depthOf(next.text);
  }
  return more;
}

function depthOf(text: string): number {
  return (text.match(/\[/g) ?? []).length - (text.match(/\]/g) ?? []).length;
}

/** The name that the statement around a line binds. */
export function bindingAt(lines: readonly string[], line: number): string | undefined {
  for (let i = line; i >= 0; i--) {
    const match = /^\s*(?:(?:constant|variable|placeholder)\s+)?(\w+)\s*(?::(?!=)[^=#]*)?(?:=(?!=)|#|$)/.exec(
      lines[i] ?? "",
    );
    if (match !== null) return match[1];
    if (/^\s*\w+\s*(,\s*\w+\s*)+=(?!=)/.test(lines[i] ?? "")) return undefined;
  }
  return undefined;
}

type Body = Readonly<Record<string, unknown>>;

function readDirective(comment: Comment, more: readonly Comment[], bound: string | undefined): Body {
  const text = [comment.text, ...more.map((next) => next.text)].join(" ").trim();
  const [kind = ""] = words.exec(text) ?? [];
  const rest = text.slice(kind.length).trim();
  switch (kind) {
    case "expect": {
      const { name, rest: body } = named(rest, bound);
      if (body.startsWith('"')) return { kind: "text", name, text: String(JSON.parse(body)) };
      const typed = /^(f64|f32|f16|bf16|i64|i32|i8|u8|bool)(?:\[([\d, ]*)\])?\s+(.*)$/.exec(body);
      const type =
        typed === null
          ? {}
          : {
              type: {
                dtype: typed[1],
                shape: (typed[2] ?? "")
                  .split(",")
                  .filter((size) => size.trim() !== "")
                  .map(Number),
              },
            };
      return { kind, name, ...type, ...valueWithin(typed?.[3] ?? body) };
    }
    case "gradient": {
      const match = /^(?:of (\S+) )?in (\S+) (.*)$/.exec(rest);
      const of = match?.[1] ?? bound;
      if (match === null || of === undefined) throw new SyntaxError("it is `gradient [of NAME] in NAME VALUE`");
      const [, , x, value = ""] = match;
      const numeric = /^numeric(?: within (\S+))?$/.exec(value);
      if (numeric === null) return { kind, of, in: x, ...valueWithin(value) };
      return { kind, of, in: x, value: "numeric", ...(numeric[1] === undefined ? {} : { within: Number(numeric[1]) }) };
    }
    case "feed": {
      const { name, rest: body } = named(rest, bound);
      return { kind, name, value: readValue(body) };
    }
    case "error":
    case "warning":
      return { kind, ...readDiagnostic(rest) };
    case "fails": {
      const own = /^(?!G\d{3}\b)(\S+) /.exec(rest);
      const name = own?.[1] ?? bound;
      if (name === undefined) throw new SyntaxError("it is `fails [NAME] CODE at COLUMNS: MESSAGE`");
      return { kind, name, ...readDiagnostic(own === null ? rest : rest.slice(own[0].length)) };
    }
    case "does":
      return { kind, name: rest };
    case "check-numerics":
      return { kind };
    case "from:":
      return { kind: "from", text: rest };
    default: {
      const signature = /^(\w*):$/.exec(comment.text.trim().slice(kind.length).trim())?.[1];
      if (signature === undefined) throw new SyntaxError(`it is \`${kind} [SIGNATURE]:\`, and the form below it`);
      const form = more.map((next) => next.text.slice(3)).join("\n");
      return { kind: "form", stage: kind, signature: signature === "" ? undefined : signature, text: form };
    }
  }
}

/** On a line of its own a directive starts with the name that it speaks of. */
function named(rest: string, bound: string | undefined): { readonly name: string; readonly rest: string } {
  if (bound !== undefined) return { name: bound, rest };
  const [name = "", ...body] = rest.split(" ");
  if (!/^[A-Za-z_][\w./]*$/.test(name)) throw new SyntaxError("the name of what it speaks of is missing");
  return { name, rest: body.join(" ").trim() };
}

function valueWithin(text: string): Body {
  const match = /^(.*?)(?:\s+within\s+(\S+))?$/.exec(text);
  const within = match?.[2] === undefined ? {} : { within: Number(match[2]) };
  return { value: readValue(match?.[1] ?? text), ...within };
}

function readDiagnostic(text: string): Body {
  const match = /^(G\d{3})(?: (at \d+(?:-\d*)?|in [^:]+:\d+:\d+))?: (.*)$/.exec(text);
  if (match === null) throw new SyntaxError("it is `CODE at COLUMNS: MESSAGE`; `make bless` writes it");
  return { code: match[1], place: match[2] ?? "", message: match[3] };
}
