import test from "ava";
import { cpuBackend } from "../../compiler/backends/llvm/backend.js";
import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import { nativeIsAvailable } from "../backends/support.js";
import { type Case, casesAreThere, casesFolder, readCases } from "./onnx/cases.js";
import { runCases } from "./onnx/run.js";
import { skipped } from "./onnx/skipped.js";

/**
 * ONNX's backend tests: inputs and expected outputs of each of its operators, written by others. A case's operator becomes text
 * of the language by a rule, which runs on the reference and natively.
 */

const cases = casesAreThere ? readCases() : [];
const reasonOf = (one: Case) => skipped.find((skip) => skip.cases.test(one.name))?.reason;
const run = cases.filter((one) => reasonOf(one) === undefined);

// Those that are skipped too: one that passes must not stay in the list.
const reference = runCases(cases, referenceBackend());
const native = nativeIsAvailable ? runCases(run, cpuBackend()) : undefined;

function byOperator(some: readonly Case[]): ReadonlyMap<string, readonly Case[]> {
  const operators = new Map<string, Case[]>();
  for (const one of some) {
    const name = one.model.nodes.length === 1 ? (one.model.nodes[0]?.op ?? "") : "several nodes";
    operators.set(name, [...(operators.get(name) ?? []), one]);
  }
  return operators;
}

for (const [operator, some] of byOperator(run)) {
  const names = new Set(some.map(({ name }) => name));
  const wrong = (verdicts: ReadonlyMap<string, string | undefined>) =>
    [...verdicts].filter(([name, verdict]) => names.has(name) && verdict !== undefined);

  test(`ONNX ${operator}`, async (t) => {
    t.deepEqual(wrong(await reference), [], "on the reference");
    if (native !== undefined) t.deepEqual(wrong(await native), [], "natively");
  });
}

if (casesAreThere) {
  test("every ONNX case runs, or is skipped for a reason that still holds", async (t) => {
    const verdicts = await reference;
    const passing = cases.filter((one) => reasonOf(one) !== undefined && verdicts.get(one.name) === undefined);
    t.deepEqual(
      passing.map(({ name }) => name),
      [],
      "these are listed as skipped, and pass",
    );
    const unused = skipped.filter((skip) => !cases.some((one) => skip.cases.test(one.name)));
    t.deepEqual(unused, [], "these skip no case");
    t.log(`${run.length} of ${cases.length} cases run`);
    for (const { reason } of skipped) {
      t.log(`${cases.filter((one) => reasonOf(one) === reason).length} skipped: ${reason}`);
    }
  });
} else {
  console.log(`the cases of ONNX are not in ${casesFolder} (GRAPHC_ONNX_CASES names another folder)`);
  test.skip("ONNX's cases: their folder is not there", (t) => t.fail());
}
