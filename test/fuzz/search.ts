/** Looks for a random graph at fault, and leaves the smallest one as a `.graph` file that shows it. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { AskedGraph } from "../backends/ready.js";
import type { Fault, FileFault } from "./compare.js";
import { type Drawn, shrinkable } from "./random_graphs.js";
import { sourceOf } from "./source.js";

export interface Search {
  readonly runs: number;
  readonly seed?: number | undefined;
  readonly graphs: fc.Arbitrary<Drawn>;
  /** Undefined where all is well. */
  readonly check: (graph: Drawn) => Promise<Fault | undefined>;
  /** The same of a file; without it the file is only what the graph looks like. */
  readonly checkFile?: (text: string) => Promise<FileFault | undefined>;
  /** The command lines that show the fault. */
  readonly commands: (path: string) => readonly string[];
}

export interface Found {
  readonly path: string;
  readonly text: string;
  /** For people: what is wrong, the file, and how to see it. */
  readonly report: string;
}

/** What shows a fault: the file on two targets, the file beside what it says, or the graph that the file was made of. */
type Shown = "targets" | "file" | "graph";

interface Failure {
  readonly problems: readonly string[];
  readonly kind: string;
  readonly by: Shown;
  readonly text: string;
}

/** Undefined where no graph of so many is at fault. */
export async function search(one: Search): Promise<Found | undefined> {
  let failure: Failure | undefined;
  const details = await fc.check(
    fc.asyncProperty(one.graphs, async (drawn) => {
      const found = await failureOf(drawn, one, failure);
      if (found === undefined) return;
      failure = found;
      throw new Error(found.problems.join("\n"));
    }),
    { numRuns: one.runs, ...(one.seed === undefined ? {} : { seed: one.seed }) },
  );
  if (!details.failed) return undefined;
  if (failure === undefined) throw new Error(`no graph was made: ${String(details.errorInstance)}`);
  return written(failure, one, `seed ${details.seed}, path ${details.counterexamplePath}`);
}

/** The smallest file of which `faultOf` still says something; where it says nothing of the graph's own text, that text. */
export async function shrunkToFile(
  graph: AskedGraph,
  said: string,
  faultOf: (text: string) => string | undefined,
  commands: Search["commands"],
): Promise<Found> {
  const faultWith = (problem: string): FileFault => ({
    problems: [problem],
    contents: graph.contents,
    isOfTarget: true,
  });
  let isFirst = true;
  const found = await search({
    runs: 1,
    graphs: shrinkable(graph),
    check: () => {
      const fault = isFirst ? faultWith(said) : undefined;
      isFirst = false;
      return Promise.resolve(fault);
    },
    checkFile: (text) => {
      const problem = faultOf(text);
      return Promise.resolve(problem === undefined ? undefined : faultWith(problem));
    },
    commands,
  });
  if (found === undefined) throw new Error("a graph at fault is not shrunk");
  return found;
}

/** Shrinking must not lead to another fault, nor to one that is harder to see. */
async function failureOf(drawn: Drawn, one: Search, before: Failure | undefined): Promise<Failure | undefined> {
  const graph = before === undefined || before.by === "graph" ? await caught(() => one.check(drawn)) : undefined;
  if (before?.by === "graph" && graph === undefined) return undefined;
  if (before === undefined && graph === undefined) return undefined;
  const text = graph?.text ?? sourceOf({ ...drawn, contents: graph?.contents ?? drawn.contents });
  const file = before?.by === "graph" ? undefined : await caught(async () => await one.checkFile?.(text));
  const by: Shown = file === undefined ? "graph" : file.isOfTarget ? "targets" : "file";
  const problems = (file ?? graph)?.problems.slice(0, 3) ?? [];
  const failure = { problems, kind: kindOf(problems), by, text };
  if (before === undefined || (before.kind === failure.kind && before.by === by)) return failure;
  return undefined;
}

/** What a back end or the compiler throws is a fault as well. */
async function caught(work: () => Promise<Fault | undefined>): Promise<FileFault | undefined> {
  try {
    const fault = await work();
    return fault === undefined ? undefined : { isOfTarget: false, ...fault };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
    return { problems: [`${name}: ${message}`], contents: new Map(), isOfTarget: false };
  }
}

/** Values that differ, or what is said without its numbers and names. */
function kindOf(problems: readonly string[]): string {
  const [first = ""] = problems;
  return / is .*, not |elements, not /.test(first) ? "values" : first.replace(/[\d`'"].*$/s, "");
}

const words: Readonly<Record<Shown, string>> = {
  targets: "This file shows it:",
  file: "This file shows it; the passes are at fault, and so the reference behind them gives the same:",
  graph: "The graph shows it that this file says, and the file by itself does not:",
};

function written({ problems, by, text }: Failure, { checkFile, commands }: Search, origin: string): Found {
  const folder = process.env["GRAPHC_FUZZ_FOLDER"] ?? join(tmpdir(), "graphc-fuzz");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${createHash("sha256").update(text).digest("hex").slice(0, 10)}.graph`);
  const lines = [
    ...problems.flatMap((problem) => problem.split("\n").slice(0, 5)),
    checkFile === undefined ? "The text of the graph:" : words[by],
    ...commands(path),
  ];
  const whole = `${lines.map((line) => `# ${line}`).join("\n")}\n\n${text}`;
  writeFileSync(path, whole);
  return { path, text, report: [`${path} (${origin})`, whole].join("\n") };
}
