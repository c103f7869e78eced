import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic, Note } from "../compiler/ir/diagnostic.js";
import type { Fix, FixEdit } from "../compiler/ir/fix.js";
import type {
  FunctionDeclaration,
  Ident,
  Import,
  ImportedName,
  OptimizerDeclaration,
  SourceFile,
  Statement,
} from "./ast.js";
import type { Dead, Other } from "./dead.js";
import { quote } from "./diagnostics.js";
import { boundBy, isLeftUnread } from "./mentions.js";
import { type ItemUse, namesOf, type Usage, type Use, usageOf } from "./usage.js";

/**
 * G155 of the names of a main file that nothing in it reads. A session may fetch any name of a graph, so those of the graph itself are told
 * of only where signatures say what is wanted of it; fns, optimizers and constants of a library are for others. Names that start with `_`
 * are not told of. `text` is that of the file.
 */
export function unusedNames(file: SourceFile, text: string): readonly Diagnostic[] {
  return new Unused(file, text).diagnostics();
}

type StatementUse = Extract<Use, { readonly kind: "statement" }>;

class Unused {
  readonly #text: string;
  readonly #usage: Usage;
  readonly #found: Diagnostic[] = [];

  constructor(file: SourceFile, text: string) {
    this.#text = text;
    this.#usage = usageOf(file);
  }

  diagnostics(): readonly Diagnostic[] {
    for (const one of this.#usage.names) this.#tellName(one);
    for (const one of this.#usage.items) this.#tellItem(one);
    return this.#found;
  }

  #tellName({ of, others }: Dead<Use>): void {
    switch (of.kind) {
      case "statement":
        this.#tellStatement(of, [...of.others.map((one) => ({ ...one, of: inside(one.of) })), ...others]);
        return;
      case "parameter": {
        const { name } = of.parameter;
        const message = `\`${of.of.name.name}\` does not read its parameter ${quote(name.name)}`;
        this.#report(name, message, `remove it, also where it is given; ${isLeftAlone}`, []);
        return;
      }
      case "type-parameter":
        return;
    }
  }

  /** Of several outputs of one call it is enough that one is read: the others are named for whoever reads the text. */
  #tellStatement({ statement, isGiven }: StatementUse, others: readonly Other<Use>[]): void {
    const names = boundBy(statement)
      .map(({ name }) => name)
      .filter((name) => !isLeftUnread(name));
    const [name] = names;
    if (name === undefined) return;
    const shown = names.map((one) => quote(one.name)).join(", ");
    const notes = others.flatMap(({ of, isShared }) =>
      namesOf(of).map((other): Note => {
        const alone = isShared ? "and others that nothing reads" : "alone";
        return { span: other.span, message: `${quote(other.name)} is used for ${shown} ${alone}` };
      }),
    );
    const remove = this.#removalWith(statement, shown, others);
    const report = (message: string, hint: string, fixes: readonly Fix[]): void =>
      this.#report(name, message, hint, fixes, notes);
    switch (statement.kind) {
      case "update":
        report(
          `no signature does the update ${shown}`,
          `a run does what its signature says: \`signature fit(...) does ${name.name} -> (...)\``,
          [],
        );
        return;
      case "dim":
        report(`no size is the dim ${shown}`, "remove it", [remove]);
        return;
      case "placeholder": {
        const isFed = this.#usage.fed.has(name.name);
        const message = `nothing reads the placeholder ${shown}${isFed ? ", which signatures are fed" : ""}`;
        report(message, isFed ? "remove it, and from the inputs" : "remove it", isFed ? [] : [remove]);
        return;
      }
      default: {
        const what = statement.kind === "binding" ? "" : `the ${statement.kind} `;
        const given = statement.kind === "scope" ? "a name of it" : "it";
        const hint = `${isGiven ? `give ${given} in a signature, or remove it` : "remove it"}; ${isLeftAlone}`;
        report(
          `nothing reads ${what}${shown}`,
          hint,
          boundBy(statement).length > 1 ? [remove] : [remove, renamed(name)],
        );
      }
    }
  }

  /** A statement goes, with all that is of use for it alone and is nobody else's to give. */
  #removalWith(statement: Statement, shown: string, others: readonly Other<Use>[]): Fix {
    const withIt = others.flatMap(({ of, isShared }) =>
      isShared || of.kind !== "statement" || namesOf(of).some(({ name }) => this.#usage.fed.has(name))
        ? []
        : [of.statement],
    );
    const title = withIt.length === 0 ? `remove ${shown}` : `remove ${shown} and what is used for it alone`;
    return { title, edits: [statement, ...withIt].map((one) => this.#removed(one)) };
  }

  #tellItem({ of, others }: Dead<ItemUse>): void {
    const notes = others.map((other): Note => {
      const { span, name } = nameOf(other.of);
      const alone = other.isShared ? "and others that nothing uses" : "alone";
      return { span, message: `${quote(name)} is used for ${quote(nameOf(of).name)} ${alone}` };
    });
    const name = nameOf(of);
    switch (of.kind) {
      case "import": {
        const fix = this.#importRemoval(of.item, of.imported);
        this.#report(name, `nothing uses the import ${quote(name.name)}`, "remove it", [fix], notes);
        return;
      }
      case "declaration": {
        const { item } = of;
        const message = `nothing ${item.kind === "constant" ? "reads" : "calls"} the ${item.kind} ${quote(name.name)}`;
        const fix = { title: `remove ${quote(name.name)}`, edits: [this.#removed(item)] };
        this.#report(name, message, "remove it, or move it into a library", [fix], notes);
        return;
      }
    }
  }

  #importRemoval(item: Import, { local, span }: ImportedName): Fix {
    const unused = this.#usage.items.filter(({ of }) => of.kind === "import" && of.item === item);
    if (unused.length === item.names.length) return { title: "remove the import", edits: [this.#removed(item)] };
    const at = item.names.findIndex((one) => one.local === local);
    const [before, after] = [item.names[at - 1], item.names[at + 1]];
    const { file } = span;
    const only =
      after !== undefined
        ? { file, start: span.start, end: after.span.start }
        : { file, start: before?.span.end ?? span.start, end: span.end };
    return { title: `remove ${quote(local.name)}`, edits: [{ span: only, text: "" }] };
  }

  /** The whole of a statement or item goes, with its documentation, and its lines where nothing else stands there. */
  #removed({ span, ...one }: Statement | Import | FunctionDeclaration | OptimizerDeclaration): FixEdit {
    const text = this.#text;
    const doc = "doc" in one ? one.doc : undefined;
    const start = Math.min(span.start, doc?.span.start ?? span.start);
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const newline = text.indexOf("\n", span.end);
    const lineEnd = newline < 0 ? text.length : newline + 1;
    const behind = text.slice(span.end, lineEnd);
    const isAlone = /^\s*$/.test(text.slice(lineStart, start)) && /^\s*(#|$)/.test(behind);
    const { file } = span;
    const whole = isAlone ? { file, start: lineStart, end: lineEnd } : { file, start, end: span.end };
    return { span: whole, text: "" };
  }

  #report(name: Ident, message: string, hint: string, fixes: readonly Fix[], notes: readonly Note[] = []): void {
    const found = problem("G155", name.span, message, { severity: "warning", hint, notes });
    this.#found.push({ ...found, tag: "unnecessary", ...(fixes.length === 0 ? {} : { fixes }) });
  }
}

const isLeftAlone = "a name that starts with `_` is left alone";

function nameOf(use: ItemUse): Ident {
  return use.kind === "import" ? use.imported.local : use.item.name;
}

function inside(statement: Statement): Use {
  return { kind: "statement", statement, isGiven: false, others: [] };
}

/** What nothing reads can have another name without a change elsewhere. */
function renamed({ name, span: { file, start } }: Ident): Fix {
  return { title: `rename to \`_${name}\``, edits: [{ span: { file, start, end: start }, text: "_" }] };
}
