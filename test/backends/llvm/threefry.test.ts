import test from "ava";
import "../../../compiler/ops/table.js";
import { lowerProgram } from "../../../compiler/backends/llvm/lower/program.js";
import { hostTarget } from "../../../compiler/backends/llvm/target.js";
import { buildKernels } from "../../../compiler/kernels/build.js";
import { trainingStep } from "../loops.js";
import { nativeIsAvailable } from "../support.js";

const native = nativeIsAvailable ? test : test.skip;

/** The functions of a module's text, by name. */
function functionsOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^define [^@]*@([\w.]+)\([\s\S]*?^}/gm);
  return new Map([...found].map(([whole, name = ""]) => [name, whole]));
}

native("the rounds of a scalar draw stand in one function: no loop that LLVM looks into holds them", (t) => {
  const target = hostTarget();
  const program = buildKernels(trainingStep(4), target, { checkNumerics: false });
  const functions = functionsOf(lowerProgram(program, target).finish().text());
  const rounds = [...functions].filter(([, body]) => /xor i32 /.test(body)).map(([name]) => name);
  t.deepEqual(rounds, ["graphc_threefry"]);
  // The row order draws in a loop, and the random op derives its key.
  const callers = [...functions].filter(([, body]) => body.includes("@graphc_threefry(i32 ")).map(([name]) => name);
  t.true(callers.includes("graphc_run"));
  t.true(callers.length >= 3);
});
