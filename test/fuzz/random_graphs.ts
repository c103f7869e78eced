/** Random graphs as fast-check draws them, and shrinks them by cutting the graphs themselves. */
import fc from "fast-check";
import { printComputation } from "../../compiler/ir/printer.js";
import { randomGraph } from "../backends/graphs.js";
import type { AskedGraph } from "../backends/ready.js";
import { smaller } from "./smaller.js";

export interface Drawn extends AskedGraph {
  /** What else is chosen with it: which form is compared, and how it is written. It stays when the graph is shrunk. */
  readonly choice: number;
}

class RandomGraphs extends fc.Arbitrary<Drawn> {
  readonly #outside: boolean;

  constructor(outside: boolean) {
    super();
    this.#outside = outside;
  }

  override generate(random: fc.Random): fc.Value<Drawn> {
    const length = random.nextInt(30, 260);
    const numbers = Array.from({ length }, () => random.nextInt(0, 5039));
    return valueOf({ ...randomGraph(numbers, this.#outside), choice: random.nextInt(0, 999_999) });
  }

  override canShrinkWithoutContext(value: unknown): value is Drawn {
    return value === undefined;
  }

  override shrink(value: Drawn): fc.Stream<fc.Value<Drawn>> {
    return fc.stream(shrunk(value));
  }
}

function valueOf({ asked, feeds, contents, choice }: Drawn): fc.Value<Drawn> {
  const drawn = { asked, feeds, contents, choice, [fc.toStringMethod]: () => printComputation(asked, { elide: 16 }) };
  return new fc.Value(drawn, undefined);
}

function* shrunk(value: Drawn): IterableIterator<fc.Value<Drawn>> {
  for (const graph of smaller(value)) yield valueOf({ ...graph, choice: value.choice });
}

/** `outside` lets positions lie anywhere: most runs fail. */
export function randomGraphs(outside = false): fc.Arbitrary<Drawn> {
  return new RandomGraphs(outside);
}
