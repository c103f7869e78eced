import { leavesOf } from "../../kernels/access.js";
import type { KernelProgram } from "../../kernels/form.js";
import { assemblyFunctions, type Excerpt, hottest, llvmFunctions } from "./excerpt.js";
import { lowerProgram } from "./lower/program.js";
import type { CpuTarget } from "./target.js";

/** What a kernel became: the part of each form where its time goes; undefined where it is no function of its own. */
export interface KernelListing {
  readonly llvm: Excerpt | undefined;
  readonly assembly: Excerpt | undefined;
}

/**
 * Compiles a program to text, and takes from it what people look at, by the kernels' names. Throws GraphError G120 where a tool is
 * missing.
 */
export async function listingsOf(
  program: KernelProgram,
  target: CpuTarget,
): Promise<ReadonlyMap<string, KernelListing>> {
  // Where it is measured, a single kernel is a function of its own too.
  const module = lowerProgram(program, target, { profiled: true }).finish();
  // The tools are not loaded by who only asks for the name of this module.
  const { assemblyOf } = await import("./toolchain.js");
  const llvm = llvmFunctions(module.text());
  const assembly = assemblyFunctions(await assemblyOf(module));
  const excerpt = (lines: readonly string[] | undefined): Excerpt | undefined => lines && hottest(lines);
  return new Map(
    leavesOf([...program.compute, ...program.commit]).map(({ name }, index) => {
      const symbol = `k${index}_${name.slice(0, 60)}`;
      return [name, { llvm: excerpt(llvm.get(symbol)), assembly: excerpt(assembly.get(symbol)) }];
    }),
  );
}
