/** All that is wrong with a test file, but for the values of the native back end. */
import type { Backend } from "../../../compiler/backends/backend.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { checksOf, wrongValues } from "./expected.js";
import { formOf } from "./forms.js";
import { directiveText } from "./found.js";
import { directivesOf, type LoadedTest, pathOf } from "./load.js";
import { slopes } from "./numeric.js";
import { failureOn, valuesOn } from "./run.js";
import { numbersOf } from "./values.js";

/** How far a gradient may be from a difference of f64 numbers, relative above 1. */
const differenceTolerance = 1e-6;

export async function problemsOf(file: LoadedTest): Promise<readonly string[]> {
  const problems = [...file.problems, ...diagnosticProblems(file)];
  if (file.directives.length === 0) problems.push("the file expects nothing");
  const cited = directivesOf(file, "from").length > 0;
  if (!cited && file.directives.some(({ kind }) => kind === "expect" || kind === "gradient")) {
    problems.push("a value cites its formula or its tool: `# from: ...`");
  }
  const { graph } = file;
  if (graph === undefined) {
    const idle = file.directives.find(({ kind }) => kind !== "error" && kind !== "warning" && kind !== "from");
    if (idle !== undefined) problems.push(`line ${idle.first + 1}: nothing runs: the file has errors or no graph`);
    return problems;
  }
  if (problems.length > 0) return problems;
  for (const { first, stage, signature, text } of directivesOf(file, "form")) {
    const form = formOf(graph, stage, signature);
    if (form !== text) problems.push(`line ${first + 1}: the form is now (\`make bless\` writes it)\n${form}`);
  }
  return [
    ...problems,
    ...(await valueProblems(file, graph)),
    ...(await failureProblems(file, graph, referenceBackend())),
  ];
}

/** Each diagnostic has its directive, and each directive its diagnostic. */
function diagnosticProblems(file: LoadedTest): readonly string[] {
  const keyOf = (line: number | undefined, text: string): string =>
    `line ${line === undefined ? "?" : line + 1}: ${text}`;
  const found = file.found.map((one) => keyOf(one.line, directiveText(one)));
  const expected = [...directivesOf(file, "error"), ...directivesOf(file, "warning")].map((one) =>
    keyOf(one.place.startsWith("at ") ? one.line : undefined, directiveText({ ...one, severity: one.kind })),
  );
  return [
    ...found.filter((one) => !expected.includes(one)).map((one) => `not expected: ${one}`),
    ...expected.filter((one) => !found.includes(one)).map((one) => `missing: ${one}`),
    ...(found.length !== expected.length && new Set(found).size !== found.length ? ["a diagnostic comes twice"] : []),
  ];
}

async function valueProblems(file: LoadedTest, graph: Graph): Promise<readonly string[]> {
  const checks = checksOf(file);
  const numeric = directivesOf(file, "gradient").filter(({ value }) => value === "numeric");
  const texts = directivesOf(file, "text");
  if (checks.length + numeric.length + texts.length === 0) return [];
  const gradients = numeric.map((one) => file.gradients.get(one) ?? "");
  const found = await valuesOn(file, graph, referenceBackend(), gradients);
  const wrong = [...wrongValues(checks, found.tensors)];
  for (const { line, name, text } of texts) {
    const is = found.texts.get(pathOf(graph, name));
    if (is !== text) wrong.push(`line ${line + 1}: ${name} is ${JSON.stringify(is)}, not ${JSON.stringify(text)}`);
  }
  for (const [i, one] of numeric.entries()) {
    const tensor = found.tensors.get(gradients[i] ?? "");
    const numbers = tensor === undefined ? [] : numbersOf(tensor).map(Number);
    const tolerance = one.within ?? differenceTolerance;
    const expected = slopes(file, graph, one);
    const at = expected.findIndex(
      (y, k) => !(Math.abs(y - (numbers[k] ?? Number.NaN)) <= tolerance * Math.max(1, Math.abs(y))),
    );
    if (at >= 0)
      wrong.push(
        `line ${one.line + 1}: the gradient in ${one.in}: [${at}] is ${numbers[at]}, differences give ${expected[at]}`,
      );
  }
  return wrong;
}

/** Runs that must fail do, with the diagnostic that is written. */
export async function failureProblems(file: LoadedTest, graph: Graph, backend: Backend): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const one of directivesOf(file, "fails")) {
    const found = await failureOn(file, graph, backend, one);
    const wanted = directiveText({ ...one, severity: "error" });
    if (found === undefined) problems.push(`line ${one.line + 1}: ${one.name} does not fail`);
    else if (directiveText(found) !== wanted)
      problems.push(`line ${one.line + 1}: ${one.name} fails with ${directiveText(found)}`);
    else if (!one.ownLine && found.line !== one.line)
      problems.push(`line ${one.line + 1}: ${one.name} fails at line ${(found.line ?? -1) + 1}`);
  }
  return problems;
}
