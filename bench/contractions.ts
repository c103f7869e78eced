import type { Backend } from "../compiler/backends/backend.js";
import type { Computation } from "../compiler/ir/graph.js";
import type { Value } from "../compiler/ir/node.js";
import { SourceTable } from "../compiler/ir/sources.js";
import { opNamed } from "../compiler/ops/table.js";
import { prepare, secondsPerRun } from "./measure.js";

export interface ContractionRow {
  readonly name: string;
  readonly gigaflops: number;
}

/** [m, k, n], and whether each operand is stored transposed. */
export interface ContractionCase {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeLhs?: boolean;
  readonly transposeRhs?: boolean;
}

export const contractionCases: readonly ContractionCase[] = [
  ...[64, 128, 256, 512, 1024].map((size) => ({ m: size, k: size, n: size })),
  { m: 512, k: 512, n: 512, transposeRhs: true },
  { m: 512, k: 512, n: 512, transposeLhs: true },
  { m: 100, k: 784, n: 128 },
  { m: 784, k: 100, n: 10, transposeLhs: true },
  { m: 100, k: 784, n: 10 },
  { m: 784, k: 32, n: 128, transposeLhs: true },
  { m: 32, k: 784, n: 128 },
];

export async function measureContraction(backend: Backend, shape: ContractionCase): Promise<ContractionRow> {
  const { m, k, n, transposeLhs = false, transposeRhs = false } = shape;
  const bench = await prepare(backend, product(shape));
  try {
    const seconds = await secondsPerRun(bench.executable);
    const marks = `${transposeLhs ? " (left transposed)" : ""}${transposeRhs ? " (right transposed)" : ""}`;
    return { name: `${m} x ${k} x ${n}${marks}`, gigaflops: (2 * m * n * k) / seconds / 1e9 };
  } finally {
    bench.close();
  }
}

function product({ m, k, n, transposeLhs = false, transposeRhs = false }: ContractionCase): Computation {
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
