import "../ops/table.js";
import { InternalError } from "../ir/diagnostic.js";
import { isFloat } from "../ir/dtype.js";
import type { Computation } from "../ir/graph.js";
import type { Node, Value } from "../ir/node.js";
import { outOfRange } from "../ops/checks.js";
import { writtenBy } from "./access.js";
import { copyStatements, emitAssembly } from "./assemble.js";
import { expandComposites } from "./composites.js";
import { emitContraction } from "./contract_kernels.js";
import { dividesByUnknown, dtypeOf } from "./expressions.js";
import { finishProgram } from "./finish.js";
import type { BufferId, Failure, Kernel, KernelProgram, ProgramOutput } from "./form.js";
import { overwrittenTooEarly } from "./hazards.js";
import { withIndexChecks } from "./index_checks.js";
import { columnMajorRoots } from "./layouts.js";
import { scheduleNest } from "./loops.js";
import { masksFromResults } from "./masks.js";
import { KernelNames, nameOfGroup, spansOfGroup } from "./names.js";
import { type Emission, emitNest } from "./nests.js";
import { orderGroups } from "./order.js";
import { isStored, type Plan, planRoots, semanticsOf } from "./plan.js";
import { type FusionOptions, type Group, type Grouping, groupRoots } from "./regions.js";
import { fillsOneBuffer, makeRoot, type Root } from "./roots.js";
import { emitRoutine } from "./routines.js";
import type { TargetLimits } from "./schedule.js";
import { BufferTable, type Demand, findDemand, Places } from "./storage.js";
import { emitUpdate } from "./updates.js";
import { countOf, numbersAttribute, shapeOf } from "./views.js";

export interface KernelOptions extends Partial<FusionOptions> {
  /** Every float result is checked; the run fails at the first op that makes a NaN or an infinity. */
  readonly checkNumerics: boolean;
}

/**
 * Lowers a specialised computation (static shapes, no pseudo-ops) to kernels with their schedules and memory plan. Throws
 * InternalError for a computation that earlier stages should have refused.
 */
export function buildKernels(given: Computation, target: TargetLimits, options: KernelOptions): KernelProgram {
  const computation = masksFromResults(withIndexChecks(expandComposites(given)));
  const fusion: FusionOptions = { fuseEpilogues: options.fuseEpilogues ?? true, fuseNests: options.fuseNests ?? true };
  const plan = planRoots(
    computation,
    (node) => dividesByUnknown(node) || (options.checkNumerics && makesNonFinite(node)),
  );
  const failures = new Failures(computation, plan, options.checkNumerics);
  const { roots, rootOf, outputs } = makeRoots(computation, plan);
  const grouping = groupRoots(scalarsFirst(roots, rootOf), rootOf, fusion);
  const demand = withRoutines(findDemand(grouping, rootOf));
  const columnMajor = columnMajorRoots(grouping, rootOf, target);

  // An update that can't be done in place is found when its kernel is spelt out; then all is spelt out again with a temporary.
  let demoted: ReadonlySet<string> = new Set(
    roots.filter((root) => root.kind === "routine" || root.kind === "assemble").flatMap((root) => root.assigned),
  );
  for (;;) {
    const order = orderGroups(grouping, rootOf, demoted);
    const emitter = new Emitter(
      computation,
      plan,
      failures,
      grouping,
      rootOf,
      demand,
      order.demoted,
      columnMajor,
      target,
    );
    const compute = order.compute.map((group) => emitter.kernel(group, outputs.names));
    const commit = order.commit.map((group) => emitter.kernel(group, outputs.names));
    const unsafe = emitter.unsafeUpdates([...compute, ...commit]);
    if (unsafe.size > 0) {
      demoted = new Set([...order.demoted, ...unsafe]);
      continue;
    }
    const copies = roots.flatMap((root) => emitter.copies(root));
    return finishProgram({
      name: computation.name,
      buffers: emitter.buffers.all(),
      compute,
      commit: [...commit, ...copies],
      outputs: computation.outputs.map((output): ProgramOutput => {
        const root = outputs.roots.get(output.value);
        if (root === undefined) throw new InternalError(`nothing computes the output ${output.name}`);
        const buffer = emitter.places.primary(root).buffer;
        return { name: output.name, buffer, dtype: dtypeOf(output.value), shape: shapeOf(output.value) };
      }),
      failures: failures.list,
    });
  }

  function withRoutines(found: Demand): Demand {
    const always = roots.filter(fillsOneBuffer);
    return { full: new Set([...found.full, ...always]), local: found.local };
  }
}

/** Ops whose result may be the first that is not finite; the others only pass on what they are given. */
function makesNonFinite(node: Node): boolean {
  const passing = ["select", "neg", "abs", "sign", "maximum", "minimum", "floor", "ceil", "round", "max", "min"];
  const { kind } = semanticsOf(node);
  const dtype = node.outputs[0]?.type.dtype;
  if (dtype === undefined || !isFloat(dtype) || passing.includes(node.op)) return false;
  return kind === "elementwise" || kind === "reduce" || kind === "contract";
}

class Failures {
  readonly list: Failure[] = [];
  readonly #numbers = new Map<Node, number>();
  readonly #computation: Computation;

  /** Numbered in topological order: of several checks that fail, the least number names the op that came first. */
  constructor(computation: Computation, plan: Plan, checkNumerics: boolean) {
    this.#computation = computation;
    for (const node of plan.order) {
      const { kind } = semanticsOf(node);
      if (kind === "check") {
        const size = numbersAttribute(node.attributes, "size")[0] ?? 0;
        this.#add(node, "G086", outOfRange("{value}", size, node.op === "wrap_index" ? -size : 0));
      } else if (isFallible(node)) this.#add(node, "G087", routineMessage(node));
      else if (dividesByUnknown(node)) this.#add(node, "G089", "an integer is divided by zero");
      else if (checkNumerics && makesNonFinite(node))
        this.#add(node, "G110", `\`${node.op}\` makes {value} of finite operands`);
    }
  }

  of(node: Node): number | undefined {
    return this.#numbers.get(node);
  }

  #add(node: Node, code: string, message: string): void {
    this.#numbers.set(node, this.list.length);
    this.list.push({ code, message, spans: this.#computation.sources.spansOf(node) });
  }
}

/** Routines on matrices; those that walk along an axis can do so whatever stands there. */
function isFallible(node: Node): boolean {
  const semantics = semanticsOf(node);
  return semantics.kind === "routine" && semantics.along !== true;
}

function routineMessage(node: Node): string {
  return node.op === "cholesky" ? "the matrix is not positive definite" : `the matrix of ${node.op} is singular`;
}

interface Outputs {
  readonly roots: ReadonlyMap<Value, Root>;
  readonly names: ReadonlyMap<Root, string>;
}

function makeRoots(
  computation: Computation,
  plan: Plan,
): { readonly roots: readonly Root[]; readonly rootOf: ReadonlyMap<Value, Root>; readonly outputs: Outputs } {
  const roots: Root[] = [];
  const rootOf = new Map<Value, Root>();
  const add = (value: Value, copy: boolean): Root => {
    const root = makeRoot(roots.length, value, plan, copy);
    roots.push(root);
    return root;
  };
  for (const node of plan.order) {
    for (const value of node.outputs) {
      // A routine writes all its results, whoever reads them.
      const needed = plan.isRoot(value) || semanticsOf(node).kind === "routine";
      if (needed && !isStored(value)) rootOf.set(value, add(value, false));
    }
  }
  const outputRoots = new Map<Value, Root>();
  const names = new Map<Root, string>();
  for (const { name, value } of computation.outputs) {
    const root = outputRoots.get(value) ?? rootOf.get(value) ?? add(value, true);
    root.output = true;
    outputRoots.set(value, root);
    if (!names.has(root)) names.set(root, name);
  }
  for (const { path, value } of computation.assignments) {
    if (value.node.op === "variable" && value.node.attributes["path"] === path) continue;
    const root = rootOf.get(value) ?? add(value, true);
    root.assigned.push(path);
  }
  return { roots, rootOf, outputs: { roots: outputRoots, names } };
}

/** Single numbers that depend on nothing but single numbers come first: epilogues and updates read them. */
function scalarsFirst(roots: readonly Root[], rootOf: ReadonlyMap<Value, Root>): readonly Root[] {
  const scalars = new Set<Root>();
  for (const root of roots) {
    if (root.iterations !== 1 || fillsOneBuffer(root) || root.kind === "contract") continue;
    const inputs = root.reads.flatMap((read) => rootOf.get(read.value) ?? []);
    if (inputs.every((input) => scalars.has(input))) scalars.add(root);
  }
  return [...roots.filter((root) => scalars.has(root)), ...roots.filter((root) => !scalars.has(root))];
}

/** Spells out kernels for one choice of which updates are in place. */
class Emitter {
  readonly buffers = new BufferTable();
  readonly places: Places;
  readonly #names = new KernelNames();
  readonly #emission: Emission;
  readonly #computation: Computation;
  readonly #plan: Plan;
  readonly #failures: Failures;
  readonly #demoted: ReadonlySet<string>;
  readonly #target: TargetLimits;

  constructor(
    computation: Computation,
    plan: Plan,
    failures: Failures,
    grouping: Grouping,
    rootOf: ReadonlyMap<Value, Root>,
    demand: Demand,
    demoted: ReadonlySet<string>,
    columnMajor: ReadonlySet<Root>,
    target: TargetLimits,
  ) {
    this.#computation = computation;
    this.#plan = plan;
    this.#failures = failures;
    this.#demoted = demoted;
    this.#target = target;
    this.places = new Places(this.buffers, demand, demoted, columnMajor);
    let accumulators = 0;
    this.#emission = {
      environment: {
        plan,
        indexFailure: (node) => this.#failureOf(node),
        divisionFailure: (node) => this.#failureOf(node),
        finiteFailure: (node) => (makesNonFinite(node) ? failures.of(node) : undefined),
      },
      rootOf,
      buffers: this.buffers,
      places: this.places,
      freshAccumulator: () => accumulators++,
    };
    if (grouping.groups.length === 0 && computation.outputs.length > 0)
      throw new InternalError("outputs without kernels");
  }

  kernel(group: Group, outputNames: ReadonlyMap<Root, string>): Kernel {
    const name = this.#names.unique(nameOfGroup(group, outputNames));
    const spans = spansOfGroup(group, this.#plan, this.#computation.sources);
    switch (group.kind) {
      case "nest":
        return scheduleNest(
          { kind: "nest", name, body: emitNest(group, this.#emission), spans },
          this.#target,
          this.#emission,
        );
      case "contract":
        return { name, spans, ...emitContraction(group, this.#emission, this.#target) };
      case "single": {
        const main = group.roots[0];
        if (main === undefined) throw new InternalError("an empty kernel");
        if (main.kind === "routine") {
          const { node } = main.value;
          const failure = isFallible(node) ? this.#failureOf(node) : undefined;
          return { name, spans, ...emitRoutine(group, this.#emission, failure) };
        }
        const body = main.kind === "update" ? emitUpdate(main, this.#emission) : emitAssembly(main, this.#emission);
        return scheduleNest({ kind: "nest", name, body, spans }, this.#target, this.#emission);
      }
    }
  }

  /** Copies of new values that could not be stored in place. */
  copies(root: Root): readonly Kernel[] {
    return root.assigned
      .filter((path) => this.#demoted.has(path))
      .map((path) => {
        const from = this.places.primary(root).buffer;
        const body = copyStatements(
          from,
          this.buffers.variable(path, root.value),
          dtypeOf(root.value),
          countOf(root.value),
        );
        const spans = this.#computation.sources.spansOf(root.value.node);
        const name = this.#names.unique(`${path}_copy`);
        return scheduleNest({ kind: "nest", name, body, spans }, this.#target, this.#emission);
      });
  }

  /** Paths of variables that some kernel overwrites while it still needs their old value. */
  unsafeUpdates(kernels: readonly Kernel[]): ReadonlySet<string> {
    const unsafe = new Set<string>();
    const variables = new Map<BufferId, string>();
    for (const { id, storage } of this.buffers.all()) if (storage.kind === "variable") variables.set(id, storage.path);
    for (const kernel of kernels) {
      const written = new Set([...writtenBy(kernel)].filter((id) => variables.has(id)));
      if (written.size === 0) continue;
      for (const id of overwrittenTooEarly(kernel, written)) {
        const path = variables.get(id);
        if (path !== undefined) unsafe.add(path);
      }
    }
    return unsafe;
  }

  #failureOf(node: Node): number {
    const failure = this.#failures.of(node);
    if (failure === undefined) throw new InternalError(`${node.op} has no failure to report`);
    return failure;
  }
}
