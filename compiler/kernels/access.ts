import { unreachable } from "../ir/diagnostic.js";
import { strideOf } from "./affine.js";
import type {
  Access,
  Affine,
  BufferId,
  ContractKernel,
  Kernel,
  LeafKernel,
  LoopId,
  NestKernel,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "./form.js";

/** The kernels that run inside a kernel, in order; none for one that is code of its own. */
export function innerKernels(kernel: Kernel): readonly Kernel[] {
  switch (kernel.kind) {
    case "loop":
      return kernel.body;
    case "while":
      return [...kernel.condition, ...kernel.body];
    case "branch":
      return [...kernel.whenTrue, ...kernel.whenFalse];
    case "nest":
    case "contract":
    case "routine":
      return [];
    default:
      return unreachable(kernel);
  }
}

export function isLeaf(kernel: Kernel): kernel is LeafKernel {
  return kernel.kind === "nest" || kernel.kind === "contract" || kernel.kind === "routine";
}

/** All code of a list of kernels, those inside loops and branches too. */
export function leavesOf(kernels: readonly Kernel[]): readonly LeafKernel[] {
  return kernels.flatMap((kernel) => (isLeaf(kernel) ? [kernel] : leavesOf(innerKernels(kernel))));
}

/** Calls `visit` for each expression object that `root` reaches, operands first, each object once. Iterative. */
export function forEachExpression(
  root: ScalarExpr,
  seen: Set<ScalarExpr>,
  visit: (expression: ScalarExpr) => void,
): void {
  const stack: { readonly expression: ScalarExpr; entered: boolean }[] = [{ expression: root, entered: false }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (frame.entered || seen.has(frame.expression)) {
      stack.pop();
      if (seen.has(frame.expression)) continue;
      seen.add(frame.expression);
      visit(frame.expression);
      continue;
    }
    frame.entered = true;
    for (const operand of [...operandsOf(frame.expression)].reverse()) {
      if (!seen.has(operand)) stack.push({ expression: operand, entered: false });
    }
  }
}

export function operandsOf(expression: ScalarExpr): readonly ScalarExpr[] {
  switch (expression.kind) {
    case "load":
      return dynamicValues(expression.access);
    case "constant":
    case "index":
    case "accumulated":
      return [];
    case "random":
      return expression.loopIndices;
    case "apply":
      return expression.args;
    case "check_index":
    case "check_finite":
    case "check_nonzero":
      return [expression.value];
  }
}

/** The run-time positions that an access is computed from. */
export function dynamicValues({ dynamic }: Access): readonly ScalarExpr[] {
  return dynamic === undefined ? none : dynamic.map((term) => term.value);
}

const none: readonly ScalarExpr[] = [];

/** The expressions that one statement evaluates, without those of the statements inside it. */
export function expressionsOfStatement(statement: Statement): readonly ScalarExpr[] {
  switch (statement.kind) {
    case "loop":
      return none;
    case "store":
      return statement.target.dynamic === undefined
        ? [statement.value]
        : [statement.value, ...dynamicValues(statement.target)];
    case "accumulate":
      return statement.index === undefined ? [statement.value] : [statement.value, statement.index];
  }
}

/** Whether an expression may differ between iterations of a loop; a reduction's result is taken to. */
export function variesAlong(root: ScalarExpr, loop: LoopId): boolean {
  let found = false;
  forEachExpression(root, new Set(), (e) => {
    if (e.kind === "load") found ||= mentions(e.access.index, loop);
    else if (e.kind === "index") found ||= mentions(e.value, loop);
    else if (e.kind === "random") found ||= mentions(e.position, loop);
    else if (e.kind === "accumulated") found = true;
  });
  return found;
}

/** The step in elements from iteration to iteration of a loop; undefined where a run-time position decides. */
export function strideAlong(access: Access, loop: LoopId): number | undefined {
  if (dynamicValues(access).some((value) => variesAlong(value, loop))) return undefined;
  return strideOf(access.index, loop);
}

/** Statements of a nest with the loops around them, in order of execution. */
export function forEachStatement(
  body: readonly Statement[],
  visit: (statement: Statement, loops: readonly LoopId[]) => void,
  loops: readonly LoopId[] = [],
): void {
  for (const statement of body) {
    visit(statement, loops);
    if (statement.kind === "loop") forEachStatement(statement.body, visit, [...loops, statement.id]);
  }
}

/** The expressions that a kernel evaluates, in order. */
export function expressionsOf(kernel: Kernel): readonly ScalarExpr[] {
  switch (kernel.kind) {
    case "nest": {
      const found: ScalarExpr[] = [];
      forEachStatement(kernel.body, (statement) => {
        found.push(...expressionsOfStatement(statement));
      });
      return found;
    }
    case "contract":
      return [kernel.lhs, kernel.rhs, ...kernel.epilogue.flatMap(expressionsOfStatement)];
    case "routine":
      return [];
    case "loop":
    case "while":
    case "branch":
      return innerKernels(kernel).flatMap(expressionsOf);
  }
}

export function storesOf(kernel: Kernel): readonly Access[] {
  switch (kernel.kind) {
    case "nest": {
      const found: Access[] = [];
      forEachStatement(kernel.body, (statement) => {
        if (statement.kind === "store") found.push(statement.target);
      });
      return found;
    }
    case "contract":
      return kernel.epilogue.map((store) => store.target);
    case "routine":
      return [];
    case "loop":
    case "while":
    case "branch":
      return innerKernels(kernel).flatMap(storesOf);
  }
}

export function loadsOf(kernel: Kernel): readonly Access[] {
  const found: Access[] = [...predicatesOf(kernel)];
  const seen = new Set<ScalarExpr>();
  for (const root of expressionsOf(kernel)) {
    forEachExpression(root, seen, (expression) => {
      if (expression.kind === "load") found.push(expression.access);
    });
  }
  return found;
}

/** What decides how often, or which, inner kernels run. */
function predicatesOf(kernel: Kernel): readonly Access[] {
  const own = kernel.kind === "while" || kernel.kind === "branch" ? [kernel.predicate] : [];
  return [...own, ...innerKernels(kernel).flatMap(predicatesOf)];
}

/** Buffers that a kernel writes. */
export function writtenBy(kernel: Kernel): ReadonlySet<BufferId> {
  if (!isLeaf(kernel)) return new Set(innerKernels(kernel).flatMap((inner) => [...writtenBy(inner)]));
  if (kernel.kind === "routine") return new Set([...kernel.results, ...kernel.scratch]);
  const stored = storesOf(kernel).map((access) => access.buffer);
  return new Set(kernel.kind === "contract" ? [...stored, ...kernel.scratch] : stored);
}

/** Buffers that a kernel reads, those among them that it wrote itself. */
export function readBy(kernel: Kernel): ReadonlySet<BufferId> {
  if (!isLeaf(kernel))
    return new Set([
      ...predicatesOf(kernel).map(({ buffer }) => buffer),
      ...innerKernels(kernel).flatMap((inner) => [...readBy(inner)]),
    ]);
  if (kernel.kind === "routine") return new Set(kernel.operands);
  const read = new Set<BufferId>();
  const seen = new Set<ScalarExpr>();
  for (const root of readExpressionsOf(kernel))
    forEachExpression(root, seen, (expression) => {
      if (expression.kind === "load") read.add(expression.access.buffer);
    });
  if (kernel.kind === "contract" && kernel.panel !== undefined) read.add(kernel.panel.buffer);
  const combine = ({ combiner, target }: StoreStatement): void => {
    if (combiner !== undefined) read.add(target.buffer);
  };
  if (kernel.kind === "contract") kernel.epilogue.forEach(combine);
  else
    forEachStatement(kernel.body, (statement) => {
      if (statement.kind === "store") combine(statement);
    });
  return read;
}

/** Without the operand of which a panel is there already. */
function readExpressionsOf(kernel: NestKernel | ContractKernel): readonly ScalarExpr[] {
  if (kernel.kind === "nest" || kernel.panel === undefined) return expressionsOf(kernel);
  const { schedule, lhs, rhs, epilogue } = kernel;
  return [schedule.vectorAxis === "n" ? lhs : rhs, ...epilogue.flatMap(expressionsOfStatement)];
}

/** Buffers that a kernel reads, writes or uses as scratch. */
export function buffersOf(kernel: Kernel): ReadonlySet<BufferId> {
  const all = new Set(writtenBy(kernel));
  for (const leaf of leavesOf([kernel])) {
    if (leaf.kind === "routine") for (const id of leaf.operands) all.add(id);
    if (leaf.kind === "contract" && leaf.panel !== undefined) all.add(leaf.panel.buffer);
  }
  for (const access of loadsOf(kernel)) all.add(access.buffer);
  return all;
}

/** Whether the kernel draws random numbers, and so needs the run's state. */
export function usesRandom(kernel: Kernel): boolean {
  const seen = new Set<ScalarExpr>();
  let found = false;
  for (const root of expressionsOf(kernel)) {
    forEachExpression(root, seen, (expression) => {
      if (expression.kind === "random") found = true;
    });
  }
  return found;
}

/** Whether the kernel has a loop of which nobody knows when it ends: a run can be told to leave it. */
export function isUnbounded(kernel: Kernel): boolean {
  return kernel.kind === "while" || (!isLeaf(kernel) && innerKernels(kernel).some(isUnbounded));
}

/** Whether evaluating the kernel may end the run: a check fails, or an unbounded loop is interrupted. */
export function canFail(kernel: Kernel): boolean {
  if (kernel.kind === "while") return true;
  if (!isLeaf(kernel)) return innerKernels(kernel).some(canFail);
  if (kernel.kind === "routine") return kernel.failure !== undefined;
  const seen = new Set<ScalarExpr>();
  let found = false;
  for (const root of expressionsOf(kernel)) {
    forEachExpression(root, seen, (expression) => {
      if (isCheck(expression)) found = true;
    });
  }
  return found;
}

export function isCheck(expression: ScalarExpr): boolean {
  return expression.kind === "check_index" || expression.kind === "check_finite" || expression.kind === "check_nonzero";
}

export function mentions(index: Affine, loop: LoopId): boolean {
  return index.terms.some((term) => term.loop === loop);
}
