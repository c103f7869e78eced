import { innerKernels, isLeaf, leavesOf, readBy, writtenBy } from "../compiler/kernels/access.js";
import type { Kernel, LeafKernel } from "../compiler/kernels/form.js";
import type { LoggedValue } from "../compiler/kernels/fusion_log.js";
import { workOf } from "../compiler/kernels/work.js";
import type { Located, LoggedPart, LoweredParts } from "./explain_kernels.js";
import type { LoopAround, NumberedKernel } from "./explained.js";

/** A kernel with its number, and the loops and branches that it runs in, the outermost first. */
interface Placed {
  readonly kernel: Kernel;
  readonly number: string;
  readonly around: readonly Placed[];
}

/** The kernels with code that compute a value: of a loop's result all in the loop, those that write the result first. */
export function kernelsOf(logged: LoggedValue, part: LoggedPart): readonly Located[] {
  return logged.kernels.flatMap((name) => {
    const kernel = placedIn(part, 0).find((one) => one.kernel.name === name)?.kernel;
    if (kernel === undefined) return [];
    const makers = makersOf(kernel, logged, part);
    const others = leavesOf([kernel]).filter((leaf) => !makers.includes(leaf));
    return [...makers, ...others].map((leaf) => ({ part, name: leaf.name }));
  });
}

/** The kernels with code in a kernel, or it itself, that compute a value: those with most work first. */
function makersOf(kernel: Kernel, { value }: LoggedValue, { observed, program }: LoggedPart): readonly LeafKernel[] {
  if (isLeaf(kernel)) return [kernel];
  const ids =
    observed
      .get(kernel.name)
      ?.roots.find((root) => root.value === value)
      ?.targets() ?? [];
  const leaves = leavesOf([kernel]);
  const writing = leaves.filter((leaf) => ids.some((id) => writtenBy(leaf).has(id)));
  // What only moves a result to its place was made of no op: the kernel that computes it is the one that says something.
  const makers = leaves.filter((leaf) =>
    writing.some((one) =>
      observed.has(one.name)
        ? one === leaf
        : observed.has(leaf.name) && [...readBy(one)].some((id) => writtenBy(leaf).has(id)),
    ),
  );
  const operations = (leaf: LeafKernel): number => workOf(leaf, program.buffers).operations ?? Number.POSITIVE_INFINITY;
  return makers.sort((a, b) => (operations(a) === operations(b) ? 0 : operations(b) - operations(a)));
}

/** The loop or branch that a value is a result of, else the innermost one around the kernel that computes it. */
export function loopOf(logged: LoggedValue, part: LoggedPart, { parts }: LoweredParts): LoopAround | undefined {
  const before = parts.slice(0, parts.indexOf(part)).reduce((sum, { program }) => sum + outermost(program).length, 0);
  const all = placedIn(part, before);
  const own = all.find(({ kernel }) => kernel.name === logged.kernels[0]);
  if (own === undefined) return undefined;
  const isMaker = !isLeaf(own.kernel);
  const loop = isMaker ? own : own.around.at(-1);
  if (loop === undefined) return undefined;
  const inner = all.filter(({ around }) => around.includes(loop));
  const numbered = (one: Placed): NumberedKernel => numberedKernel(one, part);
  const makers = makersOf(own.kernel, logged, part).map(({ name }) => name);
  return { isMaker, kernel: numbered(loop), inner: inner.map(numbered), makers };
}

function numberedKernel({ kernel, number }: Placed, { program }: LoggedPart): NumberedKernel {
  return {
    number,
    name: kernel.name,
    kind: kernel.kind,
    rounds: kernel.kind === "loop" ? kernel.loop.extent : undefined,
    work: isLeaf(kernel) ? workOf(kernel, program.buffers) : undefined,
  };
}

/** All kernels of a part, in order; `before`: how many run before it. */
function placedIn({ program }: LoggedPart, before: number): readonly Placed[] {
  const placed: Placed[] = [];
  const add = (kernel: Kernel, number: string, around: readonly Placed[]): void => {
    const one: Placed = { kernel, number, around };
    placed.push(one);
    innerKernels(kernel).forEach((inner, i) => {
      add(inner, `${number}.${i + 1}`, [...around, one]);
    });
  };
  outermost(program).forEach((kernel, i) => {
    add(kernel, `${before + i + 1}`, []);
  });
  return placed;
}

function outermost({ compute, commit }: LoggedPart["program"]): readonly Kernel[] {
  return [...compute, ...commit];
}
