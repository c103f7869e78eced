import type { CallUpdate } from "../../compiler/ir/graph.js";
import type { Node, Value } from "../../compiler/ir/node.js";
import { scheduleLength } from "../../compiler/ops/messages.js";
import { passesGradient } from "../../compiler/ops/reach.js";

/** What a node reaches without going through the edge that a name stands for. */
interface Segment {
  readonly nodes: ReadonlySet<Node>;
  readonly names: readonly Node[];
  readonly schedules: readonly Node[];
  /** Variables and placeholders. */
  readonly sources: readonly Node[];
}

/** The variables that gradients of a value reach, and the names that they go on to. */
interface Slopes {
  readonly variables: readonly Value[];
  readonly names: readonly Value[];
}

/**
 * What parts of a graph reach, for an editor, in whose graphs names stand for edges of their own (`memory.ts`): what a statement makes is
 * looked through once, as it does not change; what its names stand for is looked up each time.
 */
export class Reaches {
  readonly #isName: (node: Node) => boolean;
  readonly #segments = new WeakMap<Node, Segment>();
  readonly #slopes = new WeakMap<Value, Slopes>();

  constructor(isName: (node: Node) => boolean) {
    this.#isName = isName;
  }

  /** Whether from both edges the same names, schedules, variables and placeholders are reached, and gradients come to the same ones. */
  isAlike(a: Value, b: Value): boolean {
    const [segment, other] = [this.#segment(a.node), this.#segment(b.node)];
    if (!haveSame(segment.names, other.names) || !haveSame(segment.sources, other.sources)) return false;
    if (!haveSame(segment.schedules, other.schedules)) return false;
    const [slopes, others] = [this.#slopesOf(a), this.#slopesOf(b)];
    return haveSame(slopes.names, others.names) && haveSame(slopes.variables, others.variables);
  }

  /** All that some edges reach, those in regions too. */
  below(roots: readonly Value[]): Below {
    return new Below(this.#segmentsBelow(roots));
  }

  /** All that a run computes: what it gives, and the updates of calls that are part of it. */
  run(roots: readonly Value[], callUpdates: readonly CallUpdate[]): Below {
    let found = this.below(roots);
    for (let waiting = callUpdates; ; ) {
      const ready = waiting.filter(({ anchors }) => anchors.some(({ node }) => found.has(node)));
      if (ready.length === 0) return found;
      waiting = waiting.filter((update) => !ready.includes(update));
      found = found.with(
        this.#segmentsBelow(ready.flatMap(({ assignments }) => assignments.map(({ value }) => value))),
      );
    }
  }

  #segmentsBelow(roots: readonly Value[]): ReadonlySet<Segment> {
    const found = new Set<Segment>();
    const stack = roots.map(({ node }) => node);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const segment = this.#segment(node);
      if (found.has(segment)) continue;
      found.add(segment);
      for (const name of segment.names) for (const input of name.inputs) stack.push(input.node);
    }
    return found;
  }

  #segment(root: Node): Segment {
    const known = this.#segments.get(root);
    if (known !== undefined) return known;
    const nodes = new Set<Node>();
    const names: Node[] = [];
    const schedules: Node[] = [];
    const sources: Node[] = [];
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (nodes.has(node)) continue;
      nodes.add(node);
      if (this.#isName(node)) {
        names.push(node);
        continue;
      }
      if (scheduleLength(node) !== undefined) schedules.push(node);
      if (node.op === "variable" || node.op === "placeholder") sources.push(node);
      for (const input of node.inputs) stack.push(input.node);
      for (const region of node.regions) for (const result of region.results) stack.push(result.node);
    }
    const made: Segment = { nodes, names, schedules, sources };
    this.#segments.set(root, made);
    return made;
  }

  /** The variables that gradients of `y` reach. */
  variables(y: Value): ReadonlySet<Value> {
    const found = new Set<Value>();
    const seen = new Set<Value>([y]);
    const stack = [y];
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      const { variables, names } = this.#slopesOf(value);
      for (const variable of variables) found.add(variable);
      for (const name of names) {
        const [input] = name.node.inputs;
        if (input === undefined || seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    return found;
  }

  #slopesOf(root: Value): Slopes {
    const known = this.#slopes.get(root);
    if (known !== undefined) return known;
    const variables: Value[] = [];
    const names: Value[] = [];
    const seen = new Set<Value>([root]);
    const stack = [root];
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      const { node } = value;
      if (node.op === "variable") variables.push(value);
      if (this.#isName(node)) {
        names.push(value);
        continue;
      }
      node.inputs.forEach((input, position) => {
        if (seen.has(input) || !passesGradient(node, position)) return;
        seen.add(input);
        stack.push(input);
      });
    }
    const made: Slopes = { variables, names };
    this.#slopes.set(root, made);
    return made;
  }
}

/** Lists in which nothing stands twice. */
function haveSame<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  const all = new Set(a);
  return b.every((one) => all.has(one));
}

/** What some edges reach. */
export class Below {
  readonly #segments: ReadonlySet<Segment>;

  constructor(segments: ReadonlySet<Segment>) {
    this.#segments = segments;
  }

  has(node: Node): boolean {
    for (const { nodes } of this.#segments) if (nodes.has(node)) return true;
    return false;
  }

  with(segments: ReadonlySet<Segment>): Below {
    return new Below(new Set([...this.#segments, ...segments]));
  }

  /** The schedules that end somewhere in it. */
  get schedules(): ReadonlySet<Node> {
    const found = new Set<Node>();
    for (const { schedules } of this.#segments) for (const one of schedules) found.add(one);
    return found;
  }
}
