import { InternalError } from "../ir/diagnostic.js";
import { type Node, nodesBelow, topologicalOrder, type Value } from "../ir/node.js";
import type { KernelSemantics } from "../ops/define.js";
import { scalarFacts } from "../ops/scalar.js";
import { contractionOf } from "./contractions.js";
import { countReaders, findBroadcast } from "./plan_readers.js";
import { isFallibleRoutine, isStored, semanticsOf } from "./semantics.js";
import { splatOf } from "./splats.js";
import { coarsening, countOf, inputOf, shapeOf } from "./views.js";

/**
 * Which values are computed once, by a loop nest, contraction or routine of their own ("roots"), and which are recomputed inside
 * the expressions of whoever reads them ("inlined"). Roots that end up in one loop body with all their readers are never stored,
 * so being a root costs nothing there; an inlined value costs its arithmetic once for each loop body that mentions it.
 *
 * A value is a root when it must be (reductions, contractions, routines, outputs, assigned values), when it has several readers
 * and is dear, when a broadcast would repeat it, or when its expression grows beyond what one kernel should hold.
 */
export interface Plan {
  readonly order: readonly Node[];
  readonly isRoot: (value: Value) => boolean;
  /** Arithmetic of one element of the inlined expression, in units of an addition. */
  readonly costOf: (value: Value) => number;
  /** Nodes of the inlined expression, or of a root's own. */
  readonly sizeOf: (value: Value) => number;
  /** True when the inlined expression or the root itself can fail the run. */
  readonly mayFail: (value: Value) => boolean;
  /** Why it is a root, or is not. */
  readonly reasonOf: (value: Value) => PlanReason;
}

/** Why a value is computed by itself or where it is read; `plan_reasons.ts` has the words. */
export type PlanReason =
  | "many_arrays"
  | "stored"
  | "cheap"
  | "reduction"
  | "contraction"
  | "assembly"
  | "routine"
  | "region"
  | "scatter"
  | "result"
  | "shared"
  | "repeated"
  | "large"
  | "operand_of_contraction"
  | "operand_of_routine"
  | "operand_of_positions"
  | "operand_of_reshape"
  | "checked_position";

/** Beyond this many nodes an inlined expression becomes a root, so that no kernel and no recursion grows with the graph. */
const largestExpression = 96;
/** What a value with several readers may cost and still be recomputed by each: about one load and two operations. */
const cheap = 3;

export interface PlanLimits {
  /** Arrays that one kernel may read; without it any number. */
  readonly mostInputs?: number;
  /** What takes the place of `cheap` where a kernel more costs much. */
  readonly cheap?: number;
}
/** A contraction's result that is not stored at all is worth more than the loads of its readers. */
const contractionCost = 6;

const randomCost = 40;
/** Elements that share a run-time position from which on it is worth storing. */
const leastRow = 4;

interface Facts {
  readonly root: boolean;
  readonly why: PlanReason;
  readonly cost: number;
  readonly size: number;
  /** The size of the root's own expression, where `size` is that of reading it. */
  readonly ownSize?: number;
  /** Can be computed from a row-major position alone. */
  readonly acceptsPosition: boolean;
  /** The inlined expression draws random numbers. */
  readonly draws: boolean;
  readonly mayFail: boolean;
  /** What the inlined expression reads from memory; kept where it is bounded. */
  readonly sources?: ReadonlySet<Value>;
}

/** What reading a value costs that lies in memory. */
const plain = { cost: 1, size: 1, acceptsPosition: true, draws: false } as const;

/** A `while` may be interrupted: to all that comes after it, that is a failure. */
function regionMayFail(node: Node, checked: (node: Node) => boolean): boolean {
  if (node.op === "while") return true;
  const inside = nodesBelow(node.regions.flatMap((region) => region.results));
  return inside.some((inner) => {
    const { kind } = semanticsOf(inner);
    return inner.op === "while" || kind === "check" || isFallibleRoutine(inner) || checked(inner);
  });
}

/** Decides for every value that the targets need. Linear in the graph. */
export function planRoots(targets: readonly Value[], checked: (node: Node) => boolean, limits: PlanLimits = {}): Plan {
  const sharedCost = limits.cheap ?? cheap;
  const order = topologicalOrder(targets);
  const demanded = new Set(targets);
  const readers = countReaders(order, targets);
  const broadcast = findBroadcast(order);
  const facts = new Map<Value, Facts>();
  const factsOf = (value: Value): Facts => {
    const found = facts.get(value);
    if (found === undefined) throw new InternalError(`${value.node.op} is read before it is planned`);
    return found;
  };
  const makeRoot = (value: Value, why: PlanReason): void => {
    const { size, mayFail } = factsOf(value);
    facts.set(value, {
      root: true,
      why,
      cost: 1,
      size: 1,
      ownSize: size,
      acceptsPosition: true,
      draws: false,
      mayFail,
    });
  };
  // What stands below views is stored: the views are then read through strides.
  const makeRootBelowViews = (viewed: Value, why: PlanReason): void => {
    let value = viewed;
    while (semanticsOf(value.node).kind === "view" && !factsOf(value).root) value = inputOf(value.node, 0);
    if (!isStored(value) && splatOf(value) === undefined) makeRoot(value, why);
  };

  const sourcesOf = (value: Value): ReadonlySet<Value> => {
    if (splatOf(value) !== undefined) return none;
    const { root, sources } = factsOf(value);
    return root || isStored(value) || sources === undefined ? new Set([value]) : sources;
  };
  const union = (inputs: readonly Value[]): ReadonlySet<Value> =>
    new Set(inputs.flatMap((input) => [...sourcesOf(input)]));
  /** Stores operands until what they read together is no more than a kernel may; gives what is read then. */
  const readFew = (inputs: readonly Value[], most: number | undefined): ReadonlySet<Value> | undefined => {
    if (most === undefined) return undefined;
    for (let reading = union(inputs); ; reading = union(inputs)) {
      if (reading.size <= most) return reading;
      const largest = inputs.reduce((a, b) => (sourcesOf(b).size > sourcesOf(a).size ? b : a));
      if (sourcesOf(largest).size <= 1) return reading;
      makeRootBelowViews(largest, "many_arrays");
      if (sourcesOf(largest).size > 1) makeRoot(largest, "many_arrays");
    }
  };

  /** Whether the inlined expression of a value reads another. */
  const reads = (value: Value, wanted: Value): boolean =>
    value === wanted || (!factsOf(value).root && value.node.inputs.some((input) => reads(input, wanted)));

  for (const node of order) {
    const semantics = semanticsOf(node);
    for (const value of node.outputs) {
      if (isStored(value)) {
        facts.set(value, { ...plain, root: false, why: "stored", mayFail: false });
        continue;
      }
      const isApart = ["concatenate", "pad"].includes(semantics.kind);
      const sources = isApart
        ? node.inputs.map((input) => readFew([input], limits.mostInputs && limits.mostInputs - 1))[0]
        : semantics.kind === "routine" || semantics.kind === "region"
          ? undefined
          : readFew(node.inputs, limits.mostInputs);
      const mayFail = node.inputs.some((input) => factsOf(input).mayFail && !factsOf(input).root);
      switch (semantics.kind) {
        case "reduce":
        case "arg_reduce":
        case "concatenate":
        case "pad":
          facts.set(value, {
            ...plain,
            root: true,
            why: semantics.kind === "concatenate" || semantics.kind === "pad" ? "assembly" : "reduction",
            mayFail: mayFail || checked(node),
          });
          break;
        case "routine":
        case "region": {
          for (const input of node.inputs)
            if (!isStored(input) && !factsOf(input).root) makeRoot(input, "operand_of_routine");
          const fails = semantics.kind === "routine" ? semantics.along !== true : regionMayFail(node, checked);
          facts.set(value, { ...plain, root: true, why: semantics.kind, mayFail: fails });
          break;
        }
        case "contract": {
          const asNest = contractionOf(node).asNest;
          // Both operands are read many times: anything but a cheap expression is computed once, beforehand.
          for (const input of node.inputs) {
            const { cost, root } = factsOf(input);
            if (
              !root &&
              !isStored(input) &&
              (cost > 2 * cheap || asNest ? cost > cheap : (readers.get(input) ?? 0) > 1 && cost > 1)
            ) {
              makeRootBelowViews(input, "operand_of_contraction");
            }
          }
          facts.set(value, {
            ...plain,
            root: true,
            why: "contraction",
            cost: asNest ? 1 : contractionCost,
            mayFail: mayFail || checked(node),
          });
          break;
        }
        case "dynamic_store": {
          const [operand, updates, ...positions] = node.inputs;
          for (const input of node.inputs) {
            const { root, mayFail: inlinedMayFail } = factsOf(input);
            // Checked beforehand, so that the update itself can't fail and may be done in a variable.
            if (!root && inlinedMayFail)
              (positions.includes(input) ? makeRootBelowViews : makeRoot)(input, "checked_position");
          }
          // What is read from the operand is read before the first write to it: few rows set aside, instead of a copy of the whole.
          const inlined = updates !== undefined && !factsOf(updates).root && !isStored(updates);
          if (operand !== undefined && inlined && reads(updates, operand)) makeRoot(updates, "operand_of_positions");
          facts.set(value, { ...plain, root: true, why: "scatter", mayFail: false });
          break;
        }
        case "source":
        case "generator":
        case "elementwise":
        case "view":
        case "dynamic_view":
        case "check": {
          if (semantics.kind === "dynamic_view") {
            // Read at run-time positions, some of them many times: anything but a cheap expression is computed beforehand.
            const operand = inputOf(node, 0);
            const { root, cost, mayFail: inlinedMayFail, draws } = factsOf(operand);
            if (!root && !isStored(operand) && (cost > cheap || inlinedMayFail || draws)) {
              makeRoot(operand, "operand_of_positions");
            }
            // Rows are found once: the check is apart from what is done with the elements, which may then write a variable.
            for (const index of node.inputs.slice(1)) {
              const found = factsOf(index);
              if (!found.root && found.mayFail && countOf(value) >= leastRow * countOf(index))
                makeRootBelowViews(index, "checked_position");
            }
          }
          if (node.op === "reshape" && countOf(value) > 1) {
            const operand = inputOf(node, 0);
            const merges = coarsening(shapeOf(value), shapeOf(operand)) === undefined;
            if (merges && !factsOf(operand).acceptsPosition) makeRoot(operand, "operand_of_reshape");
          }
          const inlined = {
            ...inlineFacts(node, value, semantics, factsOf, checked(node)),
            ...(sources && { sources }),
          };
          const shared = (readers.get(value) ?? 0) > 1 && inlined.cost > sharedCost && semantics.kind !== "view";
          const repeated =
            broadcast.has(value) && inlined.cost > sharedCost && countOf(value) > 1 && semantics.kind !== "view";
          const large = inlined.size > largestExpression;
          const why = demanded.has(value)
            ? "result"
            : shared
              ? "shared"
              : repeated
                ? "repeated"
                : large
                  ? "large"
                  : undefined;
          facts.set(
            value,
            why === undefined ? inlined : { ...inlined, ...plain, root: true, why, ownSize: inlined.size },
          );
          break;
        }
        case "composite":
        case "pseudo":
          throw new InternalError(`${node.op} must be expanded before kernels are built`);
      }
    }
  }
  // A splat that is demanded (an output that is constant) is still an expression; its root is a copy, made by the builder.
  return {
    order,
    isRoot: (value) => factsOf(value).root,
    costOf: (value) => factsOf(value).cost,
    sizeOf: (value) => factsOf(value).ownSize ?? factsOf(value).size,
    mayFail: (value) => factsOf(value).mayFail,
    reasonOf: (value) => factsOf(value).why,
  };
}

const none: ReadonlySet<Value> = new Set();

function inlineFacts(
  node: Node,
  value: Value,
  semantics: KernelSemantics,
  factsOf: (value: Value) => Facts,
  isChecked: boolean,
): Facts {
  let cost = 0;
  let size = 1;
  let acceptsPosition = true;
  let draws = false;
  let mayFail = isChecked || semantics.kind === "check";
  for (const input of node.inputs) {
    const facts = factsOf(input);
    cost += splatOf(input) === undefined ? facts.cost : 0;
    size += facts.size;
    acceptsPosition = acceptsPosition && facts.acceptsPosition;
    draws ||= facts.draws;
    mayFail = mayFail || (facts.mayFail && !facts.root);
  }
  switch (semantics.kind) {
    case "elementwise":
      return {
        root: false,
        why: "cheap",
        cost: cost + scalarFacts[semantics.scalar].additions,
        size,
        acceptsPosition,
        draws,
        mayFail,
      };
    case "check":
      return { root: false, why: "cheap", cost: cost + 1, size, acceptsPosition, draws, mayFail };
    case "dynamic_view":
      return {
        root: false,
        why: "cheap",
        cost: cost + 2,
        size,
        acceptsPosition: shapeOf(value).length <= 1,
        draws,
        mayFail,
      };
    case "generator":
      return node.op === "random_uniform"
        ? { root: false, why: "cheap", cost: randomCost, size: size + 1, acceptsPosition: true, draws: true, mayFail }
        : {
            root: false,
            why: "cheap",
            cost: 0,
            size,
            acceptsPosition: shapeOf(value).length <= 1 || countOf(value) <= 1,
            draws,
            mayFail,
          };
    case "view": {
      const operand = inputOf(node, 0);
      const passes = node.op === "reshape" ? acceptsPosition : countOf(operand) <= 1;
      // What a broadcast repeats is computed once outside the loop along which it is repeated.
      const perElement = countOf(value) > countOf(operand) ? Math.min(cost, 1) : cost;
      return { root: false, why: "cheap", cost: perElement, size: size - 1, acceptsPosition: passes, draws, mayFail };
    }
    default:
      return { root: false, why: "cheap", cost: 1, size: 1, acceptsPosition: true, draws: false, mayFail: false };
  }
}
