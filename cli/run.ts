import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import type { Program } from "../compiler/program.js";
import { parseDataArgument } from "../runtime/data/references.js";
import { type NamedTensor, requireTensorFormat, writeTensors } from "../runtime/data/write.js";
import { loadDataset } from "../runtime/dataset.js";
import { Evaluator } from "../runtime/evaluate.js";
import { requireReplaceable, resultFiles } from "../runtime/files/replace.js";
import { type Asked, freeSelection, signatureSelection } from "../runtime/requests.js";
import { isScalar } from "../runtime/result_files.js";
import { Session } from "../runtime/session.js";
import type { Fetched } from "../runtime/typed.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { readFeeds } from "./feeds.js";
import { endingOnSignals } from "./interrupt.js";
import { tensorJson } from "./json.js";
import { type LoadOptions, openModel } from "./load.js";
import { metricText, plural } from "./numbers.js";
import type { Named, TargetOption } from "./options.js";
import { requireApart, requireOutputs, requirePictures } from "./outputs.js";
import type { PlotRequest } from "./plot_option.js";
import { type ProfileOption, profileFiles, requireTraces, showProfile } from "./profile.js";
import { requireFileFirst } from "./signatures.js";
import { openProgram } from "./target.js";
import { tensorText } from "./tensor_text.js";
import { readLiteral } from "./values.js";

export interface RunOptions extends CommonOptions, LoadOptions {
  readonly fetch?: readonly string[] | undefined;
  readonly feed?: Named | undefined;
  readonly data?: Named | undefined;
  readonly batch?: number | undefined;
  readonly weights?: string | undefined;
  readonly output?: Named | undefined;
  readonly seed?: bigint | undefined;
  readonly checkNumerics?: boolean | undefined;
  readonly plot?: readonly PlotRequest[] | undefined;
  readonly profile?: ProfileOption;
  readonly target?: TargetOption | undefined;
}

/** Runs a signature or computes names: once on feeds, or over a whole data set for means and files. */
export async function run(
  console: Console,
  file: string,
  signature: string | undefined,
  options: RunOptions,
): Promise<ExitCode> {
  requireFileFirst(file, signature, "run");
  requireSense(signature, options);
  const formats = [...(options.output?.values() ?? [])].map((path) => [path, requireTensorFormat(path)] as const);
  const plots = (options.plot ?? []).map(({ path }) => path);
  const outputs = [...(options.output?.values() ?? []), ...plots, ...profileFiles(options.profile)];
  const read = [...(options.feed?.values() ?? []), ...(options.data?.values() ?? [])].flatMap(filesRead);
  requireApart(outputs, [file, ...(options.weights === undefined ? [] : [options.weights]), ...read]);
  const model = await openModel(console, file, options);
  await requireOutputs(console, outputs);
  for (const [path, format] of formats) await requireReplaceable(path, resultFiles[format]);
  await requirePictures(plots);
  await requireTraces(profileFiles(options.profile));
  const request = signature ?? options.fetch ?? [];
  const program = await openProgram(console, model, options);
  await using session = new Session(program, { seed: options.seed, weights: options.weights });
  await session.ready;
  const feeds = options.data === undefined ? await readFeeds(model.graph, options.feed) : {};
  const charts = options.plot === undefined ? undefined : await import("./plot.js");
  await charts?.requirePlots(program, askedFor(model.graph, request), feeds, options.plot ?? []);
  const results =
    options.data === undefined
      ? new Map(Object.entries(await session.run(request, feeds)))
      : await evaluate(console, session, request, options.data, options);
  // All charts are drawn before any file is written.
  const drawn = await charts?.drawPlots(options.plot ?? [], results);
  if (options.data === undefined) await writeOutputs(results, options.output);
  if (options.weights === undefined && !console.isJson) await remarkUntrained(console, program, request);
  if (program.backend.counts !== undefined) console.note(`computed on ${program.backend.device}`);
  await charts?.writePlots(console, drawn ?? []);
  if (console.isJson) console.object(new Map([...results].map(([name, tensor]) => [name, tensorJson(tensor)])));
  else show(console, results, options.output ?? new Map(), options.data !== undefined);
  await showProfile(console, session, options.profile);
  return exitCodes.fine;
}

/** The file that a `--feed` or `--data` names, if it does. */
function filesRead(text: string): readonly string[] {
  return readLiteral(text) === undefined ? [parseDataArgument(text).path] : [];
}

function requireSense(signature: string | undefined, options: RunOptions): void {
  if ((signature === undefined) === (options.fetch === undefined)) {
    throw new UsageError(
      signature === undefined
        ? "what to run? Name a signature, or names to compute with --fetch"
        : "a signature and --fetch exclude each other",
    );
  }
  if (options.data !== undefined && options.feed !== undefined) {
    throw new UsageError("--data and --feed exclude each other: --data feeds all placeholders that have no default");
  }
  if (options.data !== undefined && options.plot !== undefined) {
    throw new UsageError(
      "--plot draws the results of one run, and --data gives means: feed the rows to draw with --feed NAME=PATH[a:b]",
    );
  }
  if (options.batch !== undefined && options.data === undefined) throw new UsageError("--batch goes with --data");
}

function askedFor(graph: Graph, request: string | readonly string[]): Asked {
  return typeof request === "string" ? signatureSelection(graph, request) : freeSelection(graph, request);
}

/** Says so where results rest on variables that some update of the graph trains, and that have their first values. */
async function remarkUntrained(console: Console, program: Program, request: string | readonly string[]): Promise<void> {
  const { graph } = program;
  const { variables } = await program.prepare(askedFor(graph, request).selection);
  const updated = new Set(
    [...graph.training.updates.values()].flatMap((one) => one.assignments.map(({ path }) => path)),
  );
  const trained = graph.variables.filter(({ path, trainable }) => trainable && updated.has(path));
  const [first, ...others] = trained.filter(({ path }) => variables.includes(path));
  if (first === undefined) return;
  const which =
    others.length === 0
      ? `${first.path} has its`
      : `${first.path} and ${plural(others.length, "other variable")} have their`;
  const source = graph.train === undefined ? "takes others" : "takes those that `graphc train --save PATH` wrote";
  console.note(
    `${console.paint("yellow", "note", process.stderr)}: ${which} initial value${others.length === 0 ? "" : "s"}; --weights PATH ${source}`,
  );
}

/** Means of the scalars over all rows, in f64; what has a row for each row goes to the files of --output. */
async function evaluate(
  console: Console,
  session: Session,
  request: string | readonly string[],
  data: Named,
  options: RunOptions,
): Promise<ReadonlyMap<string, Fetched>> {
  const { graph, backend } = session.program;
  const references = new Map([...data].map(([name, text]) => [name, parseDataArgument(text)]));
  const asked = askedFor(graph, request);
  const { outputs } = await session.program.prepare(asked.selection);
  const output = options.output ?? new Map<string, string>();
  const others = [
    ...outputs.filter((one) => !isScalar(one)).map(({ name }) => name),
    ...asked.strings.map(([name]) => name),
  ].filter((name) => !output.has(name));
  if (output.size === 0 && others.length === outputs.length + asked.strings.length) {
    throw new UsageError(
      `--data prints means of scalars, and ${typeof request === "string" ? `\`${request}\`` : "what is fetched"} has none; ` +
        "-o NAME=PATH writes the values of all rows to a file, --feed NAME=PATH[a:b] prints those of a few",
    );
  }
  const evaluator = await Evaluator.create(session, asked.selection);
  const dataset = await loadDataset(graph, backend.memory, references, { allow: options.allowPath });
  try {
    const batch = options.batch ?? graph.train?.batch ?? Math.min(Math.max(1, dataset.rows), 1000);
    const means = await endingOnSignals((signal) => evaluator.evaluate(dataset, batch, signal, output));
    if (others.length > 0)
      console.note(`left out, being no scalar${others.length === 1 ? "" : "s"} (-o writes rows): ${others.join(", ")}`);
    if (means.size > 0) console.note(`means over ${plural(dataset.rows, "row")}`);
    return new Map(
      [...means].map(([name, mean]): [string, Fetched] => [
        name,
        { dtype: "f64", shape: [], data: Float64Array.of(mean) },
      ]),
    );
  } finally {
    dataset.free();
  }
}

async function writeOutputs(results: ReadonlyMap<string, Fetched>, outputs: Named | undefined): Promise<void> {
  const tensors = [...(outputs ?? [])].map(([name, path]): NamedTensor => {
    const tensor = results.get(name);
    if (tensor === undefined) {
      const nearest = nearestName(name, results.keys());
      const known = [...results.keys()].map((key) => `\`${key}\``).join(", ");
      const hint = nearest === undefined ? `the results are ${known}` : `did you mean \`${nearest}\`?`;
      throw new GraphError([problem("G083", undefined, `\`${name}\` of --output is no result of this run`, { hint })]);
    }
    if (tensor.dtype === "string") throw new UsageError(`${name} is a string, and tensor files hold numbers`);
    return { path, name, tensor };
  });
  await writeTensors(tensors);
}

/** One scalar or string stands alone; all else stands after its name and type. A mean is rounded: its last digits are noise. */
function show(
  console: Console,
  results: ReadonlyMap<string, Fetched>,
  written: ReadonlyMap<string, string>,
  areMeans: boolean,
): void {
  const shown = [...results].filter(([name]) => !written.has(name));
  for (const [name, path] of written) console.note(`wrote ${name} to ${path}`);
  for (const [name, tensor] of shown) {
    const title = console.paint("bold", name);
    const text = areMeans && tensor.dtype !== "string" ? metricText(Number(tensor.data[0])) : valueText(tensor);
    if (tensor.shape.length > 0) console.print(`${title}: ${tensor.dtype}[${tensor.shape.join(", ")}]\n${text}`);
    else if (results.size === 1) console.print(text);
    else console.print(`${title} = ${tensor.dtype === "string" ? JSON.stringify(text) : text}`);
  }
}

function valueText(tensor: Fetched): string {
  return tensor.dtype === "string" ? tensor.data[0] : tensorText(tensor, process.stdout.columns ?? 100);
}
