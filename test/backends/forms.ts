/** What every form of a random graph has to fulfil, whatever it computes. */
import type { CpuTarget } from "../../compiler/backends/llvm/target.js";
import type { Computation } from "../../compiler/ir/graph.js";
import type { Module } from "../../compiler/ir/module.js";
import { parseModule } from "../../compiler/ir/parser.js";
import { printModule } from "../../compiler/ir/printer.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { verify } from "../../compiler/ir/verifier.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { ops } from "../../compiler/ops/table.js";

/** The graph and its kernels verify, and the printed graph parses back to itself: what the cache keeps is that text. */
export function formProblems(computation: Computation, target: CpuTarget): readonly string[] {
  const printed = printModule(moduleOf(computation));
  const again = printModule(parseModule(printed, { ops }));
  return [
    ...verify(computation, ops, { differentiated: true, specialised: true }).map(({ message }) => message),
    ...verifyKernels(buildKernels(computation, target, { checkNumerics: false })).map(({ message }) => message),
    ...(again === printed ? [] : ["the printed graph parses to another one"]),
  ];
}

function moduleOf(computation: Computation): Module {
  const nothing = { placeholders: [], variables: [], outputs: [], assignments: [], sources: new SourceTable() };
  return {
    name: "random",
    file: "random.graph",
    seed: 0n,
    dims: [],
    placeholders: computation.placeholders.map((one) => ({ ...one, hasDefault: false })),
    variables: computation.variables.map((one) => ({ ...one, trainable: true, device: undefined })),
    strings: new Map(),
    constraints: [],
    defaults: { ...nothing, name: "defaults" },
    initial: { ...nothing, name: "initial" },
    computations: [computation],
  };
}
