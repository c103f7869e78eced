import { problem } from "../../ir/codes.js";
import type { DeviceKind } from "../../ir/device.js";
import type { Diagnostic } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import { type Computation, type Parameter, rootsOf } from "../../ir/graph.js";
import { type Node, nodesBelow, topologicalOrder, type Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { buildKernels, type KernelOptions } from "../../kernels/build.js";
import { expandComposites } from "../../kernels/composites.js";
import type { KernelProgram } from "../../kernels/form.js";
import { withIndexChecks } from "../../kernels/index_checks.js";
import type { TargetLimits } from "../../kernels/schedule.js";
import { countOf } from "../../kernels/views.js";
import { numericDType } from "../../ops/precision.js";
import type { Backend, Compiled, CompileOptions } from "../backend.js";
import type { ExecutableInfo, TensorSlot } from "../executable.js";
import { referenceBackend } from "../reference/backend.js";
import { returnsVectors } from "./devices/device.js";
import { DeviceExecutable } from "./executable.js";
import { kernelsOf, mostArrays, type Step } from "./form.js";
import { requireIndexable } from "./indexable.js";
import type { DeviceLease } from "./lease.js";
import { type Lowered, lowerProgram } from "./lower.js";
import type { DeviceRecorder } from "./measured.js";
import { type Part, type Partition, partition, stagesOf } from "./partition.js";
import { type Placement, place } from "./place.js";
import { type RunFlags, withFlags } from "./run_flags.js";
import { sortedByCounting } from "./sorts.js";
import { watched } from "./watch.js";

/** A part of a run, ready for the side that computes it. */
export type CompiledPart =
  | { readonly side: "host"; readonly compiled: Compiled; readonly part: Part }
  | { readonly side: "device"; readonly program: KernelProgram; readonly lowered: Lowered; readonly part: Part };

/** A computation for a device, shared by all sessions that bind it. */
export interface DeviceProgram {
  readonly info: ExecutableInfo;
  readonly parts: readonly CompiledPart[];
  readonly partition: Partition;
  readonly placement: Placement;
  /** Where numbers that are not finite are looked for: what the reference evaluates to name the first. */
  readonly checked: Computation | undefined;
  /** What the device tells of a run apart from its results. */
  readonly flags: readonly RunFlags[];
  /** What the flags tell of. */
  readonly flagged: Computation;
  /** What a recorder of its launches needs, where they are measured. */
  readonly profiled: ConstructorParameters<typeof DeviceRecorder> | undefined;
}

/** There are no registers and caches to schedule for; a kernel more costs much, and each may read few arrays. */
const limits: TargetLimits = {
  vectorBytes: 4,
  registers: 16,
  l1Bytes: 2 ** 30,
  l2Bytes: 2 ** 40,
  l3Bytes: 2 ** 40,
  panels: false,
  mostInputs: mostArrays,
  cheap: 24,
};

const fusion: Partial<KernelOptions> = { single: { mostInputs: mostArrays, longestElement: 2048 } };

/** Elements that the reference evaluator computes sooner than anything could be compiled for. */
const fewElements = 16384;

/** The kernels of a computation's parts. Throws GraphError G102 for a tensor that kernels cannot index. */
export async function compileDevice(
  given: Computation,
  options: CompileOptions,
  lease: DeviceLease,
  host: Backend,
  notice: (note: Diagnostic) => void,
  unplaced: DeviceKind = "gpu",
): Promise<Compiled> {
  const start = performance.now();
  const { computation, flags, placement, partition: cut } = partsOf(given, unplaced, options.checkNumerics);
  const parts: CompiledPart[] = [];
  const onDevice = deviceEdges(cut);
  const profile = options.profile === true;
  for (const part of cut.parts)
    parts.push(await compilePart(part, host, onDevice, returnsVectors(lease.name), profile));
  const programs = parts.flatMap((part) => (part.side === "device" ? [part] : []));
  const arenaBytes = programs.reduce((most, { program }) => Math.max(most, arenaOf(program)), 0);
  const variables = computation.variables.map(slotOf);
  const stored = variables.reduce((sum, { dtype, shape }) => sum + elementCount(shape) * byteSize(dtype), 0);
  const info: ExecutableInfo = {
    target: "gpu",
    placeholders: given.placeholders.map(slotOf),
    variables,
    assigned: given.assignments.map(({ path }) => path),
    outputs: given.outputs.map(({ name, value }) => slotOf({ name, type: value.type })),
    kernels: programs.reduce((sum, { lowered }) => sum + kernelsOf(lowered.steps).length, 0),
    codeBytes: programs.reduce((sum, { lowered }) => sum + codeOf(lowered.steps), 0),
    arenaBytes,
    peakBytes: arenaBytes + stored,
    unbounded: nodesBelow(rootsOf(computation)).some(({ op }) => op === "while"),
    compileSeconds: (performance.now() - start) / 1000,
    cached: false,
  };
  const checked = options.checkNumerics ? given : undefined;
  const constants = programs.reduce((sum, { program }) => sum + constantsOf(program), 0);
  const steps = parts.map((part) => (part.side === "device" ? part.lowered.steps : []));
  const profiled: DeviceProgram["profiled"] = profile ? [steps, { variables: stored, constants }] : undefined;
  const program: DeviceProgram = {
    info,
    parts,
    partition: cut,
    placement,
    checked,
    flags,
    flagged: computation,
    profiled,
  };
  for (const note of notesOf(computation, placement)) notice(note);
  return {
    info,
    saved: undefined,
    bind: (variableBlocks) => new DeviceExecutable(program, variableBlocks, lease),
    close: () => {
      for (const part of parts) if (part.side === "host") part.compiled.close();
    },
  };
}

/** The kernels of one part, for whoever shows them too. Throws GraphError G102 for an array that kernels cannot index. */
export function lowerPart(
  { computation }: Part,
  onDevice: ReadonlySet<string>,
  vectors: boolean,
  observer: Pick<KernelOptions, "observe" | "log"> = {},
): { readonly program: KernelProgram; readonly lowered: Lowered } {
  const program = buildKernels(computation, limits, { ...fusion, ...observer, checkNumerics: false });
  requireIndexable(computation, program);
  return { program, lowered: lowerProgram(program, onDevice, vectors) };
}

/** The edges that parts leave on the device. */
export function deviceEdges({ parts }: Partition): ReadonlySet<string> {
  return new Set(
    parts.flatMap(({ side, computation }) => (side === "device" ? computation.outputs.map(({ name }) => name) : [])),
  );
}

/** A computation as it runs on a device. */
export interface Parts {
  /** With the checks written out, and outputs more than it was given: its flags. */
  readonly computation: Computation;
  readonly flags: readonly RunFlags[];
  readonly partition: Partition;
  readonly placement: Placement;
}

/** The parts of a computation in which a device has a share. `finite`: whether flags tell of numbers that are not finite, too. */
export function partsOf(given: Computation, unplaced: DeviceKind = "gpu", finite = false): Parts {
  const expanded = withIndexChecks(expandComposites(given));
  const plain = withSorts(expanded, place(expanded, unplaced));
  const first = place(plain, unplaced);
  const stages = stagesOf(topologicalOrder(rootsOf(plain)), first);
  const { computation, flags } = withFlags(plain, readChecks(plain, first.checks), finite, (node) => stages.get(node));
  const placement = flags.length === 0 ? first : place(computation, unplaced);
  return { computation, flags, partition: partition(computation, placement), placement };
}

function withSorts(computation: Computation, { sorts }: Placement): Computation {
  if (sorts.size === 0) return computation;
  const instead = (node: Node, [x]: readonly Value[]): readonly Value[] | undefined =>
    sorts.has(node) && x !== undefined ? [sortedByCounting(node, x)] : undefined;
  return watched(computation, () => [], instead).computation;
}

/** Positions that nothing is read or written at are not looked at. */
function readChecks(computation: Computation, checks: ReadonlySet<Node>): ReadonlySet<Node> {
  const hasElements = ({ outputs }: Node): boolean => outputs.some((output) => countOf(output) > 0);
  const nodes = nodesBelow(rootsOf(computation));
  const reading = nodes.filter(hasElements).flatMap(({ inputs }) => inputs);
  const results = [
    ...rootsOf(computation),
    ...nodes.flatMap(({ regions }) => regions.flatMap((region) => region.results)),
  ];
  const operands = new Set([...reading, ...results].map(({ node }) => node));
  return new Set([...checks].filter((node) => operands.has(node)));
}

async function compilePart(
  part: Part,
  host: Backend,
  onDevice: ReadonlySet<string>,
  vectors: boolean,
  profile: boolean,
): Promise<CompiledPart> {
  if (part.side === "device") return { side: "device", part, ...lowerPart(part, onDevice, vectors) };
  const backend = isEvaluated(part) ? referenceBackend() : host;
  return { side: "host", part, compiled: await backend.compile(part.computation, { checkNumerics: false, profile }) };
}

/** Whether the reference evaluates a part of the processor, op by op: it is done before code of it would be there. */
export function isEvaluated({ computation }: Part): boolean {
  const elements = nodesBelow(rootsOf(computation)).reduce(
    (sum, node) => sum + node.outputs.reduce((all, { type }) => all + elementCount(staticShape(type)), 0),
    0,
  );
  return elements <= fewElements;
}

/** A warning for each op that the processor does though the device was asked for: by the target, or where it stands in the text. */
export function notesOf({ sources }: Computation, { reasons }: Placement): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const { node, lacking, reason } of reasons) {
    const inside = lacking === node ? "" : ` as a whole, for ${lackingText(lacking)} in it`;
    const message = `\`${node.op}\` runs on the cpu${inside}: ${reason}`;
    const [outer] = sources.spansOf(node);
    const [span = outer] = sources.spansOf(lacking);
    const notes = inside === "" ? [] : [{ span: outer, message: `this ${node.op}` }];
    // Of those that only the target puts there one stands for all; each statement that is placed is told of.
    const key = node.device === undefined ? message : `${message} ${span?.file} ${span?.start}`;
    if (found.has(key)) continue;
    const hint = node.device === undefined ? undefined : 'placed `on "cpu"` it is computed there without this warning';
    found.set(key, problem("G121", span, message, { severity: "warning", notes, hint }));
  }
  return [...found.values()];
}

/** What in a loop or branch the device lacks. */
export function lackingText({ op }: Node): string {
  return op === "parameter" ? "a value" : `\`${op}\``;
}

function arenaOf({ buffers }: KernelProgram): number {
  return buffers.reduce((sum, { storage, length }) => (storage.kind === "temporary" ? sum + 4 * length : sum), 0);
}

function constantsOf({ buffers }: KernelProgram): number {
  return buffers.reduce((sum, { storage, length }) => (storage.kind === "constant" ? sum + 4 * length : sum), 0);
}

function codeOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    switch (step.kind) {
      case "launch":
        return sum + step.kernel.source.length;
      case "alias":
        return sum;
      case "loop":
        return sum + codeOf(step.body);
      case "while":
        return sum + codeOf(step.condition) + codeOf(step.body);
      case "branch":
        return sum + codeOf(step.whenTrue) + codeOf(step.whenFalse);
    }
  }, 0);
}

function slotOf({ name, type }: Parameter): TensorSlot {
  return { name, dtype: numericDType(type.dtype), shape: staticShape(type) };
}
