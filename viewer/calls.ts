import type { SourceCall, SourceScope, SourceTable } from "../compiler/ir/sources.js";
import type { LineTable } from "./lines.js";
import type { CallModel, FunctionModel } from "./model.js";

/** The functions that a document's calls are of, each once. */
export class FunctionTable {
  readonly functions: FunctionModel[] = [];
  readonly #index = new Map<string, number>();
  readonly #lines: LineTable;

  constructor(lines: LineTable) {
    this.#lines = lines;
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
