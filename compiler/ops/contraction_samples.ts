/** Operands for the generated tests of dot_general. */
import type { Contraction } from "./contraction.js";
import { type Draw, drawOrder, drawSizes } from "./draw.js";
import { type Sample, type Samples, uniform } from "./samples.js";

export const contractionSamples: Samples<Contraction> = {
  fixed: [
    dot([], [], {}),
    dot([3], [3], { contract: [[0], [0]] }),
    dot([2], [3], {}),
    dot([2, 3], [3, 4], { contract: [[1], [0]] }),
    dot([2, 3], [4, 3], { contract: [[1], [1]] }),
    dot([3, 2], [3, 4], { contract: [[0], [0]] }),
    dot([2, 0], [0, 3], { contract: [[1], [0]] }),
    dot([0, 2], [2, 3], { contract: [[1], [0]] }),
    dot([1, 1], [1, 1], { contract: [[1], [0]] }),
    dot([2, 3, 4], [2, 4, 2], { batch: [[0], [0]], contract: [[2], [1]] }),
    dot([3, 2, 4], [4, 5, 2], { batch: [[1], [2]], contract: [[2], [0]] }),
    dot([2, 3, 2, 2], [3, 2, 3], {
      contract: [
        [1, 3],
        [0, 1],
      ],
    }),
    dot([2, 3, 2, 2], [2, 2, 3], {
      contract: [
        [3, 1],
        [0, 2],
      ],
    }),
    dot([2, 1, 2, 1, 3], [2, 2, 3], {
      batch: [
        [0, 2],
        [0, 1],
      ],
      contract: [[4], [2]],
    }),
    dot([4], [4], { batch: [[0], [0]] }),
    dot([17, 33], [33, 19], { contract: [[1], [0]] }),
  ],
  random: drawDot,
};

/** Axes of every role, those of each operand in any order, up to five of them. */
function drawDot(draw: Draw): Sample<Contraction> {
  const batch = draw.integer(0, 2);
  const contract = draw.integer(0, 2);
  const free = [draw.integer(0, 5 - batch - contract), draw.integer(0, 5 - batch - contract)] as const;
  // Named by their place in this list, so that an axis of both operands has one size.
  const sizes = drawSizes(draw, batch + contract + free[0] + free[1], 600);
  const shared = Array.from({ length: batch + contract }, (_, i) => i);
  const own = (count: number, first: number): readonly number[] => Array.from({ length: count }, (_, i) => first + i);
  const lhs = drawOrder(draw, [...shared, ...own(free[0], shared.length)]);
  const rhs = drawOrder(draw, [...shared, ...own(free[1], shared.length + free[0])]);
  const places = (operand: readonly number[], names: readonly number[]): readonly number[] =>
    names.map((name) => operand.indexOf(name));
  const shapeOf = (operand: readonly number[]): readonly number[] => operand.map((name) => sizes[name] as number);
  const [batches, contracted] = [shared.slice(0, batch), shared.slice(batch)];
  return dot(shapeOf(lhs), shapeOf(rhs), {
    batch: [places(lhs, batches), places(rhs, batches)],
    contract: [places(lhs, contracted), places(rhs, contracted)],
  });
}

type Pair = readonly [readonly number[], readonly number[]];

function dot(
  lhs: readonly number[],
  rhs: readonly number[],
  { batch = [[], []], contract = [[], []] }: { readonly batch?: Pair; readonly contract?: Pair },
): Sample<Contraction> {
  const fill = uniform(-4, 4);
  return {
    inputs: [
      { shape: lhs, fill },
      { shape: rhs, fill },
    ],
    attributes: { lhs_batch: batch[0], rhs_batch: batch[1], lhs_contract: contract[0], rhs_contract: contract[1] },
  };
}
