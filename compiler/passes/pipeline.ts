import { InternalError } from "../ir/diagnostic.js";
import { type Computation, rootsOf } from "../ir/graph.js";
import { topologicalOrder } from "../ir/node.js";
import { printComputation } from "../ir/printer.js";
import { verify } from "../ir/verifier.js";
import { ops } from "../ops/table.js";
import { regions } from "./blocks.js";
import { debugLevel } from "./debug.js";
import { fold } from "./fold.js";
import type { Pass } from "./rule.js";
import { scatterInto } from "./scatter_into.js";
import { canonicalise, simplify } from "./simplify.js";
import { stabilise, stabiliseForward } from "./stabilise.js";

export type { Pass } from "./rule.js";

/** Before gradients are expanded: they are made of what the safe forms compute. */
export const beforeGradients: readonly Pass[] = [canonicalise, stabiliseForward, regions];

/**
 * After gradients are expanded and dims are bound, in this order, again and again until nothing changes. There is no pass for
 * common subexpressions or dead code: equal nodes are one node by interning, and what no output or assignment reaches is not
 * there, by construction.
 */
export const pipeline: readonly Pass[] = [regions, fold, simplify, stabilise, scatterInto];

/** The passes feed each other; in practice two or three rounds are enough. */
const maximumRounds = 8;

/** What one pass did, for whoever traces. */
export interface PassEvent {
  readonly pass: string;
  readonly round: number;
  readonly seconds: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly changed: boolean;
  /** How often each rule fired. */
  readonly rules: ReadonlyMap<string, number>;
  readonly computation: Computation;
}

export interface PipelineOptions {
  /** Check the form after each pass that changed it; always done from GRAPHC_DEBUG=2 on. Throws InternalError. */
  readonly verify?: boolean;
  /** Told of each pass; without it GRAPHC_DEBUG decides what goes to the standard error stream. */
  readonly trace?: (event: PassEvent) => void;
}

/** Runs the passes until a whole round changes nothing. */
export function runPipeline(
  passes: readonly Pass[],
  computation: Computation,
  options: PipelineOptions = {},
): Computation {
  const level = debugLevel();
  const trace = options.trace ?? (level > 0 ? (event: PassEvent) => printEvent(event, level) : undefined);
  const checked = options.verify === true || level >= 2;
  let current = computation;
  for (let round = 1; round <= maximumRounds; round++) {
    const before = current;
    for (const pass of passes) {
      const next = runPass(pass, current, round, trace);
      if (checked && next !== current) requireValid(pass, next);
      current = next;
    }
    if (current === before) break;
  }
  return current;
}

function runPass(
  pass: Pass,
  before: Computation,
  round: number,
  trace: ((event: PassEvent) => void) | undefined,
): Computation {
  if (trace === undefined) return pass.run(before);
  const fired = new Map<string, number>();
  const start = performance.now();
  const after = pass.run(before, (name) => fired.set(name, (fired.get(name) ?? 0) + 1));
  trace({
    pass: pass.name,
    round,
    seconds: (performance.now() - start) / 1000,
    nodesBefore: topologicalOrder(rootsOf(before)).length,
    nodesAfter: topologicalOrder(rootsOf(after)).length,
    changed: after !== before,
    rules: fired,
    computation: after,
  });
  return after;
}

function requireValid(pass: Pass, computation: Computation): void {
  const problems = verify(computation, ops);
  if (problems.length === 0) return;
  const lines = problems.flatMap(({ message, notes }) => [message, ...notes.map((note) => `    ${note.message}`)]);
  throw new InternalError(`after the pass ${pass.name}:\n${lines.join("\n")}`);
}

function printEvent(event: PassEvent, level: number): void {
  const milliseconds = (event.seconds * 1000).toFixed(1);
  process.stderr.write(`graphc: ${event.computation.name}: ${event.pass} (round ${event.round}) ${milliseconds} ms\n`);
  if (level < 2 || !event.changed) return;
  const fired = [...event.rules].map(([name, count]) => (count === 1 ? name : `${name} x ${count}`));
  process.stderr.write(`  ${event.nodesBefore} -> ${event.nodesAfter} nodes: ${fired.join(", ")}\n`);
  if (level >= 3) process.stderr.write(printComputation(event.computation, { elide: 8 }));
}
