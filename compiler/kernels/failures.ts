import type { Code } from "../ir/codes.js";
import { InternalError } from "../ir/diagnostic.js";
import { isFloat } from "../ir/dtype.js";
import type { Node } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { failurePlaces, failureText, outOfRange } from "../ops/messages.js";
import { dividesByUnknown } from "./expressions.js";
import type { Failure } from "./form.js";
import { isFallibleRoutine, semanticsOf } from "./semantics.js";
import { numbersAttribute } from "./views.js";

/** The checks of a program, numbered: those of a block in the order of its graph, so that of several the cause has the least number. */
export class Failures {
  readonly list: Failure[] = [];
  readonly #numbers = new Map<Node, number>();
  readonly #sources: SourceTable;
  readonly #checkNumerics: boolean;

  constructor(sources: SourceTable, checkNumerics: boolean) {
    this.#sources = sources;
    this.#checkNumerics = checkNumerics;
  }

  /** Whether a node needs a check beyond those that its op always has. */
  readonly isChecked = (node: Node): boolean => dividesByUnknown(node) || (this.#checkNumerics && makesNonFinite(node));

  /** Adds the checks of a block. */
  addBlock(order: readonly Node[]): void {
    for (const node of order) {
      if (this.#numbers.has(node)) continue;
      const { kind } = semanticsOf(node);
      if (kind === "check") {
        const size = numbersAttribute(node.attributes, "size")[0] ?? 0;
        this.#addNamed(node, "G086", outOfRange("{value}", size, node.op === "wrap_index" ? -size : 0));
      } else if (isFallibleRoutine(node)) this.#addNamed(node, "G087");
      else if (dividesByUnknown(node)) this.#addNamed(node, "G089");
      else if (this.#checkNumerics && makesNonFinite(node))
        this.#add(node, "G110", `\`${node.op}\` makes {value} of finite operands`);
    }
  }

  of(node: Node): number {
    const failure = this.#numbers.get(node);
    if (failure === undefined) throw new InternalError(`${node.op} has no failure to report`);
    return failure;
  }

  /** The failure to report where a node's result is not finite; undefined when it is not checked. */
  ofNonFinite(node: Node): number | undefined {
    return makesNonFinite(node) ? this.#numbers.get(node) : undefined;
  }

  #addNamed(node: Node, code: Code, otherwise = ""): void {
    this.#add(node, code, failureText(code, node, this.#sources.spansOf(node)) ?? otherwise);
  }

  #add(node: Node, code: string, message: string): void {
    this.#numbers.set(node, this.list.length);
    this.list.push({ code, message, spans: failurePlaces(node, this.#sources) });
  }
}

/** Ops whose result may be the first that is not finite; the others only pass on what they are given. */
function makesNonFinite(node: Node): boolean {
  const passing = ["select", "neg", "abs", "sign", "maximum", "minimum", "floor", "ceil", "round", "max", "min"];
  const { kind } = semanticsOf(node);
  const dtype = node.outputs[0]?.type.dtype;
  if (dtype === undefined || !isFloat(dtype) || passing.includes(node.op)) return false;
  return kind === "elementwise" || kind === "reduce" || kind === "contract";
}
