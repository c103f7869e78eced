import test from "ava";
import { typeOf } from "../../../compiler/backends/llvm/types.js";
import { compileLaneFunctions, type LaneFunction, nativeIsAvailable, testTargets, unary } from "./harness.js";

const native = nativeIsAvailable ? test : test.skip;

native("lanes move where they should", async (t) => {
  const functions = [
    unary("reverse", "i32", "i32", 16, (b, x) => b.reverse(x)),
    unary("sum", "i32", "i32", 16, (b, x) => b.splat(b.reduce("add", x), 16)),
    unary("greatest", "f32", "f32", 16, (b, x) => b.splat(b.reduce("max", x), 16)),
    unary("rejoined", "f64", "f64", 8, (b, x) => b.concatenate(b.half(x, "high"), b.half(x, "low"))),
    unary("numbered", "i32", "i32", 16, (b, x) => b.add(x, b.laneNumbers(x.type))),
    unary("replaced", "i32", "i32", 16, (b, x) => b.insertLane(x, b.extractLane(x, b.index(3)), b.index(5))),
    unary("any", "i32", "i32", 16, (b, x) => {
      const any = b.anyLane(b.compare("gt", x, b.constant(x.type, 100)));
      return b.select(any, b.constant(x.type, 1), b.constant(x.type, 0));
    }),
  ];
  const x = Int32Array.from({ length: 32 }, (_, i) => (i * 37) % 101);
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    const rows = [x.slice(0, 16), x.slice(16)];
    const flat = (f: (row: Int32Array) => ArrayLike<number>): Int32Array =>
      Int32Array.from(rows.flatMap((row) => [...Int32Array.from(f(row))]));
    t.deepEqual(
      applied.apply("reverse", [x]),
      flat((row) => row.slice().reverse()),
    );
    t.deepEqual(
      applied.apply("sum", [x]),
      flat((row) => row.map(() => row.reduce((a, b) => a + b, 0))),
    );
    t.deepEqual(
      applied.apply("numbered", [x]),
      flat((row) => row.map((v, i) => v + i)),
    );
    t.deepEqual(
      applied.apply("replaced", [x]),
      flat((row) => row.map((v, i) => (i === 5 ? (row[3] ?? 0) : v))),
    );
    t.deepEqual(
      applied.apply("any", [x]),
      flat((row) => row.map(() => Number(row.some((v) => v > 100)))),
    );
    const withNaN = Float32Array.from({ length: 32 }, (_, i) => (i === 20 ? Number.NaN : i));
    t.deepEqual(
      applied.apply("greatest", [withNaN]),
      Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 15 : Number.NaN)),
    );
    const doubles = Float64Array.from({ length: 8 }, (_, i) => i);
    t.deepEqual([...applied.apply("rejoined", [doubles])], [4, 5, 6, 7, 0, 1, 2, 3]);
    applied.unload();
  }
});

native("masked, strided, gathered and transposed access touch the right elements", async (t) => {
  const transposed: LaneFunction = unary("transpose", "f32", "f32", 16, (b, x) => {
    // 16 lanes as a 4 x 4 block
    const rows = [0, 1, 2, 3].map((row) =>
      b.shuffle(
        x,
        x,
        [0, 1, 2, 3].map((column) => 4 * row + column),
      ),
    );
    const [p, q, r, s] = b.transpose(rows);
    if (p === undefined || q === undefined || r === undefined || s === undefined) throw new Error("four rows");
    return b.concatenate(b.concatenate(p, q), b.concatenate(r, s));
  });
  const table = "gather";
  const functions: readonly LaneFunction[] = [
    transposed,
    {
      name: table,
      lanes: 16,
      inputs: ["i64"],
      output: "f32",
      emit: (b, [indices]) => {
        if (indices === undefined) throw new Error("indices");
        // The table is the numbers themselves, written to a constant table as doubles' upper words would be.
        const words = b.constantWords(
          "squares",
          Array.from({ length: 8 }, (_, i) => pair(4 * i * i, (2 * i + 1) ** 2)),
        );
        return b.gather(typeOf("f32", 16), words, indices);
      },
    },
    {
      name: "strided",
      lanes: 16,
      inputs: ["i64"],
      output: "f32",
      emit: (b, [x]) => {
        if (x === undefined) throw new Error("operand");
        const words = b.constantWords(
          "squares",
          Array.from({ length: 8 }, (_, i) => pair(4 * i * i, (2 * i + 1) ** 2)),
        );
        const low = b.loadStrided(typeOf("f32", 8), words, 2);
        return b.concatenate(low, b.loadStrided(low.type, words, 0));
      },
    },
    {
      name: "masked",
      lanes: 16,
      inputs: ["i64"],
      output: "f32",
      emit: (b, [x]) => {
        if (x === undefined) throw new Error("operand");
        const words = b.constantWords(
          "squares",
          Array.from({ length: 8 }, (_, i) => pair(4 * i * i, (2 * i + 1) ** 2)),
        );
        const count = b.extractLane(x, 0);
        return b.loadMasked(typeOf("f32", 16), words, b.firstLanes(count, 16));
      },
    },
  ];
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    const block = Float32Array.from({ length: 16 }, (_, i) => i);
    t.deepEqual([...applied.apply("transpose", [block])], [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]);
    const indices = BigInt64Array.from({ length: 16 }, (_, i) => BigInt((i * 5) % 16));
    t.deepEqual(
      [...applied.apply("gather", [indices])],
      [...indices].map((i) => Number(i) ** 2),
    );
    const strided = [0, 4, 16, 36, 64, 100, 144, 196, 0, 0, 0, 0, 0, 0, 0, 0];
    t.deepEqual([...applied.apply("strided", [indices])], strided);
    for (const count of [-3, 0, 1, 7, 16, 99]) {
      const got = applied.apply("masked", [new BigInt64Array(16).fill(BigInt(count))]);
      t.deepEqual(
        [...got],
        Array.from({ length: 16 }, (_, i) => (i < count ? i * i : 0)),
        `${target.level} ${count}`,
      );
    }
    applied.unload();
  }
});

/** Two f32 in one table word. */
function pair(low: number, high: number): bigint {
  const both = new Uint32Array(Float32Array.of(low, high).buffer);
  return (BigInt(both[1] ?? 0) << 32n) | BigInt(both[0] ?? 0);
}
