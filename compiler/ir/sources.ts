import type { Node, Value } from "./node.js";
import type { Span } from "./span.js";

/** A call of a function, a scope or an update whose text nodes came from. One place in the text within one parent is one object. */
export interface SourceScope {
  readonly kind: "call" | "scope" | "update";
  /** What is called, or the scope's or the update's own name. */
  readonly name: string;
  /** The name that a call's result is bound to, as written; empty for a scope or an update. */
  readonly binding: string;
  /** `hidden/dense`, `metrics`, `learn`: what the names inside begin with. */
  readonly path: string;
  readonly span: Span;
  readonly parent: SourceScope | undefined;
}

/** What a call of a function is given and gives, in words: for whoever shows the graph as it is written. */
export interface SourceCall {
  /** The documentation of the function; empty where it has none. */
  readonly doc: string;
  /** The declaration up to its body. */
  readonly header: Span;
  /** What each parameter stands for, a type or a value, and where the argument or its default is written, if it is. */
  readonly parameters: readonly {
    readonly name: string;
    readonly value: string;
    /** Whether that is the value itself; else a run computes it, and it is the type. */
    readonly isKnown: boolean;
    readonly written: Span | undefined;
    readonly isDefault: boolean;
  }[];
  readonly outputs: readonly { readonly name: string; readonly value: string }[];
  /** Of an optimizer's step: the path of its variable. */
  readonly variable: string | undefined;
}

/** Another place of the text that computes just what a node does: interning makes one of the two. */
export interface SourceTwin {
  /** As of a node: the user's line first. */
  readonly spans: readonly Span[];
  readonly scope: SourceScope | undefined;
}

interface Origin {
  readonly spans: readonly Span[];
  readonly scope: SourceScope | undefined;
  /** What it was made from by passes or differentiation; empty for a node that the text made. */
  readonly stems: readonly Node[];
  readonly isBackward: boolean;
  /** Of a part of a gradient: the `gradients` of the graph as it was typed that it is for. */
  readonly requests: readonly Node[];
}

/** A node into which everything is folded would name the whole graph. */
const mostStems = 32;

/** Other places that a node keeps. */
const mostTwins = 8;

/** What the text calls a node, at its first place; `otherwise` where it has no word for it. */
export function writtenAs(spans: readonly Span[], otherwise: string): string {
  return spans[0]?.written ?? otherwise;
}

/**
 * Where in the text each node came from. A side table, because an interned node may come from several places. It only grows:
 * passes call `inherit`, so that what they build points at the line and at the node it came from.
 */
export class SourceTable {
  readonly #origins = new WeakMap<Node, Origin>();
  readonly #calls = new WeakMap<SourceScope, Map<boolean, () => SourceCall>>();
  readonly #strings = new Map<string, Span>();
  /** By a value that took the place of a result of a loop or branch, whose outputs come and go, or of what did so before: which results of those typed. */
  readonly #results = new WeakMap<Value, readonly Value[]>();

  readonly #twins = new WeakMap<Node, readonly SourceTwin[]>();

  /** Takes down where the text binds a string, which no node is. */
  noteString(name: string, span: Span): void {
    if (!this.#strings.has(name)) this.#strings.set(name, span);
  }

  stringSpan(name: string): Span | undefined {
    return this.#strings.get(name);
  }

  /** Takes down how a call can be put into words in a training mode: the types that it is given may differ. */
  noteCall(scope: SourceScope, training: boolean, describe: () => SourceCall): void {
    const modes = this.#calls.get(scope) ?? new Map<boolean, () => SourceCall>();
    if (!modes.has(training)) modes.set(training, describe);
    this.#calls.set(scope, modes);
  }

  /** What the call of a scope is given and gives in a training mode, else in the other; undefined where no elaboration has noted it. */
  callOf(scope: SourceScope, training = false): SourceCall | undefined {
    const modes = this.#calls.get(scope);
    return (modes?.get(training) ?? modes?.get(!training))?.();
  }

  /** The places of a node, first written first; empty for one that no text or pass accounts for. */
  spansOf(node: Node): readonly Span[] {
    return this.#origins.get(node)?.spans ?? [];
  }

  /** The innermost call or scope that made a node, or what it was made from; undefined in the graph itself. */
  scopeOf(node: Node): SourceScope | undefined {
    return this.#origins.get(node)?.scope;
  }

  /** The nodes of the graph as it was typed that a node stems from: itself where the text made it. */
  stemsOf(node: Node): readonly Node[] {
    const stems = this.#origins.get(node)?.stems ?? [];
    return stems.length === 0 ? [node] : stems;
  }

  /** The outputs of the text's nodes that a value stands for: itself where the text made it, or where no loop, branch or node with several outputs is behind it. */
  resultsOf(value: Value): readonly Value[] {
    return this.#results.get(value) ?? [value];
  }

  /** Whether differentiation made it, or a pass from such a node, and the forward pass has no share in it. */
  isBackward(node: Node): boolean {
    return this.#origins.get(node)?.isBackward === true;
  }

  /** The `gradients` of the graph as it was typed whose expansion made it, or what it was made from; none for what is no part of a gradient. */
  requestsOf(node: Node): readonly Node[] {
    const origin = this.#origins.get(node);
    return origin?.isBackward === true ? origin.requests : [];
  }

  /** The text at `spans` in `scope` has asked for a node: where it was there already, this is one more place that computes it. */
  meet(node: Node, spans: readonly Span[], scope: SourceScope | undefined): void {
    const origin = this.#origins.get(node);
    const own = spans.at(-1);
    if (origin === undefined || own === undefined) return;
    const isSame = (other: Span): boolean =>
      other.file === own.file && other.start === own.start && other.end === own.end;
    const known = this.#twins.get(node) ?? [];
    if (origin.scope === scope && origin.spans.some(isSame)) return;
    if (known.length >= mostTwins || known.some((twin) => twin.scope === scope && twin.spans.some(isSame))) return;
    this.#twins.set(node, [...known, { spans, scope }]);
  }

  /** The other places that compute what a node does. */
  twinsOf(node: Node): readonly SourceTwin[] {
    return this.#twins.get(node) ?? [];
  }

  /** Adds a place to one node. */
  add(node: Node, span: Span): void {
    const origin = this.#origins.get(node);
    if (origin === undefined)
      this.#origins.set(node, { spans: [span], scope: undefined, stems: [], isBackward: false, requests: [] });
    else if (!origin.spans.some((s) => s.file === span.file && s.start === span.start && s.end === span.end))
      this.#origins.set(node, { ...origin, spans: [...origin.spans, span] });
  }

  /** Adds a place to a node that has none. */
  addFirst(node: Node, span: Span): void {
    if (this.spansOf(node).length === 0) this.add(node, span);
  }

  /**
   * Places `value`'s node, and every node below it that has no place: the ones that the text at `spans` in `scope` has just made. A node
   * that has `most` places stays as it is.
   */
  write(value: Value, spans: readonly Span[], scope: SourceScope | undefined, most = Number.POSITIVE_INFINITY): void {
    if (this.spansOf(value.node).length >= most) return;
    this.#spread(value.node, { spans, scope, stems: [], isBackward: false, requests: [] });
    for (const span of spans) this.add(value.node, span);
  }

  /**
   * `value` takes the place of an output of `from`: its node, and every node below it, in regions too, that has no origin, the ones
   * just built, get that of `from`.
   */
  inherit(value: Value, from: Node): void {
    const origin = this.#origins.get(from);
    if (origin === undefined || value.node === from) return;
    const stems = this.stemsOf(from);
    this.#spread(value.node, { ...origin, stems });
    const own = this.#origins.get(value.node);
    if (own === undefined) return;
    this.#merge(value.node, { ...own, isBackward: own.isBackward && origin.isBackward }, stems);
  }

  /** As `inherit`, where `value` is a part of the gradient of `from` that `request` asks for. */
  inheritGradient(value: Value, from: Node, request: Node): void {
    const origin = this.#origins.get(from);
    if (origin === undefined || value.node === from) return;
    const requests = this.stemsOf(request);
    this.#spread(value.node, { ...origin, stems: this.stemsOf(from), isBackward: true, requests });
    const own = this.#origins.get(value.node);
    if (own?.isBackward !== true) return;
    // Two requests may be for gradients that have this in common.
    const added = requests.filter((one) => !own.requests.includes(one));
    if (added.length > 0) this.#origins.set(value.node, { ...own, requests: [...own.requests, ...added] });
  }

  /** Each of `values` takes the place of the output of `from` at its position: as `inherit`, and it is known of which one. */
  inheritAll(values: readonly (Value | undefined)[], from: Node): void {
    values.forEach((value, i) => {
      const output = from.outputs[i];
      if (value === undefined) return;
      this.inherit(value, from);
      if (output !== undefined) this.#stand(value, output);
    });
  }

  /** As `inheritAll`, and the values are also at the places of `from`: the same op on other operands. */
  replaceAll(values: readonly Value[], from: Node): void {
    this.inheritAll(values, from);
    for (const value of values) for (const span of this.spansOf(from)) this.add(value.node, span);
  }

  #stand(value: Value, output: Value): void {
    const { outputs, regions } = output.node;
    const isOneOf = outputs.length > 1 || regions.length > 0;
    const added = this.#results.get(output) ?? (isOneOf ? [output] : []);
    if (value === output || added.length === 0) return;
    const known = this.#results.get(value) ?? (this.stemsOf(value.node).includes(value.node) ? [value] : []);
    this.#results.set(value, [...new Set([...known, ...added])].slice(0, mostStems));
  }

  /** As `inherit`, and `value` is also at the places of `from`: the same op on other operands. */
  replace(value: Value, from: Node): void {
    this.inherit(value, from);
    for (const span of this.spansOf(from)) this.add(value.node, span);
  }

  /** The node of `value`, if nothing is known of it, is what the text at the places of `from` made: the same text on other operands. */
  copy(value: Value, from: Node): void {
    const origin = this.#origins.get(from);
    if (origin !== undefined && !this.#origins.has(value.node)) this.#origins.set(value.node, origin);
  }

  /** Interning may find a node that was there: then it stems from what it was made from before, too. */
  #merge(node: Node, origin: Origin, stems: readonly Node[]): void {
    const own = origin.stems.length === 0 ? [node] : origin.stems;
    const added = stems.filter((stem) => !own.includes(stem));
    const isFull = added.length === 0 || own.length >= mostStems;
    const all = isFull ? origin.stems : [...own, ...added].slice(0, mostStems);
    this.#origins.set(node, { ...origin, stems: all });
  }

  #spread(root: Node, origin: Origin): void {
    const stack: Node[] = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (this.#origins.has(node)) continue;
      this.#origins.set(node, origin);
      for (const input of node.inputs) stack.push(input.node);
      for (const region of node.regions) for (const result of region.results) stack.push(result.node);
    }
  }
}
