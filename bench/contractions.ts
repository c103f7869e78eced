import type { Backend } from "../compiler/backends/backend.js";
import type { Computation } from "../compiler/ir/graph.js";
import type { Value } from "../compiler/ir/node.js";
import { SourceTable } from "../compiler/ir/sources.js";
import { opNamed } from "../compiler/ops/table.js";
import { prepare, type Timing, timeInside } from "./measure.js";

/** [m, k, n], and whether each operand is stored transposed. */
export interface ContractionCase {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeLhs?: boolean;
  readonly transposeRhs?: boolean;
  /** The peers' line of the same product. */
  readonly peer?: string;
}

const peerOf = (m: number, k: number, n: number): string => `W7 gemm ${m}x${k}x${n}`;

/** Products of float32, as they are and as backpropagation needs them. */
export const contractions: readonly ContractionCase[] = [
  ...[64, 256, 1024].map((size) => ({ m: size, k: size, n: size, peer: peerOf(size, size, size) })),
  { m: 512, k: 1024, n: 2048, peer: peerOf(512, 1024, 2048) },
  { m: 100, k: 784, n: 128, peer: peerOf(100, 784, 128) },
  { m: 128, k: 128, n: 128 },
  { m: 512, k: 512, n: 512 },
  { m: 512, k: 512, n: 512, transposeRhs: true },
  { m: 512, k: 512, n: 512, transposeLhs: true },
  { m: 784, k: 100, n: 10, transposeLhs: true },
  { m: 100, k: 784, n: 10 },
  { m: 784, k: 32, n: 128, transposeLhs: true },
  { m: 32, k: 784, n: 128 },
];

export function contractionName({ m, k, n, transposeLhs = false, transposeRhs = false }: ContractionCase): string {
  return `${m} x ${k} x ${n}${transposeLhs ? " (left transposed)" : ""}${transposeRhs ? " (right transposed)" : ""}`;
}

export async function measureContractions(backend: Backend): Promise<readonly Timing[]> {
  const timings: Timing[] = [];
  for (const shape of contractions) {
    const bench = await prepare(backend, product(shape));
    try {
      timings.push(await timeInside(bench.executable));
    } finally {
      bench.close();
    }
  }
  return timings;
}

export function product({ m, k, n, transposeLhs = false, transposeRhs = false }: ContractionCase): Computation {
  const variable = (path: string, shape: readonly number[]): Value =>
    one(opNamed("variable").apply([], { path, dtype: "f32", shape }));
  const a = variable("a", transposeLhs ? [k, m] : [m, k]);
  const b = variable("b", transposeRhs ? [n, k] : [k, n]);
  const c = one(
    opNamed("dot_general").apply([a, b], {
      lhs_batch: [],
      rhs_batch: [],
      lhs_contract: [transposeLhs ? 0 : 1],
      rhs_contract: [transposeRhs ? 1 : 0],
    }),
  );
  return {
    name: "product",
    placeholders: [],
    variables: [
      { name: "a", type: a.type },
      { name: "b", type: b.type },
    ],
    outputs: [{ name: "c", value: c }],
    assignments: [],
    sources: new SourceTable(),
  };
}

function one(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new Error("an op without an output");
  return value;
}
