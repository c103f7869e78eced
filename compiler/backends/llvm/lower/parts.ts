import { expressionsOf, forEachExpression, leavesOf } from "../../../kernels/access.js";
import type { KernelProgram, LeafKernel, ScalarExpr } from "../../../kernels/form.js";
import { ModuleBuilder } from "../module.js";
import type { CpuTarget } from "../target.js";
import { lowerProgram } from "./program.js";

/** A program as modules that LLVM works on side by side; the first holds the entry. */
export interface LoweredParts {
  readonly modules: readonly ModuleBuilder[];
  /** What they call of one another. */
  readonly shared: readonly string[];
}

/** Less than this in one part, and starting LLVM's tools once more takes longer than it saves. */
const leastWeight = 150;
const mostParts = 4;

/** As `lowerProgram`; a program with much code comes in parts of about equal work, one for each of LLVM's processes. */
export function lowerInParts(
  program: KernelProgram,
  target: CpuTarget,
  compilers: number,
  profiled = false,
): LoweredParts {
  const weights = leavesOf([...program.compute, ...program.commit]).map(weightOf);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const count = Math.max(1, Math.min(compilers, mostParts, Math.floor(total / leastWeight), weights.length));
  const parts = balance(weights, count);
  const others = Array.from({ length: count - 1 }, () => new ModuleBuilder(target));
  const main = lowerProgram(program, target, { placeOf: (kernel) => others[(parts[kernel] ?? 0) - 1], profiled });
  const modules = [main, ...others];
  return { modules, shared: others.flatMap((module) => module.sharedNames()) };
}

/** Roughly how much code a kernel becomes: a contraction is a tile and its edges, a loop's body stands once for each turn. */
function weightOf(kernel: LeafKernel): number {
  const seen = new Set<ScalarExpr>();
  for (const root of expressionsOf(kernel)) forEachExpression(root, seen, () => undefined);
  return seen.size + (kernel.kind === "nest" ? 10 : 50);
}

/** The part of each weight: the heaviest first, each into the part that is lightest so far. */
function balance(weights: readonly number[], count: number): readonly number[] {
  const sums = Array.from({ length: count }, () => 0);
  const parts = weights.map(() => 0);
  const heaviestFirst = weights.map((_, index) => index).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  for (const index of heaviestFirst) {
    const part = sums.indexOf(Math.min(...sums));
    parts[index] = part;
    sums[part] = (sums[part] ?? 0) + (weights[index] ?? 0);
  }
  return parts;
}
