import type { Node } from "../compiler/ir/node.js";
import { lastPart, type ViewBuilder } from "./builder.js";
import type { Role } from "./model.js";
import type { BuiltInCall } from "./words.js";

/** The groups of calls of built-in functions that are several ops: `pooled average_pool()`, as calls of the standard library have them. */
export class BuiltInGroups {
  readonly #builder: ViewBuilder;
  readonly #groups = new Map<BuiltInCall, Map<string, number>>();

  constructor(builder: ViewBuilder) {
    this.#builder = builder;
  }

  /** The group of a node that stands in `base`: that one where it is of no such call. A gradient stands beside the call. */
  groupOf(node: Node, base: number, role: Role): number {
    const call = this.#builder.words.callOf(node);
    if (call === undefined) return base;
    const places = this.#groups.get(call) ?? new Map<string, number>();
    this.#groups.set(call, places);
    const key = `${base} ${role === "backward"}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const described = this.#builder.functions.builtIn(call.word);
    const group = this.#builder.addGroup({
      kind: "call",
      name: this.#nameOf(call) || `${call.word}()`,
      text: `${call.word}()`,
      role,
      parent: base,
      places: this.#builder.lines.places([call.place]),
      kernel: undefined,
      ...(described === undefined ? {} : { call: described }),
    });
    places.set(key, group);
    return group;
  }

  /** What the text binds the result to. */
  #nameOf({ nodes }: BuiltInCall): string {
    const names = nodes.flatMap(({ outputs }) => outputs.flatMap((output) => this.#builder.names.get(output) ?? []));
    return lastPart(names.at(-1) ?? "");
  }
}
