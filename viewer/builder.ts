import { type Dim, substituteDim } from "../compiler/ir/dim.js";
import { byteSize } from "../compiler/ir/dtype.js";
import { type Attribute, isList, isTensor, type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { literalText, numberText } from "../compiler/ir/printer-literal.js";
import type { SourceScope, SourceTable } from "../compiler/ir/sources.js";
import { type TensorType, typeText } from "../compiler/ir/type.js";
import { opNamed } from "../compiler/ops/table.js";
import type { FunctionTable } from "./calls.js";
import { opText } from "./constants.js";
import type { LineTable, Places } from "./lines.js";
import type { GroupModel, NodeKind, NodeModel, Role, ViewModel } from "./model.js";
import { type Placing, sideOfNode } from "./placement.js";
import type { Words } from "./words.js";

/** Where an edge comes from: a box and which of its outputs. */
export type Place = readonly [node: number, output: number];

/** Where the nodes and the sinks of the source view stand; empty for that view itself. */
export interface Stems {
  readonly nodes: ReadonlyMap<Node, number>;
  /** By `output loss`, `assign w`, and `constant label` for a string. */
  readonly sinks: ReadonlyMap<string, number>;
}

/** What the views of one program have in common. */
export interface ViewContext {
  readonly sources: SourceTable;
  readonly lines: LineTable;
  readonly functions: FunctionTable;
  readonly words: Words;
  readonly sizes: ReadonlyMap<string, number>;
  /** Which elaboration it is of: a call may be given other types in training. */
  readonly isTraining: boolean;
  /** What the graph calls edges. */
  readonly names: ReadonlyMap<Value, string>;
  /** Where the ops run; undefined where that is one side alone, and in a view that has the sides as groups. */
  readonly placing: Placing | undefined;
}

/** What one view is put together from. */
export class ViewBuilder {
  readonly nodes: NodeModel[] = [];
  readonly groups: GroupModel[] = [];
  readonly sources: SourceTable;
  readonly lines: LineTable;
  readonly functions: FunctionTable;
  readonly words: Words;
  readonly #placing: Placing | undefined;
  readonly #types: { readonly text: string; readonly bytes: number | undefined }[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #scopeGroups = new Map<string, number>();
  readonly #loops = new Map<Node, boolean>();
  readonly #scopeIds = new Map<SourceScope, number>();
  readonly sizes: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<Value, string>;
  readonly #isTraining: boolean;
  readonly #stems: Stems;

  constructor({ sources, lines, functions, words, sizes, isTraining, names, placing }: ViewContext, stems: Stems) {
    this.sources = sources;
    this.lines = lines;
    this.functions = functions;
    this.words = words;
    this.#placing = placing;
    this.sizes = sizes;
    this.#isTraining = isTraining;
    this.names = names;
    this.#stems = stems;
  }

  view(kind: ViewModel["kind"]): Omit<ViewModel, "missing"> {
    return { kind, nodes: drawnAt(this.nodes), groups: this.groups, types: this.#types };
  }

  type(type: TensorType): number {
    const text = typeText(type);
    const known = this.#typeIndex.get(text);
    if (known !== undefined) return known;
    this.#typeIndex.set(text, this.#types.length);
    this.#types.push({ text, bytes: this.#bytes(type) });
    return this.#types.length - 1;
  }

  #bytes({ dtype, shape }: TensorType): number | undefined {
    if (dtype === "string") return undefined;
    let bytes: Dim = byteSize(dtype);
    for (const dim of shape) {
      const size = substituteDim(dim, this.sizes);
      if (typeof size !== "number") return undefined;
      bytes *= size;
    }
    return bytes;
  }

  /** A box for a node of a graph. */
  node(
    node: Node,
    name: string,
    role: Role,
    inputs: readonly number[],
    group: number,
    own: Partial<Pick<NodeModel, "text" | "why" | "operations">> = {},
  ): number {
    const kind = kindOf(node);
    const called = name || ownName(node) || (kind === "constant" ? this.#nameOfConstant(node) : "");
    const spans = this.sources.spansOf(node);
    return this.add({
      kind,
      op: node.op,
      name: called,
      text:
        kind === "constant"
          ? constantText(node)
          : node.op === runState
            ? "random state"
            : opText(node, this.words.of(node)),
      work: workOf(node),
      role,
      inputs,
      outputs: node.outputs.map(({ type }) => this.type(type)),
      group,
      places: kind === "constant" && called !== "" ? this.lines.placesBound(spans, called) : this.lines.places(spans),
      attributes: attributesOf(node),
      stems: this.stems(node),
      why: [],
      ...this.#requestsOf(node),
      ...sideOfNode(node, this.#placing),
      ...this.#twinsOf(node),
      ...own,
    });
  }

  /** What the text calls a constant, or the one that it was made from. */
  #nameOfConstant(node: Node): string {
    const [stem, ...others] = this.sources.stemsOf(node);
    const from = stem?.op === "constant" && others.length === 0 ? [node, stem] : [node];
    const name = from.flatMap(({ outputs }) => outputs.flatMap((output) => this.names.get(output) ?? []))[0];
    return lastPart(name ?? "");
  }

  /** A sink: a result of the run, or the new value of a variable. */
  sink(kind: "output" | "assign", name: string, from: readonly Place[], role: Role, group: number): number {
    return this.add({
      kind,
      op: kind,
      name,
      text: kind === "output" ? "output" : ":=",
      work: "sink",
      role,
      inputs: from.flat(),
      outputs: this.typesOf(from),
      group,
      places: this.#sourceOf(from)?.places ?? [],
      attributes: [],
      stems: this.sinkStems(`${kind} ${name}`),
      why: [],
    });
  }

  #requestsOf(node: Node): Pick<NodeModel, "requests"> {
    const requests = this.sources.requestsOf(node).flatMap((request) => this.#stems.nodes.get(request) ?? []);
    return requests.length === 0 || !this.isBackward(node) ? {} : { requests };
  }

  /** Of a node that the text made; those that passes made stem from it. */
  #twinsOf(node: Node): Pick<NodeModel, "twins"> {
    const twins = this.#stems.nodes.size > 0 || node.op === runState ? [] : this.sources.twinsOf(node);
    const [own] = this.lines.places(this.sources.spansOf(node));
    const around = scopesAround(this.sources.scopeOf(node));
    const told = twins.flatMap(({ spans, scope }) => {
      const [place] = this.lines.places(spans);
      const outer = scopesAround(scope)
        .filter((one) => !around.includes(one))
        .at(-1);
      const by = outer === undefined ? "" : titleOfScope(outer);
      return place === undefined || (by === "" && place[0] === own?.[0]) ? [] : [{ place, by }];
    });
    const once = new Map(told.map((twin) => [`${twin.place[0]} ${twin.by}`, twin]));
    return once.size === 0 ? {} : { twins: [...once.values()] };
  }

  sinkStems(key: string): readonly number[] {
    const stem = this.#stems.sinks.get(key);
    return stem === undefined ? [] : [stem];
  }

  /** A box that hands on what it is given: a copy that no op of the graph stands for, or what is sent between two memories. */
  passing(
    from: readonly Place[],
    own: Pick<NodeModel, "kind" | "name" | "text" | "work" | "group"> &
      Partial<Pick<NodeModel, "attributes" | "outputs">>,
  ): number {
    const source = this.#sourceOf(from);
    return this.add({
      op: own.text,
      role: source?.role ?? "forward",
      inputs: from.flat(),
      outputs: this.typesOf(from),
      places: source?.places ?? [],
      attributes: [],
      stems: source?.stems ?? [],
      why: [],
      ...own,
    });
  }

  /** The type of what several places leave in one buffer. */
  typesOf([from]: readonly Place[]): readonly number[] {
    const type = from === undefined ? undefined : this.nodes[from[0]]?.outputs[from[1]];
    return type === undefined ? [] : [type];
  }

  #sourceOf([from]: readonly Place[]): NodeModel | undefined {
    return from === undefined ? undefined : this.nodes[from[0]];
  }

  /** What a node takes besides what it was made with. */
  addInputs(at: number, from: readonly Place[]): void {
    const node = this.nodes[at];
    if (node !== undefined && from.length > 0) this.nodes[at] = { ...node, inputs: [...node.inputs, ...from.flat()] };
  }

  setGroup(group: number, changed: Partial<GroupModel>): void {
    const known = this.groups[group];
    if (known !== undefined) this.groups[group] = { ...known, ...changed };
  }

  setNodeGroup(at: number, group: number): void {
    const node = this.nodes[at];
    if (node !== undefined) this.nodes[at] = { ...node, group };
  }

  addGroup(group: GroupModel): number {
    this.groups.push(group);
    return this.groups.length - 1;
  }

  /** Whether it is a part of a gradient. Differentiation makes a loop anew that keeps what its gradient needs: such a one is none. */
  isBackward(node: Node): boolean {
    if (node.regions.length === 0 || !this.sources.isBackward(node)) return this.sources.isBackward(node);
    const known = this.#loops.get(node);
    if (known !== undefined) return known;
    const results = node.regions.flatMap((region) => region.results);
    const found = nodesBelow(results).some((inner) => this.sources.isBackward(inner));
    this.#loops.set(node, found);
    return found;
  }

  add(node: NodeModel): number {
    this.nodes.push(node);
    return this.nodes.length - 1;
  }

  /** The nodes of the source view that a node stems from. */
  stems(node: Node): readonly number[] {
    if (this.#stems.nodes.size === 0) return [];
    return this.sources.stemsOf(node).flatMap((stem) => this.#stems.nodes.get(stem) ?? []);
  }

  /**
   * The group of a scope below `base`, whose own scope is `outer`. The gradient of what stands in a call is a group beside it, so
   * that forward and backward boxes do not point at each other.
   */
  scopeGroup(scope: SourceScope | undefined, outer: SourceScope | undefined, base: number, role: Role): number {
    if (scope === undefined || scope === outer) return base;
    const backward = role === "backward";
    const key = `${base} ${this.#scopeId(scope)} ${backward}`;
    const known = this.#scopeGroups.get(key);
    if (known !== undefined) return known;
    if (outer !== undefined && !isWithin(scope, outer)) return base;
    const parent = this.scopeGroup(scope.parent, outer, base, role);
    const index = this.groups.length;
    const call = this.functions.callOf(scope, this.sources, this.#isTraining);
    this.groups.push({
      kind: scope.kind,
      name: scope.kind === "call" ? (call?.variable ?? (lastPart(scope.binding) || `${scope.name}()`)) : scope.name,
      text: scope.kind === "call" ? `${scope.name}()` : scope.kind,
      role: scope.kind === "update" && !backward ? "update" : backward ? "backward" : "forward",
      parent,
      places: this.lines.places([scope.span]),
      kernel: undefined,
      ...(call === undefined ? {} : { call }),
    });
    this.#scopeGroups.set(key, index);
    return index;
  }

  #scopeId(scope: SourceScope): number {
    const known = this.#scopeIds.get(scope) ?? this.#scopeIds.size;
    this.#scopeIds.set(scope, known);
    return known;
  }
}

/** Innermost first. */
function scopesAround(scope: SourceScope | undefined): readonly SourceScope[] {
  return scope === undefined ? [] : [scope, ...scopesAround(scope.parent)];
}

function titleOfScope({ kind, name, binding }: SourceScope): string {
  return kind === "call" ? `${lastPart(binding)} ${name}()`.trim() : name;
}

function isWithin(scope: SourceScope, outer: SourceScope): boolean {
  for (let one: SourceScope | undefined = scope; one !== undefined; one = one.parent) if (one === outer) return true;
  return false;
}

/** All draws of a run share its state: what caused it are their lines of the text, whichever was elaborated first. */
function drawnAt(nodes: readonly NodeModel[]): readonly NodeModel[] {
  if (!nodes.some(({ op }) => op === runState)) return nodes;
  const places = new Map<number, Map<string, Places[number]>>();
  for (const { inputs, places: own } of nodes)
    for (let i = 0; i < inputs.length; i += 2) {
      const [first] = own;
      const from = inputs[i] as number;
      if (first === undefined || nodes[from]?.op !== runState) continue;
      const known = places.get(from) ?? new Map<string, Places[number]>();
      places.set(from, known.set(first.join(":"), first));
    }
  return nodes.map((node, at) =>
    node.op === runState ? { ...node, places: [...(places.get(at)?.values() ?? [])] } : node,
  );
}

const runState = "run_state";

/** Of what is made of other ops, the kind of work that it is. */
function workOf({ op }: Node): string {
  const { kind } = opNamed(op).kernel;
  return kind !== "composite" ? kind : op === "convolution" ? "contract" : "reduce";
}

function kindOf(node: Node): NodeKind {
  switch (node.op) {
    case "placeholder":
    case "variable":
    case "constant":
    case "parameter":
      return node.op;
    default:
      return "op";
  }
}

/** The name that a variable or placeholder has by itself. */
export function ownName(node: Node): string {
  const name = node.attributes[node.op === "variable" ? "path" : "name"];
  return (node.op === "variable" || node.op === "placeholder") && typeof name === "string" ? name : "";
}

function constantText(node: Node): string {
  const value = node.attributes["value"];
  return value !== undefined && typeof value === "object" && isTensor(value) ? literalText(value, 4) : node.op;
}

/** What names of a path end in: `hidden/dense/y` is `y` in its call. */
export function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf(".")) + 1);
}

/** What the panel need not say, as it shows it otherwise. */
const shownOtherwise: ReadonlySet<string> = new Set(["value", "name", "path", "dtype", "shape", "region", "index"]);

function attributesOf(node: Node): readonly (readonly [string, string])[] {
  return Object.entries(node.attributes).flatMap(([name, value]) =>
    shownOtherwise.has(name) && kindOf(node) !== "op" ? [] : [[name, attributeText(value)] as const],
  );
}

function attributeText(attribute: Attribute): string {
  if (typeof attribute === "string") return attribute;
  if (typeof attribute === "number") return numberText(attribute);
  if (typeof attribute === "bigint" || typeof attribute === "boolean") return String(attribute);
  if (isList(attribute)) return `[${attribute.map(attributeText).join(", ")}]`;
  return isTensor(attribute) ? literalText(attribute, 8) : attribute.key;
}
