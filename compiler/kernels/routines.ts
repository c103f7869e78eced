import { InternalError } from "../ir/diagnostic.js";
import { byteSize, type NumericDType } from "../ir/dtype.js";
import type { Node, Value } from "../ir/node.js";
import { dtypeOf } from "./expressions.js";
import type { BufferId, RoutineKernel } from "./form.js";
import type { Emission } from "./nests.js";
import type { SingleGroup } from "./regions.js";
import { semanticsOf } from "./semantics.js";
import { inputOf, shapeOf } from "./views.js";

/**
 * A linear-algebra routine on dense operands. Parameters: `batch`, `rows` and `columns` of the first operand, `sides` (columns
 * of the right-hand side) where there is one, and the op's switches as 0 or 1. Scratch: one copy of the first operand of one
 * batch entry, for routines that destroy their operand; a square matrix of the shorter side, for those that gather rotations; and
 * two vectors of the longer side. Each starts at a cache line.
 */
export function emitRoutine(
  group: SingleGroup,
  emission: Emission,
  failure: number | undefined,
  operandAt: (value: Value) => BufferId,
): Omit<RoutineKernel, "name" | "spans"> {
  const main = group.roots[0];
  if (main === undefined) throw new InternalError("an empty routine");
  const { node } = main.value;
  const semantics = semanticsOf(node);
  if (semantics.kind !== "routine") throw new InternalError(`${node.op} is no routine`);
  const operands = node.inputs.map(operandAt);
  const results = node.outputs.map((output) => {
    const root = group.roots.find((candidate) => candidate.value === output);
    if (root === undefined) throw new InternalError(`${node.op} lacks an output`);
    return emission.places.primary(root).buffer;
  });
  if (semantics.along === true)
    return alongAxis(node, semantics.routine, dtypeOf(main.value), operands, results, emission);
  const first = shapeOf(inputOf(node, 0));
  const rows = first.at(-2) ?? 1;
  const columns = first.at(-1) ?? 1;
  const dtype = dtypeOf(main.value);
  const parameters = new Map<string, number>([
    ["batch", first.slice(0, -2).reduce((product, size) => product * size, 1)],
    ["rows", rows],
    ["columns", columns],
  ]);
  const second = node.inputs[1];
  if (second !== undefined) parameters.set("sides", shapeOf(second).at(-1) ?? 1);
  for (const [name, value] of switches(node)) parameters.set(name, value);
  const whole = (elements: number): number => Math.ceil((elements * byteSize(dtype)) / 64) * (64 / byteSize(dtype));
  const gathers = semantics.routine === "svd" || semantics.routine === "eigh";
  const room = whole(rows * columns) + (gathers ? whole(Math.min(rows, columns) ** 2) : 0);
  const scratch = emission.buffers.add(
    dtype,
    room + 2 * whole(Math.max(rows, columns)),
    { kind: "temporary" },
    `${semantics.routine} scratch`,
  );
  return {
    kind: "routine",
    routine: semantics.routine,
    dtype,
    operands,
    results,
    scratch: [scratch],
    parameters,
    failure,
  };
}

/**
 * A routine along one axis. Parameters: how many elements stand before the axis (`batch`), along it (`length`) and after it
 * (`inner`), and the op's switches. A sort has room for two rows of positions.
 */
function alongAxis(
  node: Node,
  routine: string,
  dtype: NumericDType,
  operands: readonly BufferId[],
  results: readonly BufferId[],
  emission: Emission,
): Omit<RoutineKernel, "name" | "spans"> {
  const shape = shapeOf(inputOf(node, 0));
  const axis = Number(node.attributes["axis"]);
  const length = shape[axis] ?? 1;
  const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
  const parameters = new Map<string, number>([
    ["batch", count(shape.slice(0, axis))],
    ["length", length],
    ["inner", count(shape.slice(axis + 1))],
    ...switches(node),
  ]);
  const scratch =
    routine === "argsort" ? [emission.buffers.add(dtype, 2 * length, { kind: "temporary" }, "argsort scratch")] : [];
  return { kind: "routine", routine, dtype, operands, results, scratch, parameters, failure: undefined };
}

function switches(node: Node): readonly (readonly [string, number])[] {
  return Object.entries(node.attributes).flatMap(([name, value]) =>
    typeof value === "boolean" ? [[name, value ? 1 : 0] as const] : [],
  );
}
