import type { Node, Value } from "../compiler/ir/node.js";
import type { SourceScope, SourceTable } from "../compiler/ir/sources.js";
import { standInOf } from "../compiler/ir/stand_ins.js";
import { countAttribute } from "../compiler/ops/region_parts.js";
import { lastPart, ownName } from "./builder.js";

/** What a parameter of a loop or branch is to those who read the text. */
export interface GivenName {
  readonly name: string;
  readonly text: "carry" | "element" | "from outside" | "iteration";
  /** The call inside that declares it, if it stands for a variable. */
  readonly scope: SourceScope | undefined;
}

/** The names of what loops and branches are given: the text's, else that of the edge outside. */
export class GivenNames {
  readonly #sources: SourceTable;
  readonly #names: ReadonlyMap<Value, string>;
  readonly #given = new Map<Value, GivenName>();

  constructor(sources: SourceTable, names: ReadonlyMap<Value, string>) {
    this.#sources = sources;
    this.#names = names;
  }

  /** Names a parameter of `loop`; regions around it come first, since what they are given may be handed on. */
  learn(loop: Node, position: number, parameter: Value, operand: Value | undefined): GivenName {
    const given = this.#given.get(parameter) ?? this.#nameOf(loop, position, parameter, operand);
    this.#given.set(parameter, given);
    return given;
  }

  #nameOf(loop: Node, position: number, parameter: Value, operand: Value | undefined): GivenName {
    const node = originOf(parameter.node);
    const text = roleOf(loop, position);
    if (text === "iteration" || operand === undefined) return { name: "", text: "iteration", scope: undefined };
    const outer = this.#given.get(operand);
    const outside = outer?.name ?? (ownName(operand.node) || this.#edgeName(operand));
    if (text !== "from outside") return { name: this.wordOf(parameter) || outside, text, scope: undefined };
    if (outer?.text === "iteration") return outer;
    // A variable that the text mentions belongs where it is mentioned; one that a call in here declares, to the call.
    const scope = this.#sources.scopeOf(node);
    const isDeclaredInside = scope !== undefined && (operand.node.op === "variable" || outer?.scope !== undefined);
    if (isDeclaredInside) return { name: outside, text, scope };
    const name = (scope === undefined ? this.#written(node) : "") || outside || this.wordOf(parameter);
    return { name, text, scope: undefined };
  }

  /** What a parameter is called by the text, or by what it stands for; empty where nothing of that has a name. */
  wordOf({ node, index }: Value): string {
    if (node.op !== "parameter") return lastPart(this.#edgeName({ node, index })) || node.op;
    const written = this.#written(node);
    const standIn = standInOf(node);
    if (written !== "" || standIn === undefined) return written;
    const of = this.wordOf(standIn.of);
    return standIn.role === "gradient" && of !== "" ? `gradient of ${of}` : of;
  }

  /** What the graph calls an edge, or the one that a pass made it from. */
  #edgeName(value: Pick<Value, "node" | "index">): string {
    // What a pass made for a loop, in its body, stems from the loop, and has other outputs.
    const stems = this.#sources.stemsOf(value.node).filter(({ op }) => op === value.node.op);
    for (const node of [value.node, ...stems]) {
      const edge = node.outputs[value.index];
      const name = edge === undefined ? undefined : this.#names.get(edge);
      if (name !== undefined) return name;
    }
    return "";
  }

  /** The word of the text for a parameter itself; where a pass made it, that of the one it was made from. */
  #written(node: Node): string {
    const stem = this.#sources.stemsOf(node)[0];
    return stem?.op === "parameter" ? (this.#sources.spansOf(node)[0]?.written ?? "") : "";
  }
}

/** The parameter that others stand for. */
function originOf(parameter: Node): Node {
  const standIn = standInOf(parameter);
  const isSame = standIn?.role === "same" && standIn.of.node.op === "parameter";
  return isSame ? originOf(standIn.of.node) : parameter;
}

/** A loop counts in its first parameter; captures follow, and elements of sequences, and carries. A branch has captures only. */
function roleOf({ op, attributes }: Node, position: number): GivenName["text"] {
  if (op === "if") return "from outside";
  if (position === 0) return "iteration";
  const captures = countAttribute(attributes, "captures");
  if (position <= captures) return "from outside";
  return op === "scan" && position <= captures + countAttribute(attributes, "sequences") ? "element" : "carry";
}
