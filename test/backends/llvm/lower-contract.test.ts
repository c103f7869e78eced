import test from "ava";
import fc from "fast-check";
import { cpuBackend } from "../../../compiler/backends/llvm/backend.js";
import { type CpuTarget, hostTarget, targetLevels } from "../../../compiler/backends/llvm/target.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import type { Value } from "../../../compiler/ir/node.js";
import { elementCount, type TensorData } from "../../../compiler/ir/tensor.js";
import { buildKernels } from "../../../compiler/kernels/build.js";
import { add, maximum, mul, sub } from "../../../compiler/ops/arithmetic.js";
import { zerosLike } from "../../../compiler/ops/build.js";
import { ge } from "../../../compiler/ops/comparison.js";
import { dotGeneral } from "../../../compiler/ops/contraction.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { select } from "../../../compiler/ops/logic.js";
import { tensorOf } from "../../../compiler/ops/precision.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../../compiler/ops/sources.js";
import { broadcastInDim, reverse, slice, transpose } from "../../../compiler/ops/views.js";
import { computationOf } from "../../kernels/support.js";
import { bindOn, outputsOf, startState } from "../bound.js";
import { bindBoth, nativeIsAvailable } from "../support.js";
import { exact, firstDifference } from "../tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

/** Whole numbers so small that every sum is exact in f32, in whatever order. */
function content(dtype: NumericDType, shape: readonly number[], salt: number): TensorData {
  const at = (i: number): number => (((i + salt) * 7919) % 7) - (dtype === "u8" ? 0 : 3);
  return tensorOf(
    dtype,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => at(i)),
  ).data;
}

interface Product {
  readonly dtype: "f32" | "f64" | "i32" | "i64";
  readonly batch: number | undefined;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lhs: "plain" | "transposed" | "bytes" | "reversed" | "strided" | "computed";
  readonly rhs: Product["lhs"];
  readonly epilogue: "none" | "bias" | "relu" | "mask" | "sums" | "update";
}

/** An operand [batch?, rows, columns] by way of a view, a cast or a computation that packing has to read through. */
function operandOf(
  { dtype, batch }: Product,
  name: string,
  kind: Product["lhs"],
  rows: number,
  columns: number,
  feeds: Map<string, TensorData>,
): Value {
  const outer = batch === undefined ? [] : [batch];
  const feed = (shape: readonly number[], as: NumericDType = dtype): Value => {
    feeds.set(name, content(as, shape, name.length + columns));
    return placeholder({ name, dtype: as, shape });
  };
  const last = outer.length;
  switch (kind) {
    case "plain":
      return feed([...outer, rows, columns]);
    case "transposed":
      return transpose(feed([...outer, columns, rows]), {
        permutation: outer.length === 0 ? [1, 0] : [0, 2, 1],
      });
    case "bytes":
      return cast(feed([...outer, rows, columns], "u8"), { to: dtype });
    case "reversed":
      return reverse(feed([...outer, rows, columns]), { axes: [last + 1] });
    case "strided":
      return slice(feed([...outer, rows + 1, 2 * columns]), {
        start: [...outer.map(() => 0), 1, 0],
        limit: [...outer, rows + 1, 2 * columns],
        strides: [...outer.map(() => 1), 1, 2],
      });
    case "computed": {
      const x = feed([...outer, rows, columns]);
      return sub(mul(x, x), x);
    }
  }
}

function outputsOfProduct(product: Product, feeds: Map<string, TensorData>) {
  const { dtype, batch, m, n, k, epilogue } = product;
  const a = operandOf(product, "a", product.lhs, m, k, feeds);
  const b = operandOf(product, "bb", product.rhs, k, n, feeds);
  const axes = batch === undefined ? { lhs_batch: [], rhs_batch: [] } : { lhs_batch: [0], rhs_batch: [0] };
  const at = batch === undefined ? 0 : 1;
  const y = dotGeneral(a, b, { ...axes, lhs_contract: [at + 1], rhs_contract: [at] });
  const shape = [...(batch === undefined ? [] : [batch]), m, n];
  const biasOf = (): Value => {
    feeds.set("bias", content(dtype, [n], 11));
    return broadcastInDim(placeholder({ name: "bias", dtype, shape: [n] }), { shape, axes: [at + 1] });
  };
  switch (epilogue) {
    case "none":
      return { outputs: { y }, assignments: {} };
    case "bias":
      return { outputs: { y: add(y, biasOf()) }, assignments: {} };
    case "relu":
      return { outputs: { y: maximum(add(y, biasOf()), zerosLike(y)), raw: y }, assignments: {} };
    case "mask": {
      const bias = biasOf();
      // More work than the register tile writes inline.
      const folded = [1, 2, 3, 4, 5].reduce((value) => sub(maximum(value, bias), mul(bias, bias)), add(y, bias));
      return { outputs: { y: select(ge(y, bias), folded, y) }, assignments: {} };
    }
    case "sums":
      return {
        outputs: { rows: sum(y, { axes: [at + 1] }), columns: sum(add(y, y), { axes: [at] }) },
        assignments: {},
      };
    case "update": {
      const w = variable({ path: "w", dtype, shape });
      return { outputs: { y: add(w, y) }, assignments: { w: sub(w, y) } };
    }
  }
}

const size = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65),
  fc.constantFrom(96, 100, 127, 129, 144, 192, 200),
);
const kinds = fc.constantFrom("plain", "transposed", "bytes", "reversed", "strided", "computed" as const);
const products = fc.record<Product>({
  dtype: fc.constantFrom("f32", "f32", "f64", "i32", "i64"),
  batch: fc.option(fc.constantFrom(1, 2, 5), { nil: undefined, freq: 3 }),
  m: size,
  n: size,
  k: size,
  lhs: kinds as fc.Arbitrary<Product["lhs"]>,
  rhs: kinds as fc.Arbitrary<Product["lhs"]>,
  epilogue: fc.constantFrom("none", "bias", "relu", "mask", "sums", "update"),
});

async function check(product: Product, target: CpuTarget): Promise<readonly string[]> {
  const feeds = new Map<string, TensorData>();
  const { outputs, assignments } = outputsOfProduct(product, feeds);
  const computation = computationOf(outputs as Record<string, Value>, assignments);
  const contents = new Map(
    computation.variables.map(({ name, type }) => [name, content(product.dtype, type.shape.map(Number), 5)]),
  );
  const both = await bindBoth(computation, contents, target);
  const expected = outputsOf(both.reference.executable.run(feeds, startState));
  const actual = outputsOf(both.native.executable.run(feeds, startState));
  const found = computation.outputs.flatMap(({ name }, i) => {
    const [x, y] = [actual[i], expected[i]];
    if (x === undefined || y === undefined) return [`${name} is missing`];
    const difference = firstDifference(product.dtype, x, y, { ...exact, zeroSigns: false });
    return difference === undefined ? [] : [`${name} ${difference}`];
  });
  for (const [path, { data }] of both.native.variables) {
    const wanted = both.reference.variables.get(path)?.data;
    const difference = wanted && firstDifference(product.dtype, data, wanted, { ...exact, zeroSigns: false });
    if (difference !== undefined) found.push(`${path} ${difference}`);
  }
  both.close();
  return found;
}

const runs = Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 24);
for (const level of targetLevels) {
  native(`products of any size, through any view and into any epilogue, on ${level}`, async (t) => {
    const numRuns = level === "avx512" ? runs : Math.ceil(runs / 2);
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(products, async (product) => {
        const found = await check(product, hostTarget(level));
        if (found.length > 0) throw new Error(found.join("\n"));
        agreed += 1;
      }),
      { includeErrorInReport: true, numRuns },
    );
    t.is(agreed, numRuns);
  });
}

native("products larger than the caches' blocks", async (t) => {
  const common = { dtype: "f32", batch: undefined, epilogue: "relu", lhs: "plain", rhs: "plain" } as const;
  for (const product of [
    { ...common, m: 300, n: 330, k: 700 },
    { ...common, m: 37, n: 1030, k: 515, lhs: "transposed", rhs: "transposed" },
    { ...common, m: 1030, n: 10, k: 784, lhs: "bytes", epilogue: "bias" },
    { ...common, m: 784, n: 10, k: 100, lhs: "transposed", epilogue: "update" },
    { ...common, m: 1, n: 2000, k: 2000, rhs: "transposed" },
    { ...common, m: 2000, n: 1, k: 300, dtype: "f64" },
  ] satisfies readonly Product[]) {
    t.deepEqual(await check(product, hostTarget("avx512")), [], JSON.stringify(product));
  }
});

native(
  "products whose columns are packed block by block: whole blocks, a shorter last one, and a strip that is not whole",
  async (t) => {
    const caches = { l1Bytes: 4096, l2Bytes: 16_384, l3Bytes: 65_536 };
    const common = {
      dtype: "f32",
      batch: undefined,
      m: 40,
      k: 33,
      epilogue: "none",
      lhs: "plain",
      rhs: "plain",
    } as const;
    for (const level of ["avx2", "avx512"] as const) {
      for (const product of [
        { ...common, n: 1024 },
        { ...common, n: 1500, epilogue: "relu" },
        { ...common, n: 1539, rhs: "transposed", lhs: "computed", epilogue: "mask" },
        { ...common, n: 1100, batch: 3, rhs: "strided", epilogue: "update" },
        { ...common, m: 1290, n: 17, lhs: "transposed", dtype: "f64", epilogue: "sums" },
      ] satisfies readonly Product[]) {
        t.deepEqual(
          await check(product, { ...hostTarget(level), ...caches }),
          [],
          `${level} ${JSON.stringify(product)}`,
        );
      }
    }
  },
);

const longSum = {
  dtype: "f32",
  batch: undefined,
  m: 25,
  n: 38,
  k: 512,
  epilogue: "relu",
  lhs: "plain",
  rhs: "plain",
} as const satisfies Product;
/** Half of such an L2 holds 16 rows of 512 terms. */
const small = { l1Bytes: 8192, l2Bytes: 65_536, l3Bytes: 1 << 20 };

native("long sums of few results, which run in turns", async (t) => {
  for (const level of targetLevels) {
    for (const product of [
      longSum,
      { ...longSum, lhs: "transposed", rhs: "transposed", epilogue: "update" },
      { ...longSum, k: 1280, lhs: "bytes", rhs: "strided", epilogue: "mask" },
      { ...longSum, m: 18, n: 13, dtype: "f64", rhs: "reversed", lhs: "computed", epilogue: "sums" },
    ] satisfies readonly Product[]) {
      const target = { ...hostTarget(level), ...small };
      t.deepEqual(await check(product, target), [], `${level} ${JSON.stringify(product)}`);
    }
  }
});

native("turns change no bit of a long sum", async (t) => {
  const feeds = new Map<string, TensorData>();
  const { outputs } = outputsOfProduct(longSum, feeds);
  for (const data of feeds.values()) {
    if (data instanceof BigInt64Array) continue;
    for (const [i, x] of data.entries()) data[i] = x / (3 + (i % 7));
  }
  const computation = computationOf(outputs as Record<string, Value>);
  const resultFor = async (target: CpuTarget) => {
    const [kernel] = buildKernels(computation, target, { checkNumerics: false }).compute;
    const bound = await bindOn(cpuBackend(target), computation);
    const values = outputsOf(bound.executable.run(feeds, startState));
    bound.close();
    return { turns: kernel?.kind === "contract" ? kernel.schedule.outerDepth : undefined, values };
  };
  const inTurns = await resultFor({ ...hostTarget(), ...small });
  const whole = await resultFor({ ...hostTarget(), ...small, l2Bytes: 1 << 22 });
  t.deepEqual([inTurns.turns, whole.turns], [1, 0]);
  t.deepEqual(inTurns.values, whole.values);
});
