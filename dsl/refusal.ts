import type { Diagnostic } from "../compiler/ir/diagnostic.js";

/** Thrown inside the parser with a report that is better than what the grammar alone could say. */
export class Refusal extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}
