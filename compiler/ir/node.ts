import { createHash } from "node:crypto";
import { type DeviceKind, deviceNow } from "./device.js";
import { type Dim, dimText, isSymbolic } from "./dim.js";
import type { Tensor } from "./tensor.js";
import { type TensorType, typeText } from "./type.js";

/**
 * What an op is told at compile time. A symbolic dim is an object with a `key`, a literal tensor one with `data`.
 * bigint carries i64 values that a number can't.
 */
export type Attribute = boolean | number | bigint | string | Dim | Tensor | readonly Attribute[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One output of a node: an edge of the graph. Interned: equal computations are the same object, so `===` compares. */
export interface Value {
  readonly node: Node;
  readonly index: number;
  readonly type: TensorType;
}

/**
 * An op applied to edges. Nodes are immutable and hash-consed across the process (common subexpressions are shared by
 * construction); ops are pure, so sharing is always sound. Random ops carry their path, which keeps two draws apart.
 */
export interface Node {
  /** Creation order: an input's id is always smaller. Never printed: it depends on what else the process has built. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly regions: readonly Region[];
  readonly outputs: readonly Value[];
  /**
   * Where the text places it; undefined leaves it to the target. A part of its identity: the same computation placed twice is two
   * nodes. What has no inputs (a constant, a variable) has no place of its own: it is there where it is read.
   */
  readonly device: DeviceKind | undefined;
}

/** The body of a control-flow op: its parameters are `parameter` nodes that belong to this region alone. */
export interface Region {
  readonly parameters: readonly Value[];
  readonly results: readonly Value[];
}

// Weak, so that a process that compiles many graphs (a session server, an editor) does not keep them all.
const interned = new Map<string, WeakRef<Node>>();
const cleanup = new FinalizationRegistry<string>((key) => {
  if (interned.get(key)?.deref() === undefined) interned.delete(key);
});
let nextId = 0;

/**
 * Builds or finds a node, on the device of the `buildOn` around. Shape rules have run already: only `compiler/ops` and the parser of
 * the printed form call this.
 */
export function internNode(
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
  regions: readonly Region[],
  outputTypes: readonly TensorType[],
): Node {
  const device = inputs.length === 0 ? undefined : deviceNow();
  const computed = nodeKey(op, inputs, attributes, regions, outputTypes);
  const key = device === undefined ? computed : `${computed} on ${device}`;
  const existing = interned.get(key)?.deref();
  if (existing !== undefined) return existing;
  const outputs: Value[] = [];
  const node: Node = { id: nextId++, op, inputs, attributes, regions, outputs, device };
  outputTypes.forEach((type, index) => {
    outputs.push({ node, index, type });
  });
  interned.set(key, new WeakRef(node));
  cleanup.register(node, key);
  return node;
}

/** An edge that stands for another one, and may come to stand for a different one of its type. */
export interface Alias {
  readonly value: Value;
  /** What it stands for from now on; the type must be the same. */
  readonly pointTo: (value: Value) => void;
}

/**
 * A reshape to the same shape that interning never shares. In an editor a name stands for such an edge, so that what is computed from
 * the name is the same as before where its definition has changed and its type has not. No graph that is run has any.
 */
export function newAlias(of: Value): Alias {
  const { type } = of;
  const inputs: Value[] = [of];
  const outputs: Value[] = [];
  const attributes = { shape: type.shape };
  const { device } = of.node;
  const node: Node = { id: nextId++, op: "reshape", inputs, attributes, regions: [], outputs, device };
  const value: Value = { node, index: 0, type };
  outputs.push(value);
  return {
    value,
    pointTo: (next) => {
      inputs[0] = next;
    },
  };
}

let nextRegion = 0;

/** Parameters for one new region: nodes of their own, which interning never shares with those of another region. */
export function newRegionParameters(types: readonly TensorType[]): readonly Value[] {
  const region = nextRegion++;
  return types.flatMap((type, index) => internNode("parameter", [], { region, index }, [], [type]).outputs);
}

function nodeKey(
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
  regions: readonly Region[],
  outputTypes: readonly TensorType[],
): string {
  const edges = (values: readonly Value[]): string => values.map((v) => `${v.node.id}.${v.index}`).join(",");
  const attributeText = Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${attributeKey(attributes[name] as Attribute)}`)
    .join(",");
  const regionText = regions.map((r) => `(${edges(r.parameters)})->(${edges(r.results)})`).join(";");
  return `${op}(${edges(inputs)}){${attributeText}}[${regionText}]:${outputTypes.map(typeText).join(",")}`;
}

/** Equal texts for equal attributes: tensors by their bits. */
export function attributeKey(attribute: Attribute): string {
  if (typeof attribute === "string") return JSON.stringify(attribute);
  if (typeof attribute === "bigint") return `${attribute}n`;
  if (typeof attribute === "number") return Object.is(attribute, -0) ? "-0" : String(attribute);
  if (typeof attribute === "boolean") return String(attribute);
  if (isList(attribute)) return `[${attribute.map(attributeKey).join(",")}]`;
  if (isTensor(attribute)) return tensorKey(attribute);
  return dimText(attribute);
}

export function isList(attribute: Attribute): attribute is readonly Attribute[] {
  return Array.isArray(attribute);
}

export function isTensor(attribute: Attribute): attribute is Tensor {
  return typeof attribute === "object" && !isList(attribute) && "data" in attribute;
}

export function isDimAttribute(attribute: Attribute): attribute is Dim {
  return (
    typeof attribute === "number" ||
    (typeof attribute === "object" && "terms" in attribute && isSymbolic(attribute as Dim))
  );
}

/** By bits, so that 0 and -0 differ and a NaN equals itself. */
function tensorKey(tensor: Tensor): string {
  const { data } = tensor;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const content =
    bytes.length <= 32 ? Buffer.from(bytes).toString("hex") : createHash("sha256").update(bytes).digest("hex");
  return `${tensor.dtype}[${tensor.shape.join(",")}]#${content}`;
}

/** All nodes that `roots` reach, those inside regions too, in an order that depends on the graph alone. */
export function nodesBelow(roots: readonly Value[]): readonly Node[] {
  const found = new Set<Node>();
  const stack: (readonly Value[])[] = [roots];
  for (let values = stack.pop(); values !== undefined; values = stack.pop()) {
    for (const node of topologicalOrder(values)) {
      if (found.has(node)) continue;
      found.add(node);
      for (const region of node.regions) stack.push(region.results);
    }
  }
  return [...found];
}

/**
 * All nodes that `roots` reach, each once, inputs before users, in an order that depends on the graph alone. Iterative, so
 * that a chain of a million ops does not overflow the stack. Region bodies are not entered.
 */
export function topologicalOrder(roots: readonly Value[]): readonly Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [];
  for (const root of roots) {
    stack.push(root.node);
    while (stack.length > 0) {
      const node = stack[stack.length - 1] as Node;
      const seen = state.get(node);
      if (seen === undefined) {
        state.set(node, "open");
        for (let i = node.inputs.length - 1; i >= 0; i--) {
          const input = node.inputs[i]?.node;
          if (input !== undefined && !state.has(input)) stack.push(input);
        }
        continue;
      }
      stack.pop();
      if (seen === "open") {
        state.set(node, "done");
        order.push(node);
      }
    }
  }
  return order;
}
