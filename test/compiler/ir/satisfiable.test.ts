import test from "ava";
import fc from "fast-check";
import {
  type Condition,
  compareDims,
  conditionText,
  decide,
  every,
  relations,
} from "../../../compiler/ir/condition.js";
import { addDims, type Dim, floorDivideDims, moduloDims, multiplyDims, symbol } from "../../../compiler/ir/dim.js";
import { mayHold } from "../../../compiler/ir/satisfiable.js";

const [n, m] = [symbol("N"), symbol("M")];

const dims = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 2 },
    fc.integer({ min: -9, max: 9 }),
    fc.constantFrom<Dim>(n, m),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie("dim"), tie("dim")).map(([a, b]) => multiplyDims(a, b)),
    fc.tuple(tie("dim"), fc.constantFrom<Dim>(2, 3, m, addDims(n, 1))).map(([a, b]) => floorDivideDims(a, b)),
    fc.tuple(tie("dim"), fc.constantFrom<Dim>(2, 3)).map(([a, b]) => moduloDims(a, b)),
  ),
})).dim;

const { condition: conditions } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(dims, fc.constantFrom(...relations), dims).map(([a, relation, b]) => compareDims(a, relation, b)),
    fc.record({
      kind: fc.constantFrom("every" as const, "some" as const),
      conditions: fc.array(tie("condition"), { maxLength: 3 }),
    }),
  ),
}));

function sizesUpTo(mostN: number, mostM: number): readonly ReadonlyMap<string, number>[] {
  const counted = (most: number) => Array.from({ length: most + 1 }, (_, i) => i);
  return counted(mostN).flatMap((N) => counted(mostM).map((M) => new Map(Object.entries({ N, M }))));
}

const bound = fc.integer({ min: 0, max: 7 });

test("within small bounds it says what trying all sizes says", (t) => {
  fc.assert(
    fc.property(conditions, bound, bound, (condition, mostN, mostM) => {
      const wanted = sizesUpTo(mostN, mostM).some((sizes) => decide(condition, sizes) === true);
      t.is(mayHold(condition, new Map(Object.entries({ N: mostN, M: mostM }))), wanted, conditionText(condition));
    }),
    { numRuns: 300 },
  );
});

test("what it refuses for any sizes, no sizes fulfil", (t) => {
  const sizes = sizesUpTo(12, 12);
  fc.assert(
    fc.property(conditions, (condition) => {
      if (mayHold(condition, new Map())) return;
      t.false(
        sizes.some((one) => decide(condition, one) === true),
        conditionText(condition),
      );
    }),
    { numRuns: 300 },
  );
});

test("what no size fulfils is found without trying all: large bounds, and none", (t) => {
  const never: readonly [Condition, number | undefined][] = [
    [compareDims(n, "less", 0), undefined],
    [compareDims(multiplyDims(n, n), "equal", -1), undefined],
    [compareDims(multiplyDims(2, n), "equal", 7), undefined],
    [compareDims(addDims(n, 1), "at_most", 0), undefined],
    [every(compareDims(8, "less", n), compareDims(n, "less", 4)), undefined],
    [every(compareDims(8, "less", n), compareDims(floorDivideDims(n, 2), "equal", 1)), undefined],
    [compareDims(1_000_001, "at_most", n), 1_000_000],
    [compareDims(multiplyDims(n, m), "equal", 5_000_000), 1000],
    [every(compareDims(moduloDims(n, 2), "equal", 0), compareDims(moduloDims(n, 2), "equal", 1)), 4000],
  ];
  for (const [condition, most] of never)
    t.false(
      mayHold(
        condition,
        new Map([
          ["N", most],
          ["M", most],
        ]),
      ),
      conditionText(condition),
    );
});

test("what some sizes fulfil is not refused, however large or many they are", (t) => {
  const sometimes: readonly Condition[] = [
    compareDims(n, "equal", 123_457),
    compareDims(multiplyDims(n, m), "equal", 391),
    compareDims(floorDivideDims(n, m), "equal", 17),
    every(compareDims(moduloDims(n, 7), "equal", 3), compareDims(moduloDims(m, 5), "equal", 4)),
  ];
  for (const condition of sometimes) t.true(mayHold(condition, new Map()), conditionText(condition));
});
