/** Runs many test files natively in a few modules: a compiler's start costs far more than the code of one small graph. */
import { cpuBackend } from "../../../compiler/backends/llvm/backend.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import type { Computation, Graph } from "../../../compiler/ir/graph.js";
import { rootsOf } from "../../../compiler/ir/graph.js";
import { nodesBelow } from "../../../compiler/ir/node.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { bindDims, dimsOf } from "../../../compiler/ir/specialise.js";
import type { Tensor, TensorData } from "../../../compiler/ir/tensor.js";
import { pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { specialise } from "../../../compiler/passes/specialise.js";
import { evaluateDefaults, prepareComputation } from "../../../compiler/prepare.js";
import { Program } from "../../../compiler/program.js";
import { readFeed } from "../../../runtime/feeds.js";
import { Session } from "../../../runtime/session.js";
import { bindOn, outputsOf } from "../../backends/bound.js";
import { checksOf, feedsOf, updatesOf } from "./expected.js";
import { isolate } from "./isolate.js";
import type { LoadedTest } from "./load.js";

interface Part {
  readonly name: string;
  readonly seed: bigint;
  readonly computation: Computation;
  readonly feeds: ReadonlyMap<string, TensorData>;
  readonly contents: ReadonlyMap<string, TensorData>;
  /** Loops and branches are compiled in a module of their own. */
  readonly alone: boolean;
}

export type Values = ReadonlyMap<string, Tensor>;
export type Results = ReadonlyMap<string, Values | Error>;

async function partOf(name: string, file: LoadedTest, graph: Graph): Promise<Part> {
  const fetches = [...new Set(checksOf(file).map(({ path }) => path))];
  const selected = prepareComputation(graph, { kind: "request", fetches, updates: updatesOf(file) });
  const fed = new Map<string, { readonly shape: readonly number[]; readonly data: TensorData }>(
    evaluateDefaults(graph),
  );
  for (const [placeholder, value] of Object.entries(feedsOf(file))) {
    const declared = graph.placeholders.find((one) => one.name === placeholder);
    if (declared === undefined) throw new Error(`there is no placeholder ${placeholder} to feed`);
    fed.set(placeholder, readFeed(declared, value));
  }
  const sized = specialise(graph, selected, bindDims(graph, dimsOf(selected), fed));
  const prefix = `${name}:`;
  const { computation, opened } = isolate(graph, sized, prefix);
  await using session = new Session(await Program.create(graph, referenceBackend(), { checkNumerics: false }));
  return {
    name,
    seed: graph.seed,
    computation,
    feeds: new Map([
      ...opened,
      ...sized.placeholders.map((one) => [prefix + one.name, fed.get(one.name)?.data as TensorData] as const),
    ]),
    contents: new Map(sized.variables.map((one) => [prefix + one.name, session.get(one.name).data])),
    alone: nodesBelow(rootsOf(sized)).some(({ regions }) => regions.length > 0),
  };
}

async function runParts(parts: readonly Part[]): Promise<Results> {
  const sources = new SourceTable();
  const all: Computation = {
    name: "language",
    placeholders: parts.flatMap(({ computation }) => computation.placeholders),
    variables: parts.flatMap(({ computation }) => computation.variables),
    outputs: parts.flatMap(({ computation }) => computation.outputs),
    assignments: parts.flatMap(({ computation }) => computation.assignments),
    sources,
  };
  const merge = (pick: (part: Part) => ReadonlyMap<string, TensorData>) =>
    new Map(parts.flatMap((part) => [...pick(part)]));
  const bound = await bindOn(
    cpuBackend(),
    runPipeline(pipeline, all),
    merge(({ contents }) => contents),
  );
  try {
    const state = { seed: parts[0]?.seed ?? 0n, step: 0n, runsSinceStep: 0n };
    const outputs = outputsOf(
      bound.executable.run(
        merge(({ feeds }) => feeds),
        state,
      ),
    );
    const tensors = new Map(
      bound.executable.info.outputs.map(({ name, dtype, shape }, i) => [
        name,
        { dtype, shape, data: outputs[i] as TensorData },
      ]),
    );
    return new Map(
      parts.map(({ name, computation }) => [
        name,
        new Map(
          computation.outputs.map((output) => [output.name.slice(name.length + 1), tensors.get(output.name) as Tensor]),
        ),
      ]),
    );
  } finally {
    bound.close();
  }
}

/** As `runParts`; where the module cannot be made or fails, each part by itself, so that only the culprit has no values. */
async function runGroup(parts: readonly Part[]): Promise<Results> {
  try {
    return await runParts(parts);
  } catch (error) {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      return new Map([[only.name, error instanceof Error ? error : new Error(String(error))]]);
    }
    const middle = Math.ceil(parts.length / 2);
    return new Map([...(await runGroup(parts.slice(0, middle))), ...(await runGroup(parts.slice(middle)))]);
  }
}

const filesPerModule = 24;

/** The native values of all files that have some, or why a file has none. */
export async function nativeValues(files: ReadonlyMap<string, LoadedTest>): Promise<Results> {
  const results = new Map<string, Values | Error>();
  const groups = new Map<string, Part[]>();
  for (const [name, file] of files) {
    if (file.graph === undefined || checksOf(file).length === 0) continue;
    try {
      const part = await partOf(name, file, file.graph);
      const key = part.alone ? `alone ${name}` : `seed ${part.seed}`;
      groups.set(key, [...(groups.get(key) ?? []), part]);
    } catch (error) {
      results.set(name, error instanceof GraphError || error instanceof Error ? error : new Error(String(error)));
    }
  }
  const modules = [...groups.values()].flatMap((parts) =>
    Array.from({ length: Math.ceil(parts.length / filesPerModule) }, (_, i) =>
      parts.slice(i * filesPerModule, (i + 1) * filesPerModule),
    ),
  );
  for (const group of await Promise.all(modules.map(runGroup)))
    for (const [name, result] of group) results.set(name, result);
  return results;
}
