import { type Computation, rootsOf } from "../ir/graph.js";
import { type Node, nodesBelow, type Value } from "../ir/node.js";
import { rewrite } from "../ir/rewrite.js";
import { reapply } from "../ops/define.js";
import type { Opaque, Pattern } from "./pattern.js";
import { scalarOf } from "./values.js";

/** A named rewrite of one edge. Its result has the type of the edge and, up to what the rule's comment says, its values. */
export interface Rule {
  readonly name: string;
  /** The op at the root of its pattern; undefined where it looks at every op. */
  readonly root: string | undefined;
  readonly apply: (value: Value, opaque: Opaque) => Value | undefined;
}

/** Where the pattern matches and the guard holds, the replacement; the replacement may decline too. */
export function rule<B>(
  name: string,
  pattern: Pattern<B>,
  replacement: (bound: B, opaque: Opaque) => Value | undefined,
  guard: (bound: B) => boolean = () => true,
): Rule {
  return {
    name,
    root: pattern.root,
    apply: (value, opaque) => {
      const bound = pattern.find(value, opaque);
      return bound !== undefined && guard(bound) ? replacement(bound, opaque) : undefined;
    },
  };
}

/** A rule for edges of many ops. */
export function ruleForAny(name: string, replacement: (value: Value, opaque: Opaque) => Value | undefined): Rule {
  return { name, root: undefined, apply: replacement };
}

/** One transformation of a computation that keeps its meaning. */
export interface Pass {
  readonly name: string;
  readonly doc: string;
  /** `fired` is told the name of each rule that did something. */
  readonly run: (computation: Computation, fired?: (ruleName: string) => void) => Computation;
}

/** The pass that applies a table of rules, the first that fits, until none does. */
export function rules(name: string, doc: string, table: readonly Rule[]): Pass {
  const byRoot = new Map<string, Rule[]>();
  const forAny = table.filter((entry) => entry.root === undefined);
  const rulesFor = (op: string): readonly Rule[] => {
    let known = byRoot.get(op);
    if (known === undefined) {
      known = table.filter((entry) => entry.root === op || forAny.includes(entry));
      byRoot.set(op, known);
    }
    return known;
  };
  return {
    name,
    doc,
    run: (computation, fired) => {
      const differentiated = new Differentiated(computation);
      return rewrite(computation, {
        rebuild: (node, inputs, regions) => differentiated.rebuilt(node, reapply(node, inputs, regions)),
        step: (node) => {
          const [value, ...others] = node.outputs;
          if (value === undefined || others.length > 0 || differentiated.has(value)) return undefined;
          const opaque = (one: Value): boolean => differentiated.has(one) || liesElsewhere(one, node);
          for (const entry of rulesFor(node.op)) {
            const result = entry.apply(value, opaque);
            if (result === undefined || result === value) continue;
            fired?.(entry.name);
            return [result];
          }
          return undefined;
        },
        fuel: 100_000,
      });
    },
  };
}

/** No rule looks through what the text places elsewhere: it would move its work to where the root lies. Numbers are everywhere. */
function liesElsewhere(value: Value, root: Node): boolean {
  const { device, inputs } = value.node;
  return device !== root.device && inputs.length > 0 && scalarOf(value) === undefined;
}

/**
 * What a `gradients` that is not expanded yet differentiates in. These edges stay, and no rule looks through them: a rewrite
 * such as log(softmax(x)) -> log_softmax(x) would otherwise cut the path from y to the softmax.
 */
class Differentiated {
  readonly #nodes = new Set<Node>();

  constructor(computation: Computation) {
    for (const node of nodesBelow(rootsOf(computation))) {
      if (node.op === "gradients") for (const x of node.inputs.slice(1)) this.#nodes.add(x.node);
    }
  }

  readonly has = (value: Value): boolean => this.#nodes.has(value.node);

  rebuilt(node: Node, outputs: readonly Value[]): readonly Value[] {
    if (this.#nodes.has(node)) for (const output of outputs) this.#nodes.add(output.node);
    return outputs;
  }
}
