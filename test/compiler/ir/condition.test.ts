import test from "ava";
import fc from "fast-check";
import {
  type Condition,
  compareDims,
  conditionText,
  decide,
  dimsIn,
  negated,
  relations,
  undecidedPart,
} from "../../../compiler/ir/condition.js";
import { addDims, type Dim, floorDivideDims, symbol } from "../../../compiler/ir/dim.js";
import { ValueParser } from "../../../compiler/ir/parser-values.js";

const dims = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom<Dim>(symbol("N"), symbol("M"), addDims(symbol("N"), -2), floorDivideDims(symbol("N"), symbol("M"))),
);

const { condition: conditions } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      kind: fc.constant("compare" as const),
      left: dims,
      relation: fc.constantFrom(...relations),
      right: dims,
    }),
    fc.record({
      kind: fc.constantFrom("every" as const, "some" as const),
      conditions: fc.array(tie("condition"), { maxLength: 3 }),
    }),
  ),
}));

/** Sizes that leave nothing open: M divides. */
const sizes = fc
  .record({ N: fc.integer({ min: 0, max: 4 }), M: fc.integer({ min: 1, max: 4 }) })
  .map((each) => new Map(Object.entries(each)));

test("what a condition says is decided by the sizes, and negated by its negation", (t) => {
  fc.assert(
    fc.property(conditions, sizes, (condition, bound) => {
      const holds = decide(condition, bound);
      t.is(typeof holds, "boolean");
      t.is(decide(negated(condition), bound), !holds);
    }),
  );
});

test("what is undecided says the same, and mentions nothing more", (t) => {
  fc.assert(
    fc.property(conditions, sizes, (condition, bound) => {
      const open = undecidedPart(condition);
      if (open === undefined) t.not(decide(condition, new Map()), undefined);
      else {
        t.is(decide(open, bound), decide(condition, bound));
        t.true(dimsIn(open).every((name) => dimsIn(condition).includes(name)));
      }
    }),
  );
});

test("the text of a condition is read back", (t) => {
  fc.assert(
    fc.property(conditions, (condition) => {
      const text = conditionText(condition);
      t.is(conditionText(new ValueParser(text, "a.graph").condition()), text);
    }),
  );
});

test("a dim may be called as a condition is", (t) => {
  const text = "every <= some";
  const read = new ValueParser(text, "a.graph").condition();
  t.deepEqual(read, compareDims(symbol("every"), "at_most", symbol("some")));
});

test("each relation compares as its sign says", (t) => {
  const at = (relation: (typeof relations)[number]) =>
    [1, 2, 3].map((right) => decide(compareDims(2, relation, right), new Map()));
  t.deepEqual(at("equal"), [false, true, false]);
  t.deepEqual(at("unequal"), [true, false, true]);
  t.deepEqual(at("less"), [false, false, true]);
  t.deepEqual(at("at_most"), [false, true, true]);
});

test("what is divided by zero decides nothing", (t) => {
  const condition = compareDims(floorDivideDims(8, symbol("M")), "equal", 8);
  t.is(decide(condition, new Map([["M", 0]])), undefined);
  t.is(decide(condition, new Map([["M", 1]])), true);
});
