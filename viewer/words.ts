import { type Computation, rootsOf } from "../compiler/ir/graph.js";
import { type Node, nodesBelow } from "../compiler/ir/node.js";
import type { SourceScope, SourceTable } from "../compiler/ir/sources.js";
import { type Span, standardPrefix } from "../compiler/ir/span.js";
import { opNamed } from "../compiler/ops/table.js";
import { operators } from "./constants.js";

/** A call of a built-in function that is several ops, none of which is the function. */
export interface BuiltInCall {
  /** What is called: `average_pool`. */
  readonly word: string;
  readonly place: Span;
  readonly nodes: readonly Node[];
}

/** The words of a text for the ops that it makes: `max_pool` for a `reduce_window`, `@` for a `dot_general`. */
export class Words {
  readonly #sources: SourceTable;
  readonly #words = new Map<Node, string>();
  readonly #calls = new Map<Node, BuiltInCall>();

  constructor(computation: Computation, sources: SourceTable) {
    this.#sources = sources;
    const calls = new Map<SourceScope | undefined, Map<string, Written>>();
    for (const node of nodesBelow(rootsOf(computation))) {
      // Seed and step are the run's: no call that draws has them as its own.
      if (sources.stemsOf(node)[0] !== node || node.op === "run_state") continue;
      const place = innermost(sources.spansOf(node));
      const word = place?.written;
      if (place === undefined) continue;
      if (word === undefined) {
        const sign = operators.get(node.op);
        if (sign !== undefined) this.#words.set(node, sign);
        continue;
      }
      const scope = sources.scopeOf(node);
      const inScope = calls.get(scope) ?? new Map<string, Written>();
      calls.set(scope, inScope);
      const key = `${place.file}:${place.start}:${place.end}`;
      const call = inScope.get(key) ?? { word, place, nodes: [] };
      inScope.set(key, call);
      call.nodes.push(node);
    }
    // Of a function that is several ops, none is the function.
    for (const inScope of calls.values())
      for (const { word, place, nodes } of inScope.values()) {
        const working = nodes.filter(({ op }) => !idle.has(opNamed(op).kernel.kind));
        const [only, ...others] = working.length > 0 ? working : nodes.filter(isOp);
        if (only !== undefined && others.length === 0 && isOp(only)) this.#words.set(only, word);
        if (only === undefined || others.length === 0) continue;
        const call: BuiltInCall = { word, place, nodes: nodes.filter(isOp) };
        for (const node of call.nodes) this.#calls.set(node, call);
      }
  }

  /** What the text says for a node, or for the one that it was made from where that is the same op; undefined where it has no word. */
  of(node: Node): string | undefined {
    const known = this.#words.get(node);
    if (known !== undefined || this.#sources.isBackward(node)) return known;
    const [stem, ...others] = this.#sources.stemsOf(node);
    return stem?.op === node.op && others.length === 0 ? this.#words.get(stem) : undefined;
  }

  /** The call of a built-in function of several ops that a node is one of, or of whose ops it was made, a gradient too. */
  callOf(node: Node): BuiltInCall | undefined {
    const [stem] = this.#sources.stemsOf(node);
    return this.#calls.get(node) ?? (stem === undefined ? undefined : this.#calls.get(stem));
  }
}

interface Written {
  readonly word: string;
  readonly place: Span;
  readonly nodes: Node[];
}

/** What goes along with an op that does the work of a call. */
const idle: ReadonlySet<string> = new Set(["view", "source", "generator", "check"]);

function isOp({ op }: Node): boolean {
  return opNamed(op).kernel.kind !== "source" && op !== "parameter";
}

/** The place of the text that made a node itself: in the standard library it comes after the user's line. */
function innermost([first, second]: readonly Span[]): Span | undefined {
  const isCaller = first?.file.startsWith(standardPrefix) === false && second?.file.startsWith(standardPrefix) === true;
  return isCaller ? second : first;
}
