import type { Node, Value } from "../compiler/ir/node.js";
import type { SourceScope } from "../compiler/ir/sources.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import { opNamed } from "../compiler/ops/table.js";
import { lastPart, type ViewBuilder } from "./builder.js";
import { type Phase, phases } from "./model.js";
import { type Cost, shareText, sumOf } from "./shares.js";

/** Fewer kernels than this are seen at one sight, and stand side by side. */
const fewKernels = 8;

/** A kernel of the outermost level: when it runs, in which part of a training step, and which call of the text it computes. */
interface Staged {
  readonly group: number;
  /** From 1, in the order of a run. */
  readonly order: number;
  /** Undefined for a copy that no op stands for: it belongs to what runs next. */
  readonly phase: Phase | undefined;
  /** Outermost first; empty where it stands in none. */
  readonly scopes: readonly SourceScope[];
  /** What the text calls what it stores. */
  readonly names: readonly string[];
  readonly isLoop: boolean;
  readonly cost: Cost;
}

/** What is known of a kernel when it stands in the view. */
export interface Seen {
  readonly group: number;
  readonly isLoop: boolean;
  /** What it and the kernels in it were made of. */
  readonly made: readonly ObservedKernel[];
  /** Variables that it gives new values. */
  readonly written: readonly string[];
  readonly cost: Cost;
}

/** The kernels of calls that are bound to one name, `relu(dense(x))`, or of a scope, and those of the calls in them. */
interface Branch {
  readonly scopes: SourceScope[];
  readonly kernels: Staged[];
  readonly inner: Map<string | SourceScope, Branch>;
}

/** What the graph says of its training, and of its names. */
export interface Declared {
  /** What gradients are taken of. */
  readonly losses: ReadonlySet<Node>;
  /** The paths of the variables that are trained. */
  readonly trained: ReadonlySet<string>;
  readonly names: ReadonlyMap<Value, string>;
}

/** Gathers kernels by what they are: the part of a training step, and in it the calls and scopes of the text. */
export class Stages {
  readonly #builder: ViewBuilder;
  readonly #declared: Declared;
  readonly #names: ReadonlyMap<Node, string>;
  readonly #staged: Staged[] = [];
  /** By their paths, the calls and scopes that kernels come from. */
  readonly #scopes = new Map<string, SourceScope>();

  constructor(builder: ViewBuilder, declared: Declared) {
    this.#builder = builder;
    this.#declared = declared;
    this.#names = new Map([...declared.names].map(([{ node }, name]) => [node, name]));
  }

  /** The number of the kernel that is seen next. */
  get next(): number {
    return this.#staged.length + 1;
  }

  /** Takes down a kernel of the outermost level, in the order of a run. */
  see({ group, isLoop, made, written, cost }: Seen): void {
    const nodes = made.flatMap((one) => one.nodes);
    for (const node of nodes) for (const scope of this.#around(node)) this.#scopes.set(scope.path, scope);
    const found = written.length > 0 ? "update" : this.#phaseOf(made);
    const scopes = written.length > 0 ? this.#scopesOfVariables(written) : this.#scopesOf(nodes, found);
    const phase = found === "forward" && this.#isOfLoss(scopes) ? "loss" : found;
    const stems = made.flatMap(({ roots }) => roots.flatMap(({ value }) => this.#builder.sources.stemsOf(value.node)));
    const names = stems.flatMap((stem) => this.#names.get(stem) ?? []);
    this.#staged.push({ group, order: this.next, phase, scopes, names, isLoop, cost });
    const role = phase === "loss" || phase === undefined ? "forward" : phase;
    // The kernels in a loop were added after it.
    for (let at = group; at < this.#builder.groups.length; at++)
      if (this.#builder.groups[at]?.kind === "kernel") this.#builder.setGroup(at, { role });
  }

  /** An op that no call made, such as a pooling of a layer, belongs to the calls that are bound to the same name. */
  #named(one: Staged): Staged {
    if (one.scopes.length > 0) return one;
    const known = [...this.#scopes.values()].filter((scope) => outerOf(scope) === undefined);
    const scope = known.find(({ binding }) => one.names.includes(binding));
    return scope === undefined ? one : { ...one, scopes: [scope] };
  }

  /** The calls and scopes around a node, outermost first; an update is a part of the step. */
  #around(node: Node): readonly SourceScope[] {
    const scopes: SourceScope[] = [];
    for (let one = this.#builder.sources.scopeOf(node); one !== undefined; one = one.parent)
      if (one.kind !== "update") scopes.unshift(one);
    return scopes;
  }

  #isUpdate(node: Node): boolean {
    for (let one = this.#builder.sources.scopeOf(node); one !== undefined; one = one.parent)
      if (one.kind === "update") return true;
    return false;
  }

  /** By what is stored; a loop's own results are those of the kernels in it. */
  #phaseOf(made: readonly ObservedKernel[]): Phase | undefined {
    const { sources } = this.#builder;
    const nodes = made.flatMap((one) => one.nodes);
    const roots = made.flatMap(({ roots }) => roots.map(({ value }) => value.node));
    if (roots.length === 0) return undefined;
    const isLoss = (node: Node): boolean =>
      !sources.isBackward(node) && sources.stemsOf(node).some((stem) => this.#declared.losses.has(stem));
    if (nodes.some(isLoss)) return "loss";
    const isBackward = (node: Node): boolean => this.#builder.isBackward(node);
    if (!roots.every((node) => isBackward(node) || this.#isUpdate(node))) return "forward";
    // A gradient that is measured where it is made, as clipping does, is handed to the update alone.
    return roots.every(isBackward) ? "backward" : "update";
  }

  /** A call that gives the loss may take several kernels. */
  #isOfLoss(scopes: readonly SourceScope[]): boolean {
    const names = [...this.#declared.losses].flatMap((node) => this.#names.get(node) ?? []).map(lastPart);
    return scopes.some(({ kind, binding }) => kind === "call" && names.includes(lastPart(binding)));
  }

  /** The calls and scopes that most of the work stands in. */
  #scopesOf(nodes: readonly Node[], phase: Phase | undefined): readonly SourceScope[] {
    const { sources } = this.#builder;
    const isBackward = phase === "backward";
    const own = nodes.filter((node) => sources.isBackward(node) === isBackward);
    const weights = new Map<SourceScope, number>();
    let total = 0;
    for (const node of own.length > 0 ? own : nodes) {
      const around = this.#around(node);
      const weight = around.length === 0 ? 0 : weightOf(node);
      total += weight;
      for (const scope of around) weights.set(scope, (weights.get(scope) ?? 0) + weight);
    }
    const found: SourceScope[] = [];
    const inside = (scope: SourceScope): boolean => outerOf(scope) === found.at(-1);
    for (;;) {
      const [best] = [...weights].filter(([scope]) => inside(scope)).sort((a, b) => b[1] - a[1]);
      if (best === undefined || best[1] * 2 < total) return found;
      found.push(best[0]);
    }
  }

  /** Where the variables are declared; what an optimizer keeps of one belongs to it. */
  #scopesOfVariables(paths: readonly string[]): readonly SourceScope[] {
    const owners = paths.map((path) => {
      const of = [...this.#declared.trained].filter((one) => path === one || path.includes(`/${one}/`));
      return (of.sort((a, b) => b.length - a.length)[0] ?? path).split("/").slice(0, -1);
    });
    const [first = []] = owners;
    for (let length = first.length; length > 0; length--) {
      const begin = first.slice(0, length);
      if (!owners.every((owner) => begin.every((part, i) => owner[i] === part))) continue;
      const scope = this.#scopes.get(begin.join("/"));
      if (scope === undefined) continue;
      const scopes: SourceScope[] = [];
      for (let one: SourceScope | undefined = scope; one !== undefined; one = one.parent) scopes.unshift(one);
      return scopes;
    }
    return [];
  }

  /** Puts the kernels that stand in `container` side by side, -1 for no group, into groups, and what belongs to them beside them. */
  arrange(container: number): void {
    const { groups } = this.#builder;
    const own = followed(this.#staged.filter(({ group }) => groups[group]?.parent === container)).map((one) =>
      this.#named(one),
    );
    for (const {
      group,
      scopes: [scope],
    } of own)
      if (scope !== undefined) this.#builder.setGroup(group, { scope: outermostName(scope) });
    if (own.length < fewKernels) return;
    const whole = sumOf(this.#staged.map(({ cost }) => cost));
    const present = phases.filter((phase) => own.some((one) => one.phase === phase));
    for (const phase of present) {
      const kernels = own.filter((one) => one.phase === phase);
      const frame = present.length === 1 ? container : this.#addFrame(phase, kernels, whole, container);
      this.#emit(branchOf(kernels), frame, phase, whole);
    }
    this.#follow(container, new Set(own.map(({ group }) => group)));
  }

  #addFrame(phase: Phase, kernels: readonly Staged[], whole: Cost, parent: number): number {
    return this.#builder.addGroup({
      kind: "phase",
      name: phase,
      text: describe(kernels, whole, true),
      role: phase === "loss" ? "forward" : phase,
      parent,
      places: [],
      kernel: undefined,
    });
  }

  #emit(branch: Branch, parent: number, phase: Phase, whole: Cost): void {
    const builder = this.#builder;
    const stay = (kernels: readonly Staged[]): void => {
      for (const { group } of kernels) builder.setGroup(group, { parent });
    };
    stay(branch.kernels);
    for (const one of branch.inner.values()) {
      const inner = withoutWrapping(one);
      const kernels = allOf(inner);
      const [scope] = inner.scopes;
      // A call in a call that became one kernel is that kernel.
      if (scope === undefined || (kernels.length === 1 && branch.scopes.length > 0)) {
        stay(kernels);
        continue;
      }
      const calls = [...new Set(inner.scopes.flatMap(({ kind, name }) => (kind === "call" ? [`${name}()`] : [])))];
      const name = nameOf(scope);
      const group = builder.addGroup({
        kind: "stage",
        name,
        text: [...(calls[0] === name ? [] : [calls.join(", ")]), describe(kernels, whole, false)]
          .filter((text) => text !== "")
          .join(" · "),
        role: phase === "loss" ? "forward" : phase,
        parent,
        places: builder.lines.places(inner.scopes.map(({ span }) => span)),
        kernel: undefined,
        path: commonPath(inner.scopes.map(({ path }) => path)),
        scope: builder.groups[kernels[0]?.group ?? -1]?.scope ?? "",
      });
      this.#emit(inner, group, phase, whole);
    }
  }

  /** A variable stands by the first kernel that reads it, its new value by the one that writes it. */
  #follow(container: number, kernels: ReadonlySet<number>): void {
    const { nodes, groups } = this.#builder;
    const kernelOf = (node: number): number => {
      for (let at = nodes[node]?.group ?? -1; at >= 0; at = groups[at]?.parent ?? -1) if (kernels.has(at)) return at;
      return -1;
    };
    const found = new Map<string, number>();
    const unitOf = (node: number): string | undefined => {
      const group = nodes[node]?.group ?? -1;
      if (group === container) return `n${node}`;
      return groups[group]?.kind === "state" && groups[group].parent === container ? `g${group}` : undefined;
    };
    const place = (unit: string | undefined, kernel: number): void => {
      if (unit === undefined || kernel < 0) return;
      const known = found.get(unit);
      if (known === undefined || kernel < known) found.set(unit, kernel);
    };
    nodes.forEach(({ kind, inputs }, at) => {
      for (let i = 0; i < inputs.length; i += 2) {
        const from = inputs[i] as number;
        const source = nodes[from]?.kind;
        if (source === "variable" || source === "constant") place(unitOf(from), kernelOf(at));
        if (kind === "assign") place(unitOf(at), kernelOf(from));
      }
    });
    for (const [unit, kernel] of found) {
      const at = Number(unit.slice(1));
      const parent = groups[kernel]?.parent ?? container;
      if (unit.startsWith("g")) this.#builder.setGroup(at, { parent });
      else this.#builder.setNodeGroup(at, parent);
    }
  }
}

/** Arithmetic says more of what a kernel is than what it makes anew of other ops to save memory. */
function weightOf(node: Node): number {
  const { kind } = opNamed(node.op).kernel;
  switch (kind) {
    case "view":
      return node.inputs.length === 0 ? 0 : 0.2;
    case "elementwise":
      return 1;
    case "contract":
      return 32;
    default:
      return node.op === "constant" ? 0 : 4;
  }
}

function outerOf({ parent }: SourceScope): SourceScope | undefined {
  return parent?.kind === "update" ? outerOf(parent) : parent;
}

/** What a call is bound to; one that an update itself makes is called by its function. */
function nameOf({ kind, name, binding, parent }: SourceScope): string {
  if (kind !== "call") return name;
  const bound = lastPart(binding);
  return bound === "" || (parent?.kind === "update" && bound === parent.name) ? `${name}()` : bound;
}

/** In the source view, a call that an update makes stands in the update. */
function outermostName(scope: SourceScope): string {
  return scope.parent === undefined ? nameOf(scope) : outermostName(scope.parent);
}

function keyOf(scope: SourceScope): string | SourceScope {
  return scope.kind === "call" && scope.binding !== "" && scope.parent?.kind !== "update" ? scope.binding : scope;
}

function commonPath([first = "", ...others]: readonly string[]): string {
  const parts = first.split("/");
  while (parts.length > 0 && !others.every((path) => `${path}/`.startsWith(`${parts.join("/")}/`))) parts.pop();
  return parts.join("/");
}

/** A kernel without a phase has that of the one that runs after it. */
function followed(kernels: readonly Staged[]): readonly Staged[] {
  let after: Staged | undefined;
  const found: Staged[] = [];
  for (const one of [...kernels].reverse()) {
    const { phase = after?.phase ?? "forward", scopes } = one;
    after = { ...one, phase, scopes: one.phase === undefined ? (after?.scopes ?? scopes) : scopes };
    found.unshift(after);
  }
  return found;
}

/** Kernels by their scopes. A loop is a box of its own. */
function branchOf(kernels: readonly Staged[]): Branch {
  const root: Branch = { scopes: [], kernels: [], inner: new Map() };
  for (const one of kernels) {
    let at = root;
    for (const scope of one.isLoop ? [] : one.scopes) {
      const key = keyOf(scope);
      const next: Branch = at.inner.get(key) ?? { scopes: [], kernels: [], inner: new Map() };
      if (!next.scopes.includes(scope)) next.scopes.push(scope);
      at.inner.set(key, next);
      at = next;
    }
    at.kernels.push(one);
  }
  return root;
}

/** What a scope holds that holds nothing but another one. */
function withoutWrapping(branch: Branch): Branch {
  const [only, ...others] = branch.inner.values();
  if (branch.kernels.length > 0 || only === undefined || others.length > 0) return branch;
  return withoutWrapping({ ...only, scopes: branch.scopes });
}

function allOf({ kernels, inner }: Branch): readonly Staged[] {
  return [...kernels, ...[...inner.values()].flatMap(allOf)].sort((a, b) => a.order - b.order);
}

/** Numbers that are told one by one. */
const fewNumbers = 3;

/** `kernels 4–18 · 20 %`. */
function describe(kernels: readonly Staged[], whole: Cost, isLong: boolean): string {
  const [first, last] = [kernels[0]?.order ?? 0, kernels.at(-1)?.order ?? 0];
  const isStretch = last - first + 1 === kernels.length;
  const many =
    kernels.length === 1
      ? `kernel ${first}`
      : isStretch
        ? `kernels ${first}–${last}`
        : kernels.length <= fewNumbers
          ? `kernels ${kernels.map(({ order }) => order).join(", ")}`
          : `${kernels.length} kernels in ${first}–${last}`;
  return [many, ...shareText(sumOf(kernels.map(({ cost }) => cost)), whole, isLong)].join(" · ");
}
