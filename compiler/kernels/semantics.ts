import { InternalError } from "../ir/diagnostic.js";
import type { Node, Value } from "../ir/node.js";
import { type KernelSemantics, registeredOps } from "../ops/define.js";
import { splatOf } from "./splats.js";

/** How the kernels stage treats the op of a node: as the op table says. */
export function semanticsOf(node: Node): KernelSemantics {
  const op = registeredOps().get(node.op);
  if (op === undefined) throw new InternalError(`the op ${node.op} is not defined`);
  return op.kernel;
}

/** Storage that exists before the run; a constant whose elements are all equal is a scalar in the code instead. */
export function isStored(value: Value): boolean {
  if (value.node.op === "constant") return splatOf(value) === undefined;
  return value.node.op === "run_state" || semanticsOf(value.node).kind === "source";
}

/** Routines on matrices; those that walk along an axis can do so whatever stands there. */
export function isFallibleRoutine(node: Node): boolean {
  const semantics = semanticsOf(node);
  return semantics.kind === "routine" && semantics.along !== true;
}
