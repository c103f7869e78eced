import type { SourceCall, SourceScope, SourceTable } from "../compiler/ir/sources.js";
import type { LineTable } from "./lines.js";
import type { CallModel, FunctionModel } from "./model.js";

/** The documentation and signature of a built-in function. */
export type BuiltInTexts = (name: string) => Pick<FunctionModel, "doc" | "signature"> | undefined;

/** The functions that a document's calls are of, each once. */
export class FunctionTable {
  readonly functions: FunctionModel[] = [];
  readonly #index = new Map<string, number>();
  readonly #lines: LineTable;
  readonly #builtInOf: BuiltInTexts;

  constructor(lines: LineTable, builtInOf: BuiltInTexts = () => undefined) {
    this.#lines = lines;
    this.#builtInOf = builtInOf;
  }

  /** What there is to say of a call of a built-in function; undefined where nothing is known of it. */
  builtIn(name: string): CallModel | undefined {
    const key = `built-in ${name}`;
    const known = this.#index.get(key);
    if (known !== undefined) return { of: known, given: [], gives: [] };
    const texts = this.#builtInOf(name);
    if (texts === undefined) return undefined;
    this.#index.set(key, this.functions.length);
    this.functions.push({ name, ...texts, places: [] });
    return { of: this.functions.length - 1, given: [], gives: [] };
  }

  /** What there is to say of the call that a scope is; undefined for another scope. */
  callOf(scope: SourceScope, sources: SourceTable, isTraining: boolean): CallModel | undefined {
    const call = scope.kind === "call" ? sources.callOf(scope, isTraining) : undefined;
    if (call === undefined) return undefined;
    return {
      of: this.#functionOf(scope.name, call),
      given: call.parameters.map(({ name, value, written, isDefault }) => ({
        name,
        value,
        written: written === undefined ? "" : this.#lines.textAt(written),
        isDefault,
      })),
      gives: call.outputs.map(({ name, value }) => [name, value]),
      ...(call.variable === undefined ? {} : { variable: call.variable }),
    };
  }

  #functionOf(name: string, { doc, header }: SourceCall): number {
    const key = `${header.file}:${header.start}`;
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.functions.length);
    // Declarations of several lines have blanks and a comma inside their brackets.
    const signature = this.#lines
      .textAt(header)
      .replace(/([([]) /g, "$1")
      .replace(/,? ([)\]])/g, "$1");
    this.functions.push({ name, doc, signature, places: this.#lines.places([header]) });
    return this.functions.length - 1;
  }
}
