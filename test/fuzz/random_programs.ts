import type fc from "fast-check";
import { loadSource } from "./load.js";
import { randomProgram } from "./programs.js";
import { type Drawn, Graphs, numbersOf } from "./random_graphs.js";

/** The graphs of random programs. Throws where one is refused: they are made to be well typed. */
export function randomPrograms(): fc.Arbitrary<Drawn> {
  return new Graphs((random) => {
    const text = randomProgram(numbersOf(random));
    const { computation, feeds, contents } = loadSource(text);
    return { asked: computation, feeds, contents, text };
  });
}
