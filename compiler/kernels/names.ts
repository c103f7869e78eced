import type { Node } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import type { Span } from "../ir/span.js";
import type { Plan } from "./plan.js";
import type { Group } from "./regions.js";
import type { Root } from "./roots.js";
import { isStored } from "./semantics.js";

/** Kernel names for profiles and listings: what is updated or handed out, else what is computed. Unique in a program. */
export class KernelNames {
  readonly #used = new Map<string, number>();

  unique(name: string): string {
    const clean = name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "") || "kernel";
    const count = (this.#used.get(clean) ?? 0) + 1;
    this.#used.set(clean, count);
    return count === 1 ? clean : this.unique(`${clean}_${count}`);
  }
}

export function nameOfGroup(group: Group, outputNames: ReadonlyMap<Root, string>): string {
  const assigned = group.roots.flatMap((root) => root.assigned);
  const update = assigned.length === 0 ? undefined : `${shortest(assigned)}_update`;
  if (group.kind === "contract") {
    const weight = group.roots[0]?.reads.find((read) => read.value.node.op === "variable");
    const path = weight?.value.node.attributes["path"];
    return update ?? (typeof path === "string" ? `${path}_matmul` : "matmul");
  }
  if (update !== undefined) return update;
  const ops = group.roots.map((root) => root.value.node.op);
  const output = group.roots.map((root) => outputNames.get(root)).find((name) => name !== undefined);
  const exponential = group.roots.some((root) => root.kind === "reduce" && mentionsExp(root, group));
  if (exponential && ops.includes("max")) return output === undefined ? "softmax" : `softmax_${output}`;
  if (output !== undefined) return output;
  const reductions = ops.filter((_, i) => group.roots[i]?.kind !== "pointwise");
  return reductions[0] ?? ops.at(-1) ?? "kernel";
}

function mentionsExp(root: Root, group: Group): boolean {
  return root.value.node.inputs.some(
    (input) => input.node.op === "exp" || group.roots.some((other) => other.value === input && input.node.op === "exp"),
  );
}

function shortest(paths: readonly string[]): string {
  return paths.reduce((best, path) => (path.length < best.length ? path : best));
}

const mostSpans = 16;

/** A constant, or one in another shape or dtype. */
function isNumber({ op, inputs }: Node): boolean {
  if (op === "constant") return true;
  return (op === "broadcast_in_dim" || op === "reshape" || op === "cast") && inputs.every(({ node }) => isNumber(node));
}

/** The nodes that a group computes, roots and what is inlined in them; each before what it reads. */
export function* nodesOfGroup(group: Group, plan: Plan): Iterable<Node> {
  const seen = new Set<Node>();
  for (const root of group.roots) {
    const stack = [{ value: root.value, isRoot: true }];
    for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
      const { value, isRoot } = one;
      if (seen.has(value.node) || (!isRoot && (plan.isRoot(value) || isStored(value)))) continue;
      seen.add(value.node);
      yield value.node;
      for (const input of [...value.node.inputs].reverse()) stack.push({ value: input, isRoot: false });
    }
  }
}

/**
 * The places of the nodes that a group computes. Equal numbers are one node with the places of all of them, of which most are about something
 * else: they count only where nothing else is.
 */
export function spansOfGroup(group: Group, plan: Plan, sources: SourceTable): readonly Span[] {
  const spans: Span[] = [];
  const keys = new Set<string>();
  const nodes = [...nodesOfGroup(group, plan)];
  const computed = nodes.filter((node) => !isNumber(node));
  for (const node of computed.length > 0 ? computed : nodes) {
    if (spans.length >= mostSpans) break;
    for (const span of sources.spansOf(node)) {
      const key = `${span.file}:${span.start}:${span.end}`;
      if (keys.has(key)) continue;
      keys.add(key);
      spans.push(span);
    }
  }
  return spans;
}
