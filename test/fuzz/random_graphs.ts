/** Random graphs as fast-check draws them, and shrinks them by cutting the graphs themselves. */
import fc from "fast-check";
import { printComputation } from "../../compiler/ir/printer.js";
import { randomGraph } from "../backends/graphs.js";
import type { AskedGraph } from "../backends/ready.js";
import { smaller } from "./smaller.js";

export interface Drawn extends AskedGraph {
  /** What else is chosen with it: which form is compared, and how it is written. It stays when the graph is shrunk. */
  readonly choice: number;
  /** The program that it was made of; not of what it is shrunk to. */
  readonly text?: string | undefined;
}

type Draw = (random: fc.Random) => AskedGraph & { readonly text?: string };

/** Graphs that are drawn so. */
export class Graphs extends fc.Arbitrary<Drawn> {
  readonly #draw: Draw;

  constructor(draw: Draw) {
    super();
    this.#draw = draw;
  }

  override generate(random: fc.Random): fc.Value<Drawn> {
    return valueOf({ ...this.#draw(random), choice: random.nextInt(0, 999_999) });
  }

  override canShrinkWithoutContext(value: unknown): value is Drawn {
    return value === undefined;
  }

  override shrink(value: Drawn): fc.Stream<fc.Value<Drawn>> {
    return fc.stream(shrunk(value));
  }
}

function valueOf({ asked, feeds, contents, choice, text }: Drawn): fc.Value<Drawn> {
  const drawn = {
    asked,
    feeds,
    contents,
    choice,
    text,
    [fc.toStringMethod]: () => printComputation(asked, { elide: 16 }),
  };
  return new fc.Value(drawn, undefined);
}

function* shrunk(value: Drawn): IterableIterator<fc.Value<Drawn>> {
  for (const graph of smaller(value)) yield valueOf({ ...graph, choice: value.choice });
}

export function randomGraphs(): fc.Arbitrary<Drawn> {
  return new Graphs((random) => randomGraph(numbersOf(random)));
}

export function numbersOf(random: fc.Random): readonly number[] {
  const length = random.nextInt(30, 260);
  return Array.from({ length }, () => random.nextInt(0, 5039));
}

/** One graph, which is shrunk like random ones. */
export function shrinkable(graph: AskedGraph): fc.Arbitrary<Drawn> {
  return new Graphs(() => graph);
}
