import { buildOn } from "../ir/device.js";
import type { Dim } from "../ir/dim.js";
import { type isDimAttribute, isList, topologicalOrder, type Value } from "../ir/node.js";
import { dotGeneral } from "../ops/contraction.js";
import { reapply } from "../ops/define.js";
import { dependents } from "../ops/region_parts.js";
import { opNamed } from "../ops/table.js";
import { broadcastInDim, reshape, transpose } from "../ops/views.js";
import { parameterFor } from "./loop-invariants.js";

export interface SequenceScope {
  readonly length: Dim;
  readonly elements: readonly Value[];
  readonly sequences: readonly Value[];
  readonly captures: { readonly parameters: readonly Value[]; readonly inputs: readonly Value[] };
  readonly index: Value;
}

export interface LiftedProduct {
  readonly inside: Value;
  /** The products of all iterations, along axis 0. */
  readonly stack: Value;
  readonly parameter: Value;
}

/**
 * Products of matrices in a scan's body that depend on the sequences' elements alone, and not on a carry: all iterations' are one
 * product before the loop (the input projection of a recurrent layer), which is far quicker than many small ones.
 */
export function liftedProducts(results: readonly Value[], scope: SequenceScope): readonly LiftedProduct[] {
  const order = topologicalOrder(results);
  const ofElements = dependents(results, scope.elements);
  const lifter = new Lifter(scope);
  const found: LiftedProduct[] = [];
  const inFound = new Set<Value>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const [inside] = node?.outputs ?? [];
    if (node === undefined || inside === undefined || node.op !== "dot_general" || !ofElements.has(node)) continue;
    if (inFound.has(inside)) continue;
    const stack = lifter.lift(inside);
    if (stack?.kind !== "stack") continue;
    for (const below of topologicalOrder([inside])) for (const output of below.outputs) inFound.add(output);
    found.push({ inside, stack: stack.value, parameter: parameterFor(inside) });
  }
  return found;
}

/** A value of the block around: one for all iterations, or those of all iterations along axis 0. */
interface Lifted {
  readonly kind: "same" | "stack";
  readonly value: Value;
}

class Lifter {
  readonly #scope: SequenceScope;
  readonly #known = new Map<Value, Lifted | undefined>();

  constructor(scope: SequenceScope) {
    this.#scope = scope;
    scope.elements.forEach((element, i) => {
      this.#known.set(element, { kind: "stack", value: scope.sequences[i] as Value });
    });
    scope.captures.parameters.forEach((parameter, i) => {
      this.#known.set(parameter, { kind: "same", value: scope.captures.inputs[i] as Value });
    });
  }

  /** Undefined where it depends on a carry or the position, or goes through an op that is not lifted. */
  lift(value: Value): Lifted | undefined {
    for (const node of topologicalOrder([value])) {
      for (const output of node.outputs) if (!this.#known.has(output)) this.#known.set(output, this.#liftNode(output));
    }
    return this.#known.get(value);
  }

  #liftNode(value: Value): Lifted | undefined {
    const { node } = value;
    if (node.op === "constant") return { kind: "same", value };
    if (node.inputs.length === 0) return undefined;
    const inputs = node.inputs.map((input) => this.#known.get(input));
    if (!inputs.every((input) => input !== undefined)) return undefined;
    if (inputs.every(({ kind }) => kind === "same")) {
      const { kernel } = opNamed(node.op);
      if (kernel.kind !== "elementwise" && kernel.kind !== "view") return undefined;
      const [same] = reapply(
        node,
        inputs.map((input) => input.value),
      );
      return same === undefined ? undefined : { kind: "same", value: same };
    }
    const stack = buildOn(node.device, () => this.#stack(value, inputs));
    return stack === undefined ? undefined : { kind: "stack", value: stack };
  }

  #stack(value: Value, inputs: readonly Lifted[]): Value | undefined {
    const { node } = value;
    const [first] = inputs as readonly [Lifted];
    const shifted = (name: string): readonly number[] => numbers(node.attributes[name]).map((axis) => axis + 1);
    switch (node.op) {
      case "transpose":
        return transpose(first.value, { permutation: [0, ...shifted("permutation")] });
      case "reshape":
        return reshape(first.value, { shape: [this.#scope.length, ...value.type.shape] });
      case "broadcast_in_dim":
        return broadcastInDim(first.value, {
          shape: [this.#scope.length, ...value.type.shape],
          axes: [0, ...shifted("axes")],
        });
      case "dot_general":
        return this.#product(value, inputs);
      default: {
        const op = opNamed(node.op);
        if (op.kernel.kind !== "elementwise") return undefined;
        const [stack] = reapply(
          node,
          inputs.map((input) => this.#repeated(input)),
        );
        return stack;
      }
    }
  }

  #repeated({ kind, value }: Lifted): Value {
    if (kind === "stack") return value;
    const axes = value.type.shape.map((_, axis) => axis + 1);
    return broadcastInDim(value, { shape: [this.#scope.length, ...value.type.shape], axes });
  }

  /** The iterations are a batch axis where both operands have them, else one more free axis of the one that has. */
  #product({ node, type }: Value, inputs: readonly Lifted[]): Value | undefined {
    const [lhs, rhs] = inputs as readonly [Lifted, Lifted];
    const axes = (name: string, of: Lifted): readonly number[] =>
      numbers(node.attributes[name]).map((axis) => (of.kind === "stack" ? axis + 1 : axis));
    const both = lhs.kind === "stack" && rhs.kind === "stack";
    const batch = both ? [0] : [];
    const product = dotGeneral(lhs.value, rhs.value, {
      lhs_batch: [...batch, ...axes("lhs_batch", lhs)],
      rhs_batch: [...batch, ...axes("rhs_batch", rhs)],
      lhs_contract: axes("lhs_contract", lhs),
      rhs_contract: axes("rhs_contract", rhs),
    });
    if (both) return product;
    // The axis of the iterations comes first among the free axes of its operand.
    const batches = numbers(node.attributes["lhs_batch"]).length;
    const lhsFree = lhs.value.type.shape.length - numbers(node.attributes["lhs_contract"]).length - batches;
    const at = lhs.kind === "stack" ? batches : batches + lhsFree;
    if (at === 0) return product;
    const rank = type.shape.length + 1;
    const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== at);
    return transpose(product, { permutation: [at, ...others] });
  }
}

function numbers(attribute: Parameters<typeof isDimAttribute>[0] | undefined): readonly number[] {
  if (attribute === undefined || !isList(attribute)) return [];
  return attribute.filter((item): item is number => typeof item === "number");
}
