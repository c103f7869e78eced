import test from "ava";
import fc from "fast-check";
import { OffsetMap } from "../../dsl/offset_map.js";

test("an offset map has what a Map has, in the order of the offsets", (t) => {
  const entries = fc.array(fc.tuple(fc.oneof(fc.nat(50), fc.nat(30_000)), fc.nat(9)), { maxLength: 60 });
  fc.assert(
    fc.property(entries, fc.nat(40_000), (all, other) => {
      const [map, wanted] = [new OffsetMap<number>(), new Map<number, number>()];
      for (const [offset, one] of all) {
        map.set(offset, one);
        wanted.set(offset, one);
      }
      const sorted = [...wanted].sort(([a], [b]) => a - b);
      t.deepEqual([...map], sorted);
      const visited: [number, number][] = [];
      map.forEach((one, offset) => visited.push([offset, one]));
      t.deepEqual(visited, sorted);
      t.is(map.size, wanted.size);
      for (const offset of [other, ...wanted.keys()]) {
        t.is(map.get(offset), wanted.get(offset));
        t.is(map.has(offset), wanted.has(offset));
      }
    }),
  );
});
