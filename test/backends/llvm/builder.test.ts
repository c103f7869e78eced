import test from "ava";
import { probe } from "../../../compiler/backends/llvm/availability.js";
import type { Builder } from "../../../compiler/backends/llvm/builder.js";
import { loadLibrary } from "../../../compiler/backends/llvm/library.js";
import { allocateNative } from "../../../compiler/backends/llvm/memory.js";
import { ModuleBuilder } from "../../../compiler/backends/llvm/module.js";
import { hostTarget } from "../../../compiler/backends/llvm/target.js";
import { buildLibrary } from "../../../compiler/backends/llvm/toolchain.js";
import { f32, i1, i32, i64, ptr, typeOf } from "../../../compiler/backends/llvm/types.js";
import type { Value } from "../../../compiler/backends/llvm/value.js";
import { InternalError } from "../../../compiler/ir/diagnostic.js";
import { testTargets } from "./harness.js";

const native = probe().available ? test : test.skip;

/** Writes one function with a pointer and an index, and gives what it throws or the finished text. */
function written(body: (b: Builder, block: Value, n: Value) => void): string {
  const module = new ModuleBuilder(hostTarget());
  module.define({ name: "f", parameters: [{ type: ptr }, { type: i64 }], linkage: "export" }, (b, [block, n]) => {
    if (block !== undefined && n !== undefined) body(b, block, n);
  });
  return module.finish().text();
}

native("wrong operands are refused before LLVM sees them", (t) => {
  const wrong: readonly ((b: Builder, block: Value, n: Value) => void)[] = [
    (b, block, n) => b.add(block, n),
    (b, _, n) => b.add(n, b.constant(i32, 1)),
    (b, _, n) => b.fma(n, n, n),
    (b, _, n) => b.div(n, n),
    (b, _, n) => b.and(b.integerToFloat(n, "f32"), b.constant(f32, 1)),
    (b, _, n) => b.select(n, n, n),
    (b, _, n) => b.select(b.constant(typeOf("i1", 4), 1), n, n),
    (b, _, n) => b.load(f32, n),
    (b, block) => b.load(i1, block),
    (b, block) => b.store(b.constant(i1, 1), block),
    (b, block) => b.offsetElements(block, "f32", b.constant(i32, 1)),
    (b, block) => b.extractLane(b.load(typeOf("f32", 4), block), 4),
    (b, block) => b.insertLane(b.load(typeOf("f32", 4), block), b.constant(i32, 0), 0),
    (b, block) => b.shuffle(b.load(typeOf("f32", 4), block), b.load(typeOf("f32", 4), block), [8, 0]),
    (b, block) => b.splat(b.load(typeOf("f32", 4), block), 8),
    (b, _, n) => b.splat(n, 3),
    (b, _, n) => b.bitcast(n, "f32"),
    (b) => b.constant(i32, 0.5),
    (b) => b.constant(ptr, 0),
    (b, _, n) => b.loop(0, n, 0, () => []),
    (b, _, n) => b.loop(0, n, 1, () => [], [n]),
    (b, _, n) => b.loop(0, n, 1, () => [b.constant(i32, 0)], [n]),
    (b, _, n) => b.ifElse(n, () => []),
    (b, _, n) =>
      b.ifElse(
        b.compare("lt", n, n),
        () => [n],
        () => [],
      ),
    (b, _, n) => b.return(n),
    (b) => {
      b.return();
      b.return();
    },
    (b, block, n) => b.loadMasked(typeOf("f32", 8), block, b.compare("lt", n, n)),
    (b, block) => b.gather(typeOf("f32", 8), block, b.constant(typeOf("i32", 8), 0)),
    (b, _, n) => b.call({ signature: { name: "g", parameters: [], linkage: "libc" } }, [n]),
    (b) => b.parameter(2, i64),
  ];
  for (const body of wrong) t.throws(() => written(body), { instanceOf: InternalError }, body.toString());
});

native("names and attributes that LLVM would not parse are refused", (t) => {
  const module = new ModuleBuilder(hostTarget());
  const define = (name: string, extra = {}): void => {
    module.define({ name, parameters: [{ type: i64, ...extra }], linkage: "export" }, () => undefined);
  };
  for (const name of ["", "a b", 'a"', "é", "a\n", "../x", "1a"])
    t.throws(() => define(name), { instanceOf: InternalError });
  t.throws(() => define("attributed", { noalias: true }), { instanceOf: InternalError });
  define("once");
  t.throws(() => define("once"), { instanceOf: InternalError });
  t.throws(() => typeOf("f32", 12), { instanceOf: InternalError });
  t.throws(() => typeOf("f32", 128), { instanceOf: InternalError });
});

native("a module that LLVM refuses says why", (t) => {
  // A value of one function used in another is what only LLVM's verifier sees.
  const module = new ModuleBuilder(hostTarget());
  let stray: Value | undefined;
  module.define({ name: "f", parameters: [{ type: ptr }, { type: i64 }], linkage: "export" }, (b, [, n]) => {
    if (n !== undefined) stray = b.add(n, n);
  });
  module.define({ name: "g", parameters: [{ type: ptr }], linkage: "export" }, (b, [block]) => {
    if (block !== undefined && stray !== undefined) b.store(stray, block);
  });
  const error = t.throws(() => module.finish(), { instanceOf: InternalError });
  t.regex(error?.message ?? "", /module is broken: .*error: /s);
});

native("equal modules are equal texts, whenever they are built", (t) => {
  const make = (): string => written((b, block, n) => b.store(b.splat(n, 4), block));
  t.is(make(), make());
});

/** Runs a body once with an argument block of words, and gives the status. */
async function runOnce(
  level: string,
  words: readonly bigint[],
  body: (b: Builder, block: Value) => Value,
): Promise<number> {
  const module = new ModuleBuilder(hostTarget(level));
  module.define({ name: "entry", parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block !== undefined) b.return(body(b, block));
  });
  const library = loadLibrary((await buildLibrary([module.finish()])).path);
  const block = allocateNative(Math.max(8, words.length * 8));
  const view = block.view("i64", 0, words.length);
  words.forEach((word, index) => {
    view[index] = word;
  });
  const status = library.entry("entry").call(block.address);
  block.free();
  library.unload();
  return status;
}

native("loops carry values, and do nothing where there is nothing to do", async (t) => {
  for (const { level } of testTargets()) {
    const sum = async (from: number, to: number, step: number): Promise<number> =>
      runOnce(level, [BigInt(from), BigInt(to), BigInt(step)], (b, block) => {
        const [first, limit, stride] = [0, 1, 2].map((word) => b.argument(block, word, i64));
        if (first === undefined || limit === undefined || stride === undefined) throw new Error("no bounds");
        const [total] = b.loop(first, limit, stride, (i, [s]) => [b.add(s ?? i, i)], [b.index(100)]);
        return total ?? first;
      });
    t.is(await sum(0, 10, 1), 145);
    t.is(await sum(3, 10, 4), 110);
    t.is(await sum(5, 5, 1), 100);
    t.is(await sum(5, -5, 1), 100);
    t.is(await sum(-3, 0, 1), 94);
  }
});

native("constant loops, branches, while loops and early returns", async (t) => {
  for (const { level } of testTargets()) {
    const constant = await runOnce(level, [], (b) => {
      const [total] = b.loop(0, 6, 2, (i, [s]) => [b.add(s ?? i, i)], [b.index(0)]);
      const [same] = b.loop(4, 4, 1, (i) => [i], [b.index(7)]);
      return b.add(total ?? b.index(0), same ?? b.index(0));
    });
    t.is(constant, 13);
    // Collatz steps of 27, by a while loop with a branch.
    const collatz = await runOnce(level, [27n], (b, block) => {
      const [one, two, three] = [b.index(1), b.index(2), b.index(3)];
      const [, steps] = b.loopWhile(
        [b.argument(block, 0, i64), b.index(0)],
        ([n]) => b.compare("ne", n ?? one, one),
        ([n, count]) => {
          const value = n ?? one;
          const [next] = b.ifElse(
            b.compare("eq", b.remUnsigned(value, two), b.index(0)),
            () => [b.divUnsigned(value, two)],
            () => [b.add(b.mul(value, three), one)],
          );
          return [next ?? value, b.add(count ?? one, one)];
        },
      );
      return steps ?? one;
    });
    t.is(collatz, 111);
    const early = async (x: bigint): Promise<number> =>
      runOnce(level, [x], (b, block) => {
        const value = b.argument(block, 0, i64);
        b.returnIf(b.compare("lt", value, b.index(0)), b.index(-1));
        return b.mul(value, value);
      });
    t.is(await early(-4n), -1);
    t.is(await early(4n), 16);
  }
});

native("constants of every width arrive whole", async (t) => {
  const word = await runOnce(hostTarget().level, [], (b) => b.constant(i64, 0x0123456789abcdefn));
  t.is(word, Number(0x0123456789abcdefn));
  const negative = await runOnce(hostTarget().level, [], (b) => b.constant(i64, -(2n ** 62n) - 1n));
  t.is(negative, Number(-(2n ** 62n) - 1n));
  const isNegativeZero = await runOnce(hostTarget().level, [], (b) => b.bitsOf(b.constant(typeOf("f64"), -0)));
  t.is(isNegativeZero, -(2 ** 63));
});

native("the control word is restored", async (t) => {
  const same = await runOnce(hostTarget().level, [], (b) => {
    const before = b.readControlWord();
    b.withFlushToZero(() => undefined);
    return b.resizeInteger(b.xor(before, b.readControlWord()), "i64");
  });
  t.is(same, 0);
  const inside = await runOnce(hostTarget().level, [], (b) => {
    let seen = b.readControlWord();
    b.withFlushToZero(() => {
      seen = b.readControlWord();
    });
    return b.resizeInteger(b.and(seen, b.constant(i32, 0x8040)), "i64");
  });
  t.is(inside, 0x8040);
});
