/** Runs many cases as one graph: a compiler's start costs far more than the code of one small graph. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "../../../compiler/backends/backend.js";
import { isFloat } from "../../../compiler/ir/dtype.js";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import { Program } from "../../../compiler/program.js";
import { type Loaded, loadGraphFromText } from "../../../dsl/load.js";
import { Session } from "../../../runtime/session.js";
import { root } from "../../language/harness/folder.js";
import type { Case } from "./cases.js";
import { type Translated, translate } from "./translate.js";
import { numbersOf } from "./view.js";

export type TargetOfCase = "reference" | "cpu";
/** What is wrong with a case on one target; undefined where its results are the expected ones. */
export type Verdicts = ReadonlyMap<string, string | undefined>;

const folder = join(root, "test", "conformance", "onnx");
const library = {
  "operators.graph": functionsOf(join(folder, "operators.graph")),
  "std/convolution": ["local_response_norm"],
};

function functionsOf(file: string): readonly string[] {
  return [...readFileSync(file, "utf8").matchAll(/^fn (\w+)/gm)].map(([, name]) => name ?? "");
}

interface Part {
  readonly one: Case;
  readonly translated: Translated;
}

export function textOf(parts: readonly { readonly translated: Translated }[]): string {
  const used = parts.flatMap(({ translated }) => translated.lines).join("\n  ");
  const imports = Object.entries(library).map(([file, functions]) => {
    const imported = functions.filter((name) => new RegExp(`\\b${name}\\(`).test(used));
    return imported.length === 0 ? "" : `import { ${imported.join(", ")} } from "${file}"\n`;
  });
  return `${imports.join("")}\ngraph cases {\n  ${used}\n}\n`;
}

const loaded = new Map<string, Loaded>();

/** Both targets run the same graphs. */
function load(text: string): Loaded {
  const known = loaded.get(text) ?? loadGraphFromText(text, join(folder, "cases.graph"));
  loaded.set(text, known);
  return known;
}

async function runTogether(parts: readonly Part[], backend: Backend): Promise<Verdicts> {
  const { graph, diagnostics } = load(textOf(parts));
  if (graph === undefined) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("; "));
  await using session = new Session(await Program.create(graph, backend, { checkNumerics: false }));
  const fetches = [...new Set(parts.flatMap(({ translated }) => translated.outputs))];
  const feeds = Object.fromEntries(parts.flatMap(({ translated }) => [...translated.feeds]));
  const fetched = await session.run(fetches, feeds);
  return new Map(
    parts.map(({ one, translated }) => {
      const problems = one.expected.map((expected, i) => {
        const actual = fetched[translated.outputs[i] ?? ""];
        if (actual === undefined || actual.dtype === "string") return `output ${i} is no tensor`;
        const difference = differenceOf(actual, expected);
        return difference === undefined ? undefined : `output ${i} ${difference}`;
      });
      return [one.name, problems.find((problem) => problem !== undefined)];
    }),
  );
}

/** As `runTogether`; where that fails, in halves, so that only the culprit is wrong. */
async function runGroup(parts: readonly Part[], backend: Backend): Promise<Verdicts> {
  try {
    return await runTogether(parts, backend);
  } catch (error) {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      return new Map([[only.one.name, error instanceof Error ? error.message : String(error)]]);
    }
    const middle = Math.ceil(parts.length / 2);
    return new Map([
      ...(await runGroup(parts.slice(0, middle), backend)),
      ...(await runGroup(parts.slice(middle), backend)),
    ]);
  }
}

const casesPerGraph = 48;

/** Each case's verdict. A case that cannot be translated is one whose verdict says so. */
export async function runCases(cases: readonly Case[], backend: Backend): Promise<Verdicts> {
  const verdicts = new Map<string, string | undefined>();
  const parts: Part[] = [];
  for (const one of cases) {
    try {
      parts.push({ one, translated: translate(one, `c${parts.length}_`) });
    } catch (error) {
      verdicts.set(one.name, error instanceof Error ? error.message : String(error));
    }
  }
  const groups = Array.from({ length: Math.ceil(parts.length / casesPerGraph) }, (_, i) =>
    parts.slice(i * casesPerGraph, (i + 1) * casesPerGraph),
  );
  // The passes of one graph run while the tools make code of another.
  const takeGroups = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      for (const [name, verdict] of await runGroup(group, backend)) verdicts.set(name, verdict);
    }
  };
  await Promise.all([takeGroups(), takeGroups()]);
  return verdicts;
}

/** As ONNX's backend tests compare: the dtype and the shape; floats within atol + rtol * |expected|, all else exactly. */
const tolerance = { relative: 1e-3, absolute: 1e-7 };

function differenceOf(actual: Tensor, expected: Tensor): string | undefined {
  if (actual.dtype !== expected.dtype) return `is ${actual.dtype}, not ${expected.dtype}`;
  if (String(actual.shape) !== String(expected.shape)) return `is [${actual.shape}], not [${expected.shape}]`;
  if (!isFloat(expected.dtype)) {
    const wrong = expected.data.findIndex((element, i) => element !== actual.data[i]);
    return wrong < 0 ? undefined : `[${wrong}] is ${actual.data[wrong]}, not ${expected.data[wrong]}`;
  }
  const [got, wanted] = [numbersOf(actual), numbersOf(expected)];
  for (const [i, y] of wanted.entries()) {
    const x = got[i] ?? Number.NaN;
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (!(Math.abs(x - y) <= tolerance.absolute + tolerance.relative * Math.abs(y))) return `[${i}] is ${x}, not ${y}`;
  }
  return undefined;
}
