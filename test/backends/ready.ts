/** From a graph as it asks for gradients to what back ends are compared on. */
import { differentiate, differentiateValues } from "../../compiler/autodiff/differentiate.js";
import { type Computation, rootsOf } from "../../compiler/ir/graph.js";
import { topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import type { Contents } from "./bound.js";
import { exactValues } from "./exactness.js";

/** A graph, what it is fed, and what its variables start with. */
export interface AskedGraph {
  /** With its gradients as they were asked for. */
  readonly asked: Computation;
  readonly feeds: Contents;
  readonly contents: Contents;
}

export interface ReadyGraph extends AskedGraph {
  /** With its gradients expanded, and nothing else done. */
  readonly computation: Computation;
  /** As the compiler runs it: with the passes before and after gradients are expanded. */
  readonly optimised: Computation;
  /** Values that every back end must have to the last bit. */
  readonly exact: ReadonlySet<Value>;
}

/** Throws where a gradient has no path. */
export function ready(graph: AskedGraph, optimised = withPasses(graph.asked)): ReadyGraph {
  const { asked, feeds, contents } = graph;
  const exact = exactValues(rootsOf(asked));
  const { rewritten } = differentiateValues(rootsOf(asked), new SourceTable());
  const known = topologicalOrder(rootsOf(asked)).flatMap(({ outputs }) => outputs);
  return {
    asked,
    feeds,
    contents,
    computation: expanded(asked),
    optimised,
    // Those of regions stand as they are: a region without gradients is not rebuilt.
    exact: new Set([...exact, ...known.filter((value) => exact.has(value)).map(rewritten)]),
  };
}

function withPasses(asked: Computation): Computation {
  return runPipeline(pipeline, expanded(runPipeline(beforeGradients, asked, { verify: true })), { verify: true });
}

function expanded(asked: Computation): Computation {
  const { computation, diagnostics } = differentiate(asked);
  if (diagnostics.length > 0) throw new NoGradient(diagnostics.map(({ message }) => message).join("; "));
  return computation;
}

/** A gradient that has no path: the language refuses it, so no random graph has it. */
export class NoGradient extends Error {
  override readonly name = "NoGradient";
}
