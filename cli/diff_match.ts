import { type Node, topologicalOrder, type Value } from "../compiler/ir/node.js";
import { givenOps, type Side } from "./diff_side.js";
import { attributeText, literalOf } from "./node_texts.js";
import { Structures } from "./structure.js";

/** Values that stand for each other whatever they are made of, the surest first: variables of one path, results of one name. */
export type Seeds = readonly (readonly [before: Value, after: Value])[];

/** How far below an op another one is looked for that was there before: a layer that was put between is shorter. */
const mostBetween = 64;
const mostRounds = 40;

/**
 * Which op of one graph stands for which of another: those that compute the same, then those of the same op on operands that stand for each
 * other, or that the same operand of such ops reads, or of the same name; at last also ops of other kinds in the same position.
 */
export function match(before: Side, after: Side, seeds: Seeds): Matching {
  const matching = new Matching(before, after);
  matching.find(seeds);
  return matching;
}

export class Matching {
  readonly before: Side;
  readonly after: Side;
  readonly #after = new Map<Node, Node>();
  readonly #before = new Map<Node, Node>();
  readonly #equal = new Set<Node>();
  readonly #forms = new Map<Node, Node>();
  /** Pairs whose users, and whose operands, have not been looked at. */
  readonly #upward: (readonly [Node, Node])[] = [];
  readonly #downward: (readonly [Node, Node])[] = [];
  /** Unmatched ops of the second graph whose operands all stand for something, by op and operands. */
  readonly #waiting = new Map<string, Node[]>();
  /** Such ops of the first graph. */
  readonly #open = new Set<Node>();

  constructor(before: Side, after: Side) {
    this.before = before;
    this.after = after;
  }

  afterOf(node: Node): Node | undefined {
    return this.#after.get(node);
  }

  beforeOf(node: Node): Node | undefined {
    return this.#before.get(node);
  }

  /**
   * What a node of one graph is another form of, where its counterpart serves others as before: one call of two that shared it has other
   * arguments now.
   */
  formOf(node: Node): Node | undefined {
    return this.#forms.get(node);
  }

  /** Whether a node of the first graph computes what its counterpart does. */
  isEqual(node: Node): boolean {
    return this.#equal.has(node);
  }

  find(seeds: Seeds): void {
    for (const [a, b] of seeds) if (a.node.inputs.length === 0) this.#pairSame(a.node, b.node);
    this.#pairEqual();
    this.#settle();
    this.#pairNamed(false);
    for (const [a, b] of seeds) this.#pairSame(a.node, b.node);
    this.#settle();
    for (let round = 0; round < mostRounds; round++) {
      const isFound = this.#pairOpen() || this.#pairUsers() || this.#pairAcross() || this.#pairOthers(seeds);
      this.#settle();
      if (!isFound) break;
    }
    this.#findForms();
  }

  #findForms(): void {
    const pairs = [...this.#after].filter(([a, b]) => a.op === b.op && !this.#equal.has(a));
    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
      for (const [x, y] of operandPairs(...pair)) {
        const [isOpen, isOther] = [this.#isOpenBefore(x), this.#isOpenAfter(y)];
        if (isOpen === isOther || x.op !== y.op || !this.#isSameCall(x, y)) continue;
        const own = isOpen ? x : y;
        if (this.#forms.has(own)) continue;
        this.#forms.set(own, isOpen ? y : x);
        pairs.push([x, y]);
      }
    }
  }

  #isSameCall(x: Node, y: Node): boolean {
    const [was, is] = [this.before.graph.sources.scopeOf(x), this.after.graph.sources.scopeOf(y)];
    return was !== undefined && is !== undefined && was.path === is.path && was.name === is.name;
  }

  #pair(a: Node, b: Node): boolean {
    if (this.#after.has(a) || this.#before.has(b) || !mayStandFor(a, b) || this.#isOfOtherCall(a, b)) return false;
    this.#after.set(a, b);
    this.#before.set(b, a);
    this.#open.delete(a);
    this.#upward.push([a, b]);
    if (a.op === b.op) this.#downward.push([a, b]);
    return true;
  }

  /** What a variable of one layer was for is not known to one of another. */
  #isOfOtherCall(a: Node, b: Node): boolean {
    if (a.op !== "variable" || a === b) return false;
    const [was, is] = [this.before.graph.sources.scopeOf(a), this.after.graph.sources.scopeOf(b)];
    return was?.kind === "call" && is?.kind === "call" && was.name !== is.name;
  }

  #pairSame(a: Node, b: Node): boolean {
    return a.op === b.op && this.#pair(a, b);
  }

  #pairEqual(): void {
    const structures = new Structures([...this.before.roots, ...this.after.roots]);
    const alike = new Map<string, Node[]>();
    for (const node of this.after.nodes) append(alike, structures.ofNode(node), node);
    const own = new Set(this.after.nodes);
    const pair = (a: Node, b: Node | undefined): void => {
      if (b === undefined || !this.#pair(a, b)) return;
      this.#equal.add(a);
      // Bodies of equal loops are alike, and so is the order of what is in them.
      a.regions.forEach(({ parameters, results }, i) => {
        const inside = topologicalOrder([...parameters, ...results]);
        const other = topologicalOrder([...(b.regions[i]?.parameters ?? []), ...(b.regions[i]?.results ?? [])]);
        if (inside.length === other.length) inside.forEach((node, at) => pair(node, other[at]));
      });
    };
    for (const node of this.before.nodes) if (own.has(node)) pair(node, node);
    for (const node of this.before.nodes) {
      if (this.#after.has(node)) continue;
      const list = alike.get(structures.ofNode(node)) ?? [];
      const found = list.findIndex((one) => !this.#before.has(one));
      if (found >= 0) pair(node, list.splice(0, found + 1).at(-1));
    }
  }

  /** Names inside of calls say more of what a value is than those of statements, which may have got another call around. */
  #pairNamed(isAnyOp: boolean): boolean {
    let isFound = false;
    const { names: others } = this.after.mode;
    const names = [...this.before.mode.names].sort(([a], [b]) => b.split("/").length - a.split("/").length);
    for (const [name, a] of names) {
      const b = others.get(name);
      if (b !== undefined && (isAnyOp ? this.#pair(a.node, b.node) : this.#pairSame(a.node, b.node))) isFound = true;
    }
    return isFound;
  }

  /** What follows from pairs: upward first, since an op on the same operands is surer than one in the same position. */
  #settle(): void {
    for (;;) {
      const up = this.#upward.pop();
      if (up !== undefined) {
        this.#climb(...up);
        continue;
      }
      const down = this.#downward.pop();
      if (down === undefined) return;
      for (const [x, y] of operandPairs(...down)) this.#pairSame(x, y);
    }
  }

  #climb(a: Node, b: Node): void {
    for (const user of this.after.users.get(b) ?? []) {
      if (this.#before.has(user)) continue;
      for (const key of [this.#key(user, (node) => node, true), this.#key(user, (node) => node, false)])
        if (key !== undefined) append(this.#waiting, key, user);
    }
    for (const user of this.before.users.get(a) ?? []) {
      if (this.#after.has(user)) continue;
      const key = this.#key(user, (node) => this.#after.get(node), true);
      if (key === undefined) continue;
      this.#open.add(user);
      this.#pairWaiting(user, key);
    }
  }

  #pairWaiting(node: Node, key: string): boolean {
    const list = this.#waiting.get(key) ?? [];
    while (list.length > 0 && this.#before.has(list[0] as Node)) list.shift();
    return list[0] !== undefined && this.#pair(node, list[0]);
  }

  /** An op on counterparts: its operands as they are called in the second graph. `isExact`: its attributes and literals, too. */
  #key(node: Node, counterpart: (node: Node) => Node | undefined, isExact: boolean): string | undefined {
    if (node.regions.length > 0) return undefined;
    const parts: string[] = [];
    let isLiteral = true;
    for (const { node: input, index } of node.inputs) {
      const literal = literalOf(input);
      if (literal !== undefined) {
        parts.push(isExact ? literal : "#");
        continue;
      }
      const known = counterpart(input);
      if (known === undefined || !this.#before.has(known)) return undefined;
      isLiteral = false;
      parts.push(`${known.id}.${index}`);
    }
    if (isLiteral) return undefined;
    const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}=${attributeText(value)}`);
    return `${isExact ? "=" : "~"} ${node.op} ${parts.join(",")} ${isExact ? `${node.device} ${attributes.sort().join(",")}` : ""}`;
  }

  /** The same op on the same operands, with other attributes or literals. */
  #pairOpen(): boolean {
    let isFound = false;
    for (const node of [...this.#open]) {
      const key = this.#key(node, (input) => this.#after.get(input), false);
      if (key !== undefined && this.#pairWaiting(node, key)) isFound = true;
    }
    return isFound;
  }

  /** The only op of its kind that reads the same operand of counterparts, as of a slot under another path. */
  #pairUsers(): boolean {
    let isFound = false;
    for (const [a, b] of [...this.#after]) {
      const was = onlyUsers(a, this.before.users.get(a) ?? [], (node) => this.#isOpenBefore(node));
      if (was.size === 0) continue;
      const is = onlyUsers(b, this.after.users.get(b) ?? [], (node) => this.#isOpenAfter(node));
      for (const [key, user] of was) {
        const other = is.get(key);
        if (user === undefined || other === undefined || this.#isContradicted(user, other)) continue;
        if (this.#pair(user, other)) isFound = true;
      }
    }
    return isFound;
  }

  /** Whether operands in one position have counterparts, and others. */
  #isContradicted(a: Node, b: Node): boolean {
    return operandPairs(a, b).some(([x, y]) => {
      const [to, from] = [this.#after.get(x), this.#before.get(y)];
      return (to !== undefined && to !== y) || (from !== undefined && from !== x);
    });
  }

  /** What one side has between two ops that the other has one upon the other: a layer that came or went. */
  #pairAcross(): boolean {
    let isFound = false;
    for (const [x, y] of this.#openPositions()) {
      const below = firstBelow(
        y,
        (node) => node.op === x.op && this.#isOpenAfter(node),
        (node) => this.#before.has(node),
      );
      if (below !== undefined && this.#pair(x, below)) isFound = true;
      if (below !== undefined) continue;
      const above = firstBelow(
        x,
        (node) => node.op === y.op && this.#isOpenBefore(node),
        (node) => this.#after.has(node),
      );
      if (above !== undefined && this.#pair(above, y)) isFound = true;
    }
    return isFound;
  }

  /** Ops of other kinds: of the same name, or that the same operand of one op reads. */
  #pairOthers(seeds: Seeds): boolean {
    if (this.#pairNamed(true)) return true;
    let isFound = false;
    for (const [a, b] of seeds) if (this.#pair(a.node, b.node)) isFound = true;
    if (isFound) return true;
    for (const [x, y] of this.#openPositions()) if (this.#pair(x, y)) isFound = true;
    if (isFound) return true;
    for (const [x, y] of this.#openPositions(true)) if (this.#pair(x, y)) isFound = true;
    return isFound;
  }

  /** Operands of counterparts that both have none themselves. `isAnyOp`: also of those that are of different kinds. */
  #openPositions(isAnyOp = false): readonly (readonly [Node, Node])[] {
    return [...this.#after].flatMap(([a, b]) =>
      (isAnyOp || a.op === b.op) && !this.#equal.has(a)
        ? operandPairs(a, b).filter(([x, y]) => this.#isOpenBefore(x) && this.#isOpenAfter(y))
        : [],
    );
  }

  #isOpenBefore(node: Node): boolean {
    return !this.#after.has(node) && literalOf(node) === undefined;
  }

  #isOpenAfter(node: Node): boolean {
    return !this.#before.has(node) && literalOf(node) === undefined;
  }
}

/** A variable under another path stands for one of the same type alone, and what a run is given for nothing that it computes. */
function mayStandFor(a: Node, b: Node): boolean {
  if (literalOf(a) !== undefined || literalOf(b) !== undefined) return false;
  if (a.op !== b.op) return !givenOps.has(a.op) && !givenOps.has(b.op);
  if (a.op !== "variable" && a.op !== "placeholder") return true;
  const type = ({ attributes }: Node): string => `${attributes["dtype"]} ${attributeText(attributes["shape"] ?? [])}`;
  const name = ({ attributes }: Node): string => String(attributes["path"] ?? attributes["name"]);
  return name(a) === name(b) || type(a) === type(b);
}

/** What two ops of one kind read, position by position; of loops and branches also what is in them. */
export function operandPairs(a: Node, b: Node): readonly (readonly [Node, Node])[] {
  const pairs = (x: readonly Value[], y: readonly Value[]): readonly (readonly [Node, Node])[] =>
    x.length === y.length ? x.map(({ node }, i) => [node, y[i]?.node ?? node] as const) : [];
  const regions = a.regions.flatMap(({ parameters, results }, i) => {
    const other = b.regions[i];
    return other === undefined ? [] : [...pairs(parameters, other.parameters), ...pairs(results, other.results)];
  });
  return [...pairs(a.inputs, b.inputs), ...regions];
}

/** The ops that read a node, by op and position; undefined where there are several. */
function onlyUsers(
  node: Node,
  users: readonly Node[],
  isOpen: (node: Node) => boolean,
): ReadonlyMap<string, Node | undefined> {
  const found = new Map<string, Node | undefined>();
  for (const user of users) {
    if (!isOpen(user)) continue;
    user.inputs.forEach((input, i) => {
      if (input.node !== node) return;
      const key = `${user.op} ${i} ${input.index} ${user.inputs.length}`;
      found.set(key, found.has(key) ? undefined : user);
    });
  }
  return found;
}

/** The nearest node below another that is wanted; what lies below a node that ends the search is not looked at. */
function firstBelow(from: Node, isWanted: (node: Node) => boolean, isEnd: (node: Node) => boolean): Node | undefined {
  const seen = new Set<Node>([from]);
  const queue: Node[] = [from];
  for (let node = queue.shift(); node !== undefined && seen.size < mostBetween; node = queue.shift()) {
    for (const input of node.inputs) {
      if (seen.has(input.node) || isEnd(input.node)) continue;
      if (isWanted(input.node)) return input.node;
      seen.add(input.node);
      queue.push(input.node);
    }
  }
  return undefined;
}

function append(map: Map<string, Node[]>, key: string, node: Node): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [node]);
  else list.push(node);
}
